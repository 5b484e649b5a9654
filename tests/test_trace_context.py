"""The trace context that an event is published with reaches Kafka, the store and the log lines."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from kafka_fixtures import KafkaNode
from recorded_kafka import all_entries, message_of, publish, record_all
from room_events import SOURCE, freeze

from cryotrail.commands.audit.described import described
from cryotrail.main import main
from cryotrail_audit.store import open_store
from cryotrail_producers.errors import PublisherSettingsRefused
from cryotrail_producers.publisher import Publisher
from cryotrail_producers.settings import PublisherSettings
from cryotrail_producers.transport import MemoryTransport
from cryotrail_schemas.delivery import TRACEPARENT, read_delivery
from cryotrail_schemas.errors import EventRefused
from cryotrail_schemas.json_form import event_to_json
from cryotrail_schemas.trace_context import is_traceparent, trace_id_of

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
GIVEN = f"00-{TRACE_ID}-00f067aa0ba902b7-01"


@pytest.mark.parametrize(
    "text",
    [
        "",
        GIVEN.upper(),
        GIVEN[:-1],
        f"{GIVEN}-more",
        f"{GIVEN}\n",
        f"ff{GIVEN[2:]}",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE_ID}-{'0' * 16}-01",
        "VIVALDI^ANTONIO",
    ],
    ids=[
        "nothing", "upper-case", "short", "longer", "line-end", "version-ff", "no-trace", "no-span",
        "a-name",
    ],
)  # fmt: skip
def test_what_is_no_traceparent_has_no_trace(text: str) -> None:
    assert trace_id_of(text) is None
    assert not is_traceparent(text)


def test_a_later_version_is_read_and_not_written() -> None:
    later = f"01{GIVEN[2:]}-and-more"
    assert trace_id_of(later) == TRACE_ID
    assert not is_traceparent(later)


def test_an_event_is_sent_with_its_own_context_or_with_its_publishers(tmp_path: Path) -> None:
    transport = MemoryTransport()
    other = GIVEN.replace("4b", "aa", 1)
    settings = PublisherSettings(tmp_path / "outbox.sqlite3", SOURCE, traceparent=other)
    with Publisher(settings, transport) as publisher:
        publisher.publish(freeze(uuid4()), traceparent=GIVEN)
        publisher.publish_many([started := freeze(uuid4())])
        publisher.seal(started.header.procedure_id)
        publisher.wait(10)
    sent = sorted(dict(record.headers)[TRACEPARENT].decode() for record in transport.records)
    assert sent == sorted([GIVEN, other, other])


def test_a_malformed_context_of_the_settings_is_refused_at_once(tmp_path: Path) -> None:
    settings = PublisherSettings(tmp_path / "outbox.sqlite3", SOURCE, traceparent="nonsense")
    with pytest.raises(PublisherSettingsRefused, match="'nonsense' is no W3C traceparent"):
        Publisher(settings, MemoryTransport())


def test_a_malformed_context_is_refused_where_it_is_published(tmp_path: Path) -> None:
    settings = PublisherSettings(tmp_path / "outbox.sqlite3", SOURCE)
    with Publisher(settings, MemoryTransport()) as publisher:
        with pytest.raises(EventRefused, match="traceparent: no W3C traceparent"):
            publisher.publish(freeze(uuid4()), traceparent="VIVALDI^ANTONIO")
        assert (publisher.status().waiting, publisher.status().refused) == (0, 1)


@pytest.fixture
def room(tmp_path: Path, fresh_topics: KafkaNode, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CRYOTRAIL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CRYOTRAIL_KAFKA_BOOTSTRAP", fresh_topics.bootstrap)
    file = tmp_path / "events.jsonl"
    file.write_text(json.dumps(event_to_json(freeze(uuid4()))) + "\n")
    return file


@pytest.mark.parametrize("by", ["option", "environment"])
def test_the_command_takes_it_and_the_store_shows_it(
    room: Path, by: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if by == "environment":
        monkeypatch.setenv("TRACEPARENT", GIVEN)
    arguments = ["--traceparent", GIVEN] if by == "option" else []
    assert main(["publish", str(room), *arguments]) == 0
    assert main(["record", "--until-caught-up"]) == 0
    url = f"sqlite:///{room.parent / 'home' / 'audit.sqlite3'}"
    (entry,) = all_entries(url, kinds=(0,))
    capsys.readouterr()
    assert main(["audit", "show", str(UUID(bytes=entry.event_id))]) == 0
    assert json.loads(capsys.readouterr().out)[TRACEPARENT] == GIVEN


def test_a_foreign_variable_that_is_none_is_ignored_aloud_and_the_event_goes_out(
    room: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TRACEPARENT", "nonsense")
    assert main(["publish", str(room)]) == 0
    assert "TRACEPARENT is no W3C trace context and was ignored" in caplog.text
    with pytest.raises(SystemExit) as wrong_usage:
        main(["publish", str(room), "--traceparent", "nonsense"])
    assert wrong_usage.value.code == 2


def test_the_recorder_keeps_a_malformed_one_with_a_flag_and_says_the_trace_of_what_it_sets_aside(
    fresh_topics: KafkaNode, sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    good = message_of(freeze(uuid4()))
    malformed = good._replace(headers=[*good.headers, (TRACEPARENT, b"00-zz")])
    poison = good._replace(value=b"\x07", headers=[(TRACEPARENT, GIVEN.encode())])
    with caplog.at_level(logging.WARNING):
        publish(fresh_topics.connection, [malformed, poison])
        record_all(fresh_topics.connection, sqlite_url)

    (event,) = all_entries(sqlite_url, kinds=(0,))
    assert event.reason == "malformed_traceparent"
    with_store = open_store(sqlite_url)
    try:
        assert TRACEPARENT not in described(with_store, event)
    finally:
        with_store.close()
    (line,) = [one for one in caplog.records if one.getMessage().startswith("quarantined")]
    assert line.trace_id == TRACE_ID  # type: ignore[attr-defined]
    assert (line.reason, line.offset) == ("unknown_framing", 1)  # type: ignore[attr-defined]


def test_headers_without_one_say_nothing_of_a_trace() -> None:
    assert read_delivery([]).trace_id is None
