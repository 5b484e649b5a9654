"""Everything that goes into a bundle, as files by name; nothing is written yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.resources import files as package_files
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from cryotrail_audit.bundle import encoding
from cryotrail_audit.bundle.errors import ExportRefused
from cryotrail_audit.bundle.readable import readable_line
from cryotrail_audit.bundle.selection import explaining_entries
from cryotrail_audit.checkpoints import head as heads
from cryotrail_audit.checkpoints import note as notes
from cryotrail_audit.checkpoints.errors import NoteRefused, SignatureRefused
from cryotrail_audit.checkpoints.head import ProcedureHead
from cryotrail_audit.checkpoints.keys import PinnedKey
from cryotrail_audit.checkpoints.stored import SignedNotes, StoredCheckpoint
from cryotrail_audit.proofs.prover import Prover
from cryotrail_audit.records import Entry
from cryotrail_audit.store import AuditStore

VERIFIER: Final = "verify.py"
HEAD: Final = "head.note"


@dataclass(frozen=True, slots=True)
class Contents:
    """One procedure as the log had it at one checkpoint."""

    procedure_id: UUID
    checkpoint: StoredCheckpoint
    entries: Sequence[Entry]
    head: ProcedureHead | None
    """None = no head at hand, so completeness is not proved."""
    files: Mapping[str, bytes]
    """All but the manifest, the verifier and the README."""


def gather(
    store: AuditStore,
    connection: Connection,
    signed: SignedNotes,
    key: PinnedKey,
    procedure_id: UUID,
) -> Contents:
    """The procedure up to the newest checkpoint that the key signed.

    :raises ExportRefused: nothing is signed, or what is stored contradicts itself.
    :raises ProofNotMade: hashes are missing in the store.
    """
    checkpoint = signed.newest_signed(key.name, key)
    log = store.places().named(key.name)
    if checkpoint is None or log is None:
        raise ExportRefused(
            f"the log has no checkpoint that the key {key.fingerprint} signed",
            hint="cryotrail audit checkpoint signs one",
        )
    size = checkpoint.tree_size
    entries = [
        entry
        for several in store.procedure_entries(procedure_id, through_seq=log.first + size - 1)
        for entry in several
    ]
    if elsewhere := sum(entry.log_id != log.log_id for entry in entries):
        if elsewhere == len(entries) and len({entry.log_id for entry in entries}) == 1:
            (old,) = {one.origin for one in store.places().logs if one.log_id == entries[0].log_id}
            raise ExportRefused(
                f"the whole procedure is in the log {old}, which {log.origin} continues",
                hint=f"give the public key of that log: --log-key OLD, where OLD is the key of {old}",
            )
        raise ExportRefused(
            f"{elsewhere} of the procedure's entries are in a log that {log.origin} continues, and"
            " a bundle is of one log",
            hint="prove its entries one by one: cryotrail audit prove EVENT_ID; the part in an earlier"
            " log is exported with the public key of that log: --log-key OLD",
        )
    if not entries or entries[0].procedure_entry_no != 1:
        raise ExportRefused(
            f"the newest signed checkpoint ({size} entries) does not cover the procedure's first"
            f" {'entry' if entries else 'entries'}",
            hint="sign a new checkpoint; a procedure of an earlier log is exported with the key of"
            " that log",
        )
    explaining = explaining_entries(store, entries, log, size)
    prove = partial(Prover(connection, log.log_id).inclusion, size=size)
    schemas = store.schemas()
    used = {entry.schema_sha256 for entry in entries if entry.schema_sha256 is not None}
    head, head_note = _newest_head(signed, key, procedure_id, size)
    files = {
        "entries.jsonl": _lines(encoding.entry_line(e, prove(e.seq)) for e in entries),
        "log.jsonl": _lines(encoding.entry_line(e, prove(e.seq)) for e in explaining),
        "events.jsonl": _lines(readable_line(e, schemas) for e in entries),
        "checkpoint.note": checkpoint.note,
        "log-key.pub": key.to_text().encode(),
    }
    files |= {f"schemas/{digest.hex()}.avsc": schemas[digest].text.encode() for digest in used}
    if head_note is not None:
        files[HEAD] = head_note
    return Contents(procedure_id, checkpoint, entries, head, files)


def verifier() -> bytes:
    """The one-file verifier, as each bundle holds it."""
    return package_files("cryotrail_audit.bundle").joinpath(VERIFIER).read_bytes()


def _newest_head(
    signed: SignedNotes, key: PinnedKey, procedure_id: UUID, size: int
) -> tuple[ProcedureHead | None, bytes | None]:
    """The newest head of the procedure that the key signed, no newer than the checkpoint."""
    for stored in signed.heads_of(procedure_id):
        try:
            note = notes.parse(stored.note)
            key.verify(note)
            head = heads.parse(note.text)
        except (NoteRefused, SignatureRefused):
            continue  # of an earlier key or log, or a row that somebody put there
        if (head.origin, head.procedure_id) == (key.name, procedure_id) and head.tree_size <= size:
            return head, stored.note
    return None, None


def _lines(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
