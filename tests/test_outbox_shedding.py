"""Telemetry without room is shed where it may be, and each loss becomes one event."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from arrived_events import arrived
from outbox_rows import event_ids, execute, query
from room_events import chunk, freeze
from small_rooms import CHUNK_BYTES, EVENT_BYTES, small_room, unplugged
from waiting import until

from cryotrail_producers import encoding
from cryotrail_producers.errors import OutboxError, OutboxFull
from cryotrail_producers.outbox import pair
from cryotrail_producers.outbox_file.budget import Budget
from cryotrail_producers.outbox_file.shed_samples import ShedSamples, shed_samples
from cryotrail_producers.transport import MemoryTransport
from cryotrail_schemas.events import (
    Channel,
    GapReason,
    ProbeTelemetryChunk,
    ProcedureSealed,
    TelemetryGapReported,
)

TIP = Channel.TIP_TEMPERATURE_CEL
FIVE_CHUNKS = Budget(limit_bytes=5 * CHUNK_BYTES, limit_age_s=None)

SHEDDER = """
import os, sys
from pathlib import Path
from uuid import UUID
from cryotrail_producers.outbox_file.budget import Budget
from cryotrail_schemas.events import Channel
from room_events import chunk
from small_rooms import CHUNK_BYTES, small_room, unplugged

publisher = small_room(
    Path(sys.argv[1]), unplugged(), telemetry=Budget(CHUNK_BYTES, None),
    sheddable=[Channel.TIP_TEMPERATURE_CEL], gap_report_s=0.02,
)
while True:
    shed = publisher.publish(chunk(UUID(int=7))) is None
    sys.stdout.write("shed\\n" if shed else "accepted\\n")
    sys.stdout.flush()
"""


def _later(event: ProbeTelemetryChunk, seconds: float) -> ProbeTelemetryChunk:
    at = event.header.occurred_at + timedelta(seconds=seconds)
    return replace(event, header=replace(event.header, occurred_at=at))


def test_a_declared_channel_is_shed_before_it_is_numbered(tmp_path: Path) -> None:
    path = tmp_path / "o.sqlite3"
    telemetry = tmp_path / "o_telemetry.sqlite3"
    with small_room(path, unplugged(), telemetry=FIVE_CHUNKS, sheddable=[TIP]) as publisher:
        outcomes = [publisher.publish(chunk(uuid4())) for _ in range(8)]
        status = publisher.status()
    assert [outcome is None for outcome in outcomes] == [False] * 5 + [True] * 3
    assert event_ids(telemetry) == outcomes[:5]
    assert query(telemetry, "SELECT last_seq FROM producer") == [(5,)]
    assert (status.shed_chunks, status.shed_samples, status.refused) == (3, 30, 0)
    assert status.shedding


def test_what_a_chunk_holds_is_looked_at_when_it_is_shed_and_not_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[ProbeTelemetryChunk] = []

    def look(chunk: ProbeTelemetryChunk) -> ShedSamples:
        looked_at.append(chunk)
        return shed_samples(chunk)

    for module in (pair, encoding):
        monkeypatch.setattr(module, "shed_samples", look, raising=False)
    given = [chunk(uuid4()) for _ in range(8)]
    with small_room(
        tmp_path / "o.sqlite3", unplugged(), telemetry=FIVE_CHUNKS, sheddable=[TIP]
    ) as publisher:
        for each in given:
            publisher.publish(each)
    assert looked_at == given[5:]


def test_a_channel_that_is_not_declared_is_refused(tmp_path: Path) -> None:
    with small_room(
        tmp_path / "o.sqlite3", unplugged(), telemetry=FIVE_CHUNKS, sheddable=[Channel.FLOW_PCT]
    ) as publisher:
        publisher.publish_many([chunk(uuid4()) for _ in range(5)])
        with pytest.raises(OutboxFull, match="o_telemetry"):
            publisher.publish(chunk(uuid4()))
        assert publisher.status().shed_chunks == 0


def test_each_curve_has_one_report_with_all_that_it_lost(tmp_path: Path) -> None:
    path, transport, procedure, other = tmp_path / "o.sqlite3", unplugged(), uuid4(), uuid4()
    first = chunk(procedure)
    lost = [_later(first, 10 * n) for n in (3, 1, 2)]
    lost += [replace(chunk(procedure), probe_id="2", values=(1.0, None, 2.0)), chunk(other)]
    with small_room(path, transport, telemetry=FIVE_CHUNKS, sheddable=[TIP]) as publisher:
        publisher.publish_many([chunk(uuid4()) for _ in range(5)])
        assert publisher.publish_many(lost) == [None] * 5
        assert query(path, "SELECT count(*) FROM event") == [(0,)], "shedding goes on"
        transport.outage = None
        until(lambda: len(arrived(transport, TelemetryGapReported)) == 3)

    reports = arrived(transport, TelemetryGapReported)
    by_curve = {(gap.header.procedure_id, gap.probe_id): gap for gap in reports}
    gap = by_curve[procedure, "1"]
    start = first.header.occurred_at
    assert gap == TelemetryGapReported(
        header=replace(
            first.header,
            event_id=gap.header.event_id,
            actor_role=gap.header.actor_role,
            occurred_at=start + timedelta(seconds=40),
        ),
        channel=TIP,
        probe_id="1",
        from_at=start + timedelta(seconds=10),
        to_at=start + timedelta(seconds=40),
        lost_sample_count=30,
        reason=GapReason.SHED,
    )
    assert by_curve[procedure, "2"].lost_sample_count == 2, "what was null was lost before"
    assert by_curve[other, "1"].lost_sample_count == 10


def test_shedding_goes_on_until_there_is_room_for_more_than_one(tmp_path: Path) -> None:
    transport = unplugged()
    with small_room(
        tmp_path / "o.sqlite3", transport, telemetry=FIVE_CHUNKS, sheddable=[TIP]
    ) as publisher:
        publisher.publish_many([chunk(uuid4()) for _ in range(6)])
        assert publisher.publish(chunk(uuid4(), 1)) is None, "small enough, yet shed"
        transport.outage = None
        until(lambda: publisher.status().waiting == 0)
        assert publisher.publish(chunk(uuid4())) is not None


def test_while_shedding_goes_on_it_is_reported_again_and_again(tmp_path: Path) -> None:
    procedure, path = uuid4(), tmp_path / "o.sqlite3"
    with small_room(
        path, unplugged(), telemetry=FIVE_CHUNKS, sheddable=[TIP], gap_report_s=0.1
    ) as publisher:
        publisher.publish_many([chunk(uuid4()) for _ in range(5)])
        for reported in (1, 2):
            publisher.publish(chunk(procedure))
            until(lambda: query(path, "SELECT count(*) FROM event") == [(reported,)])  # noqa: B023
        assert publisher.status().shedding


def test_closing_reports_what_was_shed(tmp_path: Path) -> None:
    path, transport = tmp_path / "o.sqlite3", unplugged()
    with small_room(path, transport, telemetry=FIVE_CHUNKS, sheddable=[TIP]) as publisher:
        publisher.publish_many([chunk(uuid4()) for _ in range(6)])
    assert query(path, "SELECT event_type FROM event") == [("TelemetryGapReported",)]
    assert query(path, "SELECT count(*) FROM gap") == [(0,)]


@pytest.mark.parametrize("maker", ["publisher", "source"])
def test_a_seal_comes_after_the_gaps_of_its_procedure(tmp_path: Path, maker: str) -> None:
    path, transport, procedure = tmp_path / "o.sqlite3", unplugged(), uuid4()
    with small_room(path, transport, telemetry=FIVE_CHUNKS, sheddable=[TIP]) as publisher:
        publisher.publish(freeze(procedure))
        publisher.publish_many([chunk(procedure) for _ in range(6)])
        if maker == "publisher":
            publisher.seal(procedure)
        else:
            publisher.publish(
                ProcedureSealed(
                    header=freeze(procedure).header,
                    sealed_producer_ids=(),
                    event_count=1,
                    telemetry_chunk_count=6,
                    content_root=b"0" * 32,
                )
            )
        transport.outage = None
        until(lambda: len(arrived(transport, ProcedureSealed)) == 1)

    types = [row for (row,) in query(path, "SELECT event_type FROM event ORDER BY id")]
    assert types == ["FreezeStarted", "TelemetryGapReported", "ProcedureSealed"]
    if maker == "publisher":
        (seal,) = arrived(transport, ProcedureSealed)
        assert (seal.event_count, seal.telemetry_chunk_count) == (2, 5)


def test_a_procedure_whose_telemetry_was_all_shed_can_be_sealed(tmp_path: Path) -> None:
    path, transport, procedure = tmp_path / "o.sqlite3", unplugged(), uuid4()
    nothing = Budget(limit_bytes=1, limit_age_s=None)
    with small_room(path, transport, telemetry=nothing, sheddable=[TIP]) as publisher:
        assert publisher.publish(chunk(procedure)) is None
        publisher.seal(procedure)
        transport.outage = None
        until(lambda: len(arrived(transport, ProcedureSealed)) == 1)
    (seal,) = arrived(transport, ProcedureSealed)
    assert (seal.event_count, seal.telemetry_chunk_count) == (1, 0)


def test_in_a_full_clinical_outbox_the_reserve_takes_the_reports(tmp_path: Path) -> None:
    path, procedure = tmp_path / "o.sqlite3", uuid4()
    clinical = Budget(EVENT_BYTES, None, reserve_bytes=10_000)
    with small_room(
        path, unplugged(), clinical=clinical, telemetry=FIVE_CHUNKS, sheddable=[TIP]
    ) as publisher:
        publisher.publish(freeze(procedure))
        publisher.publish_many([chunk(procedure) for _ in range(6)])
        publisher.report_gaps()
        assert query(path, "SELECT count(*) FROM gap") == [(0,)]
        publisher.publish(chunk(procedure))
        publisher.seal(procedure)
    assert query(path, "SELECT count(*) FROM event") == [(4,)]


def test_a_loss_that_cannot_be_reported_is_kept_until_it_can(tmp_path: Path) -> None:
    path, transport, procedure = tmp_path / "o.sqlite3", unplugged(), uuid4()
    clinical = Budget(EVENT_BYTES, None)
    with small_room(
        path, transport, clinical=clinical, telemetry=FIVE_CHUNKS, sheddable=[TIP]
    ) as publisher:
        publisher.publish(freeze(procedure))
        publisher.publish_many([chunk(procedure) for _ in range(6)])
        with pytest.raises(OutboxFull):
            publisher.seal(procedure)
    assert query(path, "SELECT samples FROM gap") == [(10,)]

    transport.outage = None
    with small_room(path, transport, telemetry=FIVE_CHUNKS, sheddable=[TIP]):
        until(lambda: len(arrived(transport, TelemetryGapReported)) == 1)


def test_a_chunk_whose_loss_cannot_be_noted_is_refused_and_not_shed(tmp_path: Path) -> None:
    path = tmp_path / "o.sqlite3"
    with small_room(path, unplugged(), telemetry=FIVE_CHUNKS, sheddable=[TIP]) as publisher:
        publisher.publish_many([chunk(uuid4()) for _ in range(5)])
        execute(
            path,
            "CREATE TRIGGER full BEFORE INSERT ON gap BEGIN SELECT RAISE(ABORT, 'no room'); END",
        )
        with pytest.raises(OutboxError, match="no room"):
            publisher.publish(chunk(uuid4()))
        assert publisher.status().shed_chunks == 0
        execute(path, "DROP TRIGGER full")
        assert publisher.publish(chunk(uuid4())) is None


def test_killed_at_any_time_each_loss_is_reported_exactly_once(tmp_path: Path) -> None:
    path, said = tmp_path / "o.sqlite3", 0
    for run in range(4):
        lines = tmp_path / f"said-{run}"
        with lines.open("w") as out:
            process = subprocess.Popen(
                [sys.executable, "-c", SHEDDER, str(path)],
                stdout=out,
                env={"PYTHONPATH": str(Path(__file__).parent / "support")},
            )
        until(lambda: lines.read_text().count("shed\n") > 20, timeout_s=60)  # noqa: B023
        reported = query(path, "SELECT count(*) FROM event")[0][0]
        until(lambda: query(path, "SELECT count(*) FROM event")[0][0] > reported)  # noqa: B023
        os.kill(process.pid, signal.SIGKILL)
        process.wait(30)
        said += lines.read_text().count("shed\n")

    transport = MemoryTransport()
    with small_room(path, transport, telemetry=FIVE_CHUNKS, sheddable=[TIP]) as publisher:
        until(lambda: query(path, "SELECT count(*) FROM gap") == [(0,)])
        until(lambda: publisher.status().waiting == 0)
        status = publisher.status()
    gaps = arrived(transport, TelemetryGapReported)
    assert len({gap.header.event_id for gap in gaps}) == len(gaps) > 4
    reported = sum(gap.lost_sample_count or 0 for gap in gaps)
    assert reported == status.shed_samples
    # A process may be killed after it noted a loss and before it said so.
    assert 10 * said <= reported <= 10 * (said + 4)
    assert {gap.header.procedure_id for gap in gaps} == {UUID(int=7)}
