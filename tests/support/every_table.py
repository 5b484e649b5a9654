"""A store with at least one row in every table, for tests of what guards the tables."""

from __future__ import annotations

from contextlib import closing
from uuid import UUID

from audit_records import Writer, filled_store, record

from cryotrail_audit.checkpoints.checkpoint import Checkpoint
from cryotrail_audit.checkpoints.head import ProcedureHead, leaves_hash
from cryotrail_audit.checkpoints.keys import LogKey
from cryotrail_audit.checkpoints.stored import SignedNotes
from cryotrail_audit.store import open_store
from cryotrail_schemas.catalog import catalog

ROWS = 300


def fill_every_table(url: str) -> None:
    """Fill an empty store: a full tile, a redelivery, a schema, and signed notes."""
    filled_store(url)
    with closing(open_store(url)) as store:
        writer = Writer(store)
        writer.append([record(0)._replace(kafka_offset=15)])
        writer.append(record(offset) for offset in range(16, 16 + ROWS))
        schema = catalog().current("FreezeStarted")
        store.register_schema(schema.text, schema.fingerprint, schema.name, schema.version)
        origin, head = store.origin(), store.head()
        procedure_id = record(0).procedure_id
        assert procedure_id is not None
        leaves = [
            entry.leaf_hash
            for entries in store.entries()
            for entry in entries
            if entry.procedure_id == procedure_id
        ]
    said = (
        Checkpoint(origin, head.tree_size, head.root),
        ProcedureHead(
            origin, UUID(bytes=procedure_id), len(leaves), head.tree_size, leaves_hash(leaves),
            1_790_000_000,
        ),
    )  # fmt: skip
    with closing(SignedNotes.open(url)) as notes:
        key = LogKey.create(origin)
        signed = [key.sign(item.to_text(), 1_790_000_000) for item in said]
        notes.add(signed, 1_790_000_000_000_000)
