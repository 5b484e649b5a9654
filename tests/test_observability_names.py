"""A patient's name, wherever a producer puts it, reaches no log line and no metric."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from answering_recorder import answering
from kafka_fixtures import KafkaNode, home_settings
from recorded_kafka import Message, message_of, publish
from room_events import SOURCE, freeze
from scraping import Scrape, address_in, asked, overheard
from waiting import until

from cryotrail.observability.logs import logging_configured
from cryotrail.observability.observed_sender import observed_sender
from cryotrail_audit.database_errors import database_errors
from cryotrail_audit.errors import BatchRefused
from cryotrail_producers.kafka_clients import KafkaConnection
from cryotrail_producers.publisher import Publisher
from cryotrail_producers.settings import PublisherSettings
from cryotrail_producers.transport import MemoryTransport

NAME = "VIVALDI^ANTONIO"
_IN_BYTES = NAME.encode()


def everywhere() -> dict[str, Message]:
    """A record for each place that a producer can put a name in."""
    event = freeze(uuid4())
    good = message_of(event, 1)
    named = replace(event, header=replace(event.header, device_id=NAME), probe_id=NAME)
    headers = list(good.headers)

    def with_header(name: str) -> Message:
        given = [(one, _IN_BYTES if one == name else value) for one, value in headers]
        return message_of(freeze(uuid4()))._replace(headers=given)

    return {
        "text fields": message_of(named, 1),
        "key": good._replace(key=_IN_BYTES),
        "value": good._replace(value=_IN_BYTES),
        "value in a good frame": good._replace(value=(good.value or b"")[:10] + _IN_BYTES),
        "value after an event": good._replace(value=(good.value or b"") + _IN_BYTES),
        "header name": good._replace(headers=[(NAME, b"1")], value=b"?"),
        "header value": good._replace(headers=[("x", _IN_BYTES)], value=b"?"),
        **{name: with_header(name) for name, _ in headers},
        "traceparent": good._replace(headers=[("traceparent", _IN_BYTES)], value=b"?"),
        "schema id": good._replace(value=b"\x00" + _IN_BYTES),
    }


def test_the_recorder_says_it_nowhere(
    fresh_topics: KafkaNode, sqlite_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = everywhere()
    settings = home_settings(tmp_path, KAFKA_BOOTSTRAP=fresh_topics.bootstrap, AUDIT_URL=sqlite_url)
    with logging_configured("json", "DEBUG"), answering(settings) as (recorder, url):
        publish(fresh_topics.connection, records.values(), singly=True)
        # A gap in the numbers of a source whose name is one, so that it would become a label.
        start = message_of(freeze(uuid4()), 1)
        named = [(one, _IN_BYTES if one == "ce_source" else value) for one, value in start.headers]
        later = [(one, b"5" if one == "ce_procedureseq" else value) for one, value in named]
        last = message_of(replace(freeze(uuid4()), cycle_no=9), 1)
        publish(
            fresh_topics.connection,
            [start._replace(headers=named), start._replace(headers=later), last],
        )
        until(lambda: recorder.tally.records == len(records) + 3)
        scrape = Scrape.once(url, lambda seen: bool(seen.labels("cryotrail_sequence_gaps_total")))
        ready = asked(f"{url}/readyz")[1]
    said = capsys.readouterr().err

    assert recorder.tally.quarantined >= 6
    assert "quarantined: " in said
    assert "VIVALDI" not in said + ready + scrape.text
    assert scrape.labels("cryotrail_sequence_gaps_total") == [{"device": "other"}]


def test_the_sender_says_it_nowhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    event = freeze(uuid4())
    event = replace(event, header=replace(event.header, device_id=NAME), probe_id=NAME)
    settings = PublisherSettings(tmp_path / "outbox.sqlite3", f"{SOURCE}:{NAME}")
    nowhere = KafkaConnection("127.0.0.1:1")
    with (
        logging_configured("json", "DEBUG"),
        overheard() as said,
        Publisher(settings, MemoryTransport()) as publisher,
        observed_sender(publisher, nowhere, "0"),
    ):
        publisher.publish(event)
        publisher.wait(10)
        scrape = Scrape(address_in(said))
    assert scrape.labels("cryotrail_events_produced_total") == [
        {"adapter": "other", "event_type": "FreezeStarted"}
    ]
    assert "VIVALDI" not in scrape.text + capsys.readouterr().err


@pytest.mark.parametrize(
    "statement",
    [
        "insert into patient values (1, %s)",
        "insert into patient values (2, 'A'), (2, %s)",
        "select cast(%s as uuid)",
        "insert into patient values (null, %s)",
    ],
    ids=["check", "unique", "type", "not-null"],
)
def test_what_postgresql_refuses_is_told_without_the_values(
    statement: str, empty_postgres_url: str
) -> None:
    url = empty_postgres_url.replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "create table patient (id int primary key, name text check (length(name) < 9))"
        )
        with pytest.raises(BatchRefused) as refused, database_errors("the store"):
            connection.execute(statement, [NAME])
    assert "VIVALDI" not in str(refused.value)
    assert str(refused.value).startswith("the store refused the rows: ")
