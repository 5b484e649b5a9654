"""What is published again after a lawful erasure goes out without the text, and is no finding."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

from exported_bundles import ORIGIN, bundled, judge_files
from key_stores import kek_file, key_store
from recorded_room import RoomRecorder
from room_events import SOURCE, freeze, header
from sealed_days import ROOM, forged
from signing_rooms import state
from waiting import until

from cryotrail_audit.checkpoints.keys import LogKey
from cryotrail_audit.erasure.erase import ERASURE
from cryotrail_audit.origin.stored import OriginReader
from cryotrail_audit.origin.verdict import OriginVerdict
from cryotrail_audit.records import Administrative, IncomingBatch
from cryotrail_audit.store import AuditStore, open_store
from cryotrail_producers.publisher import Publisher
from cryotrail_producers.settings import PublisherSettings
from cryotrail_producers.transport import MemoryTransport, OutgoingRecord
from cryotrail_schemas.events import EndStatus, Event, ProcedureEnded
from cryotrail_schemas.personal import subject_scope


def published(folder: Path, events: list[Event], seal: UUID | None = None) -> list[OutgoingRecord]:
    transport = MemoryTransport()
    settings = PublisherSettings(
        folder / "o.sqlite3",
        SOURCE,
        personal_kek_file=kek_file(folder),
        keys_path=folder / "keys.sqlite3",
    )
    with Publisher(settings, transport, signer=ROOM) as publisher:
        publisher.publish_many(events)
        if seal is not None:
            publisher.seal(seal)
        until(lambda: publisher.status().waiting == 0)
    return transport.records


def judged(url: str, procedure: UUID) -> OriginVerdict:
    with OriginReader.open(url) as reader:
        (verdict,) = reader.verdicts(procedure)
    return verdict


def state_erasure(store: AuditStore, key_id: bytes) -> None:
    said = Administrative(ERASURE, {"statement": "subject_erased", "key_ids": [key_id.hex()]})
    store.append(IncomingBatch((), (), [said], owner=""))


def test_copies_without_the_erased_text_are_a_remark_once_the_log_states_the_erasure(
    sqlite_url: str, tmp_path: Path
) -> None:
    procedure = uuid4()
    ended = ProcedureEnded(
        header=header(procedure), status=EndStatus.ABORTED, abort_reason_text="she felt unwell"
    )
    day: list[Event] = [freeze(procedure), ended]
    scope = subject_scope(ended.header.subject_id)
    with closing(open_store(sqlite_url)) as store:
        state(store, ROOM)
        recorder = RoomRecorder(store)
        recorder.record(published(tmp_path, day, seal=procedure))
        with key_store(tmp_path) as keys:
            (key_id,) = keys.destroy(scope)
        recorder.record(published(tmp_path, day))

        assert judged(sqlite_url, procedure).displaced == (ended.header.event_id,)
        state_erasure(store, key_id)
        verdict = judged(sqlite_url, procedure)
        found = judge_files(bundled(sqlite_url, procedure, LogKey.create(ORIGIN)))

        # A conflict that says something else beside the missing text is a conflict like any other.
        bare = replace(ended.header, personal_key_id=key_id)
        other = ProcedureEnded(header=bare, status=EndStatus.COMPLETED)
        recorder.record([forged(other, signer=ROOM)])
        forgery = judged(sqlite_url, procedure)
        found_forgery = judge_files(bundled(sqlite_url, procedure, LogKey.create(ORIGIN)))

    assert verdict.words() == (
        "all is well: sealed and complete; origin proved: signed by CT room 2;"
        " 1 copy without erased text"
    )
    assert (found["copies_without_erased_text"], found["origin_findings"]) == (1, [])
    assert (forgery.withheld, forgery.displaced) == (1, (ended.header.event_id,))
    assert found_forgery["origin_findings"] == ["1 displaced by signature"]
