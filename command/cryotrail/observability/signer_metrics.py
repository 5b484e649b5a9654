"""The metrics of a signer."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cryotrail.observability.signer_watch import SignerWatch


class SignerMetrics(Collector):
    """What a :class:`SignerWatch` saw."""

    def __init__(self, watch: SignerWatch) -> None:
        self._watch = watch

    def collect(self) -> Iterator[Metric]:
        """What there is to know now."""
        yield CounterMetricFamily(
            "cryotrail_chain_verify_failures",
            "Times that the log was not what was signed before, and was not signed.",
            self._watch.failures,
        )
        if self._watch.verified_s is not None:
            yield GaugeMetricFamily(
                "cryotrail_last_verify_timestamp_seconds",
                "When new entries were last hashed from their bytes and signed, since 1970.",
                self._watch.verified_s,
            )
