"""The sender's side of an outbox: what waits, what Kafka acknowledged, what may be forgotten.

One thread of the one sending process uses it. Its writes are not synced: a power cut may take an
acknowledgement, and the event is then sent again, which the recorder counts once.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from sqlite3 import Connection
from typing import Any, NamedTuple

from cryotrail_producers.errors import OutboxDamaged
from cryotrail_producers.outbox.connection import OutboxConnection
from cryotrail_producers.outbox_file.layout import Synchronous, transaction, translated
from cryotrail_producers.outbox_file.row_checksum import WRITTEN_COLUMNS, row_checksum
from cryotrail_producers.outbox_file.sealed_procedures import keep_contents

_CUT_ROWS = 1000
_FREE_PAGES_KEPT = 1024


Lane = tuple[str, uuid.UUID]
"""Topic and procedure: what Kafka and the recorder keep in order."""


class WaitingRow(NamedTuple):
    """An event that waits, with its delivery numbers."""

    id: int
    event_id: uuid.UUID
    event_type: str
    procedure_id: uuid.UUID
    occurred_us: int
    topic: str
    source: str
    producer_id: str
    producer_seq: int
    procedure_seq: int
    value: bytes
    signing_key_id: bytes | None = None
    signature: bytes | None = None
    traceparent: str | None = None

    @property
    def lane(self) -> Lane:
        """The order that it belongs to."""
        return self.topic, self.procedure_id


class Acknowledged(NamedTuple):
    """Where Kafka put an event."""

    id: int
    part: int
    offset: int


class LastAcknowledged(NamedTuple):
    """The newest record of a partition that is kept here."""

    offset: int
    event_id: uuid.UUID


class OutboxDrain:
    """A sender's connection to one outbox file, which exists.

    Every method raises :class:`~cryotrail_producers.errors.OutboxError` when the file fails.
    """

    def __init__(self, path: Path, synchronous: Synchronous) -> None:
        """``synchronous`` is how the file is appended to: what is not synced is not sent, else a
        power cut could give a number that was sent to another event."""
        self.path = path
        self._synced = "" if synchronous == "FULL" else "AND id <= (SELECT synced_id FROM outbox)"
        self._producer_ids: dict[int, str] = {}
        with translated(path, "open"):
            self._connection = OutboxConnection(path, "NORMAL", follow=False)

    def close(self) -> None:
        """Close the connection; the file stays as it is."""
        self._connection.close()

    def waiting(self, after_id: int, rows_limit: int, bytes_limit: int) -> list[WaitingRow]:
        """The next waiting rows in order of id, at least one if there is any.

        Ids become visible in their order, because writers take turns: a row below ``after_id``
        never appears later.
        """
        found: list[WaitingRow] = []
        with self._connection.reading() as connection, closing(connection.cursor()) as cursor:
            cursor.execute(
                f"SELECT id, checksum, {', '.join(WRITTEN_COLUMNS)}"
                " FROM event INDEXED BY event_waiting"
                f" WHERE acknowledged_us IS NULL AND id > ? {self._synced} ORDER BY id LIMIT ?",
                (after_id, rows_limit),
            )
            for row in cursor:
                found.append(self._row(connection, *row))
                bytes_limit -= len(found[-1].value)
                if bytes_limit <= 0:
                    break
        return found

    def acknowledge(self, acknowledged: Sequence[Acknowledged]) -> None:
        """Mark rows as sent, in one transaction; they are kept until they are cut."""
        now_us = time.time_ns() // 1000
        with self._connection.writing() as connection:
            connection.executemany(
                "UPDATE event SET acknowledged_us = ?, part = ?, kafka_offset = ?, refusal = NULL"
                " WHERE id = ?",
                [(now_us, row.part, row.offset, row.id) for row in acknowledged],
            )

    def refuse(self, row_id: int, reason: str) -> None:
        """Note why Kafka does not take a row, for whoever looks at the outbox; it still waits."""
        with self._connection.writing() as connection:
            connection.execute("UPDATE event SET refusal = ? WHERE id = ?", (reason, row_id))

    def topic_id(self) -> str | None:
        """Kafka's id of the topic in which the rows that are kept lie; None before the first."""
        with self._connection.reading() as connection:
            (topic_id,) = connection.execute("SELECT topic_id FROM outbox").fetchone()
        return None if topic_id is None else str(topic_id)

    def note_topic_id(self, topic_id: str) -> None:
        """Note in which topic what is sent from now on will lie."""
        with self._connection.writing() as connection:
            connection.execute("UPDATE outbox SET topic_id = ?", (topic_id,))

    def last_acknowledged(self) -> dict[tuple[str, int], LastAcknowledged]:
        """The newest record per topic and partition, of the rows that are kept."""
        with self._connection.reading() as connection:
            rows = connection.execute(
                # SQLite takes the id from the row that has the maximum.
                "SELECT topic, part, max(kafka_offset), event_id FROM event INDEXED BY event_kept"
                " WHERE acknowledged_us IS NOT NULL GROUP BY topic, part"
            ).fetchall()
        return {
            (topic, part): LastAcknowledged(offset, uuid.UUID(bytes=event_id))
            for topic, part, offset, event_id in rows
        }

    def resend_kept(self) -> list[int]:
        """Let everything that is kept wait again; returns the ids."""
        with self._connection.writing() as connection:
            rows = connection.execute(
                "UPDATE event SET acknowledged_us = NULL, part = NULL, kafka_offset = NULL"
                " WHERE acknowledged_us IS NOT NULL RETURNING id"
            ).fetchall()
        return [id_ for (id_,) in rows]

    def cut(self, acknowledged_before_us: int) -> None:
        """Forget rows acknowledged before that time, some at once.

        What the seal of their procedure will need of them is kept. A file that has grown during an
        outage gives its space back to the disk, bit by bit.
        """
        with self._connection.reading("write") as connection:
            # Nobody but this sender makes a row acknowledged, waiting again or gone.
            ids = [
                id_
                for (id_,) in connection.execute(
                    "SELECT id FROM event INDEXED BY event_kept"
                    " WHERE acknowledged_us IS NOT NULL AND acknowledged_us < ?"
                    " ORDER BY acknowledged_us LIMIT ?",
                    (acknowledged_before_us, _CUT_ROWS),
                )
            ]
            if ids:
                with transaction(connection):
                    keep_contents(connection, ids)
                    connection.executemany(
                        "DELETE FROM event WHERE id = ?", [(id_,) for id_ in ids]
                    )
            (free_pages,) = connection.execute("PRAGMA freelist_count").fetchone()
            if free_pages > _FREE_PAGES_KEPT:
                # It frees a page a step, and `execute` would take one step alone.
                connection.executescript(f"PRAGMA incremental_vacuum({_FREE_PAGES_KEPT})")

    def _row(
        self, connection: Connection, id_: int, checksum: bytes | None, *columns: Any
    ) -> WaitingRow:
        if checksum is not None and row_checksum(columns) != checksum:
            raise OutboxDamaged(self.path, "read", f"event {id_} is not what was written")
        event_id, event_type, procedure_id, occurred_us, topic, source, *numbered = columns
        producer_no, producer_seq, procedure_seq, value, *beside, _ = numbered
        if producer_no not in self._producer_ids:
            self._producer_ids = dict(
                connection.execute("SELECT producer_no, producer_id FROM producer")
            )
        producer_id = self._producer_ids.get(producer_no)
        if producer_id is None:
            raise OutboxDamaged(self.path, "read", f"who numbered event {id_} is not in it")
        return WaitingRow(
            id_,
            uuid.UUID(bytes=event_id),
            event_type,
            uuid.UUID(bytes=procedure_id),
            occurred_us,
            topic,
            source,
            producer_id,
            producer_seq,
            procedure_seq,
            value,
            *beside,
        )
