"""The metrics of a materialiser."""

from __future__ import annotations

import time
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cryotrail.observability.health import Heartbeat
from cryotrail_warehouse.refresh import RefreshOutcome


class WarehouseMetrics(Collector):
    """Watches a materialiser; its numbers may be read from any thread."""

    def __init__(self) -> None:
        self.heartbeat = Heartbeat()
        self._current_s: float | None = None
        self._publication_no: int | None = None
        self._publications = 0

    def looked(self, outcome: RefreshOutcome) -> None:
        """The materialiser has read the store to its end."""
        self._current_s = time.monotonic()
        self._publication_no = outcome.publication_no
        self._publications += outcome.published

    def collect(self) -> Iterator[Metric]:
        """What there is to know now."""
        if self._current_s is not None:
            yield GaugeMetricFamily(
                "cryotrail_warehouse_age_seconds",
                "Since the published marts were last known to hold everything that is recorded.",
                time.monotonic() - self._current_s,
            )
        if self._publication_no is not None:
            yield GaugeMetricFamily(
                "cryotrail_warehouse_publication_no",
                "Number of the newest publication.",
                self._publication_no,
            )
        yield CounterMetricFamily(
            "cryotrail_warehouse_publications",
            "Publications that this process made.",
            self._publications,
        )
