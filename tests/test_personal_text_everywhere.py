"""From the SDK to the marts no file holds the text, and after an erasure none holds its key."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import duckdb
import pytest
from event_samples import freeze_started, header, telemetry_chunk
from kafka_fixtures import KafkaNode, home_settings
from key_stores import files_with
from postgres_server import PostgresServer
from recorded_kafka import Message, all_entries, publish

from cryotrail.commands import audit, kafka, warehouse
from cryotrail.personal_keys import existing_keys
from cryotrail.publishing import publish_events
from cryotrail.recording import open_recorder
from cryotrail.settings import Settings
from cryotrail_audit.errors import ErasureRefused
from cryotrail_audit.verification import verify
from cryotrail_consumers.recording.tally import Tally
from cryotrail_producers.errors import KekRefused, KeyStoreError
from cryotrail_schemas import events
from cryotrail_schemas.merkle import root
from cryotrail_schemas.personal import subject_scope
from cryotrail_schemas.topics import PROCEDURE_EVENTS

SUBJECT, OTHER = uuid4(), uuid4()
PROCEDURE = uuid4()
NAMES = ("Hildegard-Äquinox", "Zwetschgenknödel", "1.2.826.0.1.3680043.77777", "Quux-Console-9")
HL7 = b"MSH|^~\\&|LAB|PID|1||Oranienburg-Tannhaeuser^Eva"


def of_subject(subject_id: UUID, names: tuple[str, ...]) -> list[events.Event]:
    """Every way in which text enters an event."""

    def head() -> events.Header:
        return header(event_id=uuid4(), procedure_id=PROCEDURE, subject_id=subject_id)

    ended = events.ProcedureEnded(
        header=head(), status=events.EndStatus.ABORTED, abort_reason_text=names[0]
    )
    return [
        events.ProcedureStarted(
            header=head(), patient_position=events.Position.PRONE, gas=events.Gas.UNKNOWN,
            console_model_text=names[3],
        ),
        events.CtAcquired(header=head(), phase=events.CtPhase.PLANNING, series_uid=names[2]),
        freeze_started(header=head()),
        telemetry_chunk(header=head()),
        ended,
        events.EventAmended(
            header=head(),
            target_event_id=ended.header.event_id,
            changes=(
                events.FieldChange(
                    path="/abort_reason_text",
                    value_json=json.dumps(names[1], ensure_ascii=False),
                    old_value_json=json.dumps(names[0], ensure_ascii=False),
                ),
            ),
            reason=events.CorrectionReason.ENTERED_IN_ERROR,
        ),
    ]  # fmt: skip


@pytest.fixture
def settings(fresh_topics: KafkaNode, store_url: str, tmp_path: Path) -> Settings:
    home = tmp_path / "home"
    home.mkdir()
    return home_settings(
        home,
        KAFKA_BOOTSTRAP=fresh_topics.bootstrap,
        AUDIT_URL=store_url,
        PERSONAL_KEK_FILE=str(tmp_path / "elsewhere" / "personal.kek"),
    )


def record(settings: Settings) -> Tally:
    with open_recorder(settings) as recorder:
        return recorder.run(until_caught_up=True)


def printed(capsys: pytest.CaptureFixture[str], code: int, wanted_code: int = 0) -> Any:
    out = capsys.readouterr()
    assert code == wanted_code, out.err
    return json.loads(out.out)


def wrapped_key(settings: Settings, scope: str) -> bytes:
    with closing(sqlite3.connect(settings.keys_path)) as connection:
        (wrapped,) = connection.execute(
            "SELECT wrapped FROM data_key WHERE scope = ?", (scope,)
        ).fetchone()
    assert isinstance(wrapped, bytes)
    return wrapped


def test_no_file_holds_the_text_and_after_an_erasure_none_holds_the_key(
    settings: Settings,
    fresh_topics: KafkaNode,
    store_url: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folders = [tmp_path, fresh_topics.settings.home]
    if store_url.startswith("postgresql"):
        server: PostgresServer = request.getfixturevalue("postgres_server")
        with server.connect() as connection:
            row = connection.execute("show data_directory").fetchone()
        assert row is not None
        folders.append(Path(row[0]))
    texts = [name.encode() for name in NAMES]
    mine = of_subject(SUBJECT, NAMES)
    theirs = of_subject(OTHER, ("someone else's reason", "b", "2.25.1", "another console"))
    assert audit.main(["personal-keys", "create"], settings) == 0

    # Published, fed again, recorded, with a record that nobody can read among them.
    publish_events([*mine, *theirs], settings)
    publish_events(mine, settings)
    publish(
        fresh_topics.connection,
        [Message(PROCEDURE_EVENTS, str(PROCEDURE).encode(), HL7)],
    )
    tally = record(settings)
    assert (tally.recorded, tally.redelivered, tally.conflicts) == (12, 6, 0)
    assert warehouse.main(["refresh"], settings) == 0
    capsys.readouterr()

    _write_out(request, store_url)
    assert files_with(texts, *folders) == set()
    # Kafka holds what came to it; nothing behind it does.
    assert {name for name, _ in files_with([b"Oranienburg"], *folders)} == {f"{0:020d}.log"}
    with existing_keys(settings) as keys:
        assert keys is not None
        key = keys.data_key(subject_scope(SUBJECT))
    wrapped = wrapped_key(settings, subject_scope(SUBJECT))
    assert files_with([wrapped], *folders) != set()
    shown = printed(capsys, audit.main(["show", str(mine[0].header.event_id)], settings))
    assert shown["personal"]["texts"] == {"/console_model_text": NAMES[3]}
    corrected = printed(capsys, audit.main(["show", str(mine[4].header.event_id)], settings))
    assert corrected["corrections"][0]["personal"]["texts"]["/changes/0/value_json"] == (
        f'"{NAMES[1]}"'
    )
    before, leaves = verify(store_url), [entry.leaf_hash for entry in all_entries(store_url)]
    assert before.result == "intact"

    # Erased: a look first, then in earnest.
    looked = printed(capsys, audit.main(["erase", str(SUBJECT), "--dry-run", "--json"], settings))
    assert (looked["entry"], looked["counts"]["encrypted"]) == (None, 4)
    assert (
        printed(capsys, audit.main(["show", str(mine[0].header.event_id)], settings))["personal"][
            "state"
        ]
        == "readable"
    )
    done = printed(
        capsys,
        audit.main(
            ["erase", str(SUBJECT), "--basis", "GDPR 17", "--decided-by", "dpo-1", "--json"],
            settings,
        ),
    )

    assert done["keys_destroyed"] == [key.key_id.hex()]
    assert done["still_readable"] == []
    assert {copy["held"] for copy in done["kafka"]} == {True}
    _write_out(request, store_url)
    assert files_with([*texts, key.key, wrapped, wrapped[12:]], *folders) == set()
    after, now = verify(store_url), [entry.leaf_hash for entry in all_entries(store_url)]
    assert (after.result, after.size) == ("intact", before.size + 1)
    assert now[:-1] == leaves and root(now[: before.size]) == before.root
    gone = printed(capsys, audit.main(["show", str(mine[0].header.event_id)], settings))
    assert gone["personal"] == {"state": "erased", "key_id": key.key_id.hex()}
    others = printed(capsys, audit.main(["show", str(theirs[4].header.event_id)], settings))
    assert others["personal"]["texts"] == {"/abort_reason_text": "someone else's reason"}

    # What comes late is recorded without its text, and Kafka's copies can be deleted.
    late = of_subject(SUBJECT, NAMES)
    publish_events(late, settings)
    assert record(settings).recorded == len(late)
    assert warehouse.main(["refresh"], settings) == 0
    assert files_with(texts, *folders) == set()
    with duckdb.connect(settings.warehouse_dir / "warehouse.duckdb", read_only=True) as marts:
        consoles = marts.execute("select distinct console_model_text from dim_device").fetchall()
    assert consoles in ([], [(None,)])
    capsys.readouterr()
    trims = printed(capsys, kafka.main(["trim", "--through-recorded", "--json"], settings))
    assert sum(trim["deleted"] for trim in trims) == 25
    again = printed(
        capsys,
        audit.main(
            ["erase", str(SUBJECT), "--basis", "GDPR 17", "--decided-by", "dpo-1", "--json"],
            settings,
        ),
    )
    assert {copy["held"] for copy in again["kafka"]} == {False}


def _write_out(request: pytest.FixtureRequest, url: str) -> None:
    """Have PostgreSQL write to its files what it holds in memory."""
    if url.startswith("postgresql"):
        server: PostgresServer = request.getfixturevalue("postgres_server")
        with server.connect() as connection:
            connection.execute("checkpoint")


def test_a_sealed_record_is_shown_erased_and_no_longer_shown(
    settings: Settings, fresh_topics: KafkaNode, capsys: pytest.CaptureFixture[str]
) -> None:
    audit.main(["personal-keys", "create"], settings)
    publish(fresh_topics.connection, [Message(PROCEDURE_EVENTS, None, HL7)])
    record(settings)
    capsys.readouterr()
    (listed,) = printed(capsys, audit.main(["quarantine", "list", "--json"], settings))
    seq = str(listed["seq"])
    shown = printed(capsys, audit.main(["quarantine", "show", seq], settings))
    assert bytes.fromhex(shown["sealed"]["value_hex"]) == HL7
    said = ["--basis", "mis-routed", "--decided-by", "dpo-1", "--json"]

    # Kafka's own copy is in clear until it is trimmed, and until then that is a finding.
    first = printed(capsys, audit.main(["erase", "--record", seq, *said], settings), 1)
    assert "cryotrail kafka trim" in first["still_readable"][0]
    kafka.main(["trim", "--through-recorded"], settings)
    capsys.readouterr()
    again = printed(capsys, audit.main(["erase", "--record", seq, *said], settings))

    assert (again["entry"], again["stated_before"]) == (first["entry"], True)
    gone = printed(capsys, audit.main(["quarantine", "show", seq], settings))
    assert gone["sealed"]["state"] == "erased"
    status = printed(capsys, audit.main(["personal-keys", "status", "--json"], settings))
    assert (status["record_keys"], status["record_keys_destroyed"]) == (0, 1)


def test_text_published_in_clear_is_said_loudly_and_a_lost_key_file_is_an_error(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    off = replace(settings, personal_kek_file=None)
    publish_events(of_subject(SUBJECT, ("in clear", "b", "c", "d")), off)
    record(off)
    assert "outbox.sqlite3" in {name for name, _ in files_with([b"in clear"], tmp_path)}
    erase = ["erase", str(SUBJECT), "--basis", "GDPR 17", "--decided-by", "dpo-1"]
    with pytest.raises(KekRefused, match="no key can be destroyed here"):
        audit.main(erase, off)
    audit.main(["personal-keys", "create"], settings)
    with existing_keys(settings) as none_yet:
        assert none_yet is None
    with pytest.raises(
        KeyStoreError, match="there is none yet; is CRYOTRAIL_KEYS_PATH right"
    ) as refused:
        audit.main(erase, settings)
    assert "before that no key exists" in str(refused.value.hint)
    publish_events(of_subject(OTHER, NAMES), settings)  # makes the key store
    capsys.readouterr()

    assert audit.main(erase, settings) == 1

    said = capsys.readouterr()
    assert "STILL READABLE: 4 entries were published while encryption was off" in said.err
    assert "ProcedureEnded: /abort_reason_text" in said.err
    (tmp_path / "elsewhere" / "personal.kek").unlink()
    with pytest.raises(KekRefused, match="can be neither written nor read"):
        audit.main(erase, settings)


def test_a_hold_is_set_listed_obeyed_and_released(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    audit.main(["personal-keys", "create"], settings)
    publish_events(of_subject(SUBJECT, NAMES), settings)
    record(settings)
    said = ["--reason", "recall 3", "--decided-by", "qa-1", "--json"]
    capsys.readouterr()

    held = printed(capsys, audit.main(["hold", "set", str(SUBJECT), *said], settings))
    (listed,) = printed(capsys, audit.main(["hold", "list", "--json"], settings))
    assert (listed["seq"], listed["subject_id"]) == (held["seq"], str(SUBJECT))
    erase = ["erase", str(SUBJECT), "--basis", "GDPR 17", "--decided-by", "dpo-1", "--json"]
    with pytest.raises(ErasureRefused, match=f"entry {held['seq']}"):
        audit.main(erase, settings)
    dry = printed(capsys, audit.main([*erase, "--dry-run"], settings), 1)
    assert dry["holds"] == [held["seq"]]
    assert printed(capsys, audit.main(["hold", "set", str(SUBJECT), *said], settings)) == held
    assert audit.main(["hold", "set", str(SUBJECT), *said[:-1]], settings) == 0
    assert "already, nothing was added" in capsys.readouterr().out
    assert len(printed(capsys, audit.main(["hold", "list", "--json"], settings))) == 1

    printed(capsys, audit.main(["hold", "release", str(SUBJECT), *said], settings))

    assert printed(capsys, audit.main(["hold", "list", "--json"], settings)) == []
    assert len(printed(capsys, audit.main(erase, settings))["keys_destroyed"]) == 1


def test_a_hold_is_set_on_nobody_by_a_typing_error(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    publish_events(of_subject(SUBJECT, NAMES), replace(settings, personal_kek_file=None))
    record(replace(settings, personal_kek_file=None))
    said = ["--reason", "recall 3", "--decided-by", "qa-1", "--json"]
    mistyped = ["hold", "set", str(UUID(int=SUBJECT.int ^ 1)), *said]
    capsys.readouterr()

    with pytest.raises(ErasureRefused, match="neither the log nor the key store knows"):
        audit.main(mistyped, settings)

    assert printed(capsys, audit.main(["hold", "list", "--json"], settings)) == []
    printed(capsys, audit.main([*mistyped, "--unknown-subject"], settings))
    printed(capsys, audit.main(["hold", "set", str(SUBJECT), *said], settings))
    assert len(printed(capsys, audit.main(["hold", "list", "--json"], settings))) == 2
