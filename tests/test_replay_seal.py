"""The seal of a replayed procedure covers all of it up to its own instant, and nothing else."""

from __future__ import annotations

from hashlib import sha256

import pytest
from replayed_cohort import of_procedure, of_type, procedures

from cryotrail_schemas.codec import encode
from cryotrail_schemas.events import (
    ComplicationReported,
    PatientDischarged,
    ProbeTelemetryChunk,
    ProcedureSealed,
)


def rfc6962_root(leaves: list[bytes]) -> bytes:
    """The definition of RFC 6962 section 2.1, by its recursion."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    left, right = rfc6962_root(leaves[:split]), rfc6962_root(leaves[split:])
    return sha256(b"\x01" + left + right).digest()


@pytest.mark.parametrize("procedure", procedures())
def test_the_seal_counts_and_hashes_what_occurred_by_then(procedure: str) -> None:
    (sealed,) = of_type(ProcedureSealed, procedure)
    covered = sorted(
        (
            event
            for event in of_procedure(procedure)
            if event.header.occurred_at <= sealed.header.occurred_at and event is not sealed
        ),
        key=lambda event: event.header.event_id,
    )
    chunks = [event for event in covered if isinstance(event, ProbeTelemetryChunk)]

    assert sealed.sealed_producer_ids == ()
    assert sealed.telemetry_chunk_count == len(chunks)
    assert sealed.event_count == len(covered) - len(chunks)
    assert sealed.content_root == rfc6962_root(
        [sha256(encode(event)).digest() for event in covered]
    )


def test_every_chunk_of_the_cohort_is_under_a_seal() -> None:
    assert sum(sealed.telemetry_chunk_count for sealed in of_type(ProcedureSealed)) == 10_992


def test_discharge_and_a_complication_of_the_day_precede_the_seal_and_a_later_one_follows() -> None:
    for procedure, covered in (("R03", True), ("R11", True), ("R09", False)):
        (sealed,) = of_type(ProcedureSealed, procedure)
        (discharged,) = of_type(PatientDischarged, procedure)
        (complication,) = of_type(ComplicationReported, procedure)
        assert discharged.header.occurred_at < sealed.header.occurred_at
        before = complication.header.occurred_at < sealed.header.occurred_at
        assert before is covered, procedure
