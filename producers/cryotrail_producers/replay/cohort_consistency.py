"""What must hold between the cells and rows of a cohort table before it can be replayed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from cryotrail_producers.replay.cohort_row import CohortRow
from cryotrail_producers.replay.errors import PlanRefused, RowProblem
from cryotrail_producers.replay.follow_up import follow_up_months
from cryotrail_producers.replay.minute_plan import plan_procedure

NumberedRow = tuple[int, CohortRow]
"""A row with the line of the file on which it begins."""

SUBJECT_COLUMNS = ("age_years", "sex", "follow_up_months", "last_contact_on", "outcome")
"""Facts of the subject, which all its rows repeat."""


def inconsistencies(rows: Sequence[NumberedRow]) -> Iterator[RowProblem]:
    """Everything that contradicts: within a row, between rows, and within a subject."""
    yield from _used_twice(rows)
    for line, row in rows:
        try:
            plan_procedure(row.duration_min, row.probe_count, row.cycle_count)
        except PlanRefused as refused:
            yield RowProblem(line, "duration_min", str(refused))
    by_subject: defaultdict[str, list[NumberedRow]] = defaultdict(list)
    for line, row in rows:
        by_subject[row.subject].append((line, row))
    for own in by_subject.values():
        yield from _of_subject(sorted(own, key=lambda numbered: numbered[1].procedure_no))


def _used_twice(rows: Sequence[NumberedRow]) -> Iterator[RowProblem]:
    lines: dict[str, int] = {}
    for line, row in rows:
        if row.label in lines:
            first = lines[row.label]
            yield RowProblem(line, "procedure", f"its label {row.label} is that of line {first}")
        lines.setdefault(row.label, line)


def _of_subject(rows: Sequence[NumberedRow]) -> Iterator[RowProblem]:
    first = rows[0][1]
    earlier: dict[str, CohortRow] = {}
    for expected_no, (line, row) in enumerate(rows, start=1):
        if row.procedure_no != expected_no:
            yield RowProblem(
                line,
                "procedure_no",
                f"is {row.procedure_no}, but {row.subject}'s procedures count from 1 without a gap",
            )
        if any(row.treated_on <= other.treated_on for other in earlier.values()):
            yield RowProblem(
                line, "treated_on", f"{row.treated_on} is not after {row.subject}'s earlier one"
            )
        if row.retreatment_of is not None and row.retreatment_of not in earlier:
            yield RowProblem(
                line,
                "retreatment_of",
                f"{row.retreatment_of!r} is no earlier procedure of {row.subject}",
            )
        if row.last_contact_on < row.treated_on:
            yield RowProblem(
                line, "last_contact_on", f"{row.last_contact_on} is before the treatment"
            )
        for column in SUBJECT_COLUMNS:
            if getattr(row, column) != getattr(first, column):
                yield RowProblem(line, column, f"differs from {row.subject}'s first procedure")
        earlier[row.procedure] = row
    yield from _follow_up_differs(*rows[0])


def _follow_up_differs(line: int, first: CohortRow) -> Iterator[RowProblem]:
    """The column is kept for its readers; the dates are what it must agree with."""
    if first.last_contact_on < first.treated_on:
        return
    months = follow_up_months(first.treated_on, first.last_contact_on)
    if months != first.follow_up_months:
        yield RowProblem(
            line,
            "follow_up_months",
            f"is {first.follow_up_months}, but {first.treated_on} to "
            f"{first.last_contact_on} are {months} months",
        )
