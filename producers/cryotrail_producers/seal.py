"""The seal of a procedure: how many events this outbox published of it, and the root over them.

A producer alone can say that nothing was left out, and nobody can count another's stream: so there
is one seal a procedure and outbox.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from cryotrail_producers.errors import SealRefused
from cryotrail_producers.outbox_file.sealed_procedures import Contents
from cryotrail_schemas.events import (
    ActorRole,
    DataOrigin,
    Header,
    ProcedureSealed,
    TimeBasis,
)
from cryotrail_schemas.identifiers import new_event_id
from cryotrail_schemas.merkle import leaf_hash, root


@dataclass(frozen=True, slots=True)
class SealHeader:
    """What the header of a seal says; what is None is taken from the procedure's events, or now."""

    subject_id: UUID | None = None
    device_id: str | None = None
    """The unit that seals; a key that is bound to devices needs it."""
    occurred_at: datetime | None = None
    time_basis: TimeBasis = TimeBasis.UNKNOWN
    actor_role: ActorRole = ActorRole.SYSTEM
    data_origin: DataOrigin | None = None


def make_seal(
    procedure_id: UUID, said: SealHeader, events: Contents, chunks: Contents
) -> ProcedureSealed:
    """The seal over what the two files of an outbox numbered for a procedure.

    :raises SealRefused: there is nothing to seal, or not all of it is known any more.
    """
    producer_ids = events.producer_ids + chunks.producer_ids
    if not producer_ids:
        raise SealRefused(
            f"this outbox has no events of procedure {procedure_id}",
            hint="each outbox seals what it published itself: is it the right outbox and id?",
        )
    forgotten = events.forgotten + chunks.forgotten
    if forgotten:
        raise SealRefused(
            f"{forgotten} events of procedure {procedure_id} cannot be counted any more: they were "
            "sent and forgotten by an earlier version of cryotrail, or lost with a damaged outbox",
            hint="procedures that begin from now on can be sealed",
        )
    template = events if events.subject_id is not None else chunks
    subject_id = said.subject_id or template.subject_id
    data_origin = said.data_origin or template.data_origin
    if subject_id is None or data_origin is None:
        raise SealRefused(
            f"the events of procedure {procedure_id} cannot be read by this version of cryotrail",
            hint="say subject_id and data_origin",
        )
    return ProcedureSealed(
        header=Header(
            event_id=new_event_id(),
            procedure_id=procedure_id,
            subject_id=subject_id,
            device_id=said.device_id,
            actor_role=said.actor_role,
            occurred_at=said.occurred_at or datetime.now(UTC),
            time_basis=said.time_basis,
            data_origin=DataOrigin(data_origin),
        ),
        sealed_producer_ids=producer_ids,
        event_count=len(events.hashes),
        telemetry_chunk_count=len(chunks.hashes),
        content_root=content_root(events.hashes | chunks.hashes),
    )


def content_root(hashes: Mapping[bytes, bytes]) -> bytes:
    """RFC 6962 root over content hashes by event id, in the order of the ids."""
    return root(leaf_hash(content) for _, content in sorted(hashes.items()))
