"""What the pages need to know, passed from the command to the server's process by environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from cryotrail_dashboards.errors import DashboardError


class PageSettings(Protocol):
    """The part of a process's settings that the pages use; `cryotrail.settings.Settings` has it."""

    @property
    def warehouse_dir(self) -> Path:
        """The folder whose ``warehouse.duckdb`` is the publication."""

    @property
    def audit_url(self) -> str:
        """Address of the audit store, for its head and its verifier."""

    @property
    def site_tz(self) -> str:
        """IANA zone whose clock the pages show."""


@dataclass(frozen=True, slots=True)
class DashboardSettings:
    """The settings of one page server."""

    warehouse_dir: Path
    audit_url: str
    site_tz: str

    @classmethod
    def of(cls, settings: PageSettings) -> Self:
        """Take the part that the pages use from the settings of a whole process."""
        return cls(settings.warehouse_dir, settings.audit_url, settings.site_tz)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Read what :meth:`to_environment` wrote.

        :raises DashboardError: a variable is missing, so this process was not started by
            ``cryotrail dashboard``.
        """
        environment = os.environ if environment is None else environment
        try:
            return cls(
                warehouse_dir=Path(environment["CRYOTRAIL_WAREHOUSE_DIR"]),
                audit_url=environment["CRYOTRAIL_AUDIT_URL"],
                site_tz=environment["CRYOTRAIL_SITE_TZ"],
            )
        except KeyError as missing:
            raise DashboardError(
                f"the page server was started without {missing.args[0]}",
                hint="start it with `cryotrail dashboard`, which passes its settings on",
            ) from missing

    def to_environment(self) -> dict[str, str]:
        """The variables that carry these settings into the server's process."""
        return {
            "CRYOTRAIL_WAREHOUSE_DIR": str(self.warehouse_dir.absolute()),
            "CRYOTRAIL_AUDIT_URL": self.audit_url,
            "CRYOTRAIL_SITE_TZ": self.site_tz,
        }
