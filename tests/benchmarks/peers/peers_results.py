"""What the benchmark of the peers found, and its table for the terminal."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from candidates import CANDIDATES, versions
from kill_series import Kills
from throughput import Run

OURS = CANDIDATES[0].name


@dataclass(frozen=True)
class Conditions:
    """Under what the figures came about."""

    date: str
    cores: int
    processor: str
    system: str
    python: str
    load_before: float
    """Runnable processes before the start, mean of a minute; above 0.5 the wall times are soft."""
    rows: int
    warm_up: int
    runs: int
    seed: int
    versions: dict[str, str]


@dataclass
class Results:
    """Everything, by candidate."""

    conditions: Conditions
    runs: dict[str, list[Run]] = field(default_factory=dict)
    kills: dict[str, Kills] = field(default_factory=dict)
    poison: dict[str, dict[str, str]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    elapsed_s: float = 0.0

    def middle(self, name: str, of: Callable[[Run], float]) -> float | None:
        """The median of a candidate's runs; None when it has none."""
        return statistics.median(map(of, self.runs[name])) if self.runs.get(name) else None

    def ratio(self, name: str, of: Callable[[Run], float]) -> float | None:
        """A candidate's median divided by ours."""
        theirs, ours = self.middle(name, of), self.middle(OURS, of)
        return theirs / ours if theirs is not None and ours else None

    @property
    def names(self) -> list[str]:
        """The candidates that anything was found of, ours first."""
        return [one.name for one in CANDIDATES if one.name in (self.runs.keys() | self.kills)]


def conditions(rows: int, warm_up: int, runs: int, seed: int) -> Conditions:
    """What can be said of this machine before anything runs."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return Conditions(
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        cores=len(os.sched_getaffinity(0)),
        processor=models[0] if models else platform.machine(),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        load_before=round(os.getloadavg()[0], 2),
        rows=rows,
        warm_up=warm_up,
        runs=runs,
        seed=seed,
        versions=versions(),
    )


def speed_rows(results: Results) -> list[list[str]]:
    """Header and a line a candidate: rows/s, CPU, memory, and how many times ours."""
    lines = [
        ["candidate", "runs", "rows/s", "client µs", "server µs", "CPU µs/row", "rows/CPU s",
         "peak MiB", "rows/s to ours", "rows/CPU s to ours"]
    ]  # fmt: skip
    for name in results.names:
        cpu_us = results.middle(name, lambda run: run.cpu_us)
        if cpu_us is None:
            continue
        cells: list[float | None] = [
            results.middle(name, of)
            for of in (
                lambda run: run.rows_per_s, lambda run: run.client_us, lambda run: run.server_us
            )
        ]  # fmt: skip
        shown = [f"{cell:,.0f}" if at == 0 else f"{cell:.1f}" for at, cell in enumerate(cells)]
        lines.append(
            [name, str(len(results.runs[name])), *shown, f"{cpu_us:.1f}", f"{1e6 / cpu_us:,.0f}",
             f"{results.middle(name, lambda run: run.peak_mib):,.0f}",
             _times(results.ratio(name, lambda run: run.rows_per_s)),
             _times(results.ratio(name, lambda run: 1e6 / run.cpu_us))]
        )  # fmt: skip
    return lines


def kill_rows(results: Results) -> list[list[str]]:
    """Header and a line a candidate: the account after the kills."""
    lines = [
        ["candidate", "kills", "while draining", "events", "lost", "rows twice", "rewritten",
         "order breaks", "s to first write", "remark"]
    ]  # fmt: skip
    for name, one in results.kills.items():
        found = one.account
        counts = (one.kills, one.while_draining, one.published, found.lost, found.duplicated,
                  found.rewritten, found.order_breaks)  # fmt: skip
        lines.append(
            [name, *(f"{count:,}" for count in counts), f"{one.first_write_s:.1f}", one.note or "–"]
        )
    return lines


def poison_rows(results: Results) -> list[list[str]]:
    """Header and a line a candidate: what each kind of poison did to it."""
    if not results.poison:
        return []
    kinds = list(next(iter(results.poison.values())))
    lines = [["candidate", *kinds]]
    for name, outcomes in results.poison.items():
        lines.append([name, *(outcomes[kind] for kind in kinds)])
    return lines


def printed(results: Results) -> str:
    """The tables for a terminal."""
    tables = (speed_rows(results), kill_rows(results), poison_rows(results))
    parts = [_aligned(table) for table in tables if len(table) > 1]
    return "\n\n".join([*parts, *results.failures])


def _aligned(lines: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _times(ratio: float | None) -> str:
    return "–" if ratio is None else f"{ratio:.2f}×"
