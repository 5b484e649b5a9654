"""``verify`` says which guards a store has lost; the result stays what the bytes say."""

import json

import pytest
from audit_records import filled_store
from store_tables import tables_of

from cryotrail.main import main
from cryotrail_audit.verification import verify
from cryotrail_audit.verification.entry import as_json
from cryotrail_audit.verification.guards import expected_guards


@pytest.fixture
def filled(store_url):
    """A store with entries."""
    filled_store(store_url)
    return store_url


def dialect_of(url):
    return url.partition(":")[0].partition("+")[0]


def test_a_store_as_it_is_made_has_all_of_them(filled):
    found = verify(filled)

    assert (found.missing_guards, as_json(found)["guards"]) == ((), "in place")


def test_a_store_without_any_names_all_and_is_intact(filled):
    with tables_of(filled) as tables:
        tables.drop_guards()

    found = verify(filled)

    assert found.result == "intact"
    assert set(found.missing_guards) == expected_guards(dialect_of(filled))
    assert any("not guarded as it was made" in remark for remark in found.remarks)


def test_one_that_was_dropped_is_named_in_words_and_json(filled, monkeypatch, capsys):
    trigger = {"sqlite": "entry_update", "postgresql": "entry_row on entry"}[dialect_of(filled)]
    name = trigger.partition(" ")[0]
    with tables_of(filled) as tables:
        tables.execute(f"drop trigger {trigger}")
    monkeypatch.setenv("CRYOTRAIL_AUDIT_URL", filled)

    assert main(["audit", "verify"]) == 0
    assert name in capsys.readouterr().err
    assert main(["audit", "verify", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["guards"] == [name]


@pytest.mark.parametrize("change", ["disable trigger", "enable trigger", "enable replica trigger"])
def test_one_that_does_not_always_fire_is_named(postgres_url, change):
    with tables_of(postgres_url) as tables:
        tables.execute(f"alter table entry {change} entry_statement")

    assert verify(postgres_url).missing_guards == ("entry_statement",)
