"""Whatever is published into whatever room: every event is accepted, shed or refused, and counted."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from arrived_events import decoded
from hypothesis import given, settings
from hypothesis import strategies as st
from outbox_rows import event_ids, gapless, procedure_seqs, producer_seqs, query
from room_events import chunk, freeze
from small_rooms import CHUNK_BYTES, EVENT_BYTES, small_room, unplugged
from waiting import until

from cryotrail_producers.errors import OutboxFull
from cryotrail_producers.outbox_file.budget import Budget
from cryotrail_producers.publisher import Publisher
from cryotrail_producers.transport import MemoryTransport
from cryotrail_schemas.events import Channel, Event, ProbeTelemetryChunk, TelemetryGapReported
from cryotrail_schemas.identifiers import new_event_id

SHEDDABLE = Channel.TIP_TEMPERATURE_CEL
KEPT = Channel.FLOW_PCT

procedures = st.integers(1, 2).map(lambda number: UUID(int=number))
events: st.SearchStrategy[Event] = st.one_of(
    procedures.map(freeze),
    st.builds(
        lambda procedure, channel, count: replace(chunk(procedure, count), channel=channel),
        procedures,
        st.sampled_from([SHEDDABLE, SHEDDABLE, KEPT]),
        st.integers(1, 20),
    ),
)
steps = st.lists(st.lists(events, min_size=1, max_size=6), min_size=1, max_size=12)


def _publish(publisher: Publisher, group: list[Event]) -> tuple[list[UUID | None], list[Event]]:
    """What was returned, and which events were refused: the one that had no room, at each try."""
    outcomes: list[UUID | None] = []
    refused: list[Event] = []
    while group:
        try:
            outcomes += publisher.publish_many(group)
            group = []
        except OutboxFull as full:
            outcomes += full.outcomes
            refused.append(group[len(full.outcomes)])
            group = group[len(full.outcomes) + 1 :]
    return outcomes, refused


def _as_fresh(event: Event) -> Event:
    # An example that is tried again, smaller, is of the same event objects.
    return replace(event, header=replace(event.header, event_id=new_event_id()))


def _samples(event: Event) -> int:
    return len(event.values) if isinstance(event, ProbeTelemetryChunk) else 0


@settings(max_examples=20, deadline=None)
@given(
    groups=steps,
    clinical_events=st.integers(0, 30),
    telemetry_chunks=st.integers(0, 30),
    drain_at=st.integers(0, 12),
)
def test_accepted_and_shed_and_refused_are_all_that_was_published(
    groups: list[list[Event]], clinical_events: int, telemetry_chunks: int, drain_at: int
) -> None:
    clinical = Budget(clinical_events * EVENT_BYTES + 1, None, reserve_bytes=10**6)
    telemetry = Budget(telemetry_chunks * CHUNK_BYTES + 1, None)
    returned: list[UUID] = []
    shed: list[Event] = []
    refused: list[Event] = []
    attempted = 0
    transport = unplugged()
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        path = Path(folder) / "o.sqlite3"
        other = Path(folder) / "o_telemetry.sqlite3"
        with small_room(
            path, transport, clinical=clinical, telemetry=telemetry, sheddable=[SHEDDABLE]
        ) as publisher:
            for number, group in enumerate(groups):
                fresh = [_as_fresh(event) for event in group]
                attempted += len(fresh)
                outcomes, without_room = _publish(publisher, list(fresh))
                refused += without_room
                tried = [event for event in fresh if event not in without_room]
                shed += [e for e, id_ in zip(tried, outcomes, strict=True) if id_ is None]
                returned += [id_ for id_ in outcomes if id_ is not None]
                for file, budget in ((path, clinical), (other, telemetry)):
                    ((waiting_bytes,),) = query(file, "SELECT waiting_bytes FROM outbox")
                    assert budget.limit_bytes is not None
                    assert waiting_bytes <= budget.limit_bytes + budget.reserve_bytes
                if number == drain_at:
                    _drain(publisher, transport)
            status = publisher.status()
            assert (status.refused, status.shed_chunks) == (len(refused), len(shed))
        reports = _reports(path)

        assert len(returned) + len(shed) + len(refused) == attempted
        numbered = set(event_ids(path)) | set(event_ids(other))
        assert numbered == set(returned) | {report.header.event_id for report in reports}
        for file in (path, other):
            assert all(map(gapless, producer_seqs(file).values()))
            assert all(map(gapless, procedure_seqs(file).values()))
        assert {e.channel for e in shed if isinstance(e, ProbeTelemetryChunk)} <= {SHEDDABLE}
        lost: Counter[UUID] = Counter()
        for event in shed:
            lost[event.header.procedure_id] += _samples(event)
        told: Counter[UUID] = Counter()
        for report in reports:
            told[report.header.procedure_id] += report.lost_sample_count or 0
        assert told == lost
        assert sum(told.values()) == status.shed_samples


def _drain(publisher: Publisher, transport: MemoryTransport) -> None:
    transport.outage = None
    until(lambda: publisher.status().waiting == 0)
    transport.outage = "the cable is out again"


def _reports(path: Path) -> list[TelemetryGapReported]:
    found = query(path, "SELECT value FROM event WHERE event_type = 'TelemetryGapReported'")
    events = [decoded(value) for (value,) in found]
    return [event for event in events if isinstance(event, TelemetryGapReported)]
