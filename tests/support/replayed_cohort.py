"""The shipped cohort replayed once for all tests that look at its events."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar
from zoneinfo import ZoneInfo

from cryotrail_producers.replay import Cohort, CohortRow, events_of, reference_cohort
from cryotrail_producers.replay.headers import procedure_id
from cryotrail_schemas.events import Event, ProbeTelemetryChunk, ProcedureStarted

TOKYO = ZoneInfo("Asia/Tokyo")
SomeEvent = TypeVar("SomeEvent", bound=Event)


@lru_cache(maxsize=1)
def cohort() -> Cohort:
    """The shipped table, read."""
    return reference_cohort()


@lru_cache(maxsize=1)
def events() -> tuple[Event, ...]:
    """All its events in order of publication."""
    return tuple(events_of(cohort()))


def discrete() -> list[Event]:
    """All but telemetry."""
    return [event for event in events() if not isinstance(event, ProbeTelemetryChunk)]


def of_type(kind: type[SomeEvent], procedure: str | None = None) -> list[SomeEvent]:
    """The events of one type, of one procedure (``R01``) or of all."""
    chosen = events() if procedure is None else of_procedure(procedure)
    return [event for event in chosen if isinstance(event, kind)]


@lru_cache(maxsize=16)
def of_procedure(procedure: str) -> tuple[Event, ...]:
    """The events of one procedure in order of publication."""
    wanted = procedure_id(cohort().data_set, procedure)
    return tuple(event for event in events() if event.header.procedure_id == wanted)


def row(procedure: str) -> CohortRow:
    """One row of the table."""
    return next(row for row in cohort().rows if row.procedure == procedure)


def procedures() -> list[str]:
    """R01 to R11."""
    return [row.procedure for row in cohort().rows]


def minute(event: Event, procedure: str) -> float:
    """Minutes from the procedure's first skin puncture to an event of it."""
    (started,) = of_type(ProcedureStarted, procedure)
    return (event.header.occurred_at - started.header.occurred_at).total_seconds() / 60
