"""Procedure heads: how many entries a procedure has, and the hash of all of them, signed.

An inclusion proof shows that an entry is in the log, never that none is missing. A procedure's
entries are numbered 1, 2, …; whoever holds as many entries as its head counts, with leaf hashes
that give the head's hash, has all that the log held of it at the head's tree size.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final, NamedTuple
from uuid import UUID

from cryotrail_audit.checkpoints import base64_text
from cryotrail_audit.checkpoints.checkpoint import BATCHES, parse_size
from cryotrail_audit.checkpoints.errors import NoteRefused
from cryotrail_audit.checkpoints.note import check_key_name
from cryotrail_schemas.merkle import HASH_BYTES

PROCEDURE_HEADS: Final = "/procedure-heads"
"""What follows the log's name in the first line of a head."""

_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"


class ProcedureHead(NamedTuple):
    """What a head says about one procedure."""

    origin: str
    """Name of the log."""
    procedure_id: UUID
    entry_count: int
    tree_size: int
    """Size of the log that the count was taken at: complete up to here, no further."""
    leaves_hash: bytes
    """See :func:`leaves_hash`."""
    signed_s: int
    """Seconds since 1970-01-01T00:00:00Z, by the signer's clock."""

    def to_text(self) -> str:
        """The text that is signed, six lines."""
        time = datetime.fromtimestamp(self.signed_s, UTC).strftime(_TIME)
        return (
            f"{self.origin}{PROCEDURE_HEADS}\n{self.procedure_id}\n{self.entry_count}\n"
            f"{self.tree_size}\n{base64_text.encode(self.leaves_hash)}\n{time}\n"
        )


def check_log_name(name: str) -> None:
    """Refuse a name that a log could never be signed under, or that names what is signed of one.

    :raises NoteRefused: see :func:`~cryotrail_audit.checkpoints.note.check_key_name`, or it ends
        like the origin of a batch chain or of procedure heads.
    """
    check_key_name(name)
    check_key_name(name + PROCEDURE_HEADS)
    if name.endswith((BATCHES, PROCEDURE_HEADS)):
        raise NoteRefused(f"the name {name!r:.80} ends in what is signed of a log")


def leaves_hash(leaf_hashes: Iterable[bytes]) -> bytes:
    """SHA-256 over the leaf hashes of a procedure's entries, by ``procedure_entry_no``."""
    return sha256(b"".join(leaf_hashes)).digest()


def parse(text: str) -> ProcedureHead:
    """Read a head's text.

    :raises NoteRefused: anything that :meth:`ProcedureHead.to_text` would not write again.
    """
    lines = text.split("\n")
    if len(lines) != 7 or lines[6] or not lines[0].endswith(PROCEDURE_HEADS):
        raise NoteRefused("a procedure head has six lines, the first ending in /procedure-heads")
    name, procedure_id, count, size, encoded, time = lines[:6]
    origin = name.removesuffix(PROCEDURE_HEADS)
    check_key_name(origin)
    try:
        at = datetime.strptime(time, _TIME).replace(tzinfo=UTC)
        found = ProcedureHead(
            origin,
            UUID(procedure_id),
            parse_size(count),
            parse_size(size),
            base64_text.decode(encoded, "the hash over the leaves"),
            int(at.timestamp()),
        )
    except ValueError as error:
        raise NoteRefused(f"the procedure head cannot be read: {error}") from error
    if len(found.leaves_hash) != HASH_BYTES or found.to_text() != text:
        raise NoteRefused("the procedure head is not spelled as heads are")
    return found
