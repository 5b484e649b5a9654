"""The metrics of an outbox and of the process that sends from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cryotrail.observability import labels
from cryotrail_producers.errors import OutboxError
from cryotrail_producers.outbox.status import OutboxStatus
from cryotrail_producers.publisher import Publisher
from cryotrail_producers.sending.tally import SenderTally


class OutboxMetrics(Collector):
    """Asks a publisher at each scrape; what its files hold is true whoever wrote it."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._sources = labels.sources()

    def collect(self) -> Iterator[Metric]:
        """What there is to know now."""
        tally = self._publisher.sender_tally()
        yield self._produced(tally)
        yield from _of_sender(tally)
        try:
            statuses = self._publisher.statuses()
            problem = self._publisher.problem()
        except OutboxError:
            statuses, problem = {}, "the outbox cannot be read"
        yield GaugeMetricFamily(
            "cryotrail_outbox_readable", "1 = the files can be read.", int(bool(statuses))
        )
        yield GaugeMetricFamily(
            "cryotrail_sender_problem",
            "1 = something keeps events from being sent.",
            int(problem is not None),
        )
        yield from _of_files(statuses)

    def _produced(self, tally: SenderTally) -> Metric:
        counts: Counter[tuple[str, str]] = Counter()
        for (source, event_type), count in tally.sent.items():
            counts[self._sources.of(source), labels.event_type(event_type)] += count
        metric = CounterMetricFamily(
            "cryotrail_events_produced",
            "Events that Kafka acknowledged to this process for the first time.",
            labels=["adapter", "event_type"],
        )
        for both, count in counts.items():
            metric.add_metric(both, count)
        return metric


def _of_sender(tally: SenderTally) -> Iterator[Metric]:
    yield CounterMetricFamily(
        "cryotrail_events_sent_again",
        "Events acknowledged once more, because a log had lost them or might have.",
        tally.sent_again,
    )
    yield CounterMetricFamily(
        "cryotrail_sender_failures", "Times that sending broke off.", tally.failures
    )
    yield GaugeMetricFamily(
        "cryotrail_sender_active",
        "1 = this process sends from the outbox, 0 = another one does, or nobody.",
        int(tally.is_sender),
    )


def _of_files(statuses: Mapping[str, OutboxStatus]) -> Iterator[Metric]:
    gauges: list[tuple[str, str, dict[str, float | None]]] = [
        (
            "waiting_events",
            "Accepted and not acknowledged by Kafka.",
            {name: one.waiting for name, one in statuses.items()},
        ),
        (
            "waiting_bytes",
            "Of what waits, as its bound counts them.",
            {name: one.bytes for name, one in statuses.items()},
        ),
        (
            "limit_bytes",
            "The bound of the waiting bytes.",
            {name: one.limit_bytes for name, one in statuses.items()},
        ),
        (
            "used_ratio",
            "Used share of the nearer bound, bytes or age; from 1 on events are refused or shed.",
            {name: one.share for name, one in statuses.items()},
        ),
        (
            "oldest_age_seconds",
            "Since the oldest waiting event was accepted; 0 = nothing waits.",
            {name: one.oldest_age_s or 0.0 for name, one in statuses.items()},
        ),
        (
            "shedding",
            "1 = telemetry is being shed.",
            {name: float(one.shedding) for name, one in statuses.items()},
        ),
    ]
    for name, text, values in gauges:
        gauge = GaugeMetricFamily(f"cryotrail_outbox_{name}", text, labels=["outbox"])
        for outbox, value in values.items():
            if value is not None:
                gauge.add_metric([outbox], value)
        yield gauge
    counters = [
        ("sent_events", "Acknowledged since the file was made.", "sent"),
        ("refused_events", "Refused by the publisher since the file was made.", "refused"),
        ("shed_chunks", "Telemetry chunks shed since the file was made.", "shed_chunks"),
        ("shed_samples", "Samples in the chunks that were shed.", "shed_samples"),
    ]
    for name, text, field in counters:
        counter = CounterMetricFamily(f"cryotrail_outbox_{name}", text, labels=["outbox"])
        for outbox, status in statuses.items():
            counter.add_metric([outbox], getattr(status, field))
        yield counter
