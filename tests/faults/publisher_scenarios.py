"""Publishers that are killed."""

from __future__ import annotations

from faults.kill_points import PUBLISHER_POINTS
from faults.outcome import Outcome
from faults.point_deaths import deaths_at
from faults.run import Run
from faults.scenario import Scenario
from faults.stage import Database, Stage


def at_each_point(stage: Stage, database: Database, seed: int, kills: int) -> Outcome:
    """Three publishers die at every named point in turn, and are started again."""
    run = Run(stage, database, seed)
    deaths = deaths_at(PUBLISHER_POINTS, kills, run.chance)
    run.start(publisher_deaths=deaths)
    with run.fault():
        run.go_on_until(run.are_deaths_over, 60 + 10 * kills, "the deaths of the publishers")
    return run.finish()


def at_random(stage: Stage, database: Database, seed: int, kills: int) -> Outcome:
    """One of three publishers dies at a random moment, again and again."""
    run = Run(stage, database, seed)
    run.warm_up()
    with run.fault():
        run.kill_at_random(run.publishers, kills, within_s=0.5)
    return run.finish()


def on_one_outbox(stage: Stage, database: Database, seed: int, kills: int) -> Outcome:
    """Three processes publish into one outbox; whoever sends is killed, and another takes over."""
    run = Run(stage, database, seed, shared_outbox=True)
    run.warm_up()
    with run.fault():
        run.kill_at_random(run.publishers, kills, within_s=0.6)
    return run.finish()


SCENARIOS = (
    Scenario("publisher: kill -9 at each named point", at_each_point, kills=64),
    Scenario("publisher: kill -9 at random", at_random, kills=56),
    Scenario("publishers on one outbox: kill -9 at random", on_one_outbox, kills=16),
)
