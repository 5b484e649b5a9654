"""What verification costs: rows a second from all bytes, beside a bare SHA-256 over the same bytes.

Run with ``make bench`` or ``python tests/benchmarks/bench_verify.py``; ``--rows`` for fewer than a
million. Rows have 330-byte bodies and about 500 bytes of headers. The bare hash runs over the
leaves' bytes of the same number of rows, in memory and in one process: what is left when reading,
the second hash over the body, the tree and every comparison are taken away. Each figure is the
median of the runs. CPU is that of all processes, the database's too, which another load on the
machine disturbs least; two idle cores do twice what one second of CPU does. ``since last`` is a run
that begins where the one before ended, after 5000 new rows.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from audit_records import CLUSTER, OWNER, TOPIC_NAME, TOPIC_UUID
from bench_append import PARTITIONS, make_batch, make_records
from postgres_server import PostgresServer

from cryotrail_audit.framing import LEAF_PREFIX, pack_head, pack_tail
from cryotrail_audit.records import EVENT
from cryotrail_audit.store import migrate, open_store
from cryotrail_audit.verification import verify

BATCH_ROWS = 5000
NEW_ROWS = 5000
SAMPLE_ROWS = 10_000


def fill(url: str, rows: int) -> None:
    """Append rows in batches."""
    with closing(open_store(url)) as store:
        topic_id = store.register_topic(CLUSTER, TOPIC_UUID, TOPIC_NAME)
        epochs = store.claim(OWNER, topic_id, range(PARTITIONS))
        first = store.head().tree_size
        rng = random.Random(first)
        for offset in range(first, first + rows, BATCH_ROWS):
            count = min(BATCH_ROWS, first + rows - offset)
            store.append(make_batch(make_records(rng, offset, count), epochs))


def seconds(run: Callable[[], object]) -> float:
    """Wall time."""
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def cpu_seconds(server: PostgresServer | None) -> float:
    """Of this process and those it waited for, and of the server and its backends that ended."""
    used = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        used += usage.ru_utime + usage.ru_stime
    if server is not None:
        time.sleep(0.2)  # until the server has noticed that its backends ended
        fields = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
        used += sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return used


def bare_sha256(rows: int) -> float:
    """Seconds for one SHA-256 a row over the bytes that its leaf binds."""
    sample = [
        LEAF_PREFIX + pack_head(1, EVENT, seq + 1, seq, 0) + pack_tail(item)
        for seq, item in enumerate(make_records(random.Random(0), 0, SAMPLE_ROWS))
    ]

    def run() -> None:
        for _ in range(rows // SAMPLE_ROWS):
            for row in sample:
                sha256(row).digest()

    return seconds(run) * rows / (rows // SAMPLE_ROWS * SAMPLE_ROWS)


def checked(url: str, memory: Path | None = None) -> None:
    """Verify, and insist on the result."""
    found = verify(url, memory=memory)
    assert found.result == "intact", found


def measure(
    name: str, url: str, options: argparse.Namespace, folder: Path, server: PostgresServer | None
) -> None:
    """Print one line of the table."""
    rows, runs = max(options.rows, SAMPLE_ROWS), options.runs
    migrate(url)
    fill(url, rows)
    whole, bare, used = [], [], []
    for _ in range(runs):
        bare.append(bare_sha256(rows))
        before = cpu_seconds(server)
        whole.append(seconds(lambda: checked(url)))
        used.append(cpu_seconds(server) - before)
    memory = folder / f"{name}.json"
    checked(url, memory)
    later = []
    for _ in range(runs):
        fill(url, NEW_ROWS)
        later.append(seconds(lambda: checked(url, memory)))
    wall, hashed = statistics.median(whole), statistics.median(bare)
    print(
        f"{name:<11}{rows:>10,}{wall:>8.1f}{rows / wall:>10,.0f}"
        f"{statistics.median(used) / rows * 1e6:>12.1f}{rows / hashed:>14,.0f}"
        f"{wall / hashed:>7.2f}{statistics.median(later):>14.2f}",
        flush=True,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table. Returns 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of each store")
    parser.add_argument("--runs", type=int, default=3, help="runs that the median is taken of")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], help="one of them only")
    options = parser.parse_args(arguments)
    print(
        f"{'verify':<11}{'rows':>10}{'wall s':>8}{'rows/s':>10}{'CPU us/row':>12}"
        f"{'sha256 rows/s':>14}{'ratio':>7}{'since last s':>14}"
    )
    folder = Path(tempfile.mkdtemp(prefix="cryotrail-bench-"))
    try:
        if options.database != "postgresql":
            url = f"sqlite:///{folder / 'audit.sqlite3'}"
            measure("sqlite", url, options, folder, None)
        if options.database != "sqlite":
            home = Path(tempfile.mkdtemp(prefix="cryotrail-bench-pg-"))
            try:
                with PostgresServer(home, {"shared_buffers": "512MB"}) as server:
                    measure("postgresql", server.url(), options, folder, server)
            finally:
                shutil.rmtree(home, ignore_errors=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of this process: {peak_mib:.0f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
