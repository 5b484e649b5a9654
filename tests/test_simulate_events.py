"""Made-up procedures: seeded, named as synthetic, within the contract, and possible."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import defaultdict
from datetime import date
from functools import lru_cache
from hashlib import sha256
from uuid import UUID

import pytest

from cryotrail_producers.simulate import simulate, source_of
from cryotrail_producers.simulate.made_up_row import working_day
from cryotrail_schemas.codec import encode
from cryotrail_schemas.events import (
    Event,
    HaemostasisApplied,
    ProbeTelemetryChunk,
    ProcedureScheduled,
    ProcedureSealed,
    ProcedureStarted,
    TractChecked,
)
from cryotrail_schemas.plausibility import warnings
from cryotrail_schemas.procedure import Phase, fold

PROCEDURES = 12
GOLDEN_SHA256 = "eda893f7be3c5b5daa235c7ef09d5d4e55dc52b9836c30ad316057d267814d9c"
"""Of the first two procedures of seed 7. Another digest means that GENERATION must count up."""

DIGEST_PROGRAM = """
from hashlib import sha256
from cryotrail_producers.simulate import simulate
from cryotrail_schemas.codec import encode
digest = sha256()
for event in simulate(2, seed=7):
    digest.update(encode(event))
print(digest.hexdigest())
"""


@lru_cache(maxsize=1)
def simulated() -> tuple[Event, ...]:
    return tuple(simulate(PROCEDURES, seed=7))


def by_procedure() -> dict[UUID, list[Event]]:
    grouped: dict[UUID, list[Event]] = defaultdict(list)
    for event in simulated():
        grouped[event.header.procedure_id].append(event)
    return grouped


def test_every_event_is_within_the_contract_and_plausible() -> None:
    for event in simulated():
        assert encode(event)
        assert warnings(event) == ()


def test_every_procedure_is_a_possible_one() -> None:
    assert len(by_procedure()) == PROCEDURES
    for events in by_procedure().values():
        view = fold(events)
        assert view.deviations == ()
        assert view.phase is Phase.SEALED


def test_every_event_says_that_it_is_synthetic() -> None:
    assert {event.header.data_origin.value for event in simulated()} == {"SYNTHETIC"}
    chunks = [event for event in simulated() if isinstance(event, ProbeTelemetryChunk)]
    assert {chunk.quality.value for chunk in chunks} == {"SIMULATED"}


def test_labels_name_the_seed_and_are_not_those_of_a_replay() -> None:
    labels = [
        event.procedure_label for event in simulated() if isinstance(event, ProcedureScheduled)
    ]

    assert labels == [f"SYN-7-{number:04d}" for number in range(1, PROCEDURES + 1)]
    assert source_of(7) == "urn:cryotrail:simulate:7"


def test_no_two_events_share_an_id() -> None:
    assert len({event.header.event_id for event in simulated()}) == len(simulated())


def test_other_processes_make_the_same_bytes() -> None:
    finished = subprocess.run(
        [sys.executable, "-c", DIGEST_PROGRAM],
        env={**os.environ, "PYTHONHASHSEED": "99", "TZ": "Asia/Tokyo"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert finished.stdout.strip() == GOLDEN_SHA256


def test_more_procedures_continue_where_fewer_ended() -> None:
    few = tuple(simulate(3, seed=7))

    assert simulated()[: len(few)] == few


@pytest.mark.parametrize(
    "other",
    [
        simulate(1, seed=8),
        simulate(1, seed=7, first_day=date(2026, 1, 6)),
        simulate(1, seed=7, site_tz="Asia/Tokyo"),
    ],
    ids=["seed", "first day", "zone"],
)
def test_another_seed_day_or_zone_makes_other_ids(other: list[Event]) -> None:
    ids = {event.header.event_id for event in simulated()}

    assert ids.isdisjoint(event.header.event_id for event in other)


def test_procedures_differ_in_what_matters_to_a_page() -> None:
    scheduled = [event for event in simulated() if isinstance(event, ProcedureScheduled)]

    assert len({event.site for event in scheduled}) > 4
    assert len({event.tumour_size_mm for event in scheduled}) > PROCEDURES // 2
    assert {event.tissue.value for event in scheduled} == {"BONE", "SOFT_TISSUE"}
    channels = {e.channel.value for e in simulated() if isinstance(e, ProbeTelemetryChunk)}
    assert channels == {"TIP_TEMPERATURE_CEL", "SENSOR_TEMPERATURE_CEL"}


def test_what_a_device_did_names_the_device() -> None:
    devices = {event.header.device_id for event in simulated()}

    assert devices == {None, "sim-console-1", "sim-ct-1", "sim-mri-1"}


def test_a_bleeding_tract_is_treated_before_the_end() -> None:
    bleeding = [e for e in simulated() if isinstance(e, TractChecked) and e.bleeding]
    treated = [e for e in simulated() if isinstance(e, HaemostasisApplied)]

    assert bleeding, "a bleed in a few percent of the tracts"
    assert [(e.header.procedure_id, e.probe_id) for e in bleeding] == [
        (e.header.procedure_id, e.probe_id) for e in treated
    ]


def test_procedures_are_on_working_days() -> None:
    days = [e.header.occurred_at for e in simulated() if isinstance(e, ProcedureStarted)]

    assert all(day.weekday() < 5 for day in days)
    assert [(day.day, day.hour) for day in days[:3]] == [(5, 9), (5, 14), (6, 9)]


@pytest.mark.parametrize(
    ("first_day", "count", "expected"),
    [
        (date(2026, 1, 5), 0, date(2026, 1, 5)),
        (date(2026, 1, 5), 5, date(2026, 1, 12)),
        (date(2026, 1, 9), 1, date(2026, 1, 12)),
        (date(2026, 1, 10), 0, date(2026, 1, 12)),
    ],
    ids=["Monday", "a week on", "after Friday", "from Saturday"],
)
def test_working_days_pass_over_the_week_end(first_day: date, count: int, expected: date) -> None:
    assert working_day(first_day, count) == expected


def test_the_seal_counts_what_the_simulation_added() -> None:
    for events in by_procedure().values():
        (sealed,) = (event for event in events if isinstance(event, ProcedureSealed))
        covered = [
            event
            for event in events
            if event.header.occurred_at <= sealed.header.occurred_at and event is not sealed
        ]
        assert sealed.event_count + sealed.telemetry_chunk_count == len(covered)


def test_the_digest_is_that_of_this_generation() -> None:
    digest = sha256()
    for event in simulate(2, seed=7):
        digest.update(encode(event))

    assert digest.hexdigest() == GOLDEN_SHA256
