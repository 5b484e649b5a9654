"""What the log holds of one subject: what is encrypted, what stands in clear, and where it came from.

A subject stands in the bodies, not in a column, so every entry is read once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from cryotrail_audit.records import CONFLICT, EVENT, QUARANTINED, Entry, StoredSchema
from cryotrail_audit.store import AuditStore
from cryotrail_schemas.catalog import EventType, event_type_of
from cryotrail_schemas.codec import decode_plain, parse_frame
from cryotrail_schemas.errors import CryotrailError
from cryotrail_schemas.personal import clear_pointers, parse_sealed


class ClearText(NamedTuple):
    """An entry whose personal text was published while encryption was off; it stays for ever."""

    seq: int
    event_id: UUID
    event_type: str
    pointers: tuple[str, ...]


class QuarantinedRecord(NamedTuple):
    """A record of one of the subject's procedures that could not be read."""

    seq: int
    sealed: bool
    """Under a key of its own; if not, its bytes stand in the log in clear."""


class Stretch(NamedTuple):
    """Offsets of one partition in which records of the subject came."""

    record_count: int
    first_offset: int
    last_offset: int


@dataclass
class Trace:
    """What the log holds of one subject."""

    entries: int = 0
    """Events and conflicts."""
    encrypted: Counter[bytes] = field(default_factory=Counter)
    """Entries with a ciphertext, by the id of its key."""
    withheld: int = 0
    """Entries that went out after an erasure, their text left out."""
    clear: list[ClearText] = field(default_factory=list)
    quarantined: list[QuarantinedRecord] = field(default_factory=list)
    procedure_ids: set[UUID] = field(default_factory=set)
    stretches: dict[tuple[int, int, int], Stretch] = field(default_factory=dict)
    """By topic id, partition and incarnation."""

    def counts(self) -> dict[str, int]:
        """The figures that an erasure's entry states."""
        return {
            "entries": self.entries,
            "encrypted": self.encrypted.total(),
            "withheld": self.withheld,
            "in_clear": len(self.clear),
            "quarantined_sealed": sum(one.sealed for one in self.quarantined),
            "quarantined_in_clear": sum(not one.sealed for one in self.quarantined),
        }


def trace(
    store: AuditStore, subject_id: UUID, advance: Callable[[int], object] = lambda _count: None
) -> Trace:
    """Read the whole log for one subject.

    A quarantined record counts as the subject's when its key names a procedure of theirs, or when
    its bytes are in clear and hold the subject's id.

    :param advance: told how many entries were read, for a progress bar.
    """
    found = Trace()
    needle = str(subject_id).encode()
    reader = _HeaderReader(store.schemas())
    unreadable: list[Entry] = []
    for entries in store.entries(kinds=(EVENT, CONFLICT, QUARANTINED)):
        for entry in entries:
            if entry.kind == QUARANTINED:
                unreadable.append(entry._replace(kafka_headers=None))
            elif needle in (entry.raw or b"").lower():
                record = reader.record(entry)
                if record is not None and record["header"]["subject_id"].lower() == str(subject_id):
                    _add(found, store.place_of(entry), entry, record)
        advance(len(entries))
    for entry in unreadable:
        of_procedure = (
            entry.procedure_id is not None and UUID(bytes=entry.procedure_id) in found.procedure_ids
        )
        if of_procedure or needle in (entry.raw or b"").lower():
            sealed = parse_sealed(entry.raw) is not None
            found.quarantined.append(QuarantinedRecord(store.place_of(entry), sealed))
            _add_stretch(found, entry)
    return found


def knows_subject(
    store: AuditStore, subject_id: UUID, advance: Callable[[int], object] = lambda _count: None
) -> bool:
    """Whether an event or conflict of the log names the subject; reads until the first one.

    :param advance: told how many entries were read, for a progress bar.
    """
    needle = str(subject_id).encode()
    reader = _HeaderReader(store.schemas())
    for entries in store.entries(kinds=(EVENT, CONFLICT)):
        for entry in entries:
            if needle in (entry.raw or b"").lower():
                record = reader.record(entry)
                if record is not None and record["header"]["subject_id"].lower() == str(subject_id):
                    return True
        advance(len(entries))
    return False


def subjects_of(store: AuditStore, procedure_id: bytes) -> set[UUID]:
    """The subjects that a procedure's events name."""
    reader = _HeaderReader(store.schemas())
    subjects = set()
    for entries in store.entries(kinds=(EVENT, CONFLICT)):
        for entry in entries:
            if entry.procedure_id == procedure_id and (record := reader.record(entry)) is not None:
                subjects.add(UUID(record["header"]["subject_id"]))
    return subjects


class _HeaderReader:
    """Decodes entries under the schemas of the store; None where there is no header to read."""

    def __init__(self, schemas: Mapping[bytes, StoredSchema]) -> None:
        self._schemas = schemas
        self._types: dict[bytes, EventType] = {}

    def record(self, entry: Entry) -> dict[str, Any] | None:
        key = entry.schema_sha256 or b""
        if key not in self._schemas:
            return None
        if key not in self._types:
            self._types[key] = event_type_of(self._schemas[key].text, self._schemas[key].version)
        try:
            return decode_plain(parse_frame(entry.raw).body, self._types[key])
        except CryotrailError:
            return None


def _add(found: Trace, place: int, entry: Entry, record: Mapping[str, Any]) -> None:
    found.entries += 1
    if entry.procedure_id is not None:
        found.procedure_ids.add(UUID(bytes=entry.procedure_id))
    header = record["header"]
    if header.get("personal_ciphertext") is not None:
        found.encrypted[header.get("personal_key_id") or b""] += 1
    elif header.get("personal_key_id") is not None:
        found.withheld += 1
    pointers = tuple(clear_pointers(record))
    if pointers:
        event_id = UUID(bytes=entry.event_id)
        found.clear.append(ClearText(place, event_id, str(entry.event_type), pointers))
    _add_stretch(found, entry)


def _add_stretch(found: Trace, entry: Entry) -> None:
    if entry.topic_id is None or entry.part is None or entry.incarnation is None:
        return
    assert entry.kafka_offset is not None  # the four stand or fall together
    place = (entry.topic_id, entry.part, entry.incarnation)
    known = found.stretches.get(place, Stretch(0, entry.kafka_offset, entry.kafka_offset))
    found.stretches[place] = Stretch(
        known.record_count + 1,
        min(known.first_offset, entry.kafka_offset),
        max(known.last_offset, entry.kafka_offset),
    )
