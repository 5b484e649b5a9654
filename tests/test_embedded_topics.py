"""The topics are created as designed, once; one that differs is reported and left as it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from kafka.admin import ConfigResource
from kafka_fixtures import KafkaNode

from cryotrail.commands import kafka as kafka_command
from cryotrail.embedded.topics import ensure_topics
from cryotrail_producers.kafka_clients import admin
from cryotrail_schemas.topics import EVENT_TOPICS, PROBE_TELEMETRY, PROCEDURE_EVENTS


@pytest.fixture
def client(kafka: KafkaNode) -> Iterator[Any]:
    """An administrator of the session's Kafka, whose topics are gone; they are back afterwards."""
    administrator = admin(kafka.connection)
    kafka.delete_topics()
    yield administrator
    administrator.close()
    kafka.recreate_topics()


def configuration(client: Any, topic: str) -> dict[str, str]:
    found = client.describe_configs([ConfigResource("TOPIC", topic)], config_filter="all")
    return {name: str(entry["value"]) for name, entry in found["topic"][topic].items()}


def test_both_topics_are_created_as_designed(kafka: KafkaNode, client: Any) -> None:
    outcome = ensure_topics(kafka.connection, flush_each_message=True)

    assert set(outcome.created) == {"cryotrail.procedure-events", "cryotrail.probe-telemetry"}
    assert outcome.differences == ()
    described = client.describe_topics(list(EVENT_TOPICS))
    assert {len(topic["partitions"]) for topic in described} == {12}
    for topic in EVENT_TOPICS:
        found = configuration(client, topic)
        assert found["retention.ms"] == "-1"
        assert found["flush.messages"] == "1"
        assert found["cleanup.policy"] == "delete"
        assert found["max.message.bytes"] == "262144"


def test_a_cluster_with_replicas_is_not_told_to_flush_each_message(
    kafka: KafkaNode, client: Any
) -> None:
    ensure_topics(kafka.connection, flush_each_message=False)
    assert configuration(client, PROCEDURE_EVENTS)["flush.messages"] == str(2**63 - 1)


def test_asked_again_nothing_is_created_and_nothing_differs(kafka: KafkaNode, client: Any) -> None:
    ensure_topics(kafka.connection, flush_each_message=True)
    again = ensure_topics(kafka.connection, flush_each_message=True)
    assert again == ((), ())


def test_processes_that_create_at_once_create_each_topic_once(
    kafka: KafkaNode, client: Any
) -> None:
    with ThreadPoolExecutor(4) as pool:
        attempts = [
            pool.submit(ensure_topics, kafka.connection, flush_each_message=True) for _ in range(4)
        ]
    created = [topic for attempt in attempts for topic in attempt.result().created]
    assert sorted(created) == sorted(EVENT_TOPICS)


def test_a_topic_of_another_shape_is_reported_and_not_changed(
    kafka: KafkaNode, client: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    client.create_topics(
        {PROBE_TELEMETRY: {"num_partitions": 3, "configs": {"retention.ms": "3600000"}}},
        wait_for_metadata=True,
    )

    code = kafka_command.main(["topics", "--json"], kafka.settings)

    assert code == 1
    assert json.loads(capsys.readouterr().out) == {
        "created": [PROCEDURE_EVENTS],
        "differences": [
            {"topic": PROBE_TELEMETRY, "property": "partitions", "designed": "12", "found": "3"},
            {
                "topic": PROBE_TELEMETRY,
                "property": "retention.ms",
                "designed": "-1",
                "found": "3600000",
            },
            {
                "topic": PROBE_TELEMETRY,
                "property": "max.message.bytes",
                "designed": "262144",
                "found": "1048588",
            },
        ],
    }
    assert len(client.describe_topics([PROBE_TELEMETRY])[0]["partitions"]) == 3
    assert configuration(client, PROBE_TELEMETRY)["retention.ms"] == "3600000"


def test_the_command_says_what_it_created(
    kafka: KafkaNode, client: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kafka_command.main(["topics"], kafka.settings) == 0
    assert capsys.readouterr().out.splitlines() == [
        "cryotrail.procedure-events created",
        "cryotrail.probe-telemetry created",
    ]
