"""What a recorder has done."""

from __future__ import annotations

from dataclasses import dataclass

from cryotrail_audit.records import AppendOutcome


@dataclass(slots=True)
class Tally:
    """Counts since the recorder was made."""

    recorded: int = 0
    """New events."""
    redelivered: int = 0
    """Records whose event was recorded before, with the same content."""
    conflicts: int = 0
    """Records whose event id was recorded before, with other content; they are entries too."""
    quarantined: int = 0
    alarms: int = 0
    """Loss alarms: partitions whose log was not the one recorded."""
    held_up: int = 0
    """Partitions that are left alone now, because their log is damaged where they stand."""
    transactions: int = 0
    backlog: int = 0
    """Records, more or less, that waited in Kafka when the partitions were last taken over."""

    @property
    def records(self) -> int:
        """Kafka records that were dealt with."""
        return self.recorded + self.redelivered + self.conflicts + self.quarantined

    def add(self, outcome: AppendOutcome) -> None:
        """Count one transaction with records."""
        self.recorded += outcome.recorded
        self.redelivered += outcome.redelivered
        self.conflicts += outcome.conflicts
        self.quarantined += outcome.quarantined
        self.transactions += 1
