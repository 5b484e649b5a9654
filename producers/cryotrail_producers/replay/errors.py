"""What the replay refuses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cryotrail_schemas.errors import CryotrailError


class RowProblem(NamedTuple):
    """One thing wrong with one cell: ``line`` counts the file's lines from 1, the header is 1."""

    line: int
    column: str
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}, {self.column}: {self.reason}"


class ReplayRefused(CryotrailError):
    """A cohort table cannot be replayed; ``problems`` names every line and column at fault."""

    def __init__(
        self, message: str, *, problems: Sequence[RowProblem] = (), hint: str | None = None
    ) -> None:
        listed = "".join(f"\n  {problem}" for problem in problems)
        super().__init__(message + listed, hint=hint)
        self.problems = tuple(problems)


class PlanRefused(CryotrailError):
    """A procedure is too short for its probes and cycles, by ``missing_min`` minutes."""

    def __init__(self, message: str, *, missing_min: int) -> None:
        super().__init__(message)
        self.missing_min = missing_min
