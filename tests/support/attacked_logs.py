"""A store with something in every table, what is held of it outside, and its guards off."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from audit_records import Writer, record
from signed_logs import ORIGIN, SignedLog
from store_tables import Tables

from cryotrail_audit.checkpoints.head import ProcedureHead, leaves_hash
from cryotrail_audit.checkpoints.note import SignedNote
from cryotrail_audit.checkpoints.stored import SignedNotes
from cryotrail_audit.errors import CheckpointRefused
from cryotrail_audit.records import QUARANTINED
from cryotrail_audit.store import open_store
from cryotrail_audit.verification import verify
from cryotrail_schemas.catalog import catalog

SIGNED_S = 1_790_000_000
ROW = 8
"""An entry in the middle of batch 2."""
BATCH = 2
BIG_BATCH_ROWS = 260
"""So that there is a full tile."""


@dataclass
class AttackedLog:
    """A log, signed as it was before anybody touched it."""

    url: str
    log: SignedLog
    tables: Tables
    size: int
    checkpoint: bytes
    """Of the entries, held outside."""
    batches: bytes
    """Of the chain over the batches, held outside."""
    head: SignedNote
    """Of the procedure of the first event, held outside and in the store."""

    def found_alone(self) -> bool:
        """Whether verification of the database alone finds something; it never says "proved"."""
        found = verify(self.url)
        assert found.result in ("intact", "broken")
        return found.result == "broken"

    def found_with(self, *notes: bytes) -> bool:
        """Whether verification with notes held outside finds something, or refuses the store."""
        try:
            return verify(self.url, checkpoint=notes).result == "broken"
        except CheckpointRefused:
            return True

    def found_with_key(self) -> bool:
        """Whether verification with the log's public key finds something."""
        return verify(self.url, pinned_key=self.log.key.pinned).result == "broken"

    def found_by_head(self) -> bool:
        """Whether the log contradicts the procedure head that is held outside."""
        with closing(SignedNotes.open(self.url)) as notes:
            notes.add([self.head], 0)
        return self.found_alone()


def fill(url: str, folder: Path) -> SignedLog:
    """Something in every table but those of signed notes."""
    log = SignedLog(url, folder)
    for rows in (5, 5, 5):
        log.append(rows)
    with closing(open_store(url)) as store:
        writer = Writer(store)
        writer.append([record(0)._replace(kafka_offset=15), record(16, reason="flag")])
        writer.append([record(17, reason="undecodable", raw=None)], kind=QUARANTINED)
        writer.append(record(18 + row) for row in range(BIG_BATCH_ROWS))
        schema = catalog().current("FreezeStarted")
        store.register_schema(schema.text, schema.fingerprint, schema.name, schema.version)
    return log


def signed(url: str, log: SignedLog, tables: Tables) -> AttackedLog:
    """Sign the log twice, the second time after one more batch; then drop its guards."""
    log.sign()
    with closing(open_store(url)) as store:
        Writer(store).append(record(18 + BIG_BATCH_ROWS + row) for row in range(3))
    made = log.sign()
    head = log.key.sign(_head_of(url).to_text(), SIGNED_S)
    with closing(SignedNotes.open(url)) as notes:
        notes.add([head], SIGNED_S * 1_000_000)
    found = verify(url)
    assert found.result == "intact", found
    tables.drop_guards()
    return AttackedLog(
        url, log, tables, found.size, made.note.to_bytes(), made.batches_note.to_bytes(), head
    )


def _head_of(url: str) -> ProcedureHead:
    """Of the procedure of the first event, at the size of the log."""
    procedure_id = record(0).procedure_id
    assert procedure_id is not None
    with closing(open_store(url)) as store:
        size = store.head().tree_size
        leaves = [
            entry.leaf_hash
            for rows in store.entries()
            for entry in rows
            if entry.procedure_id == procedure_id
        ]
    return ProcedureHead(
        ORIGIN, UUID(bytes=procedure_id), len(leaves), size, leaves_hash(leaves), SIGNED_S
    )
