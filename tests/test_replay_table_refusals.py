"""Any table of the shape is read; what is wrong in one is refused with line and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from cryotrail_producers.replay import (
    ReplayRefused,
    read_cohort,
    reference_cohort,
    reference_table,
)
from cryotrail_producers.replay.cohort_columns import COLUMNS
from cryotrail_producers.replay.cohort_table import parse_cohort

LINES = reference_table().splitlines()
HEADER = LINES[0].split(",")


def with_cell(procedure: str, column: str, text: str) -> str:
    """The shipped table with one cell changed (of a row without quoted cells)."""
    changed = []
    for line in LINES:
        cells = line.split(",")
        if cells[0] == procedure:
            cells[HEADER.index(column)] = text
        changed.append(",".join(cells))
    return "\n".join(changed) + "\n"


def problems_of(text: str) -> list[tuple[int, str]]:
    with pytest.raises(ReplayRefused) as refused:
        parse_cohort(text.encode(), "cohort.csv")
    return [(problem.line, problem.column) for problem in refused.value.problems]


def test_the_shipped_table_is_named_by_the_digest_of_its_bytes() -> None:
    expected = "a66aad17f2f192fb4cfd0bc8c9a059a314dd2c87a8cbd4d17273f99689c96f61"

    assert reference_cohort().data_set == expected


@pytest.mark.parametrize("prefix", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
def test_line_ends_and_byte_order_mark_do_not_change_the_name(
    tmp_path: Path, prefix: bytes
) -> None:
    file = tmp_path / "windows.csv"
    file.write_bytes(prefix + reference_table().replace("\n", "\r\n").encode())

    assert read_cohort(file) == reference_cohort()


def test_columns_may_stand_in_any_order() -> None:
    reordered = "\n".join(",".join(reversed(line.split(","))) for line in LINES if '"' not in line)

    rows = parse_cohort(reordered.encode(), "cohort.csv").rows

    assert len(rows) == 10
    assert all(row in reference_cohort().rows for row in rows)


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("procedure", ""),
        ("procedure", "R/5"),
        ("subject", "P5 "),
        ("procedure_no", "0"),
        ("treated_on", "14.06.2012"),
        ("treated_on", "20120614"),
        ("treated_on", "0001-01-01"),
        ("age_years", "81.5"),
        ("age_years", "131"),
        ("sex", "man"),
        ("histology", "HCC"),
        ("size_mm", "-4"),
        ("size_mm", "NaN"),
        ("size_mm", "4 cm"),
        ("probe_count", "0"),
        ("cycle_count", "two"),
        ("duration_min", "1440"),
        ("embolized", "yes"),
        ("displacement", "WATER"),
        ("complication", "palsy"),
        ("follow_up_months", "twelve"),
        ("last_contact_on", "2013-06-31"),
        ("outcome", "DEAD"),
    ],
)
def test_a_cell_that_cannot_be_read_is_refused_with_its_line_and_column(
    column: str, text: str
) -> None:
    assert problems_of(with_cell("R05", column, text)) == [(6, column)]


def test_every_wrong_cell_is_named_at_once() -> None:
    text = with_cell("R05", "sex", "man").replace(",45,2,2,96,", ",45,two,2,96,")

    assert problems_of(text) == [(2, "probe_count"), (6, "sex")]


def test_a_procedure_too_short_is_refused_with_its_line_and_the_missing_minutes() -> None:
    with pytest.raises(ReplayRefused, match="line 6, duration_min: 55 min are 2 min too few"):
        parse_cohort(with_cell("R05", "duration_min", "55").encode(), "cohort.csv")


def test_a_label_twice_is_refused_although_the_names_differ() -> None:
    assert problems_of(with_cell("R05", "procedure", "X1")) == [(6, "procedure")]


@pytest.mark.parametrize(
    ("procedure", "column", "text", "problems"),
    [
        ("R08", "retreatment_of", "R99", [(9, "retreatment_of")]),
        ("R08", "retreatment_of", "R09", [(9, "retreatment_of")]),
        ("R08", "procedure_no", "3", [(9, "procedure_no")]),
        ("R08", "treated_on", "2013-02-14", [(9, "treated_on")]),
        ("R08", "age_years", "87", [(9, "age_years")]),
        ("R08", "outcome", "NED", [(9, "outcome")]),
        ("R05", "follow_up_months", "12.1", [(6, "follow_up_months")]),
        ("R05", "last_contact_on", "2012-06-13", [(6, "last_contact_on")]),
    ],
)
def test_rows_that_contradict_each_other_are_refused(
    procedure: str, column: str, text: str, problems: list[tuple[int, str]]
) -> None:
    assert problems_of(with_cell(procedure, column, text)) == problems


def test_a_header_with_a_missing_and_an_unknown_column_is_refused_naming_both() -> None:
    text = reference_table().replace("size_mm", "size_cm", 1)

    assert problems_of(text) == [(1, "size_mm"), (1, "size_cm")]


def test_a_table_divided_by_semicolons_is_refused_with_the_columns_it_needs() -> None:
    with pytest.raises(ReplayRefused) as refused:
        parse_cohort(reference_table().replace(",", ";").encode(), "cohort.csv")

    assert refused.value.hint is not None
    assert ",".join(COLUMNS) in refused.value.hint


@pytest.mark.parametrize(
    ("cells", "column"), [(LINES[5] + ",", "outcome"), (LINES[5].rpartition(",")[0], "outcome")]
)
def test_a_row_with_another_number_of_cells_is_refused(cells: str, column: str) -> None:
    assert problems_of("\n".join([*LINES[:5], cells, *LINES[6:]])) == [(6, column)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a cohort table"),
        (LINES[0].encode() + b"\n", "has no rows"),
        (reference_table().encode("utf-16"), "not UTF-8"),
        (reference_table().encode("utf-16-le"), "holds a NUL"),
        (reference_table().replace('transient"', "transient").encode(), "is not CSV"),
    ],
)
def test_what_is_no_table_at_all_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(ReplayRefused, match=reason):
        parse_cohort(content, "cohort.csv")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReplayRefused, match=r"cannot read .*absent\.csv: No such file"):
        read_cohort(tmp_path / "absent.csv")


def test_a_procedure_without_digits_is_its_own_label() -> None:
    rows = parse_cohort(with_cell("R05", "procedure", "pilot").encode(), "cohort.csv").rows

    assert [row.label for row in rows][3:6] == ["CRYO-0004", "pilot", "CRYO-0006"]
