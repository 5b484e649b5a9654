"""A writer that is killed in the middle of anything leaves whole batches, and nothing else."""

import random
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import audit_writer
import pytest
from audit_records import TOPIC_NAME, Writer, record
from postgres_server import PostgresServer

from cryotrail_audit.errors import StoreUnavailable
from cryotrail_audit.store import migrate, open_store
from cryotrail_audit.verification import verify

KILLS = 4


def killed_writer(url, first_offset, after_commits, further_s):
    """Let a writer commit a few batches, kill it some moments later; the last offset it said."""
    writer = subprocess.Popen(
        [sys.executable, audit_writer.__file__, url, str(first_offset)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(audit_writer.__file__).parent,
    )
    try:
        said = [int(writer.stdout.readline()) for _ in range(after_commits)]
        time.sleep(further_s)
    finally:
        writer.kill()
        # Not communicate(): it would pass over what readline() has read ahead.
        rest = writer.stdout.read()
        writer.wait(timeout=30)
        writer.stdout.close()
    return int(([str(said[-1]), *rest.split()])[-1])


def test_a_writer_killed_at_any_point_loses_nothing_that_it_reported(store_url):
    chance = random.Random(6)
    offset = 0
    for _ in range(KILLS):
        reported = killed_writer(store_url, offset, 2, chance.uniform(0, 0.05))

        with closing(open_store(store_url)) as store:
            position = store.position(TOPIC_NAME, 0).next_offset
            events = store.counts().events
            seqs = [entry.seq for rows in store.entries() for entry in rows]

        # The commit that was under way may have succeeded, or left no trace.
        assert position in (reported, reported + audit_writer.BATCH_ROWS)
        assert events == position
        assert seqs == list(range(len(seqs)))
        assert verify(store_url).result == "intact"
        offset = position


def test_append_goes_on_where_the_position_says(store_url):
    killed_writer(store_url, 0, 1, 0.01)

    with closing(open_store(store_url)) as store:
        next_offset = store.position(TOPIC_NAME, 0).next_offset
        outcome = Writer(store).append([record(next_offset)])

    assert (outcome.recorded, outcome.redelivered) == (1, 0)
    assert verify(store_url).result == "intact"


def test_append_verify_append_and_a_kill_in_one_process_lose_no_commit(sqlite_url):
    """Closing a file drops the POSIX locks of its process: the verifier must not cost a commit.

    Nor do the processes that it starts, here as soon as there are 512 entries.
    """
    script = (
        "import os, sys\n"
        "from contextlib import closing\n"
        "from audit_records import Writer, record\n"
        "from cryotrail_audit.evidence import range as evidence_range\n"
        "from cryotrail_audit.store import open_store\n"
        "from cryotrail_audit.verification import verify\n"
        "evidence_range.RANGE = 256\n"
        "url = sys.argv[1]\n"
        "writer = Writer(open_store(url))\n"
        "for n in range(12):\n"
        "    writer.append(record(n * 50 + row) for row in range(50))\n"
        "    assert verify(url).result == 'intact'\n"
        "writer.append(record(600 + row) for row in range(50))\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, sqlite_url],
        cwd=Path(audit_writer.__file__).parent,
        timeout=120,
        check=False,
    )
    assert done.returncode == -9

    with closing(open_store(sqlite_url)) as store:
        assert store.counts().events == 650
    assert verify(sqlite_url).result == "intact"


def test_a_server_that_stops_at_once_keeps_what_was_committed():
    """As when the database's machine fails: the server recovers from its write-ahead log."""
    folder = Path(tempfile.mkdtemp(prefix="cryotrail-postgres-"))
    try:
        with PostgresServer(folder) as server:
            url = server.url()
            migrate(url)
            for offset in (0, 100, 200):
                with closing(open_store(url)) as store:
                    writer = Writer(store)
                    writer.append(record(offset + row) for row in range(100))
                    server.stop(immediately=True)
                    with pytest.raises(StoreUnavailable):
                        writer.append([record(offset + 100)])
                server.start()

            with closing(open_store(url)) as store:
                assert store.counts().events == 300
                assert Writer(store).append([record(300)]).recorded == 1
            assert verify(url).result == "intact"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
