"""The Procedure page: three aligned panels of the procedure that the address names, or none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from page_runs import again, as_read, metrics, open_page, specs, text
from published_warehouse import (
    Tables,
    add_check,
    add_complication,
    add_curves,
    add_event,
    add_procedure,
    procedure_id,
    publish,
)
from streamlit.testing.v1 import AppTest

from cryotrail_dashboards.tokens import tokens_of


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two procedures; the first has values beyond the usual extents and a late complication."""
    folder = tmp_path_factory.mktemp("procedures")
    tables: Tables = {}
    edge = add_procedure(tables, "CRYO-0001", complication_count=2)
    add_check(tables, edge, 66, -3.0, 2)
    add_check(tables, edge, 69, 17.4, 2)
    add_curves(tables, folder, edge, [("1", 20.0, 55.0), ("1", 44.0, -205.0), ("2", 44.0, 20.0)])
    add_complication(tables, edge, "NERVE_PALSY", 79.0)
    add_complication(tables, edge, "WOUND_COMPLICATION", 7 * 1440.0)
    add_event(tables, edge, "EmbolizationPerformed", -1440.0)
    add_procedure(tables, "CRYO-0002")
    publish(folder, tables)
    return folder


@pytest.fixture(scope="module")
def first(published: Path) -> AppTest:
    """The page of the first procedure, run once for the tests that only read it."""
    return open_page(published, "procedure", procedure="CRYO-0001")


def encodings(spec: dict[str, Any], channel: str) -> Iterator[dict[str, Any]]:
    """One channel of every layer that has it."""
    for layer in spec["layer"]:
        if channel in layer.get("encoding", {}):
            yield layer["encoding"][channel]


def y_extents(spec: dict[str, Any]) -> set[tuple[int, int]]:
    axes = [y["axis"] for y in encodings(spec, "y") if y.get("axis")]
    return {(axis["minExtent"], axis["maxExtent"]) for axis in axes}


def x_domains(spec: dict[str, Any]) -> set[tuple[float, float]]:
    return {tuple(x["scale"]["domain"]) for x in encodings(spec, "x") if "scale" in x}


def y_domain(spec: dict[str, Any]) -> tuple[float, float]:
    (domain,) = {tuple(y["scale"]["domain"]) for y in encodings(spec, "y")}
    return domain


def test_the_three_panels_line_up(first: AppTest) -> None:
    panels = specs(first)

    assert [y_extents(spec) for spec in panels] == [{(92, 92)}] * 3
    assert len(set().union(*map(x_domains, panels))) == 1


def test_the_page_shows_the_figures_of_the_procedure(first: AppTest) -> None:
    assert as_read(first.title[0].value) == "CRYO-0001: ilium, bone"
    assert metrics(first) == {
        "Procedure length": "96\u00a0min",
        "Probes": "2",
        "Completed cycles": "2",
        "Margin at last check": "12.3\u00a0mm",
        "Embolized before": "no",
        "Complications": "2",
    }
    assert "RECONSTRUCTED data" in text(first)


def test_no_value_is_cut_off_by_a_fixed_extent(first: AppTest) -> None:
    _, temperature, margin = specs(first)

    assert y_domain(temperature)[0] <= -205.0
    assert y_domain(temperature)[1] >= 55.0
    assert y_domain(margin)[0] < -3.0
    assert y_domain(margin)[1] > 17.4 + 3.0  # room for the label above the point


def test_a_narrow_window_is_read_from_the_address(published: Path) -> None:
    panels = specs(
        open_page(published, "procedure", procedure="CRYO-0001", **{"from": "20", "to": "60"})
    )

    assert set().union(*map(x_domains, panels)) == {(19.5, 61.0)}


def test_the_slider_writes_the_window_into_the_address(published: Path) -> None:
    page = open_page(published, "procedure", procedure="CRYO-0001")
    page.slider[0].set_range(30, 50)

    page = again(page, published)

    assert page.query_params["from"] == "30"
    assert page.query_params["to"] == "50"
    assert set().union(*map(x_domains, specs(page))) == {(29.5, 51.0)}


def test_an_unknown_procedure_is_not_found_and_nothing_is_drawn(published: Path) -> None:
    page = open_page(published, "procedure", procedure="CRYO-9999")

    assert [as_read(error.value) for error in page.error] == [
        "procedure 'CRYO-9999' was not found in this publication"
    ]
    assert specs(page) == []
    assert metrics(page) == {}


def test_an_address_cannot_put_a_link_or_a_picture_on_the_page(published: Path) -> None:
    asked = (
        "[open](https://attacker.example) ![](https://attacker.example/x.png) www.attacker.example"
    )

    shown = open_page(published, "procedure", procedure=asked).error[0].value

    assert as_read(shown) == f"procedure {asked!r} was not found in this publication"
    assert "](" not in shown
    assert "://" not in shown
    assert "www." not in shown


def test_an_id_opens_the_procedure_like_its_label(published: Path) -> None:
    page = open_page(published, "procedure", procedure=str(procedure_id("CRYO-0002")))

    assert as_read(page.title[0].value).startswith("CRYO-0002")


def test_choosing_another_procedure_changes_the_address_and_forgets_the_window(
    published: Path,
) -> None:
    page = open_page(published, "procedure", procedure="CRYO-0001", **{"from": "20"})
    page.selectbox[0].select("CRYO-0002")

    page = again(page, published)

    assert page.query_params["procedure"] == "CRYO-0002"
    assert "from" not in page.query_params
    assert as_read(page.title[0].value).startswith("CRYO-0002")


def test_events_stand_in_the_table_with_both_of_their_times(published: Path) -> None:
    page = open_page(published, "procedure", procedure="CRYO-0002")
    table = page.dataframe[0].value
    start = table[table["event_type"] == "ProcedureStarted"].iloc[0]

    assert start["occurred"] == "2012-01-19 10:00:00"
    assert start["recorded"] == "2012-01-19 10:01:30"


def test_amendments_that_await_a_decision_are_named_and_stand_beside_the_original(
    tmp_path: Path,
) -> None:
    tables: Tables = {}
    own_id = add_procedure(tables)
    for number, (value, status) in enumerate((("31.0", "REPLACED"), ("32.0", "IN_FORCE"))):
        tables.setdefault("fct_correction", []).append(
            {
                "procedure_id": own_id,
                "event_id": procedure_id(f"amendment {number}"),
                "seq": 50 + number,
                "event_type": "EventAmended",
                "actor_role": ["OPERATOR", "NURSE"][number],
                "target_event_id": own_id,
                "target_event_type": "ProcedureScheduled",
                "path": "/tumour_size_mm",
                "original_value": "30.0",
                "value": value,
                "status": status,
                "is_concurrent": True,
            }
        )
    publish(tmp_path, tables)

    page = open_page(tmp_path, "procedure", procedure="CRYO-0001")

    assert (
        "To be decided: ProcedureScheduled /tumour_size_mm was amended to"
        " 31.0 (operator, entry 50), 32.0 (nurse, entry 51, counts until then)."
    ) in text(page)
    table = page.dataframe[-1].value
    assert "one change for each of these amendments" in text(page)
    assert list(table["original"]) == ["30.0", "30.0"]
    assert list(table["given"]) == ["31.0", "32.0"]
    assert list(table["state"]) == ["replaced, to be decided", "in force, to be decided"]


def test_a_correction_names_its_own_entry_and_that_of_its_target(tmp_path: Path) -> None:
    tables: Tables = {}
    own_id = add_procedure(tables)
    target = tables["fct_timeline_event"][0]
    target["seq"] = 7
    tables["fct_correction"] = [
        {
            "procedure_id": own_id,
            "event_id": procedure_id("amendment"),
            "seq": 50,
            "event_type": "EventAmended",
            "target_event_id": target["event_id"],
            "target_event_type": target["event_type"],
            "path": "/no_such_field",
            "original_value": None,
            "value": "31.0",
            "status": "BAD_PATH",
            "is_concurrent": False,
        }
    ]
    publish(tmp_path, tables)

    table = open_page(tmp_path, "procedure", procedure="CRYO-0001").dataframe[-1]

    (shown,) = table.value.to_dict("records")
    assert (shown["seq"], shown["target_seq"]) == (50, 7)
    assert shown["target_event_id"] == str(target["event_id"])
    assert (shown["original"], shown["given"]) == ("no such field", "31.0")
    for heading in ("Correction entry", "Target entry", "Target event id"):
        assert heading in table.proto.columns


def test_points_drawn_are_counted(published: Path, first: AppTest) -> None:
    assert "3 of 3 points drawn" in text(first)
    assert "No tip temperatures" in text(open_page(published, "procedure", procedure="CRYO-0002"))


def test_a_publication_without_procedures_says_so(tmp_path: Path) -> None:
    publish(tmp_path, {})

    page = open_page(tmp_path, "procedure")

    assert "No procedure has been published yet." in text(page)
    assert specs(page) == []


def test_without_a_publication_the_page_names_the_command(tmp_path: Path) -> None:
    page = open_page(tmp_path, "procedure")

    assert "no warehouse has been published" in text(page)
    assert "cryotrail warehouse refresh" in text(page)


def test_a_procedure_that_has_not_started_has_no_timeline(tmp_path: Path) -> None:
    tables: Tables = {}
    add_procedure(tables, started_at=None, ended_at=None, duration_min=None, status="SCHEDULED")
    for row in tables["fct_timeline_event"]:
        row["minute_from_start"] = None
    publish(tmp_path, tables)

    page = open_page(tmp_path, "procedure", procedure="CRYO-0001")

    assert "No start is recorded" in text(page)
    assert specs(page) == []


def test_an_open_cycle_and_a_missing_end_are_said(tmp_path: Path) -> None:
    tables: Tables = {}
    add_procedure(tables, ended_at=None, duration_min=None, status="STARTED")
    tables["fct_freeze_thaw_cycle"][0] |= {"thaw_stop_minute": None, "pairing": "thaw_open"}
    publish(tmp_path, tables)

    said = text(open_page(tmp_path, "procedure", procedure="CRYO-0001"))

    assert "No end is recorded" in said
    assert "Probe 1, cycle 1: thaw open" in said


def test_probes_that_froze_without_an_insertion_are_no_bare_nought(tmp_path: Path) -> None:
    tables: Tables = {}
    add_procedure(tables, probe_count=0)
    del tables["fct_probe"]
    events = tables["fct_timeline_event"]
    tables["fct_timeline_event"] = [e for e in events if e["event_type"] != "ProbeInserted"]
    publish(tmp_path, tables)

    page = open_page(tmp_path, "procedure", procedure="CRYO-0001")

    assert metrics(page)["Probes"] == "none recorded"
    assert "Probe 1: no insertion is recorded" in text(page)


def test_two_procedures_of_one_label_are_asked_for_by_id(tmp_path: Path) -> None:
    tables: Tables = {}
    add_procedure(tables, "CRYO-0001")
    other = add_procedure(tables, "CRYO-0002")
    tables["fct_procedure"][1]["procedure_label"] = "CRYO-0001"
    publish(tmp_path, tables)

    page = open_page(tmp_path, "procedure", procedure="CRYO-0001")

    assert "2 procedures carry the label 'CRYO-0001'" in text(page)
    assert str(other) in text(page)
    assert specs(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_marks_take_the_colours_of_the_readers_theme(published: Path, theme: str) -> None:
    tokens = tokens_of(theme)
    lanes, temperature, _ = specs(
        open_page(published, "procedure", procedure="CRYO-0001", theme=theme)
    )
    lines = [
        layer["mark"]["color"] for layer in temperature["layer"] if layer["mark"]["type"] == "line"
    ]
    (states,) = {tuple(c["scale"]["range"]) for c in encodings(lanes, "color") if "scale" in c}

    assert lines == list(tokens.probes[:2])
    assert states == (tokens.target_reached, tokens.below_target, tokens.muted)
