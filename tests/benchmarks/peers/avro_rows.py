"""From Kafka messages in Avro to rows: what the Python peers share. Runs in their environment.

Plain fastavro, as its documentation reads a schemaless record; logical types are taken off the
schemas, which is the fastest way. Nothing is checked beyond what decoding itself refuses.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

from fastavro import parse_schema, schemaless_reader

COLUMNS = (
    "event_id", "event_type", "procedure_id", "occurred_us", "producer_id", "producer_seq",
    "procedure_seq", "topic", "part", "kafka_offset", "kafka_timestamp_ms", "raw",
)  # fmt: skip


class AvroRows:
    """Decodes messages by the schemas of a file: ``{fingerprint: {"name": ..., "schema": ...}}``."""

    def __init__(self, schemas: Path) -> None:
        known = json.loads(schemas.read_text(encoding="utf-8"))
        self._schemas = {
            bytes.fromhex(fingerprint): (one["name"], parse_schema(one["schema"]))
            for fingerprint, one in known.items()
        }

    def row(
        self,
        value: bytes | None,
        headers: Iterable[tuple[str, Any]],
        topic: str,
        partition: int,
        offset: int,
        timestamp_ms: int,
    ) -> tuple[Any, ...]:
        """The row of a message, in the order of :data:`COLUMNS`.

        :raises Exception: whatever a value that is no event makes the decoder raise.
        """
        name, schema = self._schemas[value[2:10]]
        header = schemaless_reader(BytesIO(value[10:]), schema, None)["header"]
        delivery = dict(headers)
        return (
            header["event_id"], name, header["procedure_id"], header["occurred_at"],
            delivery["ce_producerid"].decode(), int(delivery["ce_producerseq"]),
            int(delivery["ce_procedureseq"]), topic, partition, offset, timestamp_ms, value,
        )  # fmt: skip
