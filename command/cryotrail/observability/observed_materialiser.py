"""A materialiser that answers for itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cryotrail.observability.health import Health
from cryotrail.observability.readiness import store_answers
from cryotrail.observability.serving import serving
from cryotrail.observability.warehouse_metrics import WarehouseMetrics


@contextmanager
def observed_materialiser(audit_url: str, address: str) -> Iterator[WarehouseMetrics]:
    """Answer for a materialiser while the block runs; yields what is to be told of its looks.

    :raises EndpointsRefused: the address is none, or cannot be listened on.
    """
    metrics = WarehouseMetrics()
    health = Health({"materialiser": metrics.heartbeat.age_s}, {"store": store_answers(audit_url)})
    with serving(address, "materialiser", [metrics], health):
        yield metrics
