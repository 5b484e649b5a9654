"""What whoever can write everything in the database can do to it: one edit, or all of it anew.

The guards are off here (:meth:`Tables.drop_guards`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID

from store_tables import Tables

from cryotrail_audit.batch_chain import (
    NO_BATCH,
    BatchRow,
    PartitionRow,
    RedeliveryRow,
    batch_hash,
)
from cryotrail_audit.framing import leaf_hash, pack_head, pack_tail
from cryotrail_audit.proofs.growing_tree import GrowingTree
from cryotrail_audit.records import Entry, IncomingRecord
from cryotrail_schemas.merkle import Frontier

UUID_COLUMNS = ("event_id", "procedure_id")


def saved(tables: Tables, table: str) -> Callable[[], None]:
    """Keep a table's rows; the function that is returned puts them back."""
    tables.execute(f"drop table if exists saved_{table}")
    tables.execute(f"create table saved_{table} as select * from {table}")

    def put_back() -> None:
        tables.execute(f"delete from {table}")
        tables.execute(f"insert into {table} select * from saved_{table}")

    return put_back


def alterations(kind: str, value: Any) -> Iterator[Any]:
    """Other values that a column of this type may be given."""
    if value is None:
        yield {"text?": "", "uuid?": UUID(int=0), "blob?": b"", "bytea?": b""}.get(kind, 0)
    else:
        if isinstance(value, UUID):
            yield UUID(int=value.int ^ 1)
        elif isinstance(value, int):
            yield value + 1000  # so that it meets no other row by a unique key
        elif isinstance(value, str):
            yield value + "x"
            yield value[1:]
        else:
            yield bytes([value[0] ^ 1]) + value[1:]
            yield value[:-1] + bytes([value[-1] ^ 0x80])
            yield value + b"\x00"
        if kind.endswith("?"):
            yield None


def edits(tables: Tables, table: str, where: str) -> Iterator[str]:
    """Every alteration of every column of one row, each on its own; yields its name."""
    put_back = saved(tables, table)
    for column, kind in tables.columns(table).items():
        ((value,),) = tables.execute(f"select {column} from {table} where {where}")
        for other in alterations(kind, value):
            tables.execute(f"update {table} set {column} = %s where {where}", [other])
            yield f"{table}.{column}: {value!r:.40} -> {other!r:.40}"
            put_back()


def forge(tables: Tables, seq: int, /, **values: Any) -> None:
    """Alter an entry and make its leaf hash fit."""
    (entry,) = entries(tables, f"seq = {seq}")
    leaf = _leaf(entry._replace(**values))
    assignments = ", ".join(f"{name} = %s" for name in (*values, "leaf_hash"))
    tables.execute(f"update entry set {assignments} where seq = {seq}", [*values.values(), leaf])


def entries(tables: Tables, where: str = "true") -> list[Entry]:
    """Rows of ``entry`` by seq, UUIDs as bytes."""
    columns = ", ".join(Entry._fields)
    if "uuid" in tables.columns("entry").values():
        for name in UUID_COLUMNS:
            columns = columns.replace(name, f"uuid_send({name})")
    return [
        Entry(*row)
        for row in tables.execute(f"select {columns} from entry where {where} order by seq")
    ]


def rebuild(tables: Tables, kept: Sequence[Entry], log_id: int = 1) -> None:
    """Make the log one of these entries: numbers, leaves, roots, chain and tiles all fit.

    Signed notes are left as they are: whoever has no key cannot make others.
    """
    batches = _rows(tables, BatchRow, "batch", "batch_no")
    counts = Counter(
        next(batch.batch_no for batch in batches if entry.seq < batch.tree_size) for entry in kept
    )
    numbers: Counter[bytes | None] = Counter()
    renumbered = []
    for seq, entry in enumerate(kept):
        number = None
        if entry.kind != 3 and entry.procedure_id is not None:
            numbers[entry.procedure_id] += 1
            number = numbers[entry.procedure_id]
        moved = entry._replace(seq=seq, procedure_entry_no=number)
        renumbered.append(moved._replace(leaf_hash=_leaf(moved)))
    for table in ("entry", "batch", "tile"):
        tables.execute(f"delete from {table}")
    has_uuids = "uuid" in tables.columns("entry").values()
    for entry in renumbered:
        _insert(tables, "entry", entry._asdict(), UUID_COLUMNS if has_uuids else ())
    leaves = [entry.leaf_hash for entry in renumbered]
    for tile in GrowingTree().extend(leaves):
        _insert(tables, "tile", {"log_id": log_id, **tile._asdict()})
    sizes, size = [], 0
    for batch in batches:
        size += counts[batch.batch_no]
        sizes.append(size)
    _rechain(tables, batches, leaves, sizes)


def rechain(tables: Tables) -> None:
    """Make the chain over the batches fit the rows as they are now."""
    batches = _rows(tables, BatchRow, "batch", "batch_no")
    tables.execute("delete from batch")
    leaves = [entry.leaf_hash for entry in entries(tables)]
    _rechain(tables, batches, leaves, [batch.tree_size for batch in batches])


def _rechain(
    tables: Tables, batches: Sequence[BatchRow], leaves: Sequence[bytes], sizes: Sequence[int]
) -> None:
    positions = _rows(tables, PartitionRow, "batch_partition", "batch_no")
    again = _rows(tables, RedeliveryRow, "redelivery", "batch_no")
    frontier, previous = Frontier(), NO_BATCH
    for batch, size in zip(batches, sizes, strict=True):
        first = frontier.size
        frontier.extend(leaves[first:size])
        moved = batch._replace(
            first_seq=first,
            tree_size=size,
            root=frontier.root(),
            frontier=frontier.to_bytes(),
            prev_hash=previous,
        )
        previous = batch_hash(
            moved,
            [row for row in positions if row.batch_no == batch.batch_no],
            [row for row in again if row.batch_no == batch.batch_no],
        )
        _insert(tables, "batch", moved._asdict() | {"batch_hash": previous})


def _leaf(entry: Entry) -> bytes:
    head = pack_head(
        entry.log_id, entry.kind, entry.procedure_entry_no, entry.seq, entry.recorded_us
    )
    return leaf_hash(head, pack_tail(IncomingRecord(*entry[6:-1])))


def _rows(tables: Tables, kind: Any, table: str, order: str) -> list[Any]:
    columns = ", ".join(kind._fields)
    return [kind(*row) for row in tables.execute(f"select {columns} from {table} order by {order}")]


def _insert(tables: Tables, table: str, values: dict[str, Any], uuids: Sequence[str] = ()) -> None:
    given = [
        UUID(bytes=value) if name in uuids and value is not None else value
        for name, value in values.items()
    ]
    places = ", ".join("%s" for _ in given)
    tables.execute(f"insert into {table} ({', '.join(values)}) values ({places})", given)
