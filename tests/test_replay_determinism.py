"""The same table gives the same bytes, in every process; another zone gives other ids."""

from __future__ import annotations

import os
import subprocess
import sys
from hashlib import sha256

from replayed_cohort import cohort, events

from cryotrail_producers.replay import data_set_of, event_count, events_of
from cryotrail_producers.replay.cohort_table import parse_cohort, reference_table
from cryotrail_schemas.codec import encode
from cryotrail_schemas.events import Event, ProcedureStarted

GOLDEN_SHA256 = "adc7c5ee64271e17302a55fd71f0f321380c5b8341e9f91eac0005ca121d71c7"
"""Over all bodies in order of publication. Change it only together with what the bytes mean: a
store that holds the earlier bytes reports each changed event as a conflict."""

DIGEST_PROGRAM = """
from hashlib import sha256
from cryotrail_producers.replay import events_of, reference_cohort
from cryotrail_schemas.codec import encode
digest = sha256()
for event in events_of(reference_cohort()):
    digest.update(encode(event))
print(digest.hexdigest())
"""


def digest_of(replayed: tuple[Event, ...]) -> str:
    digest = sha256()
    for event in replayed:
        digest.update(encode(event))
    return digest.hexdigest()


def test_the_bytes_of_the_shipped_cohort_are_the_golden_ones() -> None:
    assert digest_of(events()) == GOLDEN_SHA256


def test_two_processes_with_other_hash_seeds_and_zones_make_the_same_bytes() -> None:
    digests = set()
    for hash_seed, zone in (("1", "UTC"), ("4242", "America/New_York")):
        finished = subprocess.run(
            [sys.executable, "-c", DIGEST_PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": zone},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        digests.add(finished.stdout.strip())

    assert digests == {GOLDEN_SHA256}


def test_a_second_replay_yields_equal_events() -> None:
    assert tuple(events_of(cohort())) == events()


def test_another_zone_moves_the_clock_and_makes_other_ids() -> None:
    zurich = tuple(events_of(cohort(), "Europe/Zurich"))

    assert data_set_of(cohort(), "Europe/Zurich") == f"{cohort().data_set}@Europe/Zurich"
    assert len(zurich) == event_count(cohort(), "Europe/Zurich") == len(events())
    started = [event for event in zurich if isinstance(event, ProcedureStarted)]
    assert {event.header.occurred_at.hour for event in started} == {8, 9}, "summer and winter"
    ids = {event.header.event_id for event in events()}
    assert ids.isdisjoint(event.header.event_id for event in zurich)


def test_a_changed_table_makes_other_ids_for_every_event() -> None:
    changed = parse_cohort(reference_table().replace(",45,2,2,96,", ",46,2,2,96,").encode(), "t")

    ids = {event.header.event_id for event in events()}
    assert ids.isdisjoint(event.header.event_id for event in events_of(changed))
