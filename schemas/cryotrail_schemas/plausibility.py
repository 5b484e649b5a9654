"""Plausible ranges: a value outside of one is warned of and published all the same.

The ranges are cryotrail's own choice unless a source is named; a published series reaches the
edge of some. Durations are not judged here: they are derived from several events.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from cryotrail_schemas.datum.build import record_form
from cryotrail_schemas.errors import FieldProblem
from cryotrail_schemas.events import Channel, Event, Gas, ProbeTelemetryChunk


class Range(NamedTuple):
    """Both ends are plausible."""

    least: float
    greatest: float
    unit: str


TEMPERATURE: Final = Range(-200, 60, "Cel")
FLOW: Final = Range(0, 100, "%")
ARGON_LEAST_CEL: Final = -186
"""Argon boils near -186 °C (general knowledge, unconfirmed): below it a probe on argon misreads."""

_BY_FIELD: Final[Mapping[str, Range]] = MappingProxyType(
    {
        "flow_pct": FLOW,
        "tumour_size_mm": Range(1, 500, "mm"),  # 8 to 209 mm in published series
        "longest_diameter_mm": Range(0, 500, "mm"),  # none is left after a complete response
        "probe_no": Range(1, 40, ""),  # mean 13 in large desmoids, literature
        "planned_probe_count": Range(1, 40, ""),
        "gauge": Range(8, 20, ""),  # 10 G and 13 G on one console, literature
        "depth_mm": Range(0, 400, "mm"),  # shaft of 124 to 185 mm on one console, literature
        "volume_ml": Range(0, 5000, "mL"),
        "dlp_mgycm": Range(0, 15000, "mGy.cm"),  # published means 1076 to 6044
        "age_years": Range(0, 115, "years"),
    }
)
_MARGIN: Final = Range(-50, 100, "mm")
_COUNT: Final = Range(0, float("inf"), "")

_CONCERNS_ONE_LESION: Final = frozenset(
    {
        "ProcedureScheduled",
        "LesionAdded",
        "ProbeInserted",
        "ProbePositionChecked",
        "ProbeAnchored",
        "FreezeStarted",
        "FreezeStopped",
        "ThawStarted",
        "ThawStopped",
        "IceBallChecked",
        "ProbeRemoved",
        "ResponseAssessed",
    }
)

_CHANNELS: Final[Mapping[Channel, Range]] = MappingProxyType(
    {
        Channel.TIP_TEMPERATURE_CEL: TEMPERATURE,
        Channel.SENSOR_TEMPERATURE_CEL: TEMPERATURE,
        Channel.FLOW_PCT: FLOW,
    }
)


def warnings(event: Event, *, gas: Gas = Gas.UNKNOWN) -> tuple[FieldProblem, ...]:
    """What looks wrong with an event that the contract allows.

    :param gas: what the procedure's console cools with, where it is known; argon devices are
        warned of below :data:`ARGON_LEAST_CEL`.
    """
    found: list[FieldProblem] = []
    if type(event).TYPE in _CONCERNS_ONE_LESION and event.header.lesion_id is None:
        found.append(FieldProblem("header.lesion_id", "missing: the event concerns one lesion"))
    for name, plausible in _ranges_of(type(event).TYPE):
        value = getattr(event, name)
        if value is not None:
            found += _outside(name, value, value, _on(gas, plausible))
    if isinstance(event, ProbeTelemetryChunk):
        found += _samples(event, gas)
    return tuple(found)


def range_of(field_name: str) -> Range | None:
    """The plausible range of a field by its name, where there is one."""
    if field_name in _BY_FIELD:
        return _BY_FIELD[field_name]
    if field_name.endswith("_cel"):
        return TEMPERATURE
    if field_name.startswith("margin_"):
        return _MARGIN
    return _COUNT if field_name.endswith("_count") else None


@cache
def _ranges_of(type_name: str) -> tuple[tuple[str, Range], ...]:
    ranges = ((name, range_of(name)) for name in record_form(type_name).fields)
    return tuple((name, found) for name, found in ranges if found is not None)


def _samples(chunk: ProbeTelemetryChunk, gas: Gas) -> Iterator[FieldProblem]:
    plausible = _CHANNELS.get(chunk.channel)
    measured = [value for value in chunk.values if value is not None]
    if plausible is not None and measured:
        yield from _outside("values", min(measured), max(measured), _on(gas, plausible))


def _on(gas: Gas, plausible: Range) -> Range:
    if plausible is TEMPERATURE and gas in (Gas.ARGON_HELIUM, Gas.ARGON_ELECTRIC):
        return plausible._replace(least=ARGON_LEAST_CEL)
    return plausible


def _outside(name: str, least: Any, greatest: Any, plausible: Range) -> Iterator[FieldProblem]:
    for value in {least, greatest}:
        if not plausible.least <= value <= plausible.greatest:
            bounds = f"{plausible.least:g}..{plausible.greatest:g} {plausible.unit}".rstrip()
            yield FieldProblem(name, f"{value} is outside the plausible {bounds}")
