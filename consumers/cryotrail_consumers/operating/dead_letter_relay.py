"""Quarantined entries, from the store to a topic of their own.

The store is where they are kept; the topic is for those who want to be told through Kafka. It is
fed from the store alone, never while recording: Kafka and a database share no transaction. Nothing
else remembers how far it is: the topic itself does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from kafka.errors import KafkaError

from cryotrail_audit.records import QUARANTINED
from cryotrail_audit.store import AuditStore
from cryotrail_consumers.coordinates import TopicPartition
from cryotrail_consumers.errors import RelayRefused
from cryotrail_consumers.operating.dead_letter import DeadLetter, Relayed, dead_letter, relayed
from cryotrail_consumers.reading.kafka_log_reader import KafkaLogReader
from cryotrail_consumers.reading.source import Extent
from cryotrail_producers.kafka_clients import KafkaConnection, producer
from cryotrail_schemas.topics import DEAD_LETTERS, MAX_DEAD_LETTER_BYTES

_PARTITION: Final = TopicPartition(DEAD_LETTERS, 0)
_LOOK_BACK: Final = 100
_ACKNOWLEDGED_WITHIN_S: Final = 30.0


class DeadLetterRelay:
    """Sends quarantined entries in the order of the log, each at least once.

    One is sent when the one before is acknowledged, so the topic is always a beginning of the
    quarantine without a gap, and its last record tells where to go on. A relay that was killed may
    have sent one more than it knew; whoever reads tells a repetition by its id. Run one at a time:
    two at once repeat each other.

    :raises KafkaUnreachable: no broker answers; retriable.
    """

    def __init__(self, store: AuditStore, connection: KafkaConnection) -> None:
        self._store = store
        self._connection = connection
        self._name = store.places().logs[0].origin
        self._topics = store.topics()
        self._after_seq = self._last_relayed()
        self._producer: Any = producer(
            connection, linger_ms=0, max_request_size=MAX_DEAD_LETTER_BYTES
        )

    def relay(self, on_sent: Callable[[int], None]) -> int:
        """Send what is in quarantine and not in the topic; returns how many.

        :param on_sent: called with the place of each entry when it is acknowledged.
        :raises RelayRefused: the cluster does not take a record; those before it are sent.
        :raises AuditError: as the store's methods.
        """
        count = 0
        for entries in self._store.entries(after_seq=self._after_seq, kinds=(QUARANTINED,)):
            for entry in entries:
                seq = self._store.place_of(entry)
                if entry.topic_id not in self._topics:
                    self._topics = self._store.topics()
                self._send(seq, dead_letter(entry, seq, self._name, self._topics))
                self._after_seq = seq
                on_sent(seq)
                count += 1
        return count

    def close(self) -> None:
        """Close the connection."""
        self._producer.close(timeout=0)

    def _send(self, seq: int, letter: DeadLetter) -> None:
        try:
            self._producer.send(
                _PARTITION.topic,
                key=letter.key,
                value=letter.value,
                headers=list(letter.headers),
                partition=_PARTITION.partition,
            ).get(timeout=_ACKNOWLEDGED_WITHIN_S)
        except KafkaError as error:
            raise RelayRefused(
                f"entry {seq} was not relayed to {DEAD_LETTERS} at {self._connection.bootstrap}:"
                f" {type(error).__name__}: {error}",
                hint="run it again once the cluster takes it; the topic's max.message.bytes must be"
                f" {MAX_DEAD_LETTER_BYTES} at the least",
            ) from error

    def _last_relayed(self) -> int:
        """The place of the last entry that the topic holds; -1 = it holds none.

        A record that names another entry than the store has at its place was relayed from a store
        whose end was lost since, and restored: what follows the last common one is sent again.
        """
        reader = KafkaLogReader(self._connection)
        try:
            extent = reader.extents([_PARTITION])[_PARTITION]
            end = extent.end
            while end > extent.start:
                start = max(extent.start, end - _LOOK_BACK)
                records = list(reader.records(_PARTITION, Extent(start, end)))
                for record in reversed(records):
                    found = relayed(record.headers, self._name)
                    if found is not None and self._is_ours(found):
                        return found.seq
                end = start
        finally:
            reader.close()
        return -1

    def _is_ours(self, found: Relayed) -> bool:
        seq = found.seq
        at_place = self._store.entries(after_seq=seq - 1, through_seq=seq, kinds=(QUARANTINED,))
        return any(entry.event_id == found.event_id for entries in at_place for entry in entries)
