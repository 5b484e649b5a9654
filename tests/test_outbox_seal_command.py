"""`cryotrail outbox key` and `seal`, and the settings' key, end to end over Kafka into the store."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from kafka_fixtures import KafkaNode, home_settings
from recorded_kafka import record_all
from room_events import chunk, freeze

from cryotrail.commands import outbox
from cryotrail.commands.audit import main as audit
from cryotrail.publishing import publish_events
from cryotrail_producers.errors import SealRefused, SigningKeyRefused

Capture = pytest.CaptureFixture[str]


def printed(capsys: Capture) -> Any:
    return json.loads(capsys.readouterr().out)


def test_a_key_is_made_shown_and_never_made_twice(tmp_path: Path, capsys: Capture) -> None:
    settings = home_settings(tmp_path / "home")
    file = tmp_path / "room.pem"
    assert outbox.main(["key", "create", str(file), "--json"], settings) == 0
    made = printed(capsys)
    assert made == {"key_id": made["key_id"], "private": str(file), "public": f"{file}.pub"}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600

    assert outbox.main(["key", "show", str(file)], settings) == 0
    assert capsys.readouterr().out.strip() == made["key_id"]
    assert outbox.main(["key", "show", f"{file}.pub"], settings) == 0
    assert capsys.readouterr().out.strip() == made["key_id"]
    with pytest.raises(SigningKeyRefused, match="never overwritten"):
        outbox.main(["key", "create", str(file)], settings)


def test_what_a_room_publishes_seals_and_signs_is_proved_in_the_store(
    fresh_topics: KafkaNode, sqlite_url: str, tmp_path: Path, capsys: Capture
) -> None:
    home, key_file, procedure = tmp_path / "home", tmp_path / "room.pem", uuid4()
    environment = {"KAFKA_BOOTSTRAP": fresh_topics.bootstrap, "AUDIT_URL": sqlite_url}
    settings = home_settings(home, SIGNING_KEY_FILE=str(key_file), **environment)
    outbox.main(["key", "create", str(key_file)], settings)
    registered = ["register-key", f"{key_file}.pub", "--holder", "CT room 2"]
    assert audit(registered, settings) == 0
    publish_events([freeze(procedure), freeze(procedure, 2), chunk(procedure)], settings)
    capsys.readouterr()

    assert outbox.main(["seal", str(procedure), "--json"], settings) == 0
    sealed = printed(capsys)
    assert sealed["acknowledged"] is True
    assert outbox.main(["seal", str(procedure), "--json"], settings) == 0
    assert printed(capsys)["seal"] == sealed["seal"]
    publish_events([freeze(procedure, 3)], settings)
    record_all(fresh_topics.connection, sqlite_url)

    assert audit(["origin", str(procedure), "--json"], settings) == 0
    (verdict,) = printed(capsys)
    assert verdict["seals"][0]["event_id"] == sealed["seal"]
    assert verdict["verdict"] == (
        "all is well: sealed and complete; origin proved: signed by CT room 2; 1 after the seal"
    )
    assert audit(["reconcile"], settings) == 0
    assert "5 records equal, 0 differences" in capsys.readouterr().out


def test_a_procedure_of_another_outbox_is_refused(fresh_topics: KafkaNode, tmp_path: Path) -> None:
    settings = replace(home_settings(tmp_path / "home"), kafka_bootstrap=fresh_topics.bootstrap)
    with pytest.raises(SealRefused, match="no events of procedure"):
        outbox.main(["seal", str(uuid4())], settings)


def test_a_key_file_that_cannot_be_used_is_refused_before_anything_is_accepted(
    fresh_topics: KafkaNode, tmp_path: Path
) -> None:
    settings = home_settings(
        tmp_path / "home",
        SIGNING_KEY_FILE=str(tmp_path / "missing.pem"),
        KAFKA_BOOTSTRAP=fresh_topics.bootstrap,
    )
    with pytest.raises(SigningKeyRefused, match=r"missing\.pem"):
        publish_events([freeze(uuid4())], settings)
    assert not settings.outbox_path.exists()
