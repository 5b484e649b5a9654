"""The configuration of Kafka Connect standalone with the Debezium JDBC sink."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from peer_messages import JSON_FIELDS

DEAD_LETTERS = "connect.dead-letters"


def write_connect_files(
    folder: Path, bootstrap: str, port: int, database: str, topics: Sequence[str], rest_port: int
) -> list[str]:
    """Write both property files; returns their paths, as the command takes them.

    The messages carry no schema: Kafka 4.2 and newer takes it from the converter's settings, which
    spares the sink the parsing of one schema a message. What the converter cannot read goes to a
    dead-letter topic. Offsets are committed every second, not every ten as the sample file has it,
    in the sink's favour when it is killed.
    """
    worker = {
        "bootstrap.servers": bootstrap,
        "offset.storage.file.filename": str(folder / "connect.offsets"),
        "offset.flush.interval.ms": "1000",
        "listeners": f"http://127.0.0.1:{rest_port}",
        "connector.client.config.override.policy": "All",
        "plugin.discovery": "only_scan",
    }
    for part, names in (("key", {"event_id": "string"}), ("value", JSON_FIELDS)):
        fields = [{"field": name, "type": kind} for name, kind in names.items()]
        schema = {"type": "struct", "name": part, "optional": False, "fields": fields}
        worker[f"{part}.converter"] = "org.apache.kafka.connect.json.JsonConverter"
        worker[f"{part}.converter.schemas.enable"] = "true"
        worker[f"{part}.converter.schema.content"] = json.dumps(schema)
    sink = {
        "name": database,  # and of its consumer group: no other run's offsets
        "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector",
        "tasks.max": "1",
        "topics": ",".join(topics),
        "connection.url": f"jdbc:postgresql://127.0.0.1:{port}/{database}"
        "?reWriteBatchedInserts=true",
        "connection.username": "postgres",
        "connection.password": "none",
        "insert.mode": "upsert",
        "primary.key.mode": "record_key",
        "primary.key.fields": "event_id",
        "schema.evolution": "basic",
        "collection.name.format": "event",
        "batch.size": "2000",
        "consumer.override.max.poll.records": "2000",
        "consumer.override.auto.offset.reset": "earliest",
        "consumer.override.group.instance.id": "one",
        "transforms": "place",
        "transforms.place.type": "org.apache.kafka.connect.transforms.InsertField$Value",
        "transforms.place.topic.field": "topic",
        "transforms.place.partition.field": "part",
        "transforms.place.offset.field": "kafka_offset",
        "errors.tolerance": "all",
        "errors.deadletterqueue.topic.name": DEAD_LETTERS,
        "errors.deadletterqueue.topic.replication.factor": "1",
        "errors.deadletterqueue.context.headers.enable": "true",
        "errors.log.enable": "true",
    }
    logging = {
        "status": "warn",
        "appender.console.type": "Console",
        "appender.console.name": "console",
        "appender.console.layout.type": "PatternLayout",
        "appender.console.layout.pattern": "%d %p %c: %m%n",
        "rootLogger.level": "warn",
        "rootLogger.appenderRef.console.ref": "console",
    }
    for name, settings in (("worker", worker), ("sink", sink), ("log4j2", logging)):
        text = "".join(f"{key}={value}\n" for key, value in settings.items())
        (folder / f"{name}.properties").write_text(text, encoding="utf-8")
    return [str(folder / "worker.properties"), str(folder / "sink.properties")]
