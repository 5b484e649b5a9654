"""The two outboxes of a publisher: clinical events, and telemetry beside them.

Telemetry has its own file and producer id, so that its lighter durability never weakens a clinical
event and its volume never stands before one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID

from cryotrail_producers.delivery_numbers import OutboxEntry
from cryotrail_producers.outbox import Outbox
from cryotrail_producers.outbox_drain import OutboxDrain
from cryotrail_producers.outbox_status import OutboxStatus, together
from cryotrail_producers.sealed_procedures import SEAL_TYPE, Contents
from cryotrail_schemas.signing import Signer
from cryotrail_schemas.topics import PROBE_TELEMETRY, PROCEDURE_EVENTS


class OutboxPair:
    """Both outboxes, open. Errors are those of :class:`~cryotrail_producers.outbox.Outbox`."""

    def __init__(
        self, clinical_path: Path, telemetry_path: Path, signer: Signer | None = None
    ) -> None:
        self.sender_lock_path = clinical_path.with_name(f"{clinical_path.name}.sender")
        """Locked by the one process that sends from this pair."""
        with ExitStack() as undo:
            clinical = undo.enter_context(Outbox(clinical_path, "FULL", signer))
            telemetry = undo.enter_context(Outbox(telemetry_path, "NORMAL", signer))
            undo.pop_all()
        self.by_topic = {PROCEDURE_EVENTS: clinical, PROBE_TELEMETRY: telemetry}

    def append(self, entries: Sequence[OutboxEntry]) -> dict[str, range]:
        """Accept events; returns the ids given per topic.

        Those of one topic are accepted together or not at all, up to each seal that is among
        them. The two files commit one after the other, clinical events first; but what stands
        before a seal is durable in both when the seal is, and is not numbered as after it.
        """
        given: dict[str, range] = {}
        for part in _up_to_each_seal(entries):
            for topic, ids in self._append_part(part).items():
                before = given.get(topic, ids)
                given[topic] = range(before.start, ids.stop)
        return given

    def _append_part(self, entries: Sequence[OutboxEntry]) -> dict[str, range]:
        clinical, telemetry = self.by_topic[PROCEDURE_EVENTS], self.by_topic[PROBE_TELEMETRY]
        last = entries[-1]
        chunks = [entry for entry in entries if entry.topic == PROBE_TELEMETRY]
        events = [entry for entry in entries if entry.topic == PROCEDURE_EVENTS]
        if last.event_type != SEAL_TYPE:
            ordered = [(PROCEDURE_EVENTS, clinical, events), (PROBE_TELEMETRY, telemetry, chunks)]
        else:
            ordered = [(PROBE_TELEMETRY, telemetry, chunks), (PROCEDURE_EVENTS, clinical, events)]
        given = {}
        for topic, outbox, of_topic in ordered:
            if of_topic:
                given[topic] = outbox.append(of_topic)
            if topic == PROBE_TELEMETRY and last.event_type == SEAL_TYPE:
                telemetry.sync()  # a power cut must not leave a seal over chunks that it took
        if last.event_type == SEAL_TYPE:
            telemetry.settle_seal(last.procedure_id, last.event_id)
        return given

    def seal(
        self, procedure_id: UUID, make_seal: Callable[[Contents, Contents], OutboxEntry]
    ) -> tuple[UUID, dict[str, range]]:
        """Seal a procedure with what ``make_seal`` makes of clinical and telemetry contents.

        Returns the seal's event id and the ids as :meth:`append` does; of a procedure that is
        sealed already that seal's and none. A process that dies within leaves no seal, and the
        next call counts anew.

        :raises OutboxError: a file cannot be written; it was not sealed.
        """
        clinical, telemetry = self.by_topic[PROCEDURE_EVENTS], self.by_topic[PROBE_TELEMETRY]
        known = clinical.seal_of(procedure_id)
        if known is not None:
            if telemetry.seal_of(procedure_id) is None:
                # The process that sealed it died between the two files.
                telemetry.settle_seal(procedure_id, known)
            return known, {}
        chunks = telemetry.close_procedure(procedure_id)
        seal_id, ids = clinical.seal(procedure_id, lambda events: make_seal(events, chunks))
        telemetry.settle_seal(procedure_id, seal_id)
        return seal_id, {PROCEDURE_EVENTS: ids} if ids else {}

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


def _up_to_each_seal(entries: Sequence[OutboxEntry]) -> Iterator[Sequence[OutboxEntry]]:
    """The entries in order, in parts of which each but the last ends with a seal."""
    begin = 0
    for index, entry in enumerate(entries, 1):
        if entry.event_type == SEAL_TYPE:
            yield entries[begin:index]
            begin = index
    if begin < len(entries):
        yield entries[begin:]
