"""A shadow of this home's store: recorded anew from its Kafka, compared, and removed again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from cryotrail.configured_registry import configured_registry
from cryotrail.console import progress, say
from cryotrail.embedded.connection import kafka_connection
from cryotrail.personal_keys import existing_record_cipher
from cryotrail.recording import record
from cryotrail.settings import Settings
from cryotrail_audit.origin.kafka_records import KafkaRecords
from cryotrail_audit.store import migrate, open_store
from cryotrail_consumers.coordinates import TopicPartition
from cryotrail_consumers.decoding.decoding import RecordDecoder
from cryotrail_consumers.decoding.known_schemas import KnownSchemas
from cryotrail_consumers.operating.shadow import (
    PartitionShadow,
    ShadowSchemas,
    begin_where_kafka_begins,
    compare_shadow,
)
from cryotrail_consumers.reading.kafka_log_reader import KafkaLogReader
from cryotrail_consumers.reading.kafka_sighting import KafkaSighting
from cryotrail_consumers.reading.kafka_source import KafkaSource
from cryotrail_consumers.recording.recorder import Recorder
from cryotrail_consumers.recording.settings import RecorderSettings
from cryotrail_producers.key_store.kek import create_kek, read_kek
from cryotrail_producers.key_store.sqlite import SqliteKeyStore
from cryotrail_producers.personal_cipher import RecordCipher
from cryotrail_schemas.topics import EVENT_TOPICS


def shadow_of(settings: Settings, keep: Path | None = None) -> list[PartitionShadow]:
    """Record all that Kafka holds into a shadow store, and compare it with the real one.

    :param keep: a folder to be made for the shadow store, which then stays; None = a temporary one.
    :raises EmbeddedKafkaNotRunning: no cluster is named and none runs for this home.
    :raises StoreNotReady: no audit store, or one of another revision.
    :raises FileExistsError: the folder to keep is there already.
    """
    connection = kafka_connection(settings)
    with ExitStack() as stack:
        real = stack.enter_context(closing(open_store(settings.audit_url)))
        recorded = stack.enter_context(KafkaRecords.open(settings.audit_url))
        cipher = stack.enter_context(existing_record_cipher(settings))
        cluster = stack.enter_context(closing(KafkaSighting(connection, EVENT_TOPICS)))
        reader = stack.enter_context(closing(KafkaLogReader(connection)))
        positions = {
            TopicPartition(topic, position.part): position
            for topic in cluster.topics
            for position in recorded.positions(topic)
        }
        partitions = [
            TopicPartition(topic, part)
            for topic, sighting in cluster.topics.items()
            for part in sorted(sighting.leader_epochs)
        ]

        folder = _folder(stack, keep)
        url = f"sqlite:///{folder / 'shadow.sqlite3'}"
        migrate(url)
        shadow_cipher = None
        if settings.personal_kek_file is not None:
            shadow_cipher = stack.enter_context(_keys_for_now(folder))
        shadow = stack.enter_context(closing(open_store(url)))
        begin_where_kafka_begins(
            shadow, cluster.cluster_id, cluster.topics, reader.extents(partitions)
        )
        recorder = Recorder(
            shadow,
            lambda: KafkaSource(connection, EVENT_TOPICS, None),
            RecordDecoder(KnownSchemas(ShadowSchemas(real, shadow), configured_registry(settings))),
            shadow_cipher,
            settings=RecorderSettings(quarantine_unknown=True),
        )
        record(recorder, until_caught_up=True, label="Kafka → shadow store")

        extents = reader.extents(partitions)
        total = sum(
            max(0, position.next_offset - extents[partition].start)
            for partition, position in positions.items()
            if partition in extents
        )
        again = stack.enter_context(KafkaRecords.open(url))
        with progress("store ↔ shadow store", total) as advance:
            found = list(
                compare_shadow(
                    recorded, again, cluster.cluster_id, cluster.topics, positions, extents,
                    (cipher, shadow_cipher), advance,
                )
            )  # fmt: skip
        cluster.confirm()
        if keep is not None:
            say(f"the shadow store stays in {folder}")
    return found


def _folder(stack: ExitStack, keep: Path | None) -> Path:
    """Where the shadow store goes: a folder of its own that nobody else may enter."""
    if keep is None:
        return Path(stack.enter_context(TemporaryDirectory(prefix="cryotrail-shadow-")))
    keep.mkdir(mode=0o700, parents=True)
    return keep.resolve()


@contextmanager
def _keys_for_now(folder: Path) -> Iterator[RecordCipher]:
    """Keys that are gone when the shadow is compared.

    What could not be read may hold names, so it is sealed here as in the real store; a shadow that
    is kept holds it under keys that nobody has.
    """
    with TemporaryDirectory(prefix="keys-", dir=folder) as keys:
        kek = Path(keys) / "kek"
        create_kek(kek)
        with SqliteKeyStore(Path(keys) / "keys.sqlite3", read_kek(kek)) as store:
            yield RecordCipher(store)
