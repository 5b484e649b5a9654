"""What every command says, and where: results on standard output, remarks on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any


def print_json(value: object) -> None:
    """Print one JSON document to standard output, and nothing else beside it."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def say(text: str) -> None:
    """A remark for the person at the terminal; never part of a result."""
    _remark(text)


def complain(text: str) -> None:
    """The remark of a command that was refused or failed."""
    _complaint(text)


def _to_standard_error(text: str) -> None:
    sys.stderr.write(f"{text}\n")  # one write, so that a line of a log never lands inside it
    sys.stderr.flush()


_remark: Callable[[str], None] = _to_standard_error
_complaint: Callable[[str], None] = _to_standard_error


@contextmanager
def remarks_to(
    write: Callable[[str], None], complain: Callable[[str], None] | None = None
) -> Iterator[None]:
    """Hand remarks to ``write`` while the block runs, such as to a log that programs read.

    :param complain: takes the remarks of failures; None = ``write`` does.
    """
    global _remark, _complaint
    before = _remark, _complaint
    _remark, _complaint = write, complain or write
    try:
        yield
    finally:
        _remark, _complaint = before


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Print rows as aligned text, numbers to the right; an absent value is an en dash."""
    cells = [[_text(row.get(column)) for column in columns] for row in rows]
    widths = [
        max(len(column), *(len(line[i]) for line in cells)) if cells else len(column)
        for i, column in enumerate(columns)
    ]
    numeric = [
        bool(rows) and all(isinstance(row.get(column), int | float | None) for row in rows)
        for column in columns
    ]
    print("  ".join(c.ljust(w) for c, w in zip(columns, widths, strict=True)).rstrip())
    print("  ".join("─" * width for width in widths))
    for line in cells:
        aligned = (
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        )
        print("  ".join(aligned).rstrip())


def _text(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


@contextmanager
def progress(label: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Show a bar with a rate while the block runs; yields ``advance(count)``.

    Silent when standard error is no terminal or the extra ``progress`` is not installed, so that
    logs and pipes stay clean.
    """
    if not sys.stderr.isatty():
        yield lambda count: None
        return
    try:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            ProgressColumn,
            Task,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.text import Text
    except ModuleNotFoundError:
        say(f"{label} …")
        yield lambda count: None
        return

    class RateColumn(ProgressColumn):
        def render(self, task: Task) -> Text:
            rate = task.finished_speed or task.speed
            return Text("" if rate is None else f"{rate:,.0f}/s")

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        RateColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(label, total=total)
        yield lambda count: bar.advance(task, count)
