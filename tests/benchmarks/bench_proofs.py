"""What proofs cost in a log of a million entries: how long they are, to make and to verify.

Run with ``make bench`` or ``python tests/benchmarks/bench_proofs.py``. The leaves are synthetic:
hashes of nothing, put straight into tiles, with 64 real entries behind them; a proof does not see
the difference. The ceiling of both kinds of work is the bare hashing of as many nodes as the proof
has hashes. Times are CPU of this process; PostgreSQL's backend is not counted.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from audit_records import Writer, record
from postgres_server import PostgresServer
from synthetic_log import synthetic_leaf, synthetic_log

from cryotrail_audit.proofs.prover import Prover
from cryotrail_audit.snapshot import snapshot
from cryotrail_audit.store import migrate, open_store
from cryotrail_schemas.merkle import HASH_BYTES
from cryotrail_schemas.merkle_proofs import verify_consistency, verify_inclusion

LEAVES = 1_000_000
SYNTHETIC = LEAVES // 256 * 256
NEIGHBOURS = 60
"""Entries of a procedure, close to each other in the log."""


class Measured(NamedTuple):
    """One kind of proof."""

    hashes: int
    """Of the longest."""
    make_us: float
    verify_us: float
    bare_us: float


def cpu_us(calls: Sequence[Callable[[], object]]) -> float:
    """CPU of one call, on average."""
    before = time.process_time()
    for call in calls:
        call()
    return (time.process_time() - before) / len(calls) * 1e6


def bare_us(hashes: int) -> float:
    """The hashing alone that verifying a proof of this length takes."""
    left, right = bytes(HASH_BYTES), bytes(range(HASH_BYTES))

    def hash_nodes() -> None:
        node = left
        for _ in range(hashes):
            node = sha256(b"\x01" + node + right).digest()

    return cpu_us([hash_nodes] * 2000)


def fill(url: str) -> None:
    """A store of a million entries."""
    migrate(url)
    synthetic_log(url, SYNTHETIC)
    with closing(open_store(url)) as store:
        count = LEAVES - SYNTHETIC - 1  # the topic is an entry too
        Writer(store).append(record(offset) for offset in range(count))


def measure_inclusion(url: str, seqs: Sequence[int]) -> Measured:
    """Proofs of entries, in the tree of all of them."""
    proofs: list[list[bytes]] = []
    with snapshot(url) as connection:
        prover = Prover(connection)
        root = prover.root(LEAVES)
        make_us = cpu_us([lambda n=n: proofs.append(prover.inclusion(n, LEAVES)) for n in seqs])
    pairs = list(zip(seqs, proofs, strict=True)) * 5
    leaves = {n: synthetic_leaf(n) for n in seqs}
    verify_us = cpu_us(
        [lambda n=n, p=p: verify_inclusion(leaves[n], n, LEAVES, p, root) for n, p in pairs]
    )
    hashes = max(map(len, proofs))
    return Measured(hashes, make_us, verify_us, bare_us(hashes))


def measure_consistency(url: str, sizes: Sequence[int]) -> Measured:
    """Proofs that the tree of all entries extends those of earlier sizes."""
    proofs: list[list[bytes]] = []
    with snapshot(url) as connection:
        prover = Prover(connection)
        root = prover.root(LEAVES)
        make_us = cpu_us([lambda n=n: proofs.append(prover.consistency(n, LEAVES)) for n in sizes])
        roots = {size: prover.root(size) for size in sizes}
    pairs = list(zip(sizes, proofs, strict=True)) * 5
    verify_us = cpu_us(
        [lambda n=n, p=p: verify_consistency(n, roots[n], LEAVES, root, p) for n, p in pairs]
    )
    hashes = max(map(len, proofs))
    return Measured(hashes, make_us, verify_us, bare_us(hashes))


def report(database: str, what: str, cost: Measured) -> None:
    """One line of the table."""
    print(
        f"{database:<11}{what:<36}{cost.hashes:>7}{cost.make_us:>10.0f}{cost.verify_us:>11.1f}"
        f"{cost.bare_us:>9.1f}{cost.verify_us / cost.bare_us:>7.2f}",
        flush=True,
    )


def bench(database: str, url: str) -> None:
    """The lines of one database."""
    fill(url)
    rng = random.Random(LEAVES)
    anywhere = rng.sample(range(SYNTHETIC), 1000)
    begin = rng.randrange(SYNTHETIC - 10 * NEIGHBOURS)
    procedure = sorted(rng.sample(range(begin, begin + 10 * NEIGHBOURS), NEIGHBOURS))
    report(database, "inclusion, entries anywhere", measure_inclusion(url, anywhere))
    report(database, "inclusion, entries of a procedure", measure_inclusion(url, procedure))
    earlier = sorted(rng.sample(range(1, LEAVES), 300))
    report(database, "consistency with earlier sizes", measure_consistency(url, earlier))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table. Returns 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], help="one of them only")
    # What `make bench` is given goes to every benchmark; the size of this one is fixed.
    options, _others = parser.parse_known_args(arguments)
    print(
        f"{'proof':<11}{f'{LEAVES:,} entries, synthetic leaves':<36}{'hashes':>7}{'make us':>10}"
        f"{'verify us':>11}{'bare us':>9}{'ratio':>7}"
    )
    folder = Path(tempfile.mkdtemp(prefix="cryotrail-bench-"))
    try:
        if options.database != "postgresql":
            bench("sqlite", f"sqlite:///{folder / 'audit.sqlite3'}")
        if options.database != "sqlite":
            home = Path(tempfile.mkdtemp(prefix="cryotrail-bench-pg-"))
            try:
                with PostgresServer(home, {"shared_buffers": "512MB"}) as server:
                    with server.connect() as admin:
                        admin.execute("create database bench_proofs")
                    bench("postgresql", server.url("bench_proofs"))
            finally:
                shutil.rmtree(home, ignore_errors=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
