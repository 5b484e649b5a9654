"""Reading a cohort table: any CSV file with the columns of the shipped ``reference_cohort.csv``."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

from cryotrail_producers.replay.cohort_columns import COLUMNS
from cryotrail_producers.replay.cohort_consistency import inconsistencies
from cryotrail_producers.replay.cohort_row import CohortRow
from cryotrail_producers.replay.errors import ReplayRefused, RowProblem

REFERENCE_FILE = "reference_cohort.csv"


@dataclass(frozen=True, slots=True)
class Cohort:
    """A table that was read without a fault."""

    data_set: str
    """SHA-256 (hex) of the file's text with LF line ends: the name of the table in every id."""
    rows: tuple[CohortRow, ...]


class _Record(NamedTuple):
    line: int
    cells: Sequence[str]
    columns: Sequence[str]


def reference_table() -> str:
    """The text of the shipped table, to read or to start another one from."""
    return files("cryotrail_producers.replay").joinpath(REFERENCE_FILE).read_text("utf-8")


def reference_cohort() -> Cohort:
    """The shipped table: a reconstruction that meets every aggregate which the paper prints.

    It is not the paper's own table and no row is a real person. Susa et al., CT guided
    cryoablation for locally recurrent or metastatic bone and soft tissue tumor: initial
    experience, BMC Cancer 2016;16:798, doi 10.1186/s12885-016-2852-6.
    """
    return parse_cohort(reference_table().encode(), REFERENCE_FILE)


def read_cohort(path: Path) -> Cohort:
    """Read a cohort table.

    :raises ReplayRefused: the file cannot be read, or a cell is wrong; all that is wrong is named
        with line and column.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ReplayRefused(f"cannot read {path}: {error.strerror}") from error
    return parse_cohort(content, str(path))


def parse_cohort(content: bytes, name: str) -> Cohort:
    """Read the bytes of a cohort table; ``name`` is what messages call it.

    :raises ReplayRefused: as :func:`read_cohort`.
    """
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise ReplayRefused(f"{name} is not UTF-8 text (byte {error.start})") from error
    if "\0" in text:
        raise ReplayRefused(f"{name} is not UTF-8 text (it holds a NUL)")
    problems: list[RowProblem] = []
    rows: list[tuple[int, CohortRow]] = []
    for record in _records(text, name):
        row, wrong = _read_row(record)
        problems += wrong
        if row is not None:
            rows.append((record.line, row))
    # A row that could not be read would make others look wrong, such as its own second treatment.
    if not problems:
        problems = list(inconsistencies(rows))
    if problems:
        raise ReplayRefused(f"{name} cannot be replayed:", problems=problems)
    if not rows:
        raise ReplayRefused(f"{name} has no rows")
    return Cohort(sha256(text.encode()).hexdigest(), tuple(row for _, row in rows))


def _records(text: str, name: str) -> Iterator[_Record]:
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        columns = next(reader, [])
        _check_header(columns, name)
        line = reader.line_num + 1
        for cells in reader:
            if cells:
                yield _Record(line, cells, columns)
            line = reader.line_num + 1
    except csv.Error as error:
        raise ReplayRefused(f"{name}, line {reader.line_num} is not CSV: {error}") from error


def _check_header(header: list[str], name: str) -> None:
    missing = [column for column in COLUMNS if column not in header]
    unknown = [column for column in header if column not in COLUMNS]
    twice = sorted({column for column in header if header.count(column) > 1})
    problems = [
        *(RowProblem(1, column, "this column is missing") for column in missing),
        *(RowProblem(1, column or "(unnamed)", "no such column is known") for column in unknown),
        *(RowProblem(1, column, "this column stands twice") for column in twice),
    ]
    if problems:
        raise ReplayRefused(
            f"{name} is not a cohort table:",
            problems=problems,
            hint=f"the first line names these columns, divided by commas: {','.join(COLUMNS)}",
        )


def _read_row(record: _Record) -> tuple[CohortRow | None, list[RowProblem]]:
    if len(record.cells) != len(record.columns):
        column = record.columns[min(len(record.cells), len(record.columns) - 1)]
        reason = f"the row has {len(record.cells)} cells, the header {len(record.columns)}"
        return None, [RowProblem(record.line, column, reason)]
    values: dict[str, Any] = {}
    problems = []
    for column, text in zip(record.columns, record.cells, strict=True):
        try:
            values[column] = COLUMNS[column](text)
        except ValueError as error:
            problems.append(RowProblem(record.line, column, str(error)))
    return (None, problems) if problems else (CohortRow(**values), [])
