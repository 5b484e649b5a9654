"""The full matrix: every scenario on its databases, then the table, in ``docs/faults.md``.

``python -m faults --kills 200 --seed 7``; progress on stderr; exit 1 on any violation.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import scratch_folder  # noqa: F401  into memory where there is room

from faults import (
    broker_scenarios,
    disk_scenarios,
    network_scenarios,
    publisher_scenarios,
    recorder_scenarios,
    signer_scenarios,
)
from faults.report import Row, write_report
from faults.scenario import Scenario
from faults.stage import Database, Stage, environment_for_children

SCENARIOS: tuple[Scenario, ...] = (
    *publisher_scenarios.SCENARIOS,
    *recorder_scenarios.SCENARIOS,
    *broker_scenarios.SCENARIOS,
    *network_scenarios.SCENARIOS,
    *disk_scenarios.SCENARIOS,
    *signer_scenarios.SCENARIOS,
)


class Planned(NamedTuple):
    """One row to be played."""

    scenario: Scenario
    database: Database
    kills: int


def planned(scenarios: Sequence[Scenario], kills: int) -> list[Planned]:
    """Every scenario on each of its databases, with its share of the kills, rounded up."""
    rows = [(one, database) for one in scenarios for database in one.databases]
    all_kills = sum(one.kills for one, _ in rows)
    return [
        Planned(one, database, -(-one.kills * kills // all_kills) if one.kills else 0)
        for one, database in rows
    ]


def main(arguments: Sequence[str]) -> int:
    """Play the matrix. 1 = something was lost, duplicated, out of order, or did not happen."""
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=210, help="processes to kill at least")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**6)
    parser.add_argument(
        "--only",
        action="append",
        metavar="NAME",
        help="scenarios with this in their name; no report",
    )
    parser.add_argument("--report", type=Path, default=Path("docs/faults.md"))
    options = parser.parse_args(arguments)

    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    environment_for_children()
    # What is asked to end takes its brokers with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    wanted = options.only or [""]
    chosen = [one for one in SCENARIOS if any(name in one.name for name in wanted)]
    if not chosen:
        parser.error(f"no scenario has one of {wanted} in its name")
    plan = planned(chosen, options.kills)
    began = time.monotonic()
    rows = []
    with Stage() as stage:
        for number, one in enumerate(plan, start=1):
            rows.append(_play(stage, one, options.seed + number))
            print(f"[{number}/{len(plan)}] {rows[-1].line()}", file=sys.stderr, flush=True)
            if not options.only:
                # After each, so that what was played is told when the rest is broken off.
                seconds = time.monotonic() - began
                write_report(options.report, rows, len(plan), options.seed, seconds)
    return 1 if any(row.violations for row in rows) else 0


def _play(stage: Stage, one: Planned, seed: int) -> Row:
    began = time.monotonic()
    try:
        stage.heal()
        outcome = one.scenario.play(stage, one.database, seed, one.kills)
    except Exception as error:  # noqa: BLE001  the next scenarios shall be played all the same
        traceback.print_exc()
        return Row.failed(one.scenario.name, one.database, time.monotonic() - began, error)
    return Row.of(one.scenario.name, one.database, outcome)
