"""Recorders that are killed, and recorders that come back from the dead."""

from __future__ import annotations

import signal

from faults.kill_points import RECORDER_POINTS
from faults.outcome import Outcome
from faults.point_deaths import deaths_at
from faults.run import Run
from faults.scenario import BOTH, Scenario
from faults.stage import Database, Stage

_SESSION_S = 12.0
"""Longer than the group waits for a member that does not answer."""


def at_each_point(stage: Stage, database: Database, seed: int, kills: int) -> Outcome:
    """The recorder dies at every named point in turn, and is started again."""
    run = Run(stage, database, seed)
    run.start(recorder_deaths=deaths_at(RECORDER_POINTS, kills, run.chance))
    with run.fault():
        run.go_on_until(run.are_deaths_over, 60 + 15 * kills, "the deaths of the recorder")
    return run.finish()


def at_random(stage: Stage, database: Database, seed: int, kills: int) -> Outcome:
    """The recorder dies at random moments."""
    run = Run(stage, database, seed)
    run.warm_up()
    with run.fault():
        run.kill_at_random(run.recorders, kills, within_s=1.0)
    return run.finish()


def two_in_one_group(stage: Stage, database: Database, seed: int, kills: int) -> Outcome:
    """Of two recorders that share the partitions one dies at a random moment, again and again."""
    run = Run(stage, database, seed, recorders=2)
    run.warm_up()
    with run.fault():
        run.kill_at_random(run.recorders, kills, within_s=3.0)
    return run.finish()


def zombies(stage: Stage, database: Database, seed: int, kills: int) -> Outcome:
    """One of two recorders stands still, loses its partitions to the other, and goes on unaware.

    The group is told at once that it is gone; the last time it finds out by itself.
    """
    run = Run(stage, database, seed, recorders=2)
    run.warm_up()
    with run.fault():
        for still_s in (2.0, 3.0, 2.0, 3.0, _SESSION_S):
            zombie = run.chance.choice(run.recorders)
            zombie.signal(signal.SIGSTOP)
            if still_s < _SESSION_S:
                run.give_up_members()
            run.go_on(still_s)
            zombie.signal(signal.SIGCONT)
            run.go_on(1.0)
    return run.finish()


SCENARIOS = (
    Scenario("recorder: kill -9 at each named point", at_each_point, kills=27, databases=BOTH),
    Scenario("recorder: kill -9 at random", at_random, kills=16, databases=BOTH),
    Scenario(
        "two recorders in a group: kill -9 at random",
        two_in_one_group,
        kills=8,
        databases=("PostgreSQL",),
    ),
    Scenario("two recorders in a group: zombies", zombies, databases=("PostgreSQL",)),
)
