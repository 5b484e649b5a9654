"""Made-up procedures as events, in order of publication."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from zoneinfo import ZoneInfo

from cryotrail_producers.published_form import AsPublished, as_it_is
from cryotrail_producers.replay.case import Case, make_case
from cryotrail_producers.replay.stream import discrete_events, sealed
from cryotrail_producers.replay.telemetry import telemetry
from cryotrail_producers.simulate.chance import Chance
from cryotrail_producers.simulate.devices import with_device
from cryotrail_producers.simulate.edge_sensor import edge_sensor
from cryotrail_producers.simulate.elaboration import Elaboration
from cryotrail_producers.simulate.made_up_row import STARTS, made_up_row
from cryotrail_schemas.events import DataOrigin, Event

FIRST_DAY = date(2026, 1, 5)
GENERATION = 1
"""Counted up whenever the same seed makes other bytes: an event id stands for one content."""


def simulate(
    procedures: int,
    seed: int,
    *,
    first_day: date = FIRST_DAY,
    site_tz: str = "UTC",
    as_published: AsPublished = as_it_is,
) -> Iterator[Event]:
    """So many procedures with telemetry, ``data_origin`` SYNTHETIC, one after another.

    Ids derive from seed, first day and zone: the same arguments give the same bytes, more
    procedures continue where fewer ended, and another seed gives other subjects and procedures.
    Labels are ``SYN-<seed>-0001`` and so on. With ``as_published`` encrypting, the bytes are the
    same while the subjects' keys live.
    """
    data_set, zone = f"simulate/{GENERATION}/{seed}/{first_day}/{site_tz}", ZoneInfo(site_tz)
    for number in range(1, procedures + 1):
        case, events = _procedure(number, seed, first_day, data_set, zone)
        yield from sealed(case, [as_published(event) for event in events])


def source_of(seed: int) -> str:
    """The CloudEvents source of a simulation."""
    return f"urn:cryotrail:simulate:{seed}"


def _procedure(
    number: int, seed: int, first_day: date, data_set: str, zone: ZoneInfo
) -> tuple[Case, list[Event]]:
    chance = Chance(f"{data_set}/{number}")
    case = make_case(
        data_set,
        made_up_row(number, first_day, chance),
        zone,
        origin=DataOrigin.SYNTHETIC,
        starts=STARTS[(number - 1) % len(STARTS)],
    )
    elaboration = Elaboration(case, chance, f"SYN-{seed}-{number:04d}")
    events = [more for event in discrete_events(case) for more in elaboration.of(event)]
    if chance.happens(50):
        events.extend(edge_sensor(case, coldest_cel=-chance.between(35, 65)))
    events.extend(telemetry(case))
    return case, [with_device(event) for event in events]
