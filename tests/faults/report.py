"""The table of a matrix that was played, as a document."""

from __future__ import annotations

import os
import platform
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Self

from cryotrail.embedded.jars import kafka_version, pinned_jars
from faults.accounting import Account
from faults.outcome import Outcome

_LIBRARIES = ("cryotrail", "kafka-python", "psycopg", "SQLAlchemy", "fastavro")


@dataclass
class Row:
    """One scenario on one database."""

    scenario: str
    database: str
    account: Account
    kills: int
    publish_p99_ms: float | None
    publish_max_ms: float | None
    refused: int
    seconds: float
    points: dict[str, int] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, scenario: str, database: str, outcome: Outcome) -> Self:
        """What a run came to."""
        took = sorted(one.took_us / 1000 for one in outcome.latencies)
        return cls(
            scenario,
            database,
            outcome.account,
            outcome.kills,
            took[int(len(took) * 0.99)] if took else None,
            took[-1] if took else None,
            sum(not one.accepted for one in outcome.latencies),
            outcome.seconds,
            outcome.points,
            outcome.violations,
        )

    @classmethod
    def failed(cls, scenario: str, database: str, seconds: float, error: Exception) -> Self:
        """A run that did not come to its end."""
        said = f"{type(error).__name__}: {error}"
        return cls(scenario, database, Account(), 0, None, None, 0, seconds, {}, [said])

    def line(self) -> str:
        """For whoever watches."""
        done = self.account
        verdict = "; ".join(self.violations) or "kept"
        return (
            f"{self.scenario} ({self.database}): {done.attempted} attempted, {done.returned} "
            f"returned, {done.recorded} recorded, {self.kills} kills, "
            f"publish p99 {_ms(self.publish_p99_ms)} max {_ms(self.publish_max_ms)} ms, "
            f"{self.seconds:.0f} s: {verdict}"
        )

    def cells(self) -> list[str]:
        """For the table."""
        done = self.account
        return [
            self.scenario,
            self.database,
            f"{done.attempted}",
            f"{done.returned}",
            f"{done.recorded}",
            f"{self.kills}",
            f"{done.lost}",
            f"{done.duplicated}",
            f"{done.order_breaks}",
            f"{done.changed + done.unknown}",
            f"{done.poison - done.poison_wrong}/{done.poison}",
            f"{done.late_found}/{done.late_expected}",
            f"{self.refused}",
            f"{_ms(self.publish_p99_ms)} / {_ms(self.publish_max_ms)}",
            f"{self.seconds:.0f}",
        ]


_HEADS = (
    "scenario", "database", "attempted", "returned", "recorded", "kills", "lost", "duplicated",
    "order breaks", "changed or unknown", "poison kept", "resent late", "refused",
    "publish p99 / max ms", "s",
)  # fmt: skip

_TEXT = """\
# Faults: what was broken, and what was recorded

Written by `make faults`; no figure here was written by hand.

{date}, seed {seed}: **{kills} processes killed with SIGKILL in {rows} runs, {published} events
returned by `publish()`; lost {lost}, duplicated {duplicated}, order breaks {order_breaks}.**
{verdict}

Machine: {machine}. {versions}. {minutes:.0f} minutes in all.

{table}

- *attempted*: handed to `publish()`; *returned*: it returned, so the event is promised;
  *recorded*: event ids in the audit store, but for an outbox's reports about itself. A process that is killed within `publish()` has
  attempted an event that may be recorded or not: returned ⊆ recorded ⊆ attempted.
- *lost*: returned and not recorded; *duplicated*: two entries of one event id, or a conflict;
  *order breaks*: entries that stand behind a later one of their procedure and topic, by the
  publisher's own journal and by the delivery numbers; *changed or unknown*: recorded with another
  SHA-256 of the body, or never published. The store was verified from its bytes after each run.
- *poison kept*: unreadable records that were put on the topics meanwhile, and how many of them are
  in quarantine exactly once, at their place, with their bytes.
- *resent late*: events that Kafka had acknowledged and the harness destroyed there before they were
  recorded. The outbox sent them again: found / expected, event by event.
- *refused*: calls of `publish()` that raised, during the fault. What was *shed* is attempted and not
  returned: its samples are compared with those that the outbox's reports say are lost.
- *publish*: how long calls of `publish()` took while the fault lasted, from three processes at 40
  events a second each unless the fault is about load. They wait for the disk and for the processor
  alone, which these processes share with three brokers, a database and the recorder.

## Where processes were killed

{points}

The others died at random moments.

## How

Three Apache Kafka nodes on loopback (`min.insync.replicas=2`, replication 3), PostgreSQL, publishers
and recorders as processes of their own that run the product; a publisher writes one line before
`publish()` and one after it, which survive its death. Networks fail in TCP proxies between them.
A named point is the boundary of a function of the product, replaced in the process that is to die by
one that ends with SIGKILL there. A process that ends is started again at once, as a service manager
would. At the end everything is left to drain, and the account is held.
[tests/faults](../tests/faults/README.md) says how to play one scenario alone.

## What this does not show

- **No power cut.** SIGKILL ends a process; what it had written to the system is not lost. That what
  was synced outlives the power is the promise of the disk and of SQLite's and PostgreSQL's own tests.
- One machine, so one clock: the clocks of room and store differ only where a scenario moves one.
- Records are destroyed in Kafka within the outbox's grace period (900 s). What a cluster loses later
  is lost, with an alarm.
- A cut tail that other producers fill before a sender asks the log, and a schema registry that is
  away: `tests/test_outbox_refilled_log.py` and `tests/test_publish_registry.py` show those.
- A seed repeats what is chosen (who dies, at which point, where a log is cut), not the interleaving of
  the processes.
"""


def write_report(path: Path, rows: Sequence[Row], planned: int, seed: int, seconds: float) -> None:
    """Write the document, over ``rows`` of the ``planned`` runs."""
    points: Counter[str] = Counter()
    for row in rows:
        points.update(row.points)
    path.write_text(
        _TEXT.format(
            date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
            seed=seed,
            kills=sum(row.kills for row in rows),
            rows=len(rows),
            published=sum(row.account.returned for row in rows),
            lost=sum(row.account.lost for row in rows),
            duplicated=sum(row.account.duplicated for row in rows),
            order_breaks=sum(row.account.order_breaks for row in rows),
            verdict=_verdict(rows, planned),
            machine=f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
            f"Python {platform.python_version()}",
            versions=f"Apache Kafka {kafka_version(pinned_jars())}, "
            + ", ".join(f"{name} {version(name)}" for name in _LIBRARIES),
            minutes=seconds / 60,
            table=_table(rows),
            points="\n".join(f"- {name}: {count}" for name, count in sorted(points.items())),
        ),
        encoding="utf-8",
    )


def _verdict(rows: Sequence[Row], planned: int) -> str:
    said = [
        f"- **Violation:** {row.scenario} ({row.database}): {violation}"
        for row in rows
        for violation in row.violations
    ]
    lines = ["", *said] if said else ["No violation of any kind."]
    if len(rows) < planned:
        lines.insert(0, f"**Broken off: {len(rows)} of {planned} runs were played.**")
    return "\n".join(lines)


def _table(rows: Sequence[Row]) -> str:
    lines = [_HEADS, ["---"] * len(_HEADS), *(row.cells() for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
