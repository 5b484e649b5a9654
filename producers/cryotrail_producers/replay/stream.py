"""A cohort as events, in the order in which a site would have published them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from cryotrail_producers.published_form import AsPublished, as_it_is
from cryotrail_producers.replay.after_care import after_care
from cryotrail_producers.replay.case import Case, make_case
from cryotrail_producers.replay.cohort_table import Cohort
from cryotrail_producers.replay.preparation import preparation
from cryotrail_producers.replay.procedure_day import procedure_day
from cryotrail_producers.replay.seal import seal
from cryotrail_producers.replay.telemetry import chunk_count, telemetry
from cryotrail_schemas.events import Event, ProbeTelemetryChunk

SITE_TZ = "Asia/Tokyo"
"""The zone of the published series: procedures start at 10:00 there, 01:00 UTC."""


def data_set_of(cohort: Cohort, site_tz: str = SITE_TZ) -> str:
    """What the events' ids are made from: the table's hash, and the zone when it is another.

    The zone moves every ``occurred_at``. With it in the name, an event id never stands for two
    contents.
    """
    return cohort.data_set if site_tz == SITE_TZ else f"{cohort.data_set}@{site_tz}"


def source_of(cohort: Cohort, site_tz: str = SITE_TZ) -> str:
    """The CloudEvents source of a replay."""
    return f"urn:cryotrail:replay:{data_set_of(cohort, site_tz)}"


def events_of(
    cohort: Cohort, site_tz: str = SITE_TZ, as_published: AsPublished = as_it_is
) -> Iterator[Event]:
    """Every event of the cohort: row by row, and each procedure in order of time.

    The same table and zone give the same bytes in every process, so feeding them twice counts
    once. With encryption on that holds while the subject's key lives. One procedure is held in
    memory at a time.

    :raises ZoneInfoNotFoundError: ``site_tz`` is no IANA zone on this computer.
    """
    for case in _cases(cohort, site_tz):
        yield from procedure_events(case, as_published)


def event_count(cohort: Cohort, site_tz: str = SITE_TZ) -> int:
    """How many events :func:`events_of` yields, without making the telemetry."""
    return sum(
        sum(1 for _ in discrete_events(case)) + 1 + chunk_count(case)
        for case in _cases(cohort, site_tz)
    )


def discrete_events(case: Case) -> Iterator[Event]:
    """The events of one procedure apart from its telemetry and its seal."""
    yield from preparation(case)
    yield from procedure_day(case)
    yield from after_care(case)


def procedure_events(case: Case, as_published: AsPublished = as_it_is) -> list[Event]:
    """All events of one procedure in order of publication, its telemetry and seal among them."""
    events = (*discrete_events(case), *telemetry(case))
    return sealed(case, [as_published(event) for event in events])


def sealed(case: Case, events: Sequence[Event]) -> list[Event]:
    """The events with the procedure's seal, in order of publication.

    They are as they will be published: the seal hashes them. The sort is stable: of one instant,
    what stands first in ``events`` is published first.
    """
    return sorted([*events, seal(case, events)], key=published_at)


def published_at(event: Event) -> datetime:
    """When an event can first be published: a chunk not before its last sample was taken."""
    occurred_at = event.header.occurred_at
    if isinstance(event, ProbeTelemetryChunk):
        return occurred_at + timedelta(milliseconds=event.period_ms * len(event.values))
    return occurred_at


def _cases(cohort: Cohort, site_tz: str) -> Iterator[Case]:
    data_set, zone = data_set_of(cohort, site_tz), ZoneInfo(site_tz)
    return (make_case(data_set, row, zone) for row in cohort.rows)
