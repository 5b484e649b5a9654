"""A signer that answers for itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cryotrail.observability.health import Health
from cryotrail.observability.readiness import store_answers
from cryotrail.observability.serving import serving
from cryotrail.observability.signer_metrics import SignerMetrics
from cryotrail.observability.signer_watch import SignerWatch


@contextmanager
def observed_signer(watch: SignerWatch, audit_url: str, address: str) -> Iterator[None]:
    """Answer for a signer while the block runs.

    :raises EndpointsRefused: the address is none, or cannot be listened on.
    """
    health = Health(
        {"signer": watch.heartbeat.age_s},
        {"store": store_answers(audit_url), "log": lambda: watch.problem},
    )
    with serving(address, "signer", [SignerMetrics(watch)], health):
        yield
