"""A signer that is killed at any point never signs two roots for one size, and loses no head."""

import random
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import audit_writer
import killed_signer
import pytest
from signed_logs import ORIGIN, SignedLog
from store_tables import tables_of

from cryotrail_audit.checkpoints import checkpoint as checkpoints
from cryotrail_audit.checkpoints import key_files
from cryotrail_audit.checkpoints import note as notes
from cryotrail_audit.checkpoints.errors import SigningRefused
from cryotrail_audit.store import open_store
from cryotrail_audit.verification import verify
from cryotrail_schemas.merkle import Frontier

ROUNDS = 2


def with_key_file(url, folder):
    signed_log = SignedLog(url, folder)
    key_files.write_private(folder / "log.key", signed_log.key.to_text())
    return signed_log


@pytest.fixture
def log(store_url, tmp_path):
    return with_key_file(store_url, tmp_path)


@pytest.fixture
def sqlite_log(sqlite_url, tmp_path):
    return with_key_file(sqlite_url, tmp_path)


def started(script, *arguments):
    return subprocess.Popen(
        [sys.executable, script.__file__, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(script.__file__).parent,
    )


def roots_by_size(log):
    """Every root that the key signed for each size, from the notes in the store."""
    roots = {}
    with log.notes() as stored_notes:
        for stored in stored_notes.checkpoints(ORIGIN):
            note = notes.parse(stored.note)
            log.key.pinned.verify(note)
            said = checkpoints.parse(note.text)
            roots.setdefault(said.size, set()).add(said.root)
    return roots


@pytest.mark.parametrize("point", killed_signer.POINTS_BEFORE_THE_DATABASE)
def test_a_signer_killed_before_it_writes_goes_on_when_it_is_started_again(sqlite_log, point):
    check_that_it_goes_on(sqlite_log, point, [6])


@pytest.mark.parametrize("point", killed_signer.POINTS_IN_THE_DATABASE)
def test_a_signer_killed_while_it_writes_goes_on_when_it_is_started_again(log, point):
    check_that_it_goes_on(log, point, [11, 6] if point == "rows" else [6])


def check_that_it_goes_on(log, point, sizes_between):
    log.append(5)
    log.sign()
    log.append(5, event_type="ProcedureEnded")

    process = started(killed_signer, log.url, log.folder, point)
    assert process.wait(timeout=60) == -9
    process.stdout.close()
    assert log.signed_sizes() == sizes_between
    signed = log.sign()

    assert signed.checkpoint.size == 11
    assert {size: len(roots) for size, roots in roots_by_size(log).items()} == {11: 1, 6: 1}
    # The heads were remembered with the checkpoint, whether or not they had been written.
    assert len(signed.heads) == 3
    assert verify(log.url).result == "intact"


def test_what_was_remembered_and_not_yet_signed_is_not_signed_otherwise(sqlite_log):
    """Killed behind the memory; then the database is rolled back and grown to the same size."""
    sqlite_log.append(5)
    process = started(killed_signer, sqlite_log.url, sqlite_log.folder, "memory")
    assert process.wait(timeout=60) == -9
    process.stdout.close()
    assert sqlite_log.signed_sizes() == []

    sqlite_log.cut_to(1)
    sqlite_log.append(5)

    with pytest.raises(SigningRefused, match="forked or rebuilt"):
        sqlite_log.sign()
    assert sqlite_log.signed_sizes() == []


def test_signer_and_writer_killed_at_random_moments_agree_in_the_end(log):
    chance = random.Random(7)
    offset = 0
    for _ in range(ROUNDS):
        writer = started(audit_writer, log.url, offset)
        signer = started(killed_signer, log.url, log.folder, "never")
        try:
            writer.stdout.readline()
            signer.stdout.readline()
            time.sleep(chance.uniform(0, 0.1))
        finally:
            signer.kill()
            time.sleep(chance.uniform(0, 0.05))
            writer.kill()
            writer.communicate(timeout=60)
            signer.communicate(timeout=60)
        with closing(open_store(log.url)) as store:
            offset = store.position("cryotrail.procedure-events", 0).next_offset

    last = log.sign(full=True)

    roots = roots_by_size(log)
    with tables_of(log.url) as tables:
        leaves = [
            bytes(leaf) for (leaf,) in tables.execute("select leaf_hash from entry order by seq")
        ]
    assert len(roots) > ROUNDS
    assert max(roots) == last.checkpoint.size == len(leaves)
    frontier = Frontier()
    for size in sorted(roots):
        frontier.extend(leaves[frontier.size : size])
        assert roots[size] == {frontier.root()}
