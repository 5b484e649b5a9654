"""The two outboxes of a publisher: clinical events, and telemetry beside them.

Telemetry has its own file and producer id, so that its lighter durability never weakens a clinical
event and its volume never stands before one.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from cryotrail_producers.delivery_numbers import OutboxEntry
from cryotrail_producers.outbox import Outbox
from cryotrail_producers.outbox_drain import OutboxDrain
from cryotrail_producers.outbox_status import OutboxStatus, together
from cryotrail_schemas.topics import PROBE_TELEMETRY, PROCEDURE_EVENTS


class OutboxPair:
    """Both outboxes, open. Errors are those of :class:`~cryotrail_producers.outbox.Outbox`."""

    def __init__(self, clinical_path: Path, telemetry_path: Path) -> None:
        self.sender_lock_path = clinical_path.with_name(f"{clinical_path.name}.sender")
        """Locked by the one process that sends from this pair."""
        with ExitStack() as undo:
            clinical = undo.enter_context(Outbox(clinical_path, "FULL"))
            telemetry = undo.enter_context(Outbox(telemetry_path, "NORMAL"))
            undo.pop_all()
        self.by_topic = {PROCEDURE_EVENTS: clinical, PROBE_TELEMETRY: telemetry}

    def append(self, entries: Sequence[OutboxEntry]) -> dict[str, range]:
        """Accept events; returns the ids given per topic.

        Those of one topic are accepted together or not at all. The two files commit one after
        the other, clinical events first.
        """
        given: dict[str, range] = {}
        for topic, outbox in self.by_topic.items():
            of_topic = [entry for entry in entries if entry.topic == topic]
            if of_topic:
                given[topic] = outbox.append(of_topic)
        return given

    def sync(self) -> None:
        """Make everything accepted so far survive a power cut, and so free to be sent."""
        for outbox in self.by_topic.values():
            outbox.sync()

    def count_refused(self, count: int) -> None:
        """Add events that were refused before they got a topic; the clinical file counts them."""
        self.by_topic[PROCEDURE_EVENTS].count_refused(count)

    def status(self) -> OutboxStatus:
        """Both together."""
        return together(outbox.status() for outbox in self.by_topic.values())

    def open_drains(self) -> dict[str, OutboxDrain]:
        """The sender's connections, by topic; the caller closes them."""
        with ExitStack() as undo:
            drains = {}
            for topic, outbox in self.by_topic.items():
                drains[topic] = OutboxDrain(outbox.path, outbox.synchronous)
                undo.callback(drains[topic].close)
            undo.pop_all()
        return drains

    def close(self) -> None:
        """Close both, cleanly."""
        with ExitStack() as both:
            for outbox in self.by_topic.values():
                both.callback(outbox.close)
