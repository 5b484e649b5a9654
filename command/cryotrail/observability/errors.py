"""What can go wrong while a process is made observable."""

from __future__ import annotations

from cryotrail_schemas.errors import CryotrailError


class EndpointsRefused(CryotrailError):
    """The address for health and metrics is none, or cannot be listened on."""


class ObservabilityMissing(CryotrailError):
    """The extra ``observability`` is not installed, and what was asked for needs it."""

    def __init__(self, wanted: str, package: str) -> None:
        super().__init__(f"{wanted} needs {package}", hint="pip install 'cryotrail[observability]'")
