"""Legal holds: subjects whose text must not be erased while somebody says so.

A hold is an entry of the log like any other, so who set it, who released it, when and why can be
proved. A subject may be under several; each is released by itself.
"""

from __future__ import annotations

from typing import Final, NamedTuple
from uuid import UUID

from cryotrail_audit.erasure.statements import state, statements
from cryotrail_audit.errors import AuditError
from cryotrail_audit.store import AuditStore

HOLD: Final = "hold"
"""Type of the entries that set and release holds."""


class Hold(NamedTuple):
    """A hold in force."""

    seq: int
    """The entry that set it."""
    subject_id: UUID
    reason: str
    decided_by: str
    set_us: int


def holds_in_force(store: AuditStore, subject_id: UUID | None = None) -> list[Hold]:
    """The holds that were set and not released, in the order that they were set."""
    holds: dict[int, Hold] = {}
    for seq, recorded_us, said in statements(store, HOLD):
        if said["statement"] == "set":
            held = UUID(said["subject_id"])
            holds[seq] = Hold(seq, held, said["reason"], said["decided_by"], recorded_us)
        else:
            holds.pop(said["hold_seq"], None)
    return [hold for hold in holds.values() if subject_id in (None, hold.subject_id)]


def set_hold(store: AuditStore, subject_id: UUID, reason: str, decided_by: str) -> int:
    """Put a subject under a hold; returns the entry's seq."""
    return state(
        store,
        HOLD,
        {
            "statement": "set",
            "subject_id": str(subject_id),
            "reason": reason,
            "decided_by": decided_by,
        },
    )


def release_hold(
    store: AuditStore, subject_id: UUID, reason: str, decided_by: str, hold_seq: int | None = None
) -> int:
    """Release a hold of a subject; returns the entry's seq.

    :param hold_seq: which, where there are several.
    :raises AuditError: the subject is under no such hold, or under several and none was named.
    """
    held = [hold for hold in holds_in_force(store, subject_id) if hold_seq in (None, hold.seq)]
    if len(held) != 1:
        listed = ", ".join(str(hold.seq) for hold in held)
        raise AuditError(
            f"subject {subject_id} is under several holds, set by the entries {listed}"
            if held
            else f"subject {subject_id} is under no such hold",
            hint="name one with --hold SEQ" if held else "cryotrail audit hold list",
        )
    return state(
        store,
        HOLD,
        {
            "statement": "released",
            "subject_id": str(subject_id),
            "hold_seq": held[0].seq,
            "reason": reason,
            "decided_by": decided_by,
        },
    )
