"""``cryotrail schemas register`` puts every current type into the schema registry."""

from __future__ import annotations

import json

import pytest
from registry_fixtures import RegistryProcess

from cryotrail.main import main
from cryotrail_producers.schema_registry import SchemaRegistry
from cryotrail_schemas.catalog import catalog, event_type_of

URL = "CRYOTRAIL_SCHEMA_REGISTRY_URL"


def test_every_current_type_is_registered_under_its_full_name(
    registry: RegistryProcess, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(URL, f"{registry.url}/")
    assert main(["schemas", "register", "--json"]) == 0

    rows = json.loads(capsys.readouterr().out)
    current = catalog().current_versions()
    assert [row["subject"] for row in rows] == [f"cryotrail.events.{one.name}" for one in current]
    assert {row["version"] for row in rows} == {1}
    client = SchemaRegistry(registry.url)
    for row, event_type in zip(rows, current, strict=True):
        text = client.text(row["id"])
        assert text is not None and event_type_of(text).fingerprint == event_type.fingerprint


def test_registering_twice_changes_nothing(
    registry: RegistryProcess, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(URL, registry.url)
    assert main(["schemas", "register"]) == 0
    first = capsys.readouterr().out
    assert main(["schemas", "register"]) == 0

    assert capsys.readouterr().out == first
    assert first.splitlines()[0].split() == ["subject", "id", "version"]
    assert len(first.splitlines()) == 2 + len(catalog().current_versions())


def test_a_later_version_of_a_subject_has_its_number(
    registry: RegistryProcess, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    earlier = json.loads(catalog().current("FreezeStarted").text)
    earlier["fields"].append({"name": "gas_text", "type": ["null", "string"], "default": None})
    registry.register("cryotrail.events.FreezeStarted", json.dumps(earlier))
    monkeypatch.setenv(URL, registry.url)

    assert main(["schemas", "register", "--json"]) == 0

    versions = {row["subject"]: row["version"] for row in json.loads(capsys.readouterr().out)}
    assert versions["cryotrail.events.FreezeStarted"] == 2


def test_a_refusal_names_the_type(
    registry: RegistryProcess, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = {"type": "record", "name": "Other", "fields": [{"name": "depth_mm", "type": "int"}]}
    registry.register("cryotrail.events.FreezeStarted", json.dumps(other))
    monkeypatch.setenv(URL, registry.url)

    assert main(["schemas", "register", "--json"]) == 1

    printed = capsys.readouterr()
    assert printed.out == ""
    assert "does not take cryotrail.events.FreezeStarted: HTTP 409" in printed.err


@pytest.mark.parametrize(
    ("address", "message"),
    [
        (None, URL),
        ("http://127.0.0.1:1", "http://127.0.0.1:1 does not answer"),
        ("registry:8081", "no address of a schema registry: 'registry:8081'"),
    ],
)
def test_without_a_registry_that_answers_it_says_what_to_set(
    address: str | None,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv(URL, raising=False)
    if address is not None:
        monkeypatch.setenv(URL, address)

    assert main(["schemas", "register"]) == 1

    printed = capsys.readouterr()
    assert printed.out == ""
    assert message in printed.err
