"""A recorder answers for itself: what it did, what it lacks, and whether it turns."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from answering_recorder import answering
from audit_records import filled_store
from kafka_fixtures import KafkaNode, home_settings
from postgres_server import PostgresServer
from recorded_kafka import Message, message_of, publish
from refused_connections import REFUSED_CONNECTIONS
from replayed_cohort import of_procedure
from room_events import chunk, freeze
from scraping import Scrape, address_in, overheard, standing
from waiting import until

from cryotrail.observability.observed_recorder import observed_recorder
from cryotrail.settings import Settings
from cryotrail_audit.sql_store import SqlStore
from cryotrail_audit.store import migrate
from cryotrail_consumers.recording.quarantine_log import QuarantineLog

pytestmark = REFUSED_CONNECTIONS

MESSAGES = [message_of(event, number) for number, event in enumerate(of_procedure("R01")[:40], 1)]


def settings_of(kafka: KafkaNode, tmp_path: Path, url: str) -> Settings:
    return home_settings(tmp_path, KAFKA_BOOTSTRAP=kafka.bootstrap, AUDIT_URL=url)


def test_it_counts_what_became_of_each_record(
    fresh_topics: KafkaNode, sqlite_url: str, tmp_path: Path
) -> None:
    garbage = [Message(MESSAGES[0].topic, b"no key", b"\x07", ()), MESSAGES[0]._replace(value=None)]
    publish(fresh_topics.connection, MESSAGES)
    with answering(settings_of(fresh_topics, tmp_path, sqlite_url)) as (recorder, url):
        until(lambda: recorder.tally.recorded == len(MESSAGES))
        publish(fresh_topics.connection, [*MESSAGES[:3], *garbage])
        consumed = "cryotrail_events_consumed_total"
        scrape = Scrape.once(url, lambda seen: seen.value(consumed, result="quarantined") == 2)

    assert scrape.value(consumed, result="stored") == len(MESSAGES)
    assert scrape.value(consumed, result="duplicate") == 3
    assert scrape.value(consumed, result="quarantined") == 2
    assert scrape.value("cryotrail_quarantine_total", reason="unknown_framing") == 1
    assert scrape.value("cryotrail_quarantine_total", reason="empty_value") == 1
    entries = recorder.tally.recorded + 2
    # Topics and schemas are entries too.
    assert (scrape.value("cryotrail_chain_head_seq") or 0) >= entries
    assert (
        scrape.value("cryotrail_consumer_lag_records", topic=MESSAGES[0].topic, partition="0") == 0
    )
    assert len(scrape.labels("cryotrail_consumer_lag_records")) == 24
    assert scrape.labels("cryotrail_build_info")[0]["part"] == "recorder"


def test_the_time_of_an_append_is_the_stores_alone(
    fresh_topics: KafkaNode, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QuarantineLog, "look_at", lambda *_: time.sleep(3))
    publish(fresh_topics.connection, [MESSAGES[0]._replace(value=b"\x07")])
    with answering(settings_of(fresh_topics, tmp_path, sqlite_url)) as (_, url):
        name = "cryotrail_recorder_append_seconds_total"
        scrape = Scrape.once(url, lambda seen: bool(seen.value(name)))

    assert 0 < (scrape.value(name) or 0) < 3


def test_it_opens_the_store_once_and_says_from_the_beginning_how_long_the_log_is(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled_store(sqlite_url)
    opened: list[str] = []
    monkeypatch.setattr(
        "cryotrail_audit.store.SqlStore.open",
        lambda url, open_=SqlStore.open: opened.append(url) or open_(url),
    )
    settings = home_settings(tmp_path, KAFKA_BOOTSTRAP="127.0.0.1:1", AUDIT_URL=sqlite_url)

    with overheard() as said, observed_recorder(settings, "0"):
        scrape = Scrape(address_in(said))

    assert opened == [sqlite_url]
    assert scrape.value("cryotrail_chain_head_seq") == 16  # a topic, fifteen events, an alarm


def test_it_measures_how_late_events_are_stored_each_topic_for_itself(
    fresh_topics: KafkaNode, sqlite_url: str, tmp_path: Path
) -> None:
    now, procedure = datetime.now(UTC), uuid4()
    live = [freeze(procedure), chunk(procedure)]
    live = [replace(one, header=replace(one.header, occurred_at=now)) for one in live]
    publish(fresh_topics.connection, [message_of(one) for one in live])
    publish(fresh_topics.connection, MESSAGES[:5])
    with answering(settings_of(fresh_topics, tmp_path, sqlite_url)) as (_, url):
        name = "cryotrail_ingest_latency_seconds"
        scrape = Scrape.once(
            url,
            lambda seen: (
                sum(
                    seen.value(f"{name}_count", **labels) or 0
                    for labels in seen.labels(f"{name}_count")
                )
                == 7
            ),
        )

    for topic, stored in (("cryotrail.procedure-events", 6), ("cryotrail.probe-telemetry", 1)):
        assert scrape.value(f"{name}_count", topic=topic) == stored
        assert scrape.value(f"{name}_bucket", topic=topic, le="60.0") == 1
        assert scrape.value(f"{name}_bucket", topic=topic, le="+Inf") == stored


def test_a_number_that_is_skipped_is_a_gap_of_the_system_that_gave_it(
    fresh_topics: KafkaNode, sqlite_url: str, tmp_path: Path
) -> None:
    publish(fresh_topics.connection, MESSAGES[:10] + MESSAGES[12:20])
    with answering(settings_of(fresh_topics, tmp_path, sqlite_url)) as (recorder, url):
        until(lambda: recorder.tally.recorded == 18)
        publish(fresh_topics.connection, MESSAGES[:20])  # again, with what was missing
        until(lambda: recorder.tally.recorded == 20)
        gaps = "cryotrail_sequence_gaps_total"
        scrape = Scrape.once(url, lambda seen: bool(seen.labels(gaps)))

    assert scrape.labels(gaps) == [{"device": "urn:cryotrail:test"}]
    assert scrape.value(gaps, device="urn:cryotrail:test") == 1


def test_the_newest_offset_of_a_clock_is_shown_by_the_system_whose_clock_it_is(
    fresh_topics: KafkaNode, sqlite_url: str, tmp_path: Path
) -> None:
    procedure = uuid4()
    off = [freeze(procedure, cycle) for cycle in (1, 2, 3)]
    off = [
        replace(one, header=replace(one.header, clock_offset_ms=offset_ms))
        for one, offset_ms in zip(off, (250, -1500, None), strict=True)
    ]
    publish(fresh_topics.connection, [message_of(one) for one in off])
    with answering(settings_of(fresh_topics, tmp_path, sqlite_url)) as (recorder, url):
        until(lambda: recorder.tally.recorded == 3)
        name = "cryotrail_device_clock_offset_seconds"
        Scrape.once(url, lambda seen: seen.value(name, device="urn:cryotrail:test") == -1.5)


@pytest.fixture
def private_postgres() -> Iterator[PostgresServer]:
    # Not pytest's own temporary folder: as root the server runs as somebody who may not enter it.
    folder = Path(tempfile.mkdtemp(prefix="cryotrail-postgres-"))
    try:
        with PostgresServer(folder) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_it_is_unready_while_the_database_is_away_and_ready_when_it_is_back(
    fresh_topics: KafkaNode, private_postgres: PostgresServer, tmp_path: Path
) -> None:
    migrate(private_postgres.url())
    settings = settings_of(fresh_topics, tmp_path, private_postgres.url())
    with answering(settings) as (_, url):
        until(lambda: standing(f"{url}/readyz") == (200, {}))
        private_postgres.stop(immediately=True)
        until(lambda: standing(f"{url}/readyz")[0] == 503)
        assert "does not answer" in standing(f"{url}/readyz")[1]["store"]
        assert standing(f"{url}/healthz") == (200, {})
        private_postgres.start()
        until(lambda: standing(f"{url}/readyz") == (200, {}))


def test_it_is_unready_while_kafka_is_away_and_ready_when_it_is_back(
    fragile_kafka: KafkaNode, sqlite_url: str, tmp_path: Path
) -> None:
    with answering(settings_of(fragile_kafka, tmp_path, sqlite_url)) as (_, url):
        until(lambda: standing(f"{url}/readyz") == (200, {}))
        fragile_kafka.kill()
        until(lambda: standing(f"{url}/readyz")[0] == 503)
        assert list(standing(f"{url}/readyz")[1]) == ["kafka"]
        assert standing(f"{url}/healthz") == (200, {})
        fragile_kafka.start()
        until(lambda: standing(f"{url}/readyz") == (200, {}), 60)


def test_an_append_that_hangs_makes_it_unwell(
    fresh_topics: KafkaNode, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cryotrail.observability.health.STUCK_AFTER_S", 2.0)
    store = sqlite_url.removeprefix("sqlite:///")
    with answering(settings_of(fresh_topics, tmp_path, sqlite_url)) as (recorder, url):
        until(lambda: standing(f"{url}/readyz") == (200, {}))
        with closing(sqlite3.connect(store, isolation_level=None)) as other:
            other.execute("begin immediate")
            publish(fresh_topics.connection, MESSAGES)
            until(lambda: standing(f"{url}/healthz")[0] == 503)
            assert "has not turned for" in standing(f"{url}/healthz")[1]["recorder"]
            other.execute("rollback")
        until(lambda: standing(f"{url}/healthz") == (200, {}))
        until(lambda: recorder.tally.recorded == len(MESSAGES))
