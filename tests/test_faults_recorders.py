"""Recorders that are killed or lose the answer to a COMMIT record everything, and once."""

from __future__ import annotations

import pytest
from faults.kill_points import RECORDER_POINTS
from faults.network_scenarios import commits_unanswered
from faults.recorder_scenarios import at_each_point
from faults.stage import Database, Stage

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


@pytest.mark.parametrize("database", ["SQLite", "PostgreSQL"])
def test_a_recorder_killed_at_each_named_point_loses_and_repeats_nothing(
    stage: Stage, database: Database
) -> None:
    outcome = at_each_point(stage, database, seed=4, kills=len(RECORDER_POINTS))

    assert outcome.violations == []
    assert set(outcome.points) == {one.name for one in RECORDER_POINTS}


def test_a_connection_lost_on_commit_records_nothing_twice(stage: Stage) -> None:
    assert commits_unanswered(stage, "PostgreSQL", seed=5, kills=0).violations == []
