"""The two outboxes of a publisher: clinical events, and telemetry beside them.

Telemetry has its own file and producer id, so that its lighter durability never weakens a clinical
event and its volume never stands before one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from itertools import takewhile
from uuid import UUID

from cryotrail_producers.errors import OutboxError, OutboxFull
from cryotrail_producers.outbox.drain import OutboxDrain
from cryotrail_producers.outbox.gap_reports import GapReports
from cryotrail_producers.outbox.loss_reports import LossReports
from cryotrail_producers.outbox.outbox import Outbox
from cryotrail_producers.outbox.status import OutboxStatus, by_file, together
from cryotrail_producers.outbox_file.delivery_numbers import OutboxEntry
from cryotrail_producers.outbox_file.sealed_procedures import SEAL_TYPE, Contents
from cryotrail_producers.outbox_file.shed_samples import shed_samples
from cryotrail_producers.settings import PublisherSettings
from cryotrail_schemas.events import Event
from cryotrail_schemas.signing import Signer
from cryotrail_schemas.topics import PROBE_TELEMETRY, PROCEDURE_EVENTS


class OutboxPair:
    """Both outboxes, open. Errors are those of :class:`~cryotrail_producers.outbox.outbox.Outbox`."""

    def __init__(
        self,
        settings: PublisherSettings,
        make_entry: Callable[[Event], OutboxEntry],
        signer: Signer | None = None,
    ) -> None:
        """``make_entry`` encodes the events that the pair itself makes: reports of what was shed."""
        clinical_path, telemetry_path = settings.outbox_path, settings.telemetry_path()
        self.sender_lock_path = clinical_path.with_name(f"{clinical_path.name}.sender")
        """Locked by the one process that sends from this pair."""
        with ExitStack() as undo:
            clinical = undo.enter_context(
                Outbox(clinical_path, "FULL", signer, settings.clinical_budget)
            )
            telemetry = undo.enter_context(
                Outbox(telemetry_path, "NORMAL", signer, settings.telemetry_budget)
            )
            self._gaps = GapReports(clinical, make_entry)
            undo.pop_all()
        self.by_topic = {PROCEDURE_EVENTS: clinical, PROBE_TELEMETRY: telemetry}
        self._own: dict[str, range] = {}
        self._own_lock = threading.Lock()
        self._losses = LossReports(clinical, telemetry, make_entry)
        with suppress(OutboxError):  # what could not be reported now is later
            self.report_losses()

    def append(self, entries: Sequence[OutboxEntry]) -> list[UUID | None]:
        """Accept events; returns for each its ``event_id``, None when it was shed.

        Those of one topic are accepted together or not at all, up to each seal that is among
        them; where not all have room, those before the first that has none. The two files commit
        one after the other, clinical events first; but what stands before a seal is durable in
        both when the seal is, and is not numbered as after it.

        :raises OutboxError: its ``outcomes`` tell what was accepted.
        """
        outcomes: list[UUID | None] = []
        for part in _up_to_each_seal(entries):
            try:
                whole = len(part) == 1 or self._have_room(part)
                for piece in [part] if whole else [[entry] for entry in part]:
                    outcomes += self._append_part(piece)
            except OutboxError as error:
                error.outcomes = (*outcomes, *error.outcomes)
                if isinstance(error, OutboxFull):
                    self._count_full(entries[len(error.outcomes)].topic)
                raise
        return outcomes

    def _count_full(self, topic: str) -> None:
        with suppress(OutboxError):  # what was refused is to be told, counted or not
            self.by_topic[topic].count_refused(1)

    def _have_room(self, entries: Sequence[OutboxEntry]) -> bool:
        wanted = {entry.topic for entry in entries}
        return all(
            self.by_topic[topic].has_room([entry for entry in entries if entry.topic == topic])
            for topic in wanted
        )

    def _append_part(self, entries: Sequence[OutboxEntry]) -> list[UUID | None]:
        telemetry, last = self.by_topic[PROBE_TELEMETRY], entries[-1]
        sealed = last.event_type == SEAL_TYPE
        outcomes: dict[int, UUID | None] = {}
        try:
            for topic in reversed(self.by_topic) if sealed else self.by_topic:
                self._append_of_topic(topic, entries, outcomes)
                if topic == PROBE_TELEMETRY and sealed:
                    telemetry.sync()  # a power cut must not leave a seal over chunks that it took
                    self._own_up(PROCEDURE_EVENTS, self._gaps.report_of(last.procedure_id))
            if sealed:
                telemetry.settle_seal(last.procedure_id, last.event_id)
        except OutboxError as error:
            accepted = takewhile(outcomes.__contains__, range(len(entries)))
            error.outcomes = tuple(outcomes[index] for index in accepted)
            raise
        return [outcomes[index] for index in range(len(entries))]

    def _append_of_topic(
        self, topic: str, entries: Sequence[OutboxEntry], outcomes: dict[int, UUID | None]
    ) -> None:
        indices = [index for index, entry in enumerate(entries) if entry.topic == topic]
        if not indices:
            return
        ids = self.by_topic[topic].append([entries[index] for index in indices])
        self._own_up(topic, [id_ for id_ in ids if id_ is not None])
        shed = []
        for index, id_ in zip(indices, ids, strict=True):
            if id_ is not None:
                outcomes[index] = entries[index].event_id
            elif (chunk := entries[index].sheddable) is not None:
                shed.append((index, chunk))
        if shed:
            self._gaps.note([shed_samples(chunk) for _, chunk in shed])
            outcomes.update((index, None) for index, _ in shed)

    def _own_up(self, topic: str, ids: Sequence[int]) -> None:
        if ids:
            with self._own_lock:
                before = self._own.get(topic, range(ids[0], ids[-1] + 1))
                self._own[topic] = range(min(before.start, ids[0]), max(before.stop, ids[-1] + 1))

    def unacknowledged(self) -> int:
        """How many events that were accepted through this pair wait for Kafka.

        While other processes append too, some of theirs may be counted among them.
        """
        with self._own_lock:
            own = dict(self._own)
        return sum(self.by_topic[topic].unacknowledged(ids) for topic, ids in own.items())

    def seal(
        self, procedure_id: UUID, make_seal: Callable[[Contents, Contents], OutboxEntry]
    ) -> UUID:
        """Seal a procedure with what ``make_seal`` makes of clinical and telemetry contents.

        Returns the seal's event id; of a procedure that is sealed already, that seal's. What was
        shed of it is reported first, and counted. A process that dies within leaves no seal, and
        the next call counts anew.

        :raises OutboxError: a file cannot be written; whether it was sealed the next call finds.
        """
        clinical, telemetry = self.by_topic[PROCEDURE_EVENTS], self.by_topic[PROBE_TELEMETRY]
        known = clinical.seal_of(procedure_id)
        if known is not None:
            if telemetry.seal_of(procedure_id) is None:
                # The process that sealed it died between the two files.
                telemetry.settle_seal(procedure_id, known)
            return known
        chunks = telemetry.close_procedure(procedure_id)
        seal_id, ids = clinical.seal(
            procedure_id,
            lambda events: make_seal(events, chunks),
            lambda connection: self._gaps.report_within(connection, procedure_id),
        )
        self._own_up(PROCEDURE_EVENTS, ids)
        telemetry.settle_seal(procedure_id, seal_id)
        return seal_id

    def report_losses(self) -> None:
        """Report what damaged files lost, as far as it is known of which procedure."""
        self._own_up(PROCEDURE_EVENTS, self._losses.report())

    def report_gaps(self, older_than_s: float = 0.0) -> None:
        """Report everything that was shed, or what of it began so long ago."""
        self._own_up(PROCEDURE_EVENTS, self._gaps.report_due(older_than_s))

    def report_gaps_in_time(self, older_than_s: float) -> None:
        """Report what was shed: all of it once nothing is shed any more, else what began so long
        ago."""
        shedding = self.by_topic[PROBE_TELEMETRY].is_shedding()
        self.report_gaps(older_than_s if shedding else 0.0)

    def sync(self) -> None:
        """Make everything accepted so far survive a power cut, and so free to be sent."""
        for outbox in self.by_topic.values():
            outbox.sync()

    def count_refused(self, count: int) -> None:
        """Add events that were refused before they got a topic; the clinical file counts them."""
        self.by_topic[PROCEDURE_EVENTS].count_refused(count)

    def status(self) -> OutboxStatus:
        """Both together."""
        return together(self.statuses().values())

    def statuses(self) -> dict[str, OutboxStatus]:
        """Each file's, by name: ``clinical`` and ``telemetry``."""
        return by_file(*(outbox.status() for outbox in self.by_topic.values()))

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
            both.callback(self._gaps.close)  # run first


def _up_to_each_seal(entries: Sequence[OutboxEntry]) -> Iterator[Sequence[OutboxEntry]]:
    """The entries in order, in parts of which each but the last ends with a seal."""
    begin = 0
    for index, entry in enumerate(entries, 1):
        if entry.event_type == SEAL_TYPE:
            yield entries[begin:index]
            begin = index
    if begin < len(entries):
        yield entries[begin:]
