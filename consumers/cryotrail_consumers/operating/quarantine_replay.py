"""Reading quarantined records again, with what is known now.

A record may have been unreadable because a schema was not known yet, or no registry configured.
Its bytes are in the log, so it is decoded anew as the recorder decodes, and appended as an entry of
its own that names the quarantined one in ``source_seq``, with the coordinates that it had in Kafka.
The quarantined entry stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple
from uuid import UUID

from cryotrail_audit.errors import BatchRefused, NotReplayable
from cryotrail_audit.framing import pack_tail
from cryotrail_audit.records import EVENT, Entry, IncomingBatch, IncomingRecord, Replay
from cryotrail_audit.store import AuditStore
from cryotrail_consumers.decoding.decoding import RecordDecoder
from cryotrail_consumers.decoding.stored_record import lineage_of, stored_record
from cryotrail_consumers.errors import KeyMissing
from cryotrail_consumers.operating.operator_correction import OperatorCorrection
from cryotrail_consumers.reading.kafka_header_names import EscapedName
from cryotrail_producers.personal_cipher import RecordCipher
from cryotrail_schemas.errors import UndecodableRecord

_AT_ONCE = 200
"""Entries a transaction."""

Outcome = Literal[
    "event",  # appended as an event
    "conflict",  # appended beside the event that has its id and other content
    "redelivered",  # an entry says the same; that is said in the log, and nothing is added twice
    "replayed_before",
    "readable",  # it would be appended: nothing was, since only a look was asked for
    "unreadable",
]


class Replayed(NamedTuple):
    """What came of one quarantined entry."""

    source_seq: int
    outcome: Outcome
    seq: int | None
    """The entry that holds what the record says."""
    event_id: UUID | None
    event_type: str | None
    reason: str | None
    """Why it cannot be read, or the flags of what was appended."""


class QuarantineReplay:
    """Replays quarantined entries of one store, as its recorder would have recorded them."""

    def __init__(
        self, store: AuditStore, decoder: RecordDecoder, records: RecordCipher | None = None
    ) -> None:
        """``records`` opens bytes that are sealed; None = no key is here."""
        self._store = store
        self._decoder = decoder
        self._records = records
        self._topics = store.topics()

    def look(
        self, entries: Iterable[Entry], correction: OperatorCorrection | None = None
    ) -> list[Replayed]:
        """What :meth:`replay` would do; no record is appended.

        Schemas that the decoder learns are registered, unless it was made of
        :class:`~cryotrail_consumers.decoding.known_schemas.SchemasAtHand`.

        :raises AuditError: an entry is not in quarantine.
        """
        return self._each(list(entries), correction, append=False)

    def replay(
        self, entries: Iterable[Entry], correction: OperatorCorrection | None = None
    ) -> list[Replayed]:
        """Append what can be read now; what cannot stays in quarantine, with the reason.

        An entry that was replayed before is not again, so it is safe to repeat after a crash at
        any point. One result an entry, in the order given.

        :param correction: what an operator gives in the place of the bytes of the one entry. Who
            gives it answers for the event: Kafka's key need not be its procedure's, and the
            producer's signature, which is over other bytes, is not taken over. Both stay with the
            quarantined entry.
        :raises AuditError: an entry is not in quarantine.
        """
        listed = list(entries)
        results: list[Replayed] = []
        for first in range(0, len(listed), _AT_ONCE):
            results += self._each(listed[first : first + _AT_ONCE], correction, append=True)
        return results

    def _each(
        self, entries: Sequence[Entry], correction: OperatorCorrection | None, *, append: bool
    ) -> list[Replayed]:
        placed = {self._store.place_of(entry): entry for entry in entries}
        before = self._store.replays(list(placed))
        results: dict[int, Replayed] = {}
        records: list[IncomingRecord] = []
        for place, entry in placed.items():
            if place in before:
                results[place] = _replayed_before(before[place])
                continue
            try:
                record = self._read(place, entry, correction)
            except UndecodableRecord as refused:
                results[place] = _unreadable(place, refused.code)
            except KeyMissing:
                results[place] = _unreadable(place, "key_missing")
            else:
                results[place] = _readable(place, record)
                records.append(record)
        if append:
            results.update(self._append(records))
        return [results[self._store.place_of(entry)] for entry in entries]

    def _read(
        self, place: int, entry: Entry, correction: OperatorCorrection | None
    ) -> IncomingRecord:
        """The record as an event that names the entry.

        :raises UndecodableRecord: why it cannot be read.
        """
        lineage = lineage_of(entry, self._topics)
        if correction is None:
            record = self._decoder.event(stored_record(entry, self._records), lineage)
        else:
            # What cannot be read of the original does not matter: it is replaced, or kept there.
            given = stored_record(entry._replace(raw=correction.value), None)
            headers = [pair for pair in given.headers if not isinstance(pair[0], EscapedName)]
            record = self._decoder.event(replace(given, headers=headers), lineage, any_key=True)
            record = record._replace(
                kafka_headers=entry.kafka_headers,
                signing_key_id=None,
                signature=None,
                reason=correction.marked(record.reason),
            )
        record = record._replace(source_seq=place)
        try:
            pack_tail(record)
        except BatchRefused as refused:
            raise UndecodableRecord("invalid_value", str(refused)) from refused
        return record

    def _append(self, records: Sequence[IncomingRecord]) -> dict[int, Replayed]:
        if not records:
            return {}
        batch = IncomingBatch([(EVENT, one) for one in records], (), (), owner="")
        try:
            outcome = self._store.append(batch)
        except NotReplayable:
            # Somebody else replayed one of them meanwhile, with other content.
            if len(records) > 1:
                return {seq: item for one in records for seq, item in self._append([one]).items()}
            (source_seq,) = (one.source_seq or 0 for one in records)
            before = self._store.replays([source_seq])
            if source_seq not in before:
                raise
            return {source_seq: _replayed_before(before[source_seq])}
        replays = self._store.replays([one.source_seq or 0 for one in records])
        results = {}
        for record in records:
            replay = replays[record.source_seq or 0]
            ours = replay.replay_seq >= outcome.first_seq
            results[replay.source_seq] = _done(replay, record) if ours else _replayed_before(replay)
        return results


def _replayed_before(replay: Replay) -> Replayed:
    return Replayed(replay.source_seq, "replayed_before", replay.seq, None, None, replay.reason)


def _unreadable(place: int, reason: str) -> Replayed:
    return Replayed(place, "unreadable", None, None, None, reason)


def _readable(place: int, record: IncomingRecord) -> Replayed:
    event_id = UUID(bytes=record.event_id)
    return Replayed(place, "readable", None, event_id, record.event_type, record.reason)


def _done(replay: Replay, record: IncomingRecord) -> Replayed:
    return Replayed(
        replay.source_seq,
        replay.outcome,
        replay.seq,
        UUID(bytes=record.event_id),
        record.event_type,
        record.reason,
    )
