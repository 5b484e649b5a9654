"""One pass of verification over one snapshot: everything recomputed, in the order of ``seq``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any, Final, Generic, TypeVar

from cryotrail_audit.batch_chain import (
    NO_BATCH,
    BatchRow,
    PartitionRow,
    RedeliveryRow,
    batch_hash,
)
from cryotrail_audit.errors import BatchRefused
from cryotrail_audit.evidence import Evidence, ReadEntry, Unreadable
from cryotrail_audit.framing import FRAMING
from cryotrail_audit.records import ADMINISTRATIVE, CONFLICT, KINDS
from cryotrail_audit.registration import schema_payload, topic_payload
from cryotrail_schemas.merkle import Frontier

Progress = Callable[[int], None]
"""Called with the number of entries read since the last call."""

_PROGRESS_ENTRIES: Final = 5000


class Broken(Exception):
    """The first thing that is not as it should be, and the entry that it concerns."""

    def __init__(self, seq: int | None, reason: str) -> None:
        super().__init__(reason)
        self.seq, self.reason = seq, reason


class Verifier:
    """Reads a snapshot once; ``frontier`` is the tree over the entries found in order."""

    def __init__(self, evidence: Evidence, progress: Progress) -> None:
        self._evidence = evidence
        self._progress = progress
        self.frontier = Frontier()
        self._entry_nos: dict[bytes, int] = {}
        self._said: dict[tuple[bytes, Any], tuple[int, Any]] = {}
        """What the log says of topics and schemas: (type, id) -> (seq, payload)."""

    def run(self) -> None:
        """Recompute everything.

        :raises Broken: the first thing that is not as it should be.
        """
        try:
            self._check_log()
            self._check_batches()
            self._check_registered()
            self._check_rest()
        except Unreadable as error:
            raise Broken(None, f"the store cannot be read: {error}") from error

    def _check_log(self) -> None:
        """There is one log: no entry of another would be read."""
        if (count := len(self._evidence.log_ids())) != 1:
            raise Broken(None, f"the store has {count} logs instead of one")

    def _check_batches(self) -> None:
        try:
            self._follow_batches()
        except Unreadable as error:
            seq = self.frontier.size
            raise Broken(seq, f"from entry {seq} on the log cannot be read: {error}") from error

    def _follow_batches(self) -> None:
        entries = self._evidence.entries()
        partitions = _ByBatch("batch_partition", self._evidence.partitions())
        redeliveries = _ByBatch("redelivery", self._evidence.redeliveries())
        previous, previous_hash = None, NO_BATCH
        for batch, stored_hash in self._evidence.batches():
            _check_link(previous, previous_hash, batch)
            positions, again = partitions.take(batch.batch_no), redeliveries.take(batch.batch_no)
            if _hash_of(batch, positions, again) != stored_hash:
                raise Broken(
                    batch.first_seq,
                    f"batch {batch.batch_no}: its row, a position or a redelivery of it was"
                    " changed after it was recorded",
                )
            self._check_entries(entries, batch)
            previous, previous_hash = batch, stored_hash
        partitions.end()
        redeliveries.end()
        if (entry := next(entries, None)) is not None:
            raise Broken(
                entry.seq, f"entry {entry.seq} stands behind the last batch: no append wrote it"
            )

    def _check_entries(self, entries: Iterator[ReadEntry], batch: BatchRow) -> None:
        """The entries of one batch, and what their leaves make of the tree."""
        leaf_hashes: list[bytes] = []
        reported = 0
        try:
            for seq in range(batch.first_seq, batch.tree_size):
                entry = next(entries, None)
                if entry is None:
                    raise Broken(seq, f"entry {seq} is missing, and all that followed it")
                self._check_entry(entry, seq, batch)
                leaf_hashes.append(entry.computed_leaf_hash)
                if len(leaf_hashes) - reported == _PROGRESS_ENTRIES:
                    self._progress(_PROGRESS_ENTRIES)
                    reported += _PROGRESS_ENTRIES
        finally:
            self.frontier.extend(leaf_hashes)
        self._progress(len(leaf_hashes) - reported)
        if (self.frontier.root(), self.frontier.to_bytes()) != (batch.root, batch.frontier):
            raise Broken(
                batch.first_seq,
                f"entries {batch.first_seq} to {batch.tree_size - 1} do not give the root of their"
                f" batch {batch.batch_no}: one was changed together with its leaf hash",
            )

    def _check_entry(self, entry: ReadEntry, seq: int, batch: BatchRow) -> None:
        if entry.seq != seq:
            raise Broken(
                min(seq, entry.seq),
                f"entry {seq} is missing: {entry.seq} follows {seq - 1}"
                if entry.seq > seq
                else f"entry {entry.seq} is there twice",
            )
        if entry.framing != FRAMING:
            raise Broken(seq, f"entry {seq}: framing {entry.framing} is not known")
        if entry.computed_leaf_hash != entry.stored_leaf_hash:
            raise Broken(
                seq, f"entry {seq}: its columns do not give its leaf hash; one of them was changed"
            )
        if entry.kind not in KINDS:
            raise Broken(seq, f"entry {seq}: kind {entry.kind} is not known")
        if entry.content_hash != sha256(_body(entry)).digest():
            raise Broken(seq, f"entry {seq}: its content hash is not that of its bytes")
        if entry.recorded_us != batch.recorded_us:
            raise Broken(seq, f"entry {seq}: recorded_us is not that of batch {batch.batch_no}")
        self._check_entry_no(entry)
        if entry.kind == ADMINISTRATIVE and entry.event_type in (b"topic", b"schema"):
            self._keep_said(entry, entry.event_type)

    def _keep_said(self, entry: ReadEntry, event_type: bytes) -> None:
        try:
            payload = json.loads(entry.raw or b"null")
            identity = payload["topic_id" if event_type == b"topic" else "sha256"]
            self._said[event_type, identity] = (entry.seq, payload)
        except (ValueError, TypeError, LookupError) as error:
            raise Broken(
                entry.seq, f"entry {entry.seq} does not say which {event_type.decode()} it is about"
            ) from error

    def _check_entry_no(self, entry: ReadEntry) -> None:
        expected = None
        if entry.procedure_id is not None and entry.kind != ADMINISTRATIVE:
            expected = self._entry_nos.get(entry.procedure_id, 0) + 1
            self._entry_nos[entry.procedure_id] = expected
        if entry.procedure_entry_no != expected:
            raise Broken(
                entry.seq,
                f"entry {entry.seq}: number {entry.procedure_entry_no} within its procedure"
                f" should be {expected}",
            )

    def _check_registered(self) -> None:
        """The rows of topics and schemas are what their entries say, and no row is without one."""
        stored: dict[tuple[bytes, Any], Any] = {}
        try:
            for topic_id, topic in self._evidence.topics().items():
                stored[b"topic", topic_id] = topic_payload(*topic)
            for schema in self._evidence.schemas().values():
                payload = schema_payload(*schema)
                stored[b"schema", payload["sha256"]] = payload
        except (ValueError, TypeError, AttributeError) as error:
            raise Broken(None, f"a row of topic or schema cannot be read: {error}") from error
        for key in self._said.keys() | stored.keys():
            seq, said = self._said.get(key, (None, None))
            if said != stored.get(key):
                name = f"{key[0].decode()} {key[1]}"
                raise Broken(
                    seq,
                    f"the row of {name} is not what entry {seq} says"
                    if seq is not None
                    else f"the row of {name} stands in no entry of the log",
                )

    def _check_rest(self) -> None:
        if foreign := self._evidence.foreign_rows():
            raise Broken(None, f"{foreign} rows belong to a log that the store does not have")
        if damage := self._evidence.damage():
            raise Broken(None, f"the database is damaged: {damage}")


Row = TypeVar("Row", PartitionRow, RedeliveryRow)


class _ByBatch(Generic[Row]):
    """Rows of a table, taken batch by batch."""

    def __init__(self, table: str, rows: Iterator[Row]) -> None:
        self._table = table
        self._rows: Iterator[Row] = rows
        self._next: Row | None = next(rows, None)

    def take(self, batch_no: int) -> list[Row]:
        """The rows of the next batch."""
        taken = []
        while self._next is not None and self._next.batch_no <= batch_no:
            if self._next.batch_no < batch_no:
                self.end()
            taken.append(self._next)
            self._next = next(self._rows, None)
        return taken

    def end(self) -> None:
        """There must be no row left."""
        if self._next is not None:
            raise Broken(
                None, f"a {self._table} row belongs to batch {self._next.batch_no}, which is none"
            )


def _check_link(previous: BatchRow | None, previous_hash: bytes, batch: BatchRow) -> None:
    """A batch row follows the one before it."""
    batch_no, size, recorded_us = (
        (0, 0, 0)
        if previous is None
        else (previous.batch_no + 1, previous.tree_size, previous.recorded_us)
    )
    if batch.batch_no != batch_no:
        raise Broken(size, f"batch {batch_no} is missing: {batch.batch_no} follows")
    if batch.prev_hash != previous_hash or batch.first_seq != size:
        raise Broken(size, f"batch {batch_no} does not follow the batch before it")
    if batch.tree_size < size or batch.recorded_us < recorded_us:
        raise Broken(size, f"batch {batch_no} goes back in size or in time")


def _hash_of(
    batch: BatchRow, positions: list[PartitionRow], again: list[RedeliveryRow]
) -> bytes | None:
    try:
        return batch_hash(batch, positions, again)
    except BatchRefused:
        return None  # a value that no column of ours can hold


def _body(entry: ReadEntry) -> bytes:
    """What the content hash is taken over."""
    raw = entry.raw or b""
    if entry.kind > CONFLICT:
        return raw
    # Avro single object or Confluent framing: nothing else is recorded as an event.
    return raw[10:] if raw.startswith(b"\xc3\x01") else raw[5:]
