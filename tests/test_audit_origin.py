"""Whether a store holds what was published: the published cohort, both databases, the commands."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from handmade_case import Case
from kafka_fixtures import home_settings
from recorded_events import EventRecorder
from recorded_room import RoomRecorder
from replayed_cohort import events, procedures
from room_events import freeze
from sealed_days import ROOM, Day, forged
from signing_rooms import key, room, state
from sqlalchemy import event
from waiting import until

from cryotrail.commands.audit import main
from cryotrail.settings import Settings
from cryotrail_audit.errors import AuditError
from cryotrail_audit.origin.key_files import KeyRefused
from cryotrail_audit.origin.keys import KeyRegister, KeyStatement
from cryotrail_audit.origin.stored import OriginReader, read_recorded
from cryotrail_audit.origin.verdict import OriginVerdict
from cryotrail_audit.records import ADMINISTRATIVE, Administrative, IncomingBatch
from cryotrail_audit.snapshot import snapshot
from cryotrail_audit.store import AuditStore, open_store
from cryotrail_audit.verification import verify
from cryotrail_producers.signing import create_key_files
from cryotrail_producers.transport import MemoryTransport


def verdicts(url: str) -> list[OriginVerdict]:
    with OriginReader.open(url) as reader:
        return list(reader.verdicts(*reader.procedure_ids()))


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    return Day(tmp_path_factory.mktemp("day"))


def test_what_a_room_sealed_and_signed_is_proved_on_both_databases(
    audit_store: AuditStore, store_url: str, day: Day
) -> None:
    recorder = RoomRecorder(audit_store)
    state(audit_store, ROOM)
    recorder.record([*day.sent, *day.sent[:3]])

    (verdict,) = verdicts(store_url)
    assert verdict.procedure_id == day.procedure_id and verdict.is_origin_proved
    assert verify(store_url).result == "intact"


def test_a_copy_from_another_outbox_counts_for_its_seal_too(
    audit_store: AuditStore, store_url: str, day: Day, tmp_path: Path
) -> None:
    again = MemoryTransport()
    with room(tmp_path / "restored.sqlite3", again, ROOM) as publisher:
        publisher.publish_many([*day.clinical, *day.chunks])
        publisher.seal(day.procedure_id)
        until(lambda: publisher.status().waiting == 0)
    recorder = RoomRecorder(audit_store)
    state(audit_store, ROOM)
    recorder.record(day.sent)
    recorder.record(again.records)

    (verdict,) = verdicts(store_url)
    assert len(verdict.seals) == 2 and verdict.is_origin_proved


def test_the_replayed_cohort_is_sealed_and_complete_and_its_origin_not_proved(
    sqlite_url: str,
) -> None:
    with closing(open_store(sqlite_url)) as store:
        EventRecorder(store).record_all(events())

    found = verdicts(sqlite_url)
    assert len(found) == len(procedures()) == 11
    for verdict in found:
        assert verdict.words().startswith("no finding: sealed and complete")
        assert "origin not proved" in verdict.words()
        assert verdict.is_complete and not verdict.is_origin_proved and not verdict.findings()


def test_the_cohort_replayed_with_a_registered_key_is_proved(
    sqlite_url: str, tmp_path: Path
) -> None:
    transport = MemoryTransport()
    with room(tmp_path / "o.sqlite3", transport, ROOM) as publisher:
        publisher.publish_many(events())
        until(lambda: publisher.status().waiting == 0)
    with closing(open_store(sqlite_url)) as store:
        state(store, ROOM)
        RoomRecorder(store).record(transport.records)

    found = verdicts(sqlite_url)
    assert len(found) == 11
    assert all(verdict.is_origin_proved for verdict in found), [v.words() for v in found]


@pytest.fixture
def settings(sqlite_url: str, tmp_path: Path) -> Settings:
    return replace(home_settings(tmp_path), audit_url=sqlite_url)


def test_a_key_is_registered_and_revoked_as_entries_of_the_log(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = create_key_files(tmp_path / "room.pem")
    register = ["register-key", str(made.public), "--holder", "CT room 2", "--device", "CRYO-17"]
    until_2027 = [
        "--valid-from",
        "2026-01-01T00:00:00Z",
        "--valid-until",
        "2027-01-01T01:00:00+01:00",
    ]
    assert main([*register, *until_2027, "--json"], settings) == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {
        "seq": 0,
        "statement": "registered",
        "key_id": made.key_id.hex(),
        "algorithm": "Ed25519",
        "public_key": said["public_key"],
        "holder": "CT room 2",
        "device_ids": ["CRYO-17"],
        "valid_from": "2026-01-01T00:00:00Z",
        "valid_until": "2027-01-01T00:00:00Z",
        "reason": None,
    }
    assert main(["revoke-key", made.key_id.hex(), "--reason", "stolen"], settings) == 0
    assert main(["revoke-key", str(made.public), "--reason", "stolen"], settings) == 0
    assert f"revoked key {made.key_id.hex()} of CT room 2" in capsys.readouterr().out

    with closing(open_store(settings.audit_url)) as store:
        entries = [e for rows in store.entries(kinds=(ADMINISTRATIVE,)) for e in rows]
    statements = KeyRegister.of(entries).of_key(made.key_id)
    assert [one.statement for one in statements] == ["registered", "revoked", "revoked"]
    assert statements[1].reason == "stolen" and statements[1].device_ids == ("CRYO-17",)


def test_what_is_no_public_key_is_refused(settings: Settings, tmp_path: Path) -> None:
    made = create_key_files(tmp_path / "room.pem")
    holder = ["--holder", "CT room 2"]
    with pytest.raises(KeyRefused, match="private key"):
        main(["register-key", str(made.private), *holder], settings)
    (tmp_path / "junk").write_text("junk")
    with pytest.raises(KeyRefused, match="no Ed25519 public key"):
        main(["register-key", str(tmp_path / "junk"), *holder], settings)
    with pytest.raises(KeyRefused, match="cannot read"):
        main(["register-key", str(tmp_path / "missing"), *holder], settings)
    with pytest.raises(KeyRefused, match="knows no key"):
        main(["revoke-key", made.key_id.hex(), "--reason", "r"], settings)
    with pytest.raises(KeyRefused, match="end before it begins"):
        past = ["--valid-until", "2020-01-01T00:00:00Z"]
        main(["register-key", str(made.public), *holder, *past], settings)


def test_statements_that_contradict_themselves_count_for_nothing(
    sqlite_url: str,
) -> None:
    good = (
        KeyStatement(
            statement="registered",
            public_key=ROOM.public_key,
            holder="CT room 2",
            valid_from=datetime(2026, 1, 1, tzinfo=UTC),
        )
        .entry()
        .payload
    )
    wrong = [
        {**good, "key_id": "0011223344556677"},
        {**good, "algorithm": "RSA"},
        {**good, "valid_from": "2026-01-01T00:00:00"},
        {**good, "public_key": "AAAA"},
        {**good, "statement": "hoped"},
        {"statement": "registered"},
    ]
    with closing(open_store(sqlite_url)) as store:
        said = [Administrative("key", payload) for payload in [*wrong, good]]
        store.append(IncomingBatch((), (), said, owner=""))
    with OriginReader.open(sqlite_url) as reader:
        register = reader.keys()
    assert register.key_ids() == [ROOM.key_id]
    assert len(register.of_key(ROOM.key_id)) == 1


def test_the_command_tells_each_procedure_and_exits_1_on_a_finding(
    settings: Settings, day: Day, capsys: pytest.CaptureFixture[str]
) -> None:
    other = uuid4()
    transport = MemoryTransport()
    with room(settings.home / "other.sqlite3", transport) as publisher:
        publisher.publish(freeze(other))
        until(lambda: publisher.status().waiting == 0)
    held_back = day.clinical[0].header.event_id
    with closing(open_store(settings.audit_url)) as store:
        recorder = RoomRecorder(store)
        state(store, ROOM)
        recorder.record(transport.records)
        recorder.record(day.without(held_back))
        assert main(["origin", str(other)], settings) == 0
        assert "not sealed; origin not proved" in capsys.readouterr().out
        assert main(["origin"], settings) == 1
        printed = capsys.readouterr()
        assert "to be looked at: missing 1; not complete; " in printed.out
        assert f"seal {day.seal_id}: missing 1" in printed.err
        recorder.record([day.of(held_back)])

    assert main(["origin", str(day.procedure_id), "--json"], settings) == 0
    (said,) = json.loads(capsys.readouterr().out)
    assert said["origin_proved"] is True and said["complete"] is True
    assert said["seals"][0]["signature"]["holder"] == "CT room 2"
    assert said["seals"][0]["event_count"] == 3
    assert said["standing"] == "all is well"
    with pytest.raises(AuditError, match="nothing is recorded"):
        main(["origin", str(UUID(int=9))], settings)


def test_redeliveries_of_one_procedure_are_looked_up_and_not_all_read(
    sqlite_url: str, day: Day
) -> None:
    asked: list[tuple[str, Any]] = []
    with closing(open_store(sqlite_url)) as store:
        recorder = RoomRecorder(store)
        recorder.record(day.sent)
        recorder.record(day.sent[:2])
    with snapshot(sqlite_url) as connection:
        event.listen(
            connection.engine,
            "before_cursor_execute",
            lambda _connection, _cursor, sql, values, *_: asked.append((sql, values)),
        )
        recorded = read_recorded(connection, day.procedure_id)
        ((sql, values),) = [one for one in asked if "redelivery.raw" in one[0]]
        driver = connection.connection.driver_connection
        assert driver is not None
        plan = [row[-1] for row in driver.execute(f"explain query plan {sql}", values)]

    assert len(recorded.redeliveries) == 2
    assert plan == [
        "SEARCH redelivery USING INDEX redelivery_seq (log_id=? AND seq=?)"
    ] or plan == ["SEARCH main.redelivery USING INDEX redelivery_seq (log_id=? AND seq=?)"]


def test_a_procedure_is_named_by_its_label_too(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    case = Case(1)
    with closing(open_store(settings.audit_url)) as store:
        EventRecorder(store).record(case.scheduled())
    assert main(["origin", case.label, "--json"], settings) == 0
    (said,) = json.loads(capsys.readouterr().out)
    assert said["procedure_id"] == str(case.procedure_id)
    with pytest.raises(AuditError, match="0 procedures were scheduled"):
        main(["origin", "CRYO-0009"], settings)


def test_of_many_findings_the_first_are_printed_and_all_are_counted(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    procedure, nobody = uuid4(), key(3)
    junk = [forged(freeze(procedure, n + 1), signer=nobody) for n in range(25)]
    with closing(open_store(settings.audit_url)) as store:
        RoomRecorder(store).record(junk)
    assert main(["origin"], settings) == 1
    told = capsys.readouterr().err.splitlines()
    assert sum("key unknown" in line for line in told) == 20
    assert any("25 findings" in line and "--json" in line for line in told)
    assert told[-1] == "1 procedures; to be looked at: 1"
    assert main(["origin", "--json"], settings) == 1
    (said,) = json.loads(capsys.readouterr().out)
    assert len(said["findings"]) == 25
