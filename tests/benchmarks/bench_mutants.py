"""What a record that went wrong costs the recorder, beside a good one, in alternating runs.

Run with ``python tests/benchmarks/bench_mutants.py --rows 40000``. Two embedded Kafkas hold as many
records each: one good ones alone, the other mutants (``tests/support/mutated_messages.py``), or as
many among good ones as ``--share`` says. Printed is the run with the median CPU of each, client and
server, and the ratio. Oversize mutants are left out: bytes cost, whoever sends them.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from bench_recorder import (
    Cost,
    cpu_us,
    in_a_process,
    median_run,
    postgresql_urls,
    sqlite_urls,
)
from kafka_fixtures import home_settings
from many_messages import many_messages
from mutated_messages import mutants, produce
from postgres_server import PostgresServer
from recorded_kafka import Message

from cryotrail.embedded import broker
from cryotrail_audit.store import migrate

SEED = 20261122


def mixed(good: Sequence[Message], share: float) -> list[Message]:
    """As many messages, of which this share are mutants, evenly spread."""
    wanted = len(good)
    bad = [
        one.message
        for one in mutants(good[-2000:], int(wanted * share), SEED)
        if one.mutation != "oversize"
    ]
    messages, taken = [], 0
    for number, message in enumerate(good):
        while taken < len(bad) and taken <= number * share:
            messages.append(bad[taken])
            taken += 1
        if len(messages) + len(bad) - taken < wanted:
            messages.append(message)
    return messages


def compare(database: str, bootstraps: Sequence[str], rounds: int, url: Callable[[], str]) -> None:
    """Good ones and mixed ones in turn; one line each."""
    costs: list[list[Cost]] = [[], []]
    for _ in range(rounds):
        for bootstrap, of in zip(bootstraps, costs, strict=True):
            fresh = url()
            migrate(fresh)
            of.append(in_a_process("measured_recorder.py", bootstrap, fresh))
    good = cpu_us(median_run(costs[0]))
    for name, of in zip(("good", "mutated"), costs, strict=True):
        cost = median_run(of)
        print(
            f"{database:<11}{name:<9}{cost['recorded']:>8.0f}{cost['client_us']:>8.1f}"
            f"{cost['server_us']:>8.1f}{cpu_us(cost):>8.1f}{cpu_us(cost) / good:>7.2f}",
            flush=True,
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table. Returns 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=40_000, help="records on each Kafka")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each, in turn")
    parser.add_argument("--share", type=float, default=1.0, help="mutants among all records")
    options = parser.parse_args(arguments)
    good = list(many_messages(options.rows))
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="cryotrail-bench-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        bootstraps = []
        for name, messages in (("good", good), ("mixed", mixed(good, options.share))):
            kafka = stack.enter_context(broker.running(home_settings(folder / name)))
            produce(kafka.bootstrap, messages)
            bootstraps.append(kafka.bootstrap)
        print(
            f"{'record':<20}{'records':>8}{'client':>8}{'server':>8}{'CPU us':>8}{'ratio':>7}"
            f"   mutants among all: {options.share:.0%}"
        )
        files = sqlite_urls(folder)
        compare("sqlite", bootstraps, options.rounds, lambda: next(files))
        home = Path(tempfile.mkdtemp(prefix="cryotrail-bench-pg-"))
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        server = stack.enter_context(PostgresServer(home, {"shared_buffers": "512MB"}))
        databases = postgresql_urls(server)
        compare("postgresql", bootstraps, options.rounds, lambda: next(databases))
    return 0


if __name__ == "__main__":
    sys.exit(main())
