"""The Cohort page: every figure with its n and unit, beside the published series."""

from __future__ import annotations

from pathlib import Path

import pytest
from page_runs import metrics, open_page, specs, text
from published_warehouse import Tables, add_cohort, add_procedure, publish
from streamlit.testing.v1 import AppTest


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> AppTest:
    """The page of the reference cohort's figures, run once: these tests only read it."""
    folder = tmp_path_factory.mktemp("cohort")
    tables: Tables = {}
    add_cohort(tables)
    publish(folder, tables)
    return open_page(folder, "cohort")


def test_the_cohort_equals_the_paper(page: AppTest) -> None:
    shown = metrics(page)

    assert shown == {
        "Procedures": "11",
        "Mean duration": "101.1\u00a0min",
        "Range": "63–187 min",
        "Mean probes": "2.4",
        "Range of probes": "2–3",
        "With a complication": "3 of 11",
    }


def test_every_section_names_its_unit_and_its_n(page: AppTest) -> None:
    said = text(page)

    assert "RECONSTRUCTED data" in said
    assert "26 probes in 11 procedures: mean 2.4 (2–3)" in said
    assert "26 cycles in 11 procedures" in said
    assert "10 of 11 procedures reached 10 mm" in said
    assert "Unit: subject (n = 9, 3 deaths of any cause)" in said
    assert "3 of them without a grading" in said


def test_the_median_stands_beside_how_few_are_at_risk(page: AppTest) -> None:
    sentences = [chart.proto.alt for chart in page.get("vega_lite_chart")]

    assert "Kaplan-Meier curve of 9 subjects, median 35 months (2 at risk)." in sentences


def test_the_published_band_lies_on_the_axis_of_the_measured_durations(page: AppTest) -> None:
    histogram, strip = specs(page)[:2]
    domains = {
        tuple(layer["encoding"]["x"]["scale"]["domain"])
        for spec in (histogram, strip)
        for layer in spec["layer"]
    }

    assert domains == {(40, 220)}


def test_each_chart_has_a_table_of_the_same_figures(page: AppTest) -> None:
    tables = [set(frame.value.columns) for frame in page.dataframe]

    assert {"group", "n", "total", "mean", "range", "median", "quartiles", "sd"} in tables
    assert {"months", "at_risk", "deaths", "censored", "survival", "limits"} in tables
    assert {"label", "procedure_count", "n"} in tables


def test_the_series_is_compared_figure_by_figure(page: AppTest) -> None:
    compared = next(f.value for f in page.dataframe if "measured" in f.value.columns)
    mean = compared[compared["figure"] == "procedure length, mean"].iloc[0]
    patients = compared[compared["figure"] == "patients"].iloc[0]

    assert (mean["published"], mean["measured"], mean["equal"]) == ("101.1 min", "101.1 min", "yes")
    assert (patients["measured"], patients["equal"]) == ("–", "NO")  # no such row was published


def test_cohorts_are_shown_one_at_a_time_and_clinical_data_first(tmp_path: Path) -> None:
    tables: Tables = {}
    add_cohort(tables)
    running = {"ended_at": None, "duration_min": None}
    add_procedure(tables, "OR-1", data_origin="LIVE", cohort="CLINICAL", **running)
    publish(tmp_path, tables)

    default = open_page(tmp_path, "cohort")
    asked = open_page(tmp_path, "cohort", cohort="RECONSTRUCTED")

    assert default.selectbox[0].value == "CLINICAL"
    assert "RECONSTRUCTED data" not in text(default)
    assert asked.selectbox[0].value == "RECONSTRUCTED"
    assert metrics(asked)["Procedures"] == "11"


def test_a_publication_without_procedures_says_so(tmp_path: Path) -> None:
    publish(tmp_path, {})

    page = open_page(tmp_path, "cohort")

    assert "No procedure has started yet." in text(page)
    assert specs(page) == []


def test_a_cohort_whose_first_procedure_is_running_is_shown_without_figures(tmp_path: Path) -> None:
    tables: Tables = {}
    add_procedure(tables, ended_at=None, duration_min=None, last_margin_mm=None, status="STARTED")
    publish(tmp_path, tables)

    said = text(open_page(tmp_path, "cohort"))

    assert "No procedure has both a start and an end yet." in said
    assert "No margin has been measured yet." in said
    assert "No subject has a known follow-up yet." in said
