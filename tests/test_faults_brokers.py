"""A cluster that loses its leader, or what it acknowledged, costs nothing that was published."""

from __future__ import annotations

import pytest
from faults.broker_scenarios import leader_killed, tail_cut, topics_recreated
from faults.run import Run
from faults.stage import Stage

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


def test_a_leader_that_is_killed_loses_and_repeats_nothing(stage: Stage) -> None:
    outcome = leader_killed(stage, "SQLite", seed=6, kills=1)

    assert (outcome.violations, outcome.kills) == ([], 1)


def test_what_every_replica_lost_is_sent_again_event_by_event(stage: Stage) -> None:
    outcome = tail_cut(stage, "PostgreSQL", seed=7, kills=0)

    assert outcome.violations == []
    assert outcome.account.late_found == outcome.account.late_expected > 0


def test_what_a_topic_that_was_made_anew_lost_is_sent_again(stage: Stage) -> None:
    outcome = topics_recreated(stage, "SQLite", seed=8, kills=0)

    assert outcome.violations == []
    assert outcome.account.late_found == outcome.account.late_expected > 0


def test_whoever_a_broken_off_run_leaves_and_a_node_that_ended_do_not_outlast_the_mending(
    stage: Stage,
) -> None:
    run = Run(stage, "SQLite", seed=9)
    run.start()
    stage.cluster.nodes[0].kill()

    stage.heal()

    assert not any(one.is_alive for one in [*run.publishers, *run.recorders])
    assert stage.cluster.nodes[0].is_running
