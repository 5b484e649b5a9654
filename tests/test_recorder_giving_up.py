"""A run that was told how long to wait says what it waits for, and ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from kafka_fixtures import KafkaNode
from recorded_kafka import all_entries, message_of, publish, record_all
from recorder_process import recorder_process
from replayed_cohort import of_procedure
from waiting import until

from cryotrail_audit.verification import verify

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

MESSAGES = [message_of(event) for event in of_procedure("R01")]


def test_on_a_full_disk_it_says_so_and_ends_and_goes_on_when_there_is_room(
    fresh_topics: KafkaNode, sqlite_url: str, tmp_path: Path
) -> None:
    publish(fresh_topics.connection, MESSAGES[:20])
    record_all(fresh_topics.connection, sqlite_url)
    size = Path(sqlite_url.removeprefix("sqlite:///")).stat().st_size
    publish(fresh_topics.connection, MESSAGES[20:])

    arguments = ("--until-caught-up", "--give-up-after-s", "1")
    with recorder_process(fresh_topics, sqlite_url, tmp_path, *arguments, size=size) as full:
        code = full.process.wait(timeout=60)

    assert code == 1
    assert "trying again in" in full.said()
    assert "given up after 1 s of waiting" in full.said()
    assert "full" in full.said() or "disk" in full.said()
    record_all(fresh_topics.connection, sqlite_url)
    assert len(all_entries(sqlite_url, kinds=(0,))) == len(MESSAGES)
    assert verify(sqlite_url).result == "intact"


def test_when_the_broker_stops_it_says_so_and_ends(
    fragile_kafka: KafkaNode, sqlite_url: str, tmp_path: Path
) -> None:
    publish(fragile_kafka.connection, MESSAGES[:20])
    with recorder_process(
        fragile_kafka, sqlite_url, tmp_path, "--give-up-after-s", "1"
    ) as left_alone:
        until(lambda: len(all_entries(sqlite_url, kinds=(0,))) == 20)
        fragile_kafka.kill()
        try:
            code = left_alone.process.wait(timeout=60)
        finally:
            fragile_kafka.start()

    assert code == 1
    assert "given up after 1 s of waiting" in left_alone.said()
    assert fragile_kafka.bootstrap in left_alone.said()
