"""The metrics of a recorder: what it tells while it works, as Prometheus reads it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from operator import itemgetter
from typing import Final

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from cryotrail.observability import ingest_latency, labels
from cryotrail.observability.clock_offsets import ClockOffsets
from cryotrail.observability.health import Heartbeat
from cryotrail.observability.sequence_gaps import SequenceGaps
from cryotrail_audit.records import EVENT, AppendOutcome, IncomingBatch, IncomingRecord
from cryotrail_consumers.decoding.headers import unpack_headers
from cryotrail_consumers.recording.tally import Tally
from cryotrail_schemas.delivery import CE_SOURCE
from cryotrail_schemas.topics import EVENT_TOPICS, topic_of

# By place in the tuple: this looks at every event of the hot path.
_TYPE: Final = itemgetter(IncomingRecord._fields.index("event_type"))
_TIME: Final = itemgetter(IncomingRecord._fields.index("occurred_us"))

_BOUNDS: Final = [*(str(bound) for bound in ingest_latency.BOUNDS_S), "+Inf"]


class RecorderMetrics(Collector):
    """Watches one recorder (a :class:`~cryotrail_consumers.recording.observer.RecorderObserver`).

    The recorder's thread tells, the thread of a scrape reads: what is told replaces a value whole.
    """

    def __init__(self) -> None:
        self.heartbeat = Heartbeat()
        self.tally = Tally()
        self._sources = labels.sources()
        self._reasons = labels.codes()
        self._gaps = SequenceGaps(self._source_of)
        self._offsets = ClockOffsets(self._source_of)
        self._latencies = dict.fromkeys(EVENT_TOPICS, ingest_latency.EMPTY)
        self._appending_s = 0.0
        self._head_seq: int | None = None

    def begins(self, tally: Tally, tree_size: int) -> None:
        """A recorder is about to work on a log of so many entries."""
        self.tally, self._head_seq = tally, tree_size - 1

    def looped(self, tally: Tally) -> None:
        """The recorder's loop turned."""
        self.heartbeat.beat()
        self.tally = tally

    def appended(self, batch: IncomingBatch, outcome: AppendOutcome, elapsed_s: float) -> None:
        """A transaction was committed."""
        self._head_seq = outcome.tree_size - 1
        self._appending_s += elapsed_s
        records = [record for _, record in batch.records]
        self._gaps.look_at(records)
        events = records
        if outcome.quarantined:
            events = [record for kind, record in batch.records if kind == EVENT]
        self._offsets.look_at(events)
        # Of an event that came again nobody can say here when it was stored, nor which it is.
        if outcome.recorded == len(events):
            self._add_latencies(events, time.time_ns() // 1000)

    def _add_latencies(self, events: list[IncomingRecord], stored_us: int) -> None:
        occurred: dict[str, list[int]] = {topic: [] for topic in self._latencies}
        put = {
            event_type: occurred[topic_of(event_type or "")].append
            for event_type in set(map(_TYPE, events))
        }
        for event_type, at_us in zip(map(_TYPE, events), map(_TIME, events), strict=True):
            if at_us is not None:
                put[event_type](at_us)
        for topic, times_us in occurred.items():
            if times_us:
                known = self._latencies[topic]
                self._latencies[topic] = ingest_latency.with_more(known, times_us, stored_us)

    def _source_of(self, record: IncomingRecord) -> str:
        source = dict(unpack_headers(record.kafka_headers)).get(CE_SOURCE)
        return self._sources.of(None if source is None else source.decode("utf-8", "replace"))

    def collect(self) -> Iterator[Metric]:
        """What there is to know now."""
        tally = self.tally
        yield _by_label(
            "cryotrail_events_consumed",
            "Kafka records that were dealt with, by what became of them.",
            "result",
            {
                "stored": tally.recorded,
                "duplicate": tally.redelivered,
                "conflict": tally.conflicts,
                "quarantined": tally.quarantined,
            },
        )
        reasons: dict[str, int] = {}
        for reason, count in tally.quarantined_by_reason.items():
            label = self._reasons.of(reason)
            reasons[label] = reasons.get(label, 0) + count
        yield _by_label(
            "cryotrail_quarantine", "Records set aside unread, by reason.", "reason", reasons
        )
        yield self._latency_metric()
        lag = GaugeMetricFamily(
            "cryotrail_consumer_lag_records",
            "Records in Kafka behind what is recorded; a few seconds old.",
            labels=["topic", "partition"],
        )
        for (topic, partition), count in tally.lag.items():
            lag.add_metric([topic, str(partition)], count)
        yield lag
        if self._head_seq is not None:
            yield GaugeMetricFamily(
                "cryotrail_chain_head_seq",
                "The newest entry of the log as this recorder knows it; -1 = it is empty.",
                self._head_seq,
            )
        yield _by_label(
            "cryotrail_sequence_gaps",
            "Delivery numbers that did not follow the one before them.",
            "device",
            self._gaps.counts,
        )
        offsets = GaugeMetricFamily(
            "cryotrail_device_clock_offset_seconds",
            "Clock of a publishing system minus the reference clock, as its newest event says.",
            labels=["device"],
        )
        for source, offset_s in self._offsets.seconds.items():
            offsets.add_metric([source], offset_s)
        yield offsets
        yield from self._standing(tally)

    def _latency_metric(self) -> Metric:
        metric = HistogramMetricFamily(
            "cryotrail_ingest_latency_seconds",
            "From an event's occurrence, by its own clock, to its commit in the store.",
            labels=["topic"],
        )
        for topic, known in self._latencies.items():
            buckets = list(zip(_BOUNDS, known.cumulative, strict=True))
            metric.add_metric([topic], buckets, known.sum_s)
        return metric

    def _standing(self, tally: Tally) -> Iterator[Metric]:
        for name, text, count in (
            ("loss_alarms", "Partitions whose log was not the one recorded.", tally.alarms),
            ("recorder_transactions", "Transactions that were committed.", tally.transactions),
            ("recorder_append_seconds", "Time in the store's appends.", self._appending_s),
            (
                "recorder_fenced",
                "Appends refused because another recorder had taken the partition.",
                tally.fenced,
            ),
            (
                "recorder_breaker_openings",
                "Times that the circuit breaker of a partition opened.",
                tally.breaker_openings,
            ),
            (
                "recorder_stuck_restarts",
                "Times that the source was opened anew because a partition stood still.",
                tally.stuck_restarts,
            ),
        ):
            yield CounterMetricFamily(f"cryotrail_{name}", text, count)
        for name, text, value in (
            ("partitions_held_up", "Partitions left alone, their log is damaged.", tally.held_up),
            ("recorder_breakers_open", "Partitions whose breaker is open.", len(tally.breakers)),
            (
                "recorder_waiting",
                "1 = the recorder waits for something that is away.",
                int(tally.waiting_for is not None),
            ),
        ):
            yield GaugeMetricFamily(f"cryotrail_{name}", text, value)
        if tally.last_append_us is not None:
            yield GaugeMetricFamily(
                "cryotrail_recorder_last_append_timestamp_seconds",
                "When the last transaction was committed, seconds since 1970.",
                tally.last_append_us / 1e6,
            )


def _by_label(name: str, text: str, label: str, counts: Mapping[str, int]) -> Metric:
    metric = CounterMetricFamily(name, text, labels=[label])
    for value, count in counts.items():
        metric.add_metric([value], count)
    return metric
