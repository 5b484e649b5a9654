"""PostgreSQL: every command works with the URL of the role that it is for, and says who else may.

A store with its roles, and one user of each; the commands run as they are typed.
"""

from __future__ import annotations

from contextlib import closing

import pytest
from event_samples import PROCEDURE_ID, freeze_started
from guarded_store import guarded_store
from recorded_events import EventRecorder

from cryotrail.main import main
from cryotrail_audit.store import open_store


@pytest.fixture(scope="module")
def store(postgres_server, _new_postgres_database):
    guarded = guarded_store(postgres_server.url(_new_postgres_database(True)), filled=False)
    with closing(open_store(guarded.url_of("writer"))) as opened:
        EventRecorder(opened).record(freeze_started())
    return guarded


@pytest.fixture
def run_as(store, tmp_path, monkeypatch, capsys):
    """Run a command as a role; returns the exit code, and what it printed."""
    monkeypatch.setenv("CRYOTRAIL_HOME", str(tmp_path / "home"))

    def run(role, *words):
        monkeypatch.setenv("CRYOTRAIL_AUDIT_URL", store.url_of(role))
        code = main(list(words))
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return run


@pytest.mark.parametrize(
    "command",
    [
        "audit verify --json",
        "audit quarantine list --json",
        "audit origin --json",
        "audit hold list",
        "warehouse refresh",
    ],
)
def test_the_reader_reads(run_as, command):
    code, said = run_as("reader", *command.split())

    assert code == 0, said


def test_the_signer_signs_and_the_reader_hands_over(run_as, store, tmp_path):
    code, said = run_as("signer", "audit", "keys", "create")
    assert code == 0, said

    code, said = run_as("signer", "audit", "sign", "--once", "--json")
    assert code == 0, said
    code, said = run_as("signer", "audit", "checkpoint", "--output", str(tmp_path / "note"))
    assert code == 0, said

    (tmp_path / "home" / "signer" / "log.key").unlink()
    code, said = run_as("reader", "audit", "verify", "--checkpoint", str(tmp_path / "note"))
    assert code == 0
    assert said.startswith("proved")
    event_id = str(freeze_started().header.event_id)
    for words in (
        ("audit", "show", event_id),
        ("audit", "prove", event_id, "--output", str(tmp_path / "proof")),
        ("audit", "export", str(PROCEDURE_ID), "--output", str(tmp_path / "bundle")),
    ):
        code, said = run_as("reader", *words)
        assert code == 0, said


@pytest.mark.parametrize("role", ["reader", "signer"])
def test_a_reader_or_signer_says_nothing_in_the_log(run_as, role):
    code, said = run_as(
        role, "audit", "hold", "set", str(PROCEDURE_ID), "--reason", "lawsuit",
        "--decided-by", "quality", "--unknown-subject",
    )  # fmt: skip

    assert code == 1
    assert "the writer needs INSERT and SELECT" in said


def test_the_writer_says_something_in_the_log_and_records_a_verification(run_as):
    code, said = run_as("writer", "audit", "verify", "--record", "--json")

    assert code == 0, said
    assert '"result": "intact"' in said


def test_a_reader_is_told_the_verdict_that_it_cannot_record(run_as):
    code, said = run_as("reader", "audit", "verify", "--record")

    assert code == 1
    assert "intact, no outside anchor:" in said
    assert "intact, no outside anchor; the result could not be recorded:" in said


@pytest.mark.parametrize("role", ["reader", "writer"])
def test_who_may_not_sign_is_told_who_may(run_as, store, tmp_path, role):
    assert main(["audit", "keys", "create", "--origin", "tests.example/store"]) == 0

    code, said = run_as(role, "audit", "sign", "--once")

    assert code == 1
    assert "only the signer appends signed notes" in said


@pytest.mark.parametrize("role", ["writer", "reader", "signer"])
def test_no_role_but_a_superuser_makes_the_roles(run_as, role):
    code, said = run_as(role, "audit", "init", "--roles")

    assert code == 1
    assert "it takes a superuser" in said or "denies it" in said
