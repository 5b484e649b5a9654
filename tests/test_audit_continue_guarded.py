"""On a store that has its roles a superuser opens the new log, and the writer goes on in it."""

from __future__ import annotations

from contextlib import closing

import pytest
from audit_records import Writer, record
from continued_log import entries
from guarded_store import guarded_store

from cryotrail_audit.checkpoints.checkpoint import Checkpoint
from cryotrail_audit.checkpoints.keys import LogKey
from cryotrail_audit.continuing import continue_log
from cryotrail_audit.errors import AuditError
from cryotrail_audit.store import open_store
from cryotrail_audit.verification import verify


def test_the_writer_may_not_open_a_log_and_goes_on_in_one(postgres_url: str) -> None:
    guarded = guarded_store(postgres_url)
    with closing(open_store(postgres_url)) as store:
        origin, size = store.origin(), store.head().tree_size
    key = LogKey.create(origin)
    note = key.sign(Checkpoint(origin, size + 3, bytes(32)).to_text(), 1).to_bytes()

    with pytest.raises(AuditError, match="log"):
        continue_log(guarded.url_of("writer"), [note], "disk failed")
    continue_log(postgres_url, [note], "disk failed")

    with closing(open_store(guarded.url_of("writer"))) as store:
        Writer(store).append([record(1000 + number) for number in range(4)])
        last = entries(store)[-1]
        assert (last.log_id, store.place_of(last)) == (2, store.head().tree_size - 1)
    assert verify(guarded.url_of("reader")).result == "intact"
