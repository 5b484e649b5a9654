"""What a scenario is: a fault, the databases it is played on, and how many kills it deals."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from faults.outcome import Outcome
from faults.stage import Database, Stage

BOTH: tuple[Database, ...] = ("SQLite", "PostgreSQL")


class Scenario(NamedTuple):
    """One row of the matrix for each of its databases."""

    name: str
    play: Callable[[Stage, Database, int, int], Outcome]
    """Given the stage, the database, a seed and how many processes to kill."""
    kills: int = 0
    """How many processes it kills in the full matrix, where that can be chosen."""
    databases: tuple[Database, ...] = ("SQLite",)
