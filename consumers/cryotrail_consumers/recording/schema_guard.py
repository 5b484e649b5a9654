"""Keeps a deployment of producers before that of the recorder from emptying a topic into quarantine.

A record in a whole frame whose schema nobody knows yet is most likely no rubbish: somebody rolled
producers out too early, or forgot the registry. Many of them hold their partition up, before they
are recorded. What has no frame, or is broken, is rubbish and never does.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final, Literal

from cryotrail_audit.records import QUARANTINED, Administrative, IncomingRecord
from cryotrail_consumers.coordinates import TopicPartition
from cryotrail_consumers.recording.circuit_breaker import BreakerLimits, CircuitBreaker, Sample
from cryotrail_schemas.errors import UndecodableRecord
from cryotrail_schemas.framing import parse_frame

_log = logging.getLogger(__name__)

UNKNOWN_SCHEMAS: Final = "unknown_schemas"
"""Event type of the entry that says that many records of a partition name schemas unknown here."""

SCHEMA_UNKNOWN: Final = frozenset({"unknown_fingerprint", "registry_not_configured"})
"""Reasons for quarantine that another look with more knowledge may cure."""

_MOST_NAMED: Final = 16

Decoded = Sequence[tuple[int, IncomingRecord]]


class SchemaGuard:
    """One circuit breaker a partition, and what is to be said of them in the log."""

    def __init__(self, limits: BreakerLimits, *, quarantine: bool = False) -> None:
        """``quarantine``: an operator decided that such records go into quarantine: none is held."""
        self.openings = 0
        self._limits = limits
        self._quarantine = quarantine
        self._breakers: dict[TopicPartition, CircuitBreaker] = {}
        self._offsets: dict[TopicPartition, int] = {}
        self._overridden: set[TopicPartition] = set()
        self._unrecorded: list[CircuitBreaker] = []
        self._unsaid: list[Administrative] = []

    @property
    def states(self) -> Mapping[TopicPartition, Literal["open", "half_open"]]:
        """The breakers that are not closed."""
        return {
            partition: breaker.state
            for partition, breaker in self._breakers.items()
            if breaker.state != "closed"
        }

    def begin(self, offsets: Mapping[TopicPartition, int]) -> None:
        """The partitions were taken over, and go on at these offsets: held ones too.

        What was judged and is not recorded will be judged again, and counts once. A partition that
        is not among them is another recorder's.
        """
        for breaker in self._unrecorded:
            breaker.take_back()
        self._unrecorded.clear()
        self._breakers = {one: kept for one, kept in self._breakers.items() if one in offsets}
        self._offsets = {one: offsets[one] for one in self._breakers}

    def admitted(self, partition: TopicPartition, decoded: Decoded, now_s: float) -> int:
        """How many records of a batch may be recorded, from its beginning.

        Fewer than all: the partition is to be held at the first that may not.
        """
        unknown = [
            number
            for number, (kind, record) in enumerate(decoded)
            if kind == QUARANTINED and _is_schema_unknown(record)
        ]
        breaker = self._breakers.get(partition)
        if breaker is None:
            if not unknown:
                return len(decoded)
            breaker = self._breakers[partition] = CircuitBreaker(self._limits)
        was = breaker.state
        sample = Sample(len(decoded), len(unknown), unknown[0] if unknown else len(decoded))
        if breaker.passes(sample, now_s):
            self._unrecorded.append(breaker)
            if was != "closed":
                _log.warning("%s is read again: its schemas are known now", partition)
            return len(decoded)
        records = [decoded[number][1] for number in unknown]
        if self._quarantine:
            self._breakers[partition] = CircuitBreaker(self._limits)
            if partition not in self._overridden:
                self._overridden.add(partition)
                self._say(partition, "quarantined", sample, records)
            return len(decoded)
        if was == "closed":
            self.openings += 1
            self._say(partition, "held", sample, records)
        self._offsets[partition] = records[0].kafka_offset or 0
        return sample.lead

    def due(
        self, partitions: Collection[TopicPartition], now_s: float
    ) -> Mapping[TopicPartition, int]:
        """Those of these partitions that are to be tried again, from these offsets."""
        return {
            partition: self._offsets[partition]
            for partition in partitions
            if (breaker := self._breakers.get(partition)) and breaker.is_due(now_s)
        }

    def half_open(self, partitions: Iterable[TopicPartition]) -> None:
        """They are read again: their next batch decides."""
        for partition in partitions:
            self._breakers[partition].half_open()

    def unsaid(self) -> Sequence[Administrative]:
        """What is to be said in the log, until :meth:`recorded`."""
        return tuple(self._unsaid)

    def recorded(self, said: Sequence[Administrative]) -> None:
        """The batches that were admitted are recorded, and these entries stand in the log."""
        self._unrecorded.clear()
        del self._unsaid[: len(said)]

    def _say(
        self,
        partition: TopicPartition,
        decision: Literal["held", "quarantined"],
        sample: Sample,
        records: Sequence[IncomingRecord],
    ) -> None:
        said: dict[str, Any] = {
            "decision": decision,
            "topic": partition.topic,
            "partition": partition.partition,
            "offset": records[0].kafka_offset,
            "unknown": sample.unknown,
            "of": sample.total - sample.lead,
            "schemas": list(islice(dict.fromkeys(map(_schema_named, records)), _MOST_NAMED)),
        }
        _log.error(
            "%s is %s: %d of %d records name schemas that are not known here: %s",
            partition, decision, said["unknown"], said["of"], ", ".join(said["schemas"]),
        )  # fmt: skip
        self._unsaid.append(Administrative(UNKNOWN_SCHEMAS, said))


def _is_schema_unknown(record: IncomingRecord) -> bool:
    # A registry counts from 1: the id 0 is a value that begins with zeros, not a frame.
    return record.reason in SCHEMA_UNKNOWN and _frame_schema(record) != 0


def _schema_named(record: IncomingRecord) -> str:
    schema = _frame_schema(record)
    return f"registry id {schema}" if isinstance(schema, int) else str(schema)


def _frame_schema(record: IncomingRecord) -> int | str | None:
    """The schema that a frame names: a registry's id, or a fingerprint in hexadecimal."""
    try:
        frame = parse_frame(record.raw)
    except UndecodableRecord:
        return None
    return frame.schema_id if frame.fingerprint is None else frame.fingerprint.hex()
