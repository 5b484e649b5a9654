"""SIGTERM ends a recorder after the transaction in hand, or without it when that takes too long."""

from __future__ import annotations

import signal
from contextlib import closing
from pathlib import Path

import psycopg
from kafka_fixtures import KafkaNode
from recorded_kafka import all_entries, message_of, publish, record_all
from recorder_process import recorder_process
from replayed_cohort import of_procedure
from sqlalchemy import make_url
from waiting import until

from cryotrail_audit.databases import APPEND_LOCK
from cryotrail_audit.store import open_store

MESSAGES = [message_of(event) for event in of_procedure("R01")[:50]]


def test_a_transaction_that_takes_too_long_is_rolled_back_at_the_deadline(
    fresh_topics: KafkaNode, postgres_url: str, tmp_path: Path
) -> None:
    at = make_url(postgres_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with (
        psycopg.connect(at, autocommit=True) as other,
        recorder_process(
            fresh_topics, postgres_url, tmp_path, RECORDER_STOP_WITHIN_S="1"
        ) as stopped,
    ):
        publish(fresh_topics.connection, MESSAGES[:20])
        until(lambda: len(all_entries(postgres_url, kinds=(0,))) == 20)
        # Somebody holds the append lock, so that the next transaction hangs.
        other.execute(f"select pg_advisory_lock({APPEND_LOCK})")
        publish(fresh_topics.connection, MESSAGES[20:])
        waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
        until(lambda: other.execute(waiting).fetchone() == (1,))

        stopped.process.send_signal(signal.SIGTERM)

        assert stopped.process.wait(timeout=20) == 130
        until(lambda: other.execute(waiting).fetchone() == (0,))
    assert "stopping after the transaction in hand" in stopped.said()
    with closing(open_store(postgres_url)) as store:
        assert store.counts().events == 20
    assert record_all(fresh_topics.connection, postgres_url).recorded == len(MESSAGES) - 20
