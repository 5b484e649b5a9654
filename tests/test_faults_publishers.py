"""Publishers that are killed or cut off lose nothing of what ``publish`` returned."""

from __future__ import annotations

import pytest
from faults.kill_points import PUBLISHER_POINTS
from faults.network_scenarios import acknowledgements_lost
from faults.publisher_scenarios import at_each_point, on_one_outbox
from faults.stage import Stage

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


def test_publishers_killed_at_each_named_point_lose_and_repeat_nothing(stage: Stage) -> None:
    outcome = at_each_point(stage, "SQLite", seed=1, kills=len(PUBLISHER_POINTS))

    assert outcome.violations == []
    assert set(outcome.points) == {one.name for one in PUBLISHER_POINTS}


def test_processes_on_one_outbox_take_over_from_each_other(stage: Stage) -> None:
    outcome = on_one_outbox(stage, "SQLite", seed=2, kills=4)

    assert (outcome.violations, outcome.kills) == ([], 4)


def test_acknowledgements_that_are_lost_repeat_nothing(stage: Stage) -> None:
    assert acknowledgements_lost(stage, "SQLite", seed=3, kills=0).violations == []
