"""Looking into published marts, and comparing two publications row by row."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from cryotrail_warehouse.model_files import models


def rows(path: Path, sql: str) -> list[dict[str, Any]]:
    """The rows of a query on a publication; times as text, since naming a zone needs more."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{path}' as warehouse (read_only)")
        connection.execute("use warehouse")
        connection.execute("set TimeZone = 'UTC'")
        found = connection.execute(sql)
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def row(path: Path, sql: str) -> dict[str, Any]:
    """The only row of a query on a publication."""
    (found,) = rows(path, sql)
    return found


def differences(
    one: Path, other: Path, leave_out: Callable[[str], bool] = lambda column: False
) -> dict[str, list[Any]]:
    """Rows that only one of two publications has, by table; empty when they are equal.

    meta_publication says when and how often something was published and is never compared.
    """
    found: dict[str, list[Any]] = {}
    with duckdb.connect() as connection:
        connection.execute(f"attach '{one}' as one (read_only)")
        connection.execute(f"attach '{other}' as other (read_only)")
        for model in models().tables:
            columns = [f'"{c.name}"::varchar' for c in model.columns if not leave_out(c.name)]
            if model.name == "meta_publication":
                continue
            sides = [
                f"select {', '.join(columns)} from {side}.main.{model.name}"
                for side in ("one", "other")
            ]
            for first, second in (sides, reversed(sides)):
                unmatched = connection.execute(f"{first} except all {second}").fetchall()
                if unmatched:
                    found.setdefault(model.name, []).extend(unmatched)
    return found
