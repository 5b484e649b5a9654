"""Kaplan-Meier in SQL: checked against lifelines, exact fractions and the known traps."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from fractions import Fraction
from functools import cache
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cryotrail_warehouse.model_files import models

with warnings.catch_warnings():
    # What lifelines imports is deprecated here and there; that is no finding about this code.
    warnings.simplefilter("ignore")
    from lifelines import KaplanMeierFitter

Subject = tuple[float, bool]
"""Months and whether the subject died then."""


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(
        "create table dim_subject (cohort varchar, first_treated_at timestamptz,"
        " follow_up_months decimal(7, 1), is_dead boolean)"
    )
    return connection


def curve(subjects: Iterable[Subject]) -> list[dict[str, Any]]:
    """The rows of the survival model over made-up subjects."""
    values = ", ".join(f"('CLINICAL', now(), {t}, {died})" for t, died in subjects)
    execute = _connection().execute
    execute("delete from dim_subject")
    execute(f"insert into dim_subject values {values}")
    sql = models()["cohort_survival"].render(ref="{}".format, source="{}.{}".format)
    found = execute(f"from ({sql}) order by time_months")
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def steps(subjects: Iterable[Subject]) -> list[tuple[float, int, float]]:
    """Time, number at risk and survival at each death."""
    return [
        (float(r["time_months"]), r["at_risk"], r["survival"])
        for r in curve(subjects)
        if r["deaths"]
    ]


def median(subjects: Iterable[Subject]) -> float | None:
    """The median that every row repeats."""
    (found,) = {row["median_months"] for row in curve(subjects)}
    return None if found is None else float(found)


def exact_steps(subjects: list[Subject]) -> list[tuple[float, int, Fraction]]:
    """The same by definition, in fractions."""
    survival, found = Fraction(1), []
    for time in sorted({t for t, died in subjects if died}):
        at_risk = sum(t >= time for t, _ in subjects)
        deaths = sum(t == time and died for t, died in subjects)
        survival *= 1 - Fraction(deaths, at_risk)
        found.append((time, at_risk, survival))
    return found


def exact_median(subjects: list[Subject]) -> float | None:
    """The least time at which survival is at most one half."""
    return next((t for t, _, s in exact_steps(subjects) if s <= Fraction(1, 2)), None)


some_subjects = st.lists(
    st.tuples(st.integers(1, 600).map(lambda tenths: tenths / 10), st.booleans()),
    min_size=1,
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(some_subjects)
def test_steps_and_median_equal_exact_fractions(subjects: list[Subject]) -> None:
    expected = exact_steps(subjects)

    found = steps(subjects)

    assert [(t, n) for t, n, _ in found] == [(t, n) for t, n, _ in expected]
    assert [s for _, _, s in found] == pytest.approx([float(s) for _, _, s in expected], abs=1e-12)
    assert median(subjects) == exact_median(subjects)


def test_limits_and_survival_equal_lifelines() -> None:
    subjects = [(5, False), (12, True), (12, False), (17, False), (21, True), (21, True)]
    subjects += [(24.1, False), (25, False), (30, True), (35, True), (48, False), (50.5, False)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        oracle = KaplanMeierFitter().fit([t for t, _ in subjects], [died for _, died in subjects])
        limits = oracle.confidence_interval_

    for row in curve(subjects):
        if row["survival"] == 1:
            continue
        time = float(row["time_months"])
        assert row["survival"] == pytest.approx(float(oracle.predict(time)), abs=1e-12)
        lower, upper = limits.loc[limits.index <= time].iloc[-1]
        assert (row["lower_95"], row["upper_95"]) == pytest.approx((lower, upper), abs=1e-9)


def test_limits_of_the_reconstruction() -> None:
    months = [(5, False), (12, True), (17, False), (21, True), (24.1, False)]
    months += [(25, False), (30, False), (35, True), (48, False)]

    found = {
        int(r["time_months"]): (r["std_error"], r["lower_95"], r["upper_95"])
        for r in curve(months)
        if r["deaths"]
    }

    assert found[12] == pytest.approx((0.1169, 0.387, 0.981), abs=5e-4)
    assert found[21] == pytest.approx((0.1650, 0.276, 0.925), abs=5e-4)
    assert found[35] == pytest.approx((0.2707, 0.014, 0.788), abs=5e-4)


@pytest.mark.parametrize(
    "steps_down",
    [
        [(6, 1), (5, 1), (4, 1)],
        [(8, 1), (7, 1), (3, 1)],
        [(2, 1)],
        [(10, 2), (8, 2), (6, 1)],  # a product of doubles stays a last bit above one half
    ],
)
def test_the_median_is_found_where_survival_is_exactly_one_half(
    steps_down: list[tuple[int, int]],
) -> None:
    subjects: list[Subject] = []
    for number, (at_risk, deaths) in enumerate(steps_down, 1):
        after = dict(enumerate(steps_down, 1)).get(number + 1, (at_risk - deaths, 0))[0]
        subjects += [(10.0 * number, True)] * deaths
        subjects += [(10.0 * number + 5, False)] * (at_risk - deaths - after)
    subjects += [(90.0, False)] * (steps_down[0][0] - len(subjects))
    survival = exact_steps(subjects)

    assert [at_risk for _, at_risk, _ in survival] == [at_risk for at_risk, _ in steps_down]
    assert survival[-1][2] == Fraction(1, 2)
    assert median(subjects) == 10.0 * len(steps_down)


def test_deaths_come_before_censorings_at_the_same_time() -> None:
    # Were the censored subject gone first, survival would be 0.
    assert steps([(10, True), (10, False)]) == [(10.0, 2, 0.5)]


def test_survival_that_falls_to_zero_has_no_error_and_no_limits() -> None:
    last = curve([(5, True), (9, True)])[-1]

    assert (last["survival"], last["std_error"]) == (0, None)
    assert (last["lower_95"], last["upper_95"]) == (None, None)


def test_a_median_that_is_not_reached_is_null() -> None:
    assert median([(5, True), (9, False), (9, False)]) is None


def test_numbers_at_risk_stand_at_every_twelfth_month() -> None:
    rows = curve([(5, False), (30.5, False), (48, True)])

    marks = [(int(r["time_months"]), r["at_risk"]) for r in rows if r["is_year_mark"]]
    assert marks == [(0, 3), (12, 2), (24, 2), (36, 1), (48, 1)]


def test_cohorts_are_never_added_up() -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "create table dim_subject as select * from (values"
            " ('CLINICAL', now(), 10.0::decimal(7, 1), true),"
            " ('SYNTHETIC', now(), 10.0::decimal(7, 1), false)"
            ") t (cohort, first_treated_at, follow_up_months, is_dead)"
        )
        sql = models()["cohort_survival"].render(ref="{}".format, source="{}.{}".format)
        found = connection.execute(f"select cohort, max(n), min(survival) from ({sql}) group by 1")

        assert sorted(found.fetchall()) == [("CLINICAL", 1, 0.0), ("SYNTHETIC", 1, 1.0)]
