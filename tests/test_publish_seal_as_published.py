"""A stream's own seal is over what leaves the process, and what stands before it is before it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from key_stores import kek_file
from recorded_room import RoomRecorder
from room_events import SOURCE
from signing_rooms import key, state
from waiting import until

from cryotrail_audit.origin.stored import OriginReader
from cryotrail_audit.origin.verdict import OriginVerdict
from cryotrail_audit.store import open_store
from cryotrail_producers.publisher import Publisher
from cryotrail_producers.settings import PublisherSettings
from cryotrail_producers.simulate import simulate
from cryotrail_producers.transport import MemoryTransport, OutgoingRecord
from cryotrail_schemas.delivery import read_delivery
from cryotrail_schemas.topics import PROBE_TELEMETRY

ROOM = key()


def published(folder: Path, kek: Path | None, outbox: str = "o.sqlite3") -> list[OutgoingRecord]:
    """One made-up procedure as it arrives from a room that signs."""
    transport = MemoryTransport()
    settings = PublisherSettings(
        folder / outbox, SOURCE, personal_kek_file=kek, keys_path=folder / "keys.sqlite3"
    )
    with Publisher(settings, transport, signer=ROOM) as publisher:
        publisher.publish_many(simulate(1, seed=7, as_published=publisher.as_published))
        until(lambda: publisher.status().waiting == 0, timeout_s=30)
    return transport.records


def judged(url: str, sent: list[OutgoingRecord]) -> OriginVerdict:
    with closing(open_store(url)) as store:
        state(store, ROOM)
        RoomRecorder(store).record(sent)
    with OriginReader.open(url) as reader:
        (verdict,) = reader.verdicts(*reader.procedure_ids())
    return verdict


def test_with_encryption_on_a_simulated_seal_fits_and_its_bytes_come_again(
    sqlite_url: str, tmp_path: Path
) -> None:
    sent = published(tmp_path, kek_file(tmp_path))
    again = published(tmp_path, kek_file(tmp_path), "another.sqlite3")

    verdict = judged(sqlite_url, sent)

    assert verdict.is_complete and verdict.is_origin_proved, verdict.words()
    assert b"gelatin" not in b"".join(record.value for record in sent)
    assert sorted(record.value for record in again) == sorted(record.value for record in sent)


@pytest.mark.parametrize("group_events", [1000, 10_000])
def test_telemetry_that_stands_before_the_seal_is_not_signed_as_after_it(
    tmp_path: Path, group_events: int
) -> None:
    transport = MemoryTransport()
    settings = PublisherSettings(tmp_path / "o.sqlite3", SOURCE, group_events=group_events)
    with Publisher(settings, transport, signer=ROOM) as publisher:
        publisher.publish_many(simulate(1, seed=7))
        until(lambda: publisher.status().waiting == 0, timeout_s=30)

    chunks = [record for record in transport.records if record.topic == PROBE_TELEMETRY]
    deliveries = [read_delivery(chunk.headers) for chunk in chunks]
    assert len(chunks) > 100
    assert not [one for one in deliveries if one.signature is not None]
    assert len({one.producer_id for one in deliveries}) == 1
