"""One append: what is checked, numbered, hashed and written under the lock, in which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from cryotrail_audit.appending.lost_claim import lost_claim
from cryotrail_audit.appending.prepare import PreparedBatch, PreparedRecord
from cryotrail_audit.appending.replayed import known_replays, said_of_replays
from cryotrail_audit.appending.resolution import Redelivered, SchemaText, resolve
from cryotrail_audit.appending.transaction import (
    AppendTransaction,
    LogEnd,
    NumberedEntries,
    PartitionState,
)
from cryotrail_audit.batch_chain import BatchRow, PartitionRow, RedeliveryRow, batch_hash
from cryotrail_audit.errors import PositionMoved
from cryotrail_audit.framing import FRAMING, leaf_hash, pack_head
from cryotrail_audit.places import PlacedLog, Places, read_places
from cryotrail_audit.proofs.tiles import filled_tiles
from cryotrail_audit.records import (
    CONFLICT,
    EVENT,
    QUARANTINED,
    AppendOutcome,
    PartitionProgress,
)
from cryotrail_schemas.merkle import Frontier

_ONE_LOG = Places((PlacedLog(1, "", 0, 0),))
"""Its places are the ``seq`` of its entries, so nothing needs to be asked."""


class _Stamp(NamedTuple):
    """What all rows of one batch share."""

    log_id: int
    batch_no: int
    recorded_us: int


def append(
    transaction: AppendTransaction, batch: PreparedBatch, now_us: int, schema_text: SchemaText
) -> AppendOutcome:
    """Append a prepared batch; the caller's transaction holds the lock and commits.

    :param now_us: the store's clock.
    :raises Fenced, PositionMoved, NotReplayable: see :meth:`AuditStore.append`.
    """
    end = transaction.log_end()
    _check_partitions(transaction, batch.partitions, batch.owner)
    return _append_checked(transaction, end, batch, now_us, schema_text)


def append_administrative(
    transaction: AppendTransaction,
    items: Sequence[PreparedRecord],
    now_us: int,
    partitions: Sequence[PartitionProgress] = (),
) -> AppendOutcome:
    """Say something in the log, in a batch of its own within the caller's transaction.

    :param partitions: positions that the caller has claimed and checked; they may go back.
    """
    batch = PreparedBatch(items, (), partitions, owner="")
    end = transaction.log_end()
    return _append_checked(transaction, end, batch, now_us, schema_text=lambda _sha256: None)


def _append_checked(
    transaction: AppendTransaction,
    end: LogEnd,
    batch: PreparedBatch,
    now_us: int,
    schema_text: SchemaText,
) -> AppendOutcome:
    replayed = known_replays(transaction.connection, (record for _, record, _ in batch.records))
    stamp = _Stamp(end.log_id, end.batch_no + 1, max(now_us, end.recorded_us))
    places = _ONE_LOG if end.log_id == 1 else read_places(transaction.connection)
    first = places.of(end.log_id, end.tree_size)
    known = transaction.known_entries([record.event_id for _, record, _ in batch.records])
    if end.log_id > 1:
        known = [entry._replace(seq=places.of(entry.log_id, entry.seq)) for entry in known]
    resolution = resolve(
        batch.records, known, end.log_id, first + len(batch.administrative), schema_text
    )

    said = said_of_replays(resolution, replayed)
    items = [*batch.administrative, *resolution.kept, *said]
    entries = _number(transaction, items, end.tree_size, stamp)
    if items:
        transaction.insert_entries(entries)
    again = _redelivery_rows(resolution.redelivered, stamp)
    if again:
        transaction.insert_redeliveries(again)
    root = _close(transaction, end, stamp, entries, batch.partitions, again)

    kinds = Counter(kind for kind, _, _ in items)
    return AppendOutcome(
        first_seq=first,
        tree_size=first + len(items),
        root=root,
        recorded=kinds[EVENT],
        redelivered=len(resolution.redelivered),
        conflicts=kinds[CONFLICT],
        quarantined=kinds[QUARANTINED],
        batch_no=stamp.batch_no,
    )


def _check_partitions(
    transaction: AppendTransaction, partitions: Sequence[PartitionProgress], owner: str
) -> None:
    if not partitions:
        return
    states = transaction.partition_states([(item.topic_id, item.part) for item in partitions])
    for progress in partitions:
        state = states[progress.topic_id, progress.part]
        _check_claim(progress, state, owner)
        _check_position(progress, state)


def _check_claim(progress: PartitionProgress, state: PartitionState, owner: str) -> None:
    if (state.epoch, state.owner) != (progress.epoch, owner):
        place = (progress.topic_id, progress.part)
        raise lost_claim(place, (progress.epoch, owner), (state.epoch, state.owner))


def _check_position(progress: PartitionProgress, state: PartitionState) -> None:
    if state.incarnation is None or state.next_offset is None:
        return
    begins = (progress.incarnation, progress.first_offset)
    if progress.incarnation < state.incarnation or (
        progress.incarnation == state.incarnation and progress.first_offset < state.next_offset
    ):
        raise PositionMoved(
            f"partition {progress.part} of topic {progress.topic_id} is recorded up to offset"
            f" {state.next_offset} (incarnation {state.incarnation}), the batch begins at"
            f" {begins[1]} (incarnation {begins[0]})",
            hint="read the position again and go on from there",
        )


def _number(
    transaction: AppendTransaction, items: Sequence[PreparedRecord], seq: int, stamp: _Stamp
) -> NumberedEntries:
    """Give each entry its seq, its number within its procedure, and its leaf."""
    log_id, _batch_no, recorded_us = stamp
    procedures = {p for _, record, _ in items if (p := record.procedure_id) is not None}
    entry_nos = transaction.highest_entry_nos(procedures) if procedures else {}
    stamps, heads, leaf_hashes = [], [], []
    for kind, record, tail in items:
        entry_no = None
        if (procedure_id := record.procedure_id) is not None:
            entry_no = entry_nos[procedure_id] = entry_nos.get(procedure_id, 0) + 1
        head = pack_head(log_id, kind, entry_no, seq, recorded_us)
        stamps.append((log_id, FRAMING, kind, entry_no, seq, recorded_us))
        heads.append(head)
        leaf_hashes.append(leaf_hash(head, tail))
        seq += 1
    return NumberedEntries(
        stamps,
        [record for _, record, _ in items],
        heads,
        [tail for _, _, tail in items],
        leaf_hashes,
    )


def _redelivery_rows(redelivered: Sequence[Redelivered], stamp: _Stamp) -> list[RedeliveryRow]:
    rows = []
    for record, seq, raw in redelivered:
        if record.source_seq is not None:
            continue  # replayed from quarantine: its coordinates are written down already
        assert record.topic_id is not None and record.part is not None  # prepare() saw to it
        assert record.incarnation is not None and record.kafka_offset is not None
        rows.append(
            RedeliveryRow(
                log_id=stamp.log_id,
                batch_no=stamp.batch_no,
                topic_id=record.topic_id,
                part=record.part,
                incarnation=record.incarnation,
                kafka_offset=record.kafka_offset,
                seq=seq,
                producer_id=record.producer_id,
                producer_seq=record.producer_seq,
                procedure_seq=record.procedure_seq,
                content_hash=record.content_hash,
                raw=raw,
                recorded_us=stamp.recorded_us,
            )
        )
    return rows


def _close(
    transaction: AppendTransaction,
    end: LogEnd,
    stamp: _Stamp,
    entries: NumberedEntries,
    partitions: Sequence[PartitionProgress],
    again: Sequence[RedeliveryRow],
) -> bytes:
    """Write the batch row, which closes the transaction; returns the new root."""
    frontier = Frontier.from_bytes(end.tree_size, end.frontier)
    completed = frontier.extend(entries.leaf_hashes)
    earlier = partial(transaction.tile_hashes, end.log_id)
    if tiles := filled_tiles(end.tree_size, completed, earlier):
        transaction.insert_tiles(end.log_id, tiles)
    root = frontier.root()
    batch = BatchRow(
        log_id=stamp.log_id,
        batch_no=stamp.batch_no,
        first_seq=end.tree_size,
        tree_size=frontier.size,
        root=root,
        frontier=frontier.to_bytes(),
        recorded_us=stamp.recorded_us,
        prev_hash=end.batch_hash,
    )
    positions = [
        PartitionRow(
            log_id=stamp.log_id,
            batch_no=stamp.batch_no,
            topic_id=item.topic_id,
            part=item.part,
            incarnation=item.incarnation,
            first_offset=item.first_offset,
            next_offset=item.next_offset,
            record_count=item.record_count,
            last_record_hash=item.last_record_hash,
        )
        for item in partitions
    ]
    transaction.insert_batch(batch, batch_hash(batch, positions, again), positions)
    return root
