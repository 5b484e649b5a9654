"""The seal of a procedure: how many events it has, and the root over all their contents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256

from cryotrail_producers.replay.case import Case
from cryotrail_schemas.codec import encode
from cryotrail_schemas.events import ActorRole, Event, ProbeTelemetryChunk, ProcedureSealed
from cryotrail_schemas.merkle import leaf_hash, root

AFTER_DISCHARGE = timedelta(hours=1)


def seal(case: Case, events: Sequence[Event]) -> ProcedureSealed:
    """Seal what occurred by an hour after discharge, out of all ``events`` of the procedure.

    ``events`` are as they will be published, with their personal text encrypted where that is on.

    ``sealed_producer_ids`` is empty, since a replay may pass any outbox: the seal stands for every
    event of the procedure with ``occurred_at`` up to its own. ``event_count`` counts the discrete
    ones without the seal, ``telemetry_chunk_count`` the chunks. The root is the RFC 6962 tree head
    over the content hashes (SHA-256 of the encoded body) of both, ordered by event_id.
    """
    sealed_at = case.discharged_at + AFTER_DISCHARGE
    covered = [event for event in events if event.header.occurred_at <= sealed_at]
    covered.sort(key=lambda event: event.header.event_id)
    chunks = sum(isinstance(event, ProbeTelemetryChunk) for event in covered)
    return ProcedureSealed(
        header=case.headers.make(ProcedureSealed, sealed_at, ActorRole.SYSTEM),
        sealed_producer_ids=(),
        event_count=len(covered) - chunks,
        telemetry_chunk_count=chunks,
        content_root=root(leaf_hash(sha256(encode(event)).digest()) for event in covered),
    )
