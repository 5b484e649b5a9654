"""What can still be read from a damaged outbox file. Nothing is taken on trust: an event is salvaged
when its checksum fits and its body says what its columns say."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from cryotrail_producers.outbox_file.row_checksum import WRITTEN_COLUMNS, row_checksum
from cryotrail_producers.salvage.sqlite_pages import DamagedDatabase, FoundRow, Value
from cryotrail_schemas.catalog import catalog
from cryotrail_schemas.codec import decode_plain, parse_frame
from cryotrail_schemas.errors import CryotrailError
from cryotrail_schemas.topics import topic_of

_FIRST_LAYOUT_COLUMNS, _ALL_COLUMNS = 16, 20


class SalvagedEvent(NamedTuple):
    """An event as it was numbered; whether Kafka acknowledged it does not matter any more."""

    columns: tuple[Any, ...]
    """The :data:`~cryotrail_producers.outbox_file.row_checksum.WRITTEN_COLUMNS`."""

    def column(self, name: str) -> Any:
        """One of them."""
        return self.columns[WRITTEN_COLUMNS.index(name)]


@dataclass(slots=True)
class Salvage:
    """The rows of each table, by their key."""

    log_is_whole: bool = True
    """No commit is missing from the write-ahead log."""
    last_id: int = 0
    """The highest id that was given, as far as it shows."""
    events: dict[int, SalvagedEvent] = field(default_factory=dict)
    indexed_ids: set[int] = field(default_factory=set)
    """Ids that an index names: events that were there, whether they can be read or not."""
    producers: dict[int, tuple[str, int, int]] = field(default_factory=dict)
    """By producer_no: producer_id, last_seq, minted_us."""
    numbers: dict[tuple[int, bytes, str], int] = field(default_factory=dict)
    """By producer_no, procedure and topic: last_seq."""
    contents: dict[tuple[bytes, int], tuple[bytes, bytes]] = field(default_factory=dict)
    subjects: dict[bytes, tuple[bytes, str]] = field(default_factory=dict)
    """Subject and data origin of a procedure."""
    sealed: dict[bytes, tuple[bytes | None, int]] = field(default_factory=dict)
    gaps: dict[bytes, tuple[Value, ...]] = field(default_factory=dict)
    """Whole rows, by event_id."""
    losses: dict[bytes, tuple[Value, ...]] = field(default_factory=dict)
    """Whole rows, by event_id."""


def read_salvage(path: Path, log_path: Path) -> Salvage:
    """Everything that a damaged file and its write-ahead log still hold; neither is changed.

    :raises OSError: one cannot be read.
    """
    database = DamagedDatabase(path, log_path)
    found = Salvage(log_is_whole=database.log_is_whole)
    for row in database.rows():
        _take(found, row)
    found.last_id = max([found.last_id, *found.events])
    found.indexed_ids = {id_ for id_ in found.indexed_ids if 0 < id_ <= found.last_id}
    return found


def _take(found: Salvage, row: FoundRow) -> None:
    """Tell by its columns which table a row is of."""
    match row.row_id, row.values:
        case int(), (None, bytes(), str(), bytes(), *_) if (
            _FIRST_LAYOUT_COLUMNS <= len(row.values) <= _ALL_COLUMNS
        ):
            _take_event(found, row)
        case int(number), (None, str(producer_id), int(last_seq), int(minted_us)):
            known = found.producers.get(number, ("", 0, 0))
            if _is_uuid(producer_id) and last_seq >= known[1]:
                found.producers[number] = (producer_id, last_seq, minted_us)
        case int(), ("event", int(last_id)):
            found.last_id = max(found.last_id, last_id)
        case None, (int(), int(id_)):
            found.indexed_ids.add(id_)
        case None, (int(number), bytes(procedure), str(topic), int(last_seq)) if _id(procedure):
            key = (number, procedure, topic)
            found.numbers[key] = max(found.numbers.get(key, 0), last_seq)
        case None, (bytes(procedure), int(id_), bytes(event), bytes(content)) if (
            _id(procedure) and _id(event) and len(content) == 32
        ):
            found.contents[procedure, id_] = (event, content)
        case None, (bytes(procedure), bytes(subject), str(origin)) if _id(procedure) and _id(
            subject
        ):
            found.subjects.setdefault(procedure, (subject, origin))
        case None, (bytes(procedure), (bytes() | None) as seal, int(through)) if _id(procedure):
            known_seal, known_through = found.sealed.get(procedure, (None, 0))
            found.sealed[procedure] = (seal or known_seal, max(through, known_through))
        case None, (bytes(event), bytes(procedure), str(), *_) if (
            len(row.values) == 15 and _id(event) and _id(procedure)
        ):
            found.gaps[event] = row.values
        case None, (bytes(event), str(), int(), *_) if len(row.values) == 9 and _id(event):
            found.losses[event] = row.values


def _take_event(found: Salvage, row: FoundRow) -> None:
    values = row.values + (None,) * (_ALL_COLUMNS - len(row.values))
    event = SalvagedEvent((*values[1:11], *values[16:19], values[11]))
    checksum = values[19]
    if checksum is not None and row_checksum(event.columns) != checksum:
        return
    header = _header(event)
    if header is None or (not header and checksum is None):
        return
    if header:
        if not _is_of(event, header):
            return
        subject = (UUID(header["subject_id"]).bytes, str(header["data_origin"]))
        found.subjects[event.column("procedure_id")] = subject
    assert row.row_id is not None
    found.events[row.row_id] = event


def _header(event: SalvagedEvent) -> dict[str, Any] | None:
    """The header in the event's body; empty when a later version wrote it, None when damaged."""
    try:
        frame = parse_frame(event.column("value"))
        event_type = catalog().by_fingerprint(frame.fingerprint or b"")
        if event_type is None:
            return {}
        if event_type.name != event.column("event_type"):
            return None
        header: dict[str, Any] = decode_plain(frame.body, event_type)["header"]
    except (CryotrailError, TypeError):
        return None
    return header


def _is_of(event: SalvagedEvent, header: dict[str, Any]) -> bool:
    numbers = ("producer_no", "producer_seq", "procedure_seq", "appended_us")
    return (
        UUID(header["event_id"]).bytes == event.column("event_id")
        and UUID(header["procedure_id"]).bytes == event.column("procedure_id")
        and header["occurred_at"] == event.column("occurred_us")
        and event.column("topic") == topic_of(event.column("event_type"))
        and isinstance(event.column("source"), str)
        and all(isinstance(event.column(name), int) for name in numbers)
    )


def _id(value: bytes) -> bool:
    return len(value) == 16


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
