"""Every metric of a live process is in the documentation, with its type and labels, and no other."""

from __future__ import annotations

import ast
import re
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from kafka_fixtures import KafkaNode, home_settings
from recorded_kafka import message_of, publish
from room_events import SOURCE, chunk, freeze
from scraping import Scrape, address_in, overheard
from waiting import until

from cryotrail.observability.health import STUCK_AFTER_S
from cryotrail.observability.log_fields import ALLOWED
from cryotrail.observability.observed_materialiser import observed_materialiser
from cryotrail.observability.observed_recorder import observed_recorder
from cryotrail.observability.observed_sender import observed_sender
from cryotrail.observability.observed_signer import observed_signer
from cryotrail.observability.signer_watch import SignerWatch
from cryotrail_audit.store import open_store
from cryotrail_producers.kafka_clients import KafkaConnection
from cryotrail_producers.publisher import Publisher
from cryotrail_producers.settings import PublisherSettings
from cryotrail_producers.transport import MemoryTransport
from cryotrail_warehouse.refresh import refresh

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")
PARTS = dict(re.findall(r"^### ([A-Z][\w ]+)\n(.*?)(?=^###? |\Z)", TEXT, re.DOTALL | re.MULTILINE))
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| ([\w, -]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)

Described = dict[str, tuple[str, frozenset[str]]]


def documented(part: str) -> Described:
    found: Described = {}
    for name, kind, labels, _, _ in ROW.findall(PARTS["Every process"] + PARTS[part]):
        names = frozenset() if labels == "-" else frozenset(labels.split(", "))
        found[name] = (kind, names)
    return found


def live(scrape: Scrape) -> Described:
    found: Described = {}
    for family in scrape.families.values():
        if not family.name.startswith("cryotrail_"):
            continue
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        found[name] = (family.type, frozenset(labels))
        assert family.documentation
    return found


def test_those_of_a_recorder(fresh_topics: KafkaNode, sqlite_url: str, tmp_path: Path) -> None:
    procedure = uuid4()
    events = [freeze(procedure, cycle) for cycle in (1, 2)]
    events = [replace(e, header=replace(e.header, clock_offset_ms=3)) for e in events]
    # The second number does not follow the first.
    messages = [message_of(event, number) for event, number in zip(events, (1, 5), strict=True)]
    settings = home_settings(tmp_path, KAFKA_BOOTSTRAP=fresh_topics.bootstrap, AUDIT_URL=sqlite_url)
    publish(fresh_topics.connection, [*messages, messages[0]._replace(value=b"?")])
    with overheard() as said, observed_recorder(settings, "0") as recorder:
        thread = threading.Thread(target=recorder.run)
        thread.start()
        try:
            until(lambda: recorder.tally.records == 3 and bool(recorder.tally.lag))
            # What the last append showed comes a moment after its count.
            latency = "cryotrail_ingest_latency_seconds_count"
            scrape = Scrape.once(
                address_in(said),
                lambda seen: any(seen.value(latency, **one) for one in seen.labels(latency)),
            )
        finally:
            recorder.stop()
            thread.join(60)
    assert live(scrape) == documented("Recorder")


def test_those_of_a_sender(tmp_path: Path) -> None:
    settings = PublisherSettings(tmp_path / "outbox.sqlite3", SOURCE)
    with (
        overheard() as said,
        Publisher(settings, MemoryTransport()) as publisher,
        observed_sender(publisher, KafkaConnection("127.0.0.1:1"), "0"),
    ):
        publisher.publish_many([freeze(uuid4()), chunk(uuid4())])
        publisher.wait(10)
        scrape = Scrape(address_in(said))
    assert live(scrape) == documented("Sender")


def test_those_of_a_signer(sqlite_url: str) -> None:
    watch = SignerWatch()
    watch.signed()
    with overheard() as said, observed_signer(watch, sqlite_url, "0"):
        scrape = Scrape(address_in(said))
    assert live(scrape) == documented("Signer")


def test_those_of_a_materialiser(sqlite_url: str, tmp_path: Path) -> None:
    with (
        overheard() as said,
        observed_materialiser(sqlite_url, "0") as metrics,
        closing(open_store(sqlite_url)) as store,
    ):
        metrics.looked(refresh(store, tmp_path / "warehouse", "UTC"))
        scrape = Scrape(address_in(said))
    assert live(scrape) == documented("Materialiser")


@pytest.mark.parametrize("part", ["Recorder", "Sender", "Signer", "Materialiser"])
def test_each_row_of_the_tables_was_read(part: str) -> None:
    rows = [line for line in PARTS[part].splitlines() if line.startswith("| `cryotrail_")]
    assert len(ROW.findall(PARTS[part])) == len(rows) > 1


def test_when_a_loop_is_stuck_is_said_as_it_is_judged() -> None:
    assert f"the loop turned within {STUCK_AFTER_S:.0f} s" in TEXT


def test_the_fields_of_a_log_line_are_those_that_somebody_says() -> None:
    (listed,) = re.findall(r"Beside `ts level event logger` a line has only `([^`]+)`", TEXT)

    assert set(listed.split()) == set(ALLOWED) == fields_said()


def fields_said() -> set[str]:
    """The keys of every ``extra`` that a log record is given in the product."""
    calls = [
        node
        for path in ROOT.glob("*/cryotrail*/**/*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    ]
    extras = [one.value for call in calls for one in call.keywords if one.arg == "extra"]
    return {
        key.value
        for extra in extras
        if isinstance(extra, ast.Dict)
        for key in extra.keys
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }
