"""What a recorder has done, and how it stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from cryotrail_audit.records import QUARANTINED, AppendOutcome, IncomingBatch
from cryotrail_consumers.coordinates import TopicPartition


@dataclass(slots=True)
class Tally:
    """Counts since the recorder was made, and what stands now.

    The recorder's thread writes it and any thread may read it: mappings are replaced and never
    changed.
    """

    recorded: int = 0
    """New events."""
    redelivered: int = 0
    """Records whose event was recorded before, with the same content."""
    conflicts: int = 0
    """Records whose event id was recorded before, with other content; they are entries too."""
    quarantined: int = 0
    known: int = 0
    """Records that were read again after a reset, and passed over by their coordinates."""
    alarms: int = 0
    """Loss alarms: partitions whose log was not the one recorded."""
    held_up: int = 0
    """Partitions that are left alone now, because their log is damaged where they stand."""
    transactions: int = 0
    backlog: int = 0
    """Records, more or less, that waited in Kafka when the partitions were last taken over."""
    breaker_openings: int = 0
    """How often the circuit breaker of a partition opened."""
    stuck_restarts: int = 0
    """How often the source was opened anew because a partition stood still without a reason."""
    fenced: int = 0
    """How often another recorder had claimed a partition that this one was about to append to."""
    quarantined_by_reason: Mapping[str, int] = field(default_factory=dict)
    """The quarantined ones by the code of their reason."""
    breakers: Mapping[TopicPartition, Literal["open", "half_open"]] = field(default_factory=dict)
    """Partitions whose circuit breaker is not closed."""
    lag: Mapping[TopicPartition, int] = field(default_factory=dict)
    """Records, more or less, that each partition holds behind the recorded ones; a few seconds old."""
    partitions: int | None = None
    """How many partitions this recorder reads; None = it was not given any yet, or Kafka is away."""
    last_append_us: int | None = None
    """When the last transaction was committed: microseconds since 1970 by this machine's clock."""
    waiting_for: str | None = None
    """What failed and is waited for now."""

    @property
    def records(self) -> int:
        """Kafka records that were dealt with."""
        return self.recorded + self.redelivered + self.conflicts + self.quarantined + self.known

    def add(self, batch: IncomingBatch, outcome: AppendOutcome, now_us: int) -> None:
        """Count one transaction with records."""
        self.recorded += outcome.recorded
        self.redelivered += outcome.redelivered
        self.conflicts += outcome.conflicts
        self.quarantined += outcome.quarantined
        self.transactions += 1
        self.last_append_us = now_us
        if outcome.quarantined:
            reasons = Counter(self.quarantined_by_reason)
            reasons.update(
                record.reason or "" for kind, record in batch.records if kind == QUARANTINED
            )
            self.quarantined_by_reason = dict(reasons)
