"""A writer that was stopped while it holds the append lock holds nobody up for long (PostgreSQL)."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import make_url

from cryotrail_audit.appending import lock
from cryotrail_audit.appending.lock import IDLE_HOLDER_S, take_append_lock


def test_its_session_is_ended_and_the_next_writer_has_the_lock(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert f"'{IDLE_HOLDER_S}s'" in lock._TAKE
    monkeypatch.setattr(lock, "_TAKE", lock._TAKE.replace(f"'{IDLE_HOLDER_S}s'", "'1s'"))
    at = make_url(postgres_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(at) as stopped, psycopg.connect(at) as next_writer:
        take_append_lock(stopped)  # and then its machine is paused

        next_writer.execute("set lock_timeout = '20s'")
        take_append_lock(next_writer)

        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
            stopped.execute("select 1")
