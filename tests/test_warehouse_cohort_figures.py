"""The replayed cohort in the marts is the published one, counted in the right units."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
import replayed_cohort
from marts import row, rows
from recorded_events import EventRecorder

from cryotrail_audit.store import migrate, open_store
from cryotrail_warehouse.cohort_figures import Comparison, as_printed, compare
from cryotrail_warehouse.published_series import FIGURES, SeriesFigure
from cryotrail_warehouse.refresh import refresh


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cohort, recorded and published once."""
    folder = tmp_path_factory.mktemp("cohort")
    url = f"sqlite:///{folder / 'audit.sqlite3'}"
    migrate(url)
    with closing(open_store(url)) as store:
        EventRecorder(store).record_all(replayed_cohort.events())
        return refresh(store, folder / "warehouse", "Asia/Tokyo").path


@pytest.fixture(scope="module")
def compared(published: Path) -> dict[str, Comparison]:
    """Every figure of the series beside the measured one, by key."""
    return {item.figure.key: item for item in compare(published)}


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.key)
def test_every_figure_of_the_series_is_measured(
    compared: dict[str, Comparison], figure: SeriesFigure
) -> None:
    assert compared[figure.key].measured == figure.value
    assert compared[figure.key].equal


def test_a_figure_that_differs_or_is_missing_is_unequal(tmp_path: Path, sqlite_url: str) -> None:
    with closing(open_store(sqlite_url)) as store:
        first = replayed_cohort.of_procedure("R01")
        EventRecorder(store).record_all(first)
        path = refresh(store, tmp_path / "warehouse", "Asia/Tokyo").path

    found = {item.figure.key: item for item in compare(path)}

    assert (found["procedures"].measured, found["procedures"].equal) == (1, False)
    assert (found["sex.FEMALE"].measured, found["sex.FEMALE"].equal) == (None, False)


def test_figures_are_unique_and_say_where_they_come_from() -> None:
    assert len({figure.key for figure in FIGURES}) == len(FIGURES)
    assert all("Susa et al. 2016" in figure.citation for figure in FIGURES)
    assert {figure.source for figure in FIGURES if ".survival" in f".{figure.key}"} == {
        "published",  # the median alone
        "reconstruction",
    }


@pytest.mark.parametrize(
    ("value", "decimals", "printed"),
    [(24.05, 1, 24.1), (101.0909, 1, 101.1), (0.72916667, 4, 0.7292), (2.5, 0, 3.0), (62.5, 0, 63)],
)
def test_halves_are_rounded_up_as_printed(value: float, decimals: int, printed: float) -> None:
    assert as_printed(value, decimals) == printed


def test_people_are_counted_as_subjects_and_not_as_procedures(published: Path) -> None:
    subjects = row(published, "select count(*) as n, sum(age_years) as years from dim_subject")
    over_rows = row(
        published,
        "select count(*) filter (where sex = 'MALE') as male, sum(age_years) as years"
        " from fct_procedure",
    )

    assert subjects == {"n": 9, "years": 673}
    # The wrong answers, which the marts must keep apart from the right ones.
    assert over_rows == {"male": 9, "years": 823}
    men = row(
        published, "select k, n from cohort_summary where measure = 'sex' and category = 'MALE'"
    )
    assert men == {"k": 7, "n": 9}


def test_survival_over_subjects_differs_from_survival_over_procedures(published: Path) -> None:
    steps = rows(
        published,
        "select time_months::int as t, at_risk, survival from cohort_survival"
        " where deaths > 0 order by t",
    )

    assert [(s["t"], s["at_risk"]) for s in steps] == [(12, 8), (21, 6), (35, 2)]
    assert [s["survival"] for s in steps] == pytest.approx([7 / 8, 35 / 48, 35 / 96])
    # Over eleven rows the median would be 35 as well; only S tells: 0.900, 0.675, 0.3375.
    assert row(published, "select distinct median_months::int as m from cohort_survival") == {
        "m": 35
    }


def test_a_death_at_exactly_twelve_months_is_at_risk_and_due_at_twelve(published: Path) -> None:
    person = row(
        published,
        "select follow_up_months::varchar as months, last_contact_on - first_treated_on as days"
        " from dim_subject where is_dead and follow_up_months < 20",
    )
    due = row(published, "select total from cohort_summary where measure = 'mri_visits_due'")
    at_twelve = row(published, "select at_risk from cohort_survival where time_months = 12")

    # 365 days are less than 12 x 30.4375: by days the visit and the number at risk would be lost.
    assert person == {"months": "12.0", "days": 365}
    assert due == {"total": 34}
    assert at_twelve == {"at_risk": 8}


def test_the_second_treatment_does_not_restart_the_subject_clock(published: Path) -> None:
    twice = rows(
        published,
        "select follow_up_months::double as months, procedure_count, lesion_count"
        " from dim_subject where procedure_count > 1 order by 1",
    )

    assert twice == [
        {"months": 21.0, "procedure_count": 2, "lesion_count": 2},
        {"months": 24.1, "procedure_count": 2, "lesion_count": 2},
    ]


def test_all_rows_of_the_cohort_are_named_reconstructed(published: Path) -> None:
    for table in ("fct_procedure", "fct_timeline_event", "dim_subject", "dim_lesion"):
        assert rows(published, f"select distinct data_origin from {table}") == [
            {"data_origin": "RECONSTRUCTED"}
        ]


def test_nothing_had_to_be_left_out_of_the_cohort(published: Path) -> None:
    assert rows(published, "select check_name from meta_quality where found > 0") == []


def test_every_cohort_figure_names_its_unit_of_analysis(published: Path) -> None:
    for table in ("summary", "duration", "probe", "survival", "complication"):
        units = rows(published, f"select distinct analysis_unit as unit from cohort_{table}")
        assert {item["unit"] for item in units} <= {"subject", "lesion", "procedure"}, table
        assert units, table
