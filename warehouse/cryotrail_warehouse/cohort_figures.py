"""The cohort as measured in a published file, and beside the published series."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cryotrail_warehouse.published_series import FIGURES, SeriesFigure

if TYPE_CHECKING:
    import duckdb

COHORT: Final = "RECONSTRUCTED"
"""The cohort that the published series is compared with; others in the file are left alone."""


class Comparison(NamedTuple):
    """One figure of the series beside what was measured."""

    figure: SeriesFigure
    measured: float | None
    """Rounded as printed; None when the file does not hold it."""
    equal: bool


def measured(path: Path) -> Mapping[str, float]:
    """Every aggregate of the reconstructed cohort in a published file, by key, not rounded.

    Read from the published tables alone, never from the events. A figure that the file does not hold,
    such as the median of a survival that never falls to one half, is left out.
    """
    import duckdb

    with duckdb.connect() as connection:
        quoted = str(path).replace("'", "''")
        connection.execute(f"attach '{quoted}' as warehouse (read_only)")
        connection.execute("use warehouse")
        found = dict(_all(connection))
    return {key: float(value) for key, value in found.items() if value is not None}


def compare(path: Path) -> list[Comparison]:
    """Every figure of the published series beside what the published file holds."""
    values = measured(path)
    return [_comparison(figure, values.get(figure.key)) for figure in FIGURES]


def as_printed(value: float, decimals: int) -> float:
    """A value rounded half up to as many decimals as are printed.

    The last bits that binary arithmetic adds are taken off first: 24.05 is a half, although the
    nearest double lies below it.
    """
    exact = Decimal(repr(round(value, 9)))
    return float(exact.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP))


def _comparison(figure: SeriesFigure, value: float | None) -> Comparison:
    if value is None:
        return Comparison(figure, None, equal=False)
    printed = as_printed(value, figure.decimals)
    return Comparison(figure, printed, equal=printed == figure.value)


def _all(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, Any]]:
    yield from _summary(connection)
    yield from _durations(connection)
    yield from _probes_and_cycles(connection)
    yield from _survival(connection)
    yield from _complications(connection)
    yield from _facts(connection)


def _rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    cursor = connection.execute(sql, {"cohort": COHORT})
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _summary(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, Any]]:
    for row in _rows(connection, "from cohort_summary where cohort = $cohort"):
        measure, category = row["measure"], row["category"]
        if category == "true":
            yield measure, row["k"]
        elif category is not None:
            yield f"{measure}.{category}", row["k"]
            yield from _shares(f"{measure}.{category}", row)
        elif row["mean"] is None:
            yield measure, row["total"]
        else:
            for statistic in ("total", "mean", "minimum", "maximum", "median"):
                yield f"{measure}.{statistic}", row[statistic]


def _shares(key: str, row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield f"{key}.percent", 100 * row["share"]
    yield f"{key}.lower_95", 100 * row["lower_95"]
    yield f"{key}.upper_95", 100 * row["upper_95"]


def _durations(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, Any]]:
    for row in _rows(
        connection,
        "from cohort_duration where cohort = $cohort and group_by in ('all', 'tissue')",
    ):
        group = "" if row["group_by"] == "all" else f".{row['group_value']}"
        for column, value in row.items():
            if column.endswith("_min") and column != "values_min":
                yield f"{row['measure']}{group}.{column.removesuffix('_min')}", value


def _probes_and_cycles(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, Any]]:
    for row in _rows(
        connection, "from cohort_probe where cohort = $cohort and group_by in ('all', 'tissue')"
    ):
        if row["measure"] == "probe_count" and row["group_by"] == "all":
            yield f"probe_count.{row['value']}", row["procedure_count"]
            for statistic in ("total", "mean", "minimum", "maximum"):
                yield f"probe_count.{statistic}", row[statistic]
        elif row["measure"] == "cycle_count" and row["group_by"] == "all":
            yield "cycles.total", row["total"]
        elif row["measure"] == "cycle_count":
            yield f"cycles.{row['group_value']}.minimum", row["minimum"]
            yield f"cycles.{row['group_value']}.maximum", row["maximum"]


def _survival(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, Any]]:
    for row in _rows(connection, "from cohort_survival where cohort = $cohort"):
        month = f"{row['time_months']:.10g}".removesuffix(".0")
        yield "survival.median", row["median_months"]
        if row["is_year_mark"]:
            yield f"at_risk.{month}", row["at_risk"]
        if row["deaths"]:
            yield f"survival.{month}.estimate", row["survival"]
            for statistic in ("std_error", "lower_95", "upper_95", "at_risk"):
                yield f"survival.{month}.{statistic}", row[statistic]


def _complications(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, Any]]:
    for row in _rows(connection, "from cohort_complication where cohort = $cohort"):
        yield f"complication.{row['kind']}", row["k"]
        yield from _shares(f"complication.{row['kind']}", row)


_FACTS: Final = """
with own as (from fct_procedure where cohort = $cohort)
select
  count(*) filter (where stay_days = 1) as discharged_after_1_day,
  count(*) filter (where origin = 'RECURRENT' and histology in (
    'DEDIFFERENTIATED_LIPOSARCOMA', 'MYXOFIBROSARCOMA', 'CHORDOMA')) as recurrent_sarcoma,
  (select count(distinct subject_id) from dim_subject semi join own using (subject_id)
    where follow_up_months >= 36 and subject_id in (
      select subject_id from own where histology = 'THYROID_CARCINOMA')) as thyroid_followed_36_months,
  (select count(*) from fct_complication inner join own using (procedure_id)
    where kind = 'URINARY_RETENTION' and histology = 'CHORDOMA') as urinary_retention_in_chordoma,
  (select sum(sample_count) from fct_probe_temperature
    semi join own using (procedure_id)) as temperature_samples,
  (select sum(chunk_count) from fct_telemetry_file
    semi join own using (procedure_id)) as telemetry_chunks
from own
"""

_EMBOLIZED: Final = """
select histology, count(*) as k from fct_procedure
where cohort = $cohort and embolized group by histology
"""


def _facts(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, Any]]:
    """What no cohort table holds, counted over the rows of the cohort's procedures."""
    (row,) = _rows(connection, _FACTS)
    yield from row.items()
    for row in _rows(connection, _EMBOLIZED):
        yield f"embolized.{row['histology']}", row["k"]
