"""A store whose table ``log`` was emptied: broken, said plainly, and never named anew."""

from uuid import UUID

import pytest
from audit_records import filled_store, record
from store_tables import tables_of

from cryotrail.main import main


@pytest.fixture
def home(store_url, monkeypatch, tmp_path):
    """A home whose store lost the row of its log."""
    monkeypatch.setenv("CRYOTRAIL_AUDIT_URL", store_url)
    monkeypatch.setenv("CRYOTRAIL_HOME", str(tmp_path / "home"))
    filled_store(store_url)
    assert main(["audit", "keys", "create"]) == 0
    with tables_of(store_url) as tables:
        tables.drop_guards()
        tables.execute("delete from log")
    return tmp_path


@pytest.mark.parametrize("options", [[], ["--json"], ["--since-last"], ["--record"]])
def test_every_form_of_verify_says_broken(home, capsys, options):
    capsys.readouterr()

    assert main(["audit", "verify", *options]) == 1

    said = capsys.readouterr().out
    assert "broken" in said and "its row is gone while entry has rows of it" in said


@pytest.mark.parametrize("arguments", [
    ["audit", "show", str(UUID(bytes=record(0).event_id))],
    ["audit", "origin"],
    ["audit", "prove", str(UUID(bytes=record(0).event_id)), "--output", "{}/event.tlog-proof"],
    ["audit", "hold", "set", str(UUID(int=1)), "--reason", "recall", "--decided-by", "qa-1"],
    ["audit", "checkpoint", "--output", "{}/now.note"],
    ["audit", "sign", "--once"],
    ["warehouse", "refresh"],
])  # fmt: skip
def test_other_commands_send_to_verify(home, capsys, arguments):
    assert main([argument.format(home) for argument in arguments]) == 1

    said = capsys.readouterr().err
    assert "row that names it was removed" in said and "cryotrail audit verify" in said


def test_init_names_no_new_log_over_entries(home, store_url, capsys):
    assert main(["audit", "init", "--origin", "new.example/log"]) == 1

    assert "no other is opened in its place" in capsys.readouterr().err
    with tables_of(store_url) as tables:
        assert tables.execute("select count(*) from log") == [(0,)]
