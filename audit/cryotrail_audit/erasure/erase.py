"""Erasing a subject's text, or one quarantined record, by destroying its key.

The steps, and what a crash between two of them leaves:

1. Holds are looked at. Under one nothing happens.
2. The key is destroyed in the key store, in its files as well. From here the text is gone. Crash:
   gone, and the log does not say so yet; the same call again finds the destroyed key and goes on.
3. An ``erasure`` entry is appended: whose key, on what basis, decided by whom, and what the log
   holds. It is never appended before the key is gone, so the log never claims what is not so.

Each may be repeated; an erasure that is already stated, and of which nothing is new, is not stated
again. A hold that is set by another program between steps 1 and 2 comes too late.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from cryotrail_audit.erasure.holds import Hold, holds_in_force
from cryotrail_audit.erasure.statements import Statement, state, statements
from cryotrail_audit.erasure.trace import Trace, subjects_of
from cryotrail_audit.errors import AuditError, ErasureRefused
from cryotrail_audit.records import QUARANTINED, Entry
from cryotrail_audit.store import AuditStore
from cryotrail_schemas.personal import KeyStore, parse_sealed, record_scope, subject_scope

ERASURE: Final = "erasure"
"""Type of the entries that say what was erased."""


class Erased(NamedTuple):
    """What an erasure did."""

    seq: int
    """The entry that states it."""
    key_ids: tuple[bytes, ...]
    """Keys that are destroyed."""
    keys_elsewhere: tuple[bytes, ...]
    """Keys of the subject's text that this key store never had: that text is not erased."""
    stated_before: bool
    """It was done and stated by an earlier call."""


def erase_subject(
    store: AuditStore, keys: KeyStore, subject_id: UUID, found: Trace, basis: str, decided_by: str
) -> Erased:
    """Destroy the key of a subject's text and state it in the log.

    :param found: what :func:`~cryotrail_audit.erasure.trace.trace` found of them.
    :raises ErasureRefused: the subject is under a hold, or neither the log nor the key store knows
        them; nothing was done.
    """
    scope = subject_scope(subject_id)
    if not found.entries and not found.quarantined and not keys.scopes(scope):
        raise ErasureRefused(
            f"neither the log nor the key store knows a subject {subject_id}",
            hint="nothing was done; is it the subject_id of the events' headers?",
        )
    refuse_held(holds_in_force(store, subject_id))
    destroyed = tuple(keys.destroy(scope))
    elsewhere = keys_elsewhere(keys, subject_id, found)
    said = {
        "statement": "subject_erased",
        "subject_id": str(subject_id),
        "scope": scope,
        "key_ids": [key_id.hex() for key_id in destroyed],
        "keys_elsewhere": [key_id.hex() for key_id in elsewhere],
        "basis": basis,
        "decided_by": decided_by,
        "counts": found.counts(),
        "clear_seqs": [one.seq for one in found.clear],
    }
    return _stated(store, said, destroyed, elsewhere)


def erase_record(
    store: AuditStore, keys: KeyStore, seq: int, basis: str, decided_by: str
) -> Erased:
    """Destroy the key of one quarantined record and state it in the log.

    :raises ErasureRefused: the record stands in clear, its key is in another key store, or a
        subject of its procedure is under a hold; nothing was done.
    :raises AuditError: the entry is not in quarantine.
    """
    sealed = parse_sealed(quarantined_entry(store, seq).raw)
    if sealed is None:
        raise ErasureRefused(
            f"the bytes of entry {seq} stand in the log in clear, for ever",
            hint="records are sealed while PERSONAL_KEK_FILE is set for the recorder",
        )
    refuse_held(holds_over(store, seq))
    scope = record_scope(sealed.record_id)
    if sealed.key_id not in {known.key_id for known in keys.scopes(scope)}:
        raise ErasureRefused(
            f"the key of entry {seq} is not in this key store",
            hint="run it where the recorder's keys are",
        )
    destroyed = tuple(keys.destroy(scope))
    said = {
        "statement": "record_erased",
        "entry_seq": seq,
        "scope": scope,
        "key_ids": [key_id.hex() for key_id in destroyed],
        "keys_elsewhere": [],
        "basis": basis,
        "decided_by": decided_by,
    }
    return _stated(store, said, destroyed, ())


def quarantined_entry(store: AuditStore, seq: int) -> Entry:
    """The quarantined entry of a seq.

    :raises AuditError: the entry is not in quarantine.
    """
    found = next(store.entries(after_seq=seq - 1, through_seq=seq, kinds=(QUARANTINED,)), None)
    if not found:
        raise AuditError(
            f"entry {seq} is not in quarantine", hint="cryotrail audit quarantine list"
        )
    return found[0]


def holds_over(store: AuditStore, seq: int) -> list[Hold]:
    """The holds of the subjects of a quarantined record's procedure."""
    held = holds_in_force(store)
    procedure_id = quarantined_entry(store, seq).procedure_id
    if not held or procedure_id is None:
        return []
    subjects = subjects_of(store, procedure_id)
    return [hold for hold in held if hold.subject_id in subjects]


def keys_elsewhere(keys: KeyStore, subject_id: UUID, found: Trace) -> tuple[bytes, ...]:
    """The keys that the log names for a subject's text and this key store never had."""
    here = {known.key_id for known in keys.scopes(subject_scope(subject_id))}
    return tuple(sorted(found.encrypted.keys() - here))


def erasures(store: AuditStore) -> list[Statement]:
    """Every erasure that the log states, in order."""
    return list(statements(store, ERASURE))


def refuse_held(held: Sequence[Hold]) -> None:
    """Refuse what is under a hold.

    :raises ErasureRefused: it names the entry that set the first hold.
    """
    for hold in held:
        raise ErasureRefused(
            f"subject {hold.subject_id} is under a hold, set by entry {hold.seq}"
            f" ({hold.decided_by}: {hold.reason})",
            hint="nothing was erased; cryotrail audit hold release, if it no longer applies",
        )


def _stated(
    store: AuditStore,
    said: dict[str, Any],
    destroyed: tuple[bytes, ...],
    elsewhere: tuple[bytes, ...],
) -> Erased:
    compared = said.keys() - {"basis", "decided_by"}
    for seq, _recorded_us, before in erasures(store):
        if all(before.get(name) == said[name] for name in compared):
            return Erased(seq, destroyed, elsewhere, stated_before=True)
    return Erased(state(store, ERASURE, said), destroyed, elsewhere, stated_before=False)
