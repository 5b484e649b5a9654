"""Disks that fill up, an outbox that a disk has damaged, and a clock that somebody moves."""

from __future__ import annotations

import time
from contextlib import closing

from cryotrail_audit.store import open_store
from cryotrail_schemas.topics import PROBE_TELEMETRY
from faults.kill_points import SALVAGE_POINTS
from faults.outcome import Outcome
from faults.point_deaths import deaths_at
from faults.publisher_process import CHUNK_SAMPLES
from faults.run import Run
from faults.scenario import Scenario
from faults.small_disk import SmallDisk
from faults.sqlite_damage import overwrite_index
from faults.stage import Database, Stage
from faults.store_reading import read_store, reported_lost_samples

_OUTBOX_BYTES = 10 << 20
_STORE_BYTES = 3 << 20
_BOUND_BYTES = 64 << 10
_TELEMETRY_BYTES = 16 << 10
_STEP_S = 3600


def outbox_disk_full(stage: Stage, database: Database, seed: int, kills: int) -> Outcome:
    """Kafka is away until the outbox's disk is full: events are refused, none that was accepted
    is lost, and publishing goes on once there is room."""
    run = Run(stage, database, seed, publishers=1, per_s=300.0)
    with SmallDisk(run.folder / "room-0", _OUTBOX_BYTES) as disk:
        run.warm_up()
        disk.limit(run.publishers[0].pid)
        stage.room_network.cut()
        with run.fault():
            run.go_on_until(lambda: len(run.journal().refused) > 20, 60, "the disk is full")
            run.go_on(2.0)
        disk.free([run.publishers[0].pid])
        stage.room_network.open()
        run.go_on(2.0)
        return run.finish()


def outbox_bound_reached(stage: Stage, database: Database, seed: int, kills: int) -> Outcome:
    """Kafka is away until as much waits as may: events are refused, none that was accepted is
    dropped for a newer one, and publishing goes on once some are sent."""
    run = Run(stage, database, seed, publishers=1, outbox_limit_bytes=_BOUND_BYTES)
    run.warm_up()
    stage.room_network.cut()
    with run.fault():
        run.go_on_until(lambda: len(run.journal().refused) > 20, 60, "the bound is reached")
    stage.room_network.open()
    before = len(run.journal().returned)
    run.go_on_until(
        lambda: len(run.journal().returned) > before + 20, 30, "events are accepted again"
    )
    outcome = run.finish()
    if others := set(run.journal().refused.values()) - {"OutboxFull"}:
        outcome.violations.append(f"refused for another reason: {others}")
    return outcome


def telemetry_shed(stage: Stage, database: Database, seed: int, kills: int) -> Outcome:
    """Kafka is away until telemetry is shed, and the publisher is killed meanwhile: every sample
    that was shed is reported, once, and every clinical event is accepted."""
    run = Run(stage, database, seed, publishers=1, telemetry_limit_bytes=_TELEMETRY_BYTES)
    run.warm_up()
    stage.room_network.cut()
    with run.fault():
        run.go_on_until(lambda: len(run.journal().shed) > 5, 60, "telemetry is shed")
        run.kill_at_random(run.publishers, kills, within_s=0.6)
        before = len(run.journal().shed)
        run.go_on_until(lambda: len(run.journal().shed) > before, 60, "telemetry is shed on")
    stage.room_network.open()
    outcome = run.finish()
    journal = run.journal()
    if journal.refused:
        outcome.violations.append(f"refused: {set(journal.refused.values())}")
    # Who was killed within `publish` cannot say whether it was shed.
    recorded = {event.event_id for event in read_store(run.store_url).events}
    known = recorded | journal.shed
    unsaid = sum(
        one.topic == PROBE_TELEMETRY and one.event_id not in known for one in journal.attempted
    )
    shed, reported = CHUNK_SAMPLES * len(journal.shed), reported_lost_samples(run.store_url)
    if not shed <= reported <= shed + CHUNK_SAMPLES * unsaid:
        outcome.violations.append(f"{shed} samples were shed, {reported} are reported as lost")
    return outcome


def outbox_damaged(stage: Stage, database: Database, seed: int, kills: int) -> Outcome:
    """An index of the outbox is overwritten while its publisher is dead and its events wait: the
    file is set aside and salvaged, and whoever does so is killed at every step."""
    run = Run(stage, database, seed, publishers=1)
    run.warm_up()
    stage.room_network.cut()
    run.go_on(2.0)
    (publisher,) = run.publishers
    with run.fault():
        for death in deaths_at(SALVAGE_POINTS, kills, run.chance):
            publisher.bury()
            overwrite_index(run.outbox(0), run.chance)
            publisher.begin([death])
            run.go_on_until(run.are_deaths_over, 60, "the death within the salvage")
            run.go_on_until(publisher.works, 60, "it publishes again")
    stage.room_network.open()
    return run.finish()


def store_disk_full(stage: Stage, database: Database, seed: int, kills: int) -> Outcome:
    """The store's disk fills up: the recorder waits, and records everything once there is room."""
    with SmallDisk(stage.new_folder(), _STORE_BYTES) as disk:
        run = Run(stage, database, seed, per_s=80.0, store_folder=disk.folder)
        run.warm_up()
        disk.limit(run.recorders[0].pid)
        with run.fault():
            run.go_on_until(lambda: _stands_still(run), 60, "the disk is full")
            run.go_on(3.0)
        disk.free([run.recorders[0].pid])
        return run.finish()


def clock_stepped(stage: Stage, database: Database, seed: int, kills: int) -> Outcome:
    """The recorder's clock is moved by an hour: it records nothing until the clock is right."""
    run = Run(stage, database, seed)
    run.warm_up()
    (recorder,) = run.recorders
    with run.fault():
        recorder.lets_it_lie = True
        run.clock_step.write_text(str(_STEP_S))
        run.go_on(1.5)  # a batch that is under way may still come
        before = run.recorded_count()
        run.go_on(3.0)
        if run.recorded_count() != before:
            run.note("it recorded although its clock was moved")
    run.clock_step.write_text("0")
    recorder.lets_it_lie = False
    outcome = run.finish()
    with closing(open_store(run.store_url)) as store:
        if (store.head().recorded_us or 0) / 1e6 > time.time() + 60:
            outcome.violations.append("the store's clock runs ahead")
    return outcome


def _stands_still(run: Run) -> bool:
    """Whether nothing was recorded for two seconds, while events come in all the time."""
    before = run.recorded_count()
    run.go_on(2.0)
    return before == run.recorded_count() > 0


SCENARIOS = (
    Scenario("outbox: disk full", outbox_disk_full),
    Scenario("outbox: its bound is reached", outbox_bound_reached),
    Scenario("outbox: telemetry is shed, kill -9 at random", telemetry_shed, kills=8),
    Scenario("outbox: damaged, and killed while it is salvaged", outbox_damaged, kills=6),
    Scenario("store: disk full", store_disk_full),
    Scenario("recorder: clock moved by an hour", clock_stepped, databases=("SQLite", "PostgreSQL")),
)
