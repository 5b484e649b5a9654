"""Judging a procedure by the rules of :mod:`cryotrail_audit.origin`: pure, from rows to a verdict."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from cryotrail_audit.origin.keys import KeyRegister
from cryotrail_audit.origin.rows import SEAL_TYPE, RecordedProcedure, Row, rows_of
from cryotrail_audit.origin.seals import Seal, SealVerdict, compare
from cryotrail_audit.origin.signatures import (
    Judgement,
    SignatureState,
    is_signed,
    judge,
    plain_body,
)
from cryotrail_audit.origin.verdict import OriginVerdict, ReusedNumber
from cryotrail_audit.origin.withheld import withheld_copies
from cryotrail_audit.records import CONFLICT, EVENT, QUARANTINED, Entry, StoredSchema
from cryotrail_schemas.signing import SIGNED_TYPES


def judge_procedure(
    recorded: RecordedProcedure,
    schemas: Mapping[bytes, StoredSchema],
    keys: KeyRegister,
    erased_keys: Collection[bytes] = (),
) -> OriginVerdict:
    """Judge one procedure.

    :param schemas: all schemas of the store.
    :param keys: what the log says about keys, all of it.
    :param erased_keys: ids of the keys of personal text that the log states to be destroyed.
    """
    withheld = withheld_copies(recorded, schemas, erased_keys)
    said = [entry for entry in recorded.entries if entry.seq not in withheld]
    rows = rows_of(replace(recorded, entries=said), schemas)
    events = [entry for entry in recorded.entries if entry.kind == EVENT]
    judged = {
        (entry.log_id, entry.seq): judge(entry, schemas, keys)
        for entry in recorded.entries
        if entry.kind <= CONFLICT
    }
    seals = [
        _seal(entry, rows, schemas, judged[entry.log_id, entry.seq])
        for entry in events
        if entry.event_type == SEAL_TYPE
    ]
    read = [verdict.seal for verdict in seals if verdict.seal is not None]
    covered = {row.event_id for row in rows if any(seal.covers(row) for seal in read)}
    after = [
        entry
        for entry in events
        if read and entry.event_type != SEAL_TYPE and entry.event_id not in covered
    ]
    must = {(entry.log_id, entry.seq) for entry in events if entry.event_type in SIGNED_TYPES}
    must |= {(entry.log_id, entry.seq) for entry in after}
    besides = {
        (entry.log_id, entry.seq)
        for entry in recorded.entries
        if entry.kind <= CONFLICT and is_signed(entry)
    }
    displaced = {one for verdict in seals for one in verdict.displaced}
    displaced |= _displaced_by_signature(one for one in judged.values() if one.seq not in withheld)
    return OriginVerdict(
        procedure_id=recorded.procedure_id,
        seals=tuple(seals),
        after_seal=tuple(UUID(bytes=entry.event_id) for entry in after),
        must_be_signed=tuple(judged[place] for place in sorted(must)),
        signed_besides=tuple(judged[place] for place in sorted(besides - must)),
        displaced=tuple(sorted(displaced)),
        withheld=len(withheld),
        voided_seals=_voided_seals(events, schemas),
        reused_numbers=_reused(rows),
        quarantined=sum(entry.kind == QUARANTINED for entry in recorded.entries),
    )


def _seal(
    entry: Entry,
    rows: Sequence[Row],
    schemas: Mapping[bytes, StoredSchema],
    signature: Judgement,
) -> SealVerdict:
    plain = plain_body(entry, schemas)
    try:
        seal = None if plain is None else Seal.of(entry.seq, plain)
    except (KeyError, ValueError, TypeError):
        seal = None  # a schema of this name that is not ours
    if seal is None:
        return SealVerdict(entry.seq, UUID(bytes=entry.event_id), signature, None)
    return compare(seal, rows, signature)


def _displaced_by_signature(judged: Iterable[Judgement]) -> set[UUID]:
    """Events of which a conflict is validly signed, and what came first is not."""
    valid: dict[int, set[UUID]] = {EVENT: set(), CONFLICT: set()}
    came_first = set()
    for one in judged:
        if one.state is SignatureState.VALID:
            valid[one.kind].add(one.event_id)
        if one.kind == EVENT:
            came_first.add(one.event_id)
    return valid[CONFLICT] & came_first - valid[EVENT]


def _voided_seals(
    events: Sequence[Entry], schemas: Mapping[bytes, StoredSchema]
) -> tuple[UUID, ...]:
    seals = {UUID(bytes=entry.event_id) for entry in events if entry.event_type == SEAL_TYPE}
    voided = []
    for entry in events:
        plain = plain_body(entry, schemas) if entry.event_type == "EventVoided" else None
        try:
            target = None if plain is None else UUID(plain["target_event_id"])
        except (KeyError, ValueError, TypeError):
            continue
        if target in seals and target not in voided:
            voided.append(target)
    return tuple(voided)


def _reused(rows: Sequence[Row]) -> tuple[ReusedNumber, ...]:
    numbered: defaultdict[tuple[str, bool, int], set[UUID]] = defaultdict(set)
    for row in rows:
        if row.producer_id is not None and row.procedure_seq is not None:
            number = (row.producer_id, row.is_telemetry, row.procedure_seq)
            numbered[number].add(UUID(bytes=row.event_id))
    return tuple(
        ReusedNumber(*number, tuple(sorted(event_ids)))
        for number, event_ids in sorted(numbered.items())
        if len(event_ids) > 1
    )
