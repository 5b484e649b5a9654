"""What may be released beside every earlier version, and what may not."""

import builtins
import json

import pytest

from cryotrail_schemas.catalog import Catalog, EventType, catalog
from cryotrail_schemas.errors import EvolutionRefused, SchemaError
from cryotrail_schemas.evolution import check_release, compatibility_problems, next_versions

CT = catalog().current("CtAcquired")
PROBE = catalog().current("ProbeInserted")


def edited(event_type, change):
    definition = json.loads(event_type.text)
    change(definition)
    return json.dumps(definition)


def field(definition, name):
    return next(item for item in definition["fields"] if item["name"] == name)


def header_field(definition, name):
    return field(definition["fields"][0]["type"], name)


def refusal(text, released=None):
    with pytest.raises(EvolutionRefused) as refused:
        check_release(text, released or catalog())
    return {problem.path: problem.reason for problem in refused.value.problems}


def optional(name, avro_type="int"):
    return {"name": name, "type": ["null", avro_type], "default": None, "doc": "A made-up field."}


def test_an_optional_field_may_be_added():
    text = edited(CT, lambda definition: definition["fields"].append(optional("tube_kv")))

    check_release(text, catalog())


def test_an_optional_field_may_be_dropped():
    text = edited(CT, lambda d: d["fields"].remove(field(d, "series_uid")))

    check_release(text, catalog())


def test_a_symbol_may_be_added():
    text = edited(CT, lambda d: field(d, "phase")["type"]["symbols"].append("RECHECK"))

    check_release(text, catalog())


def test_microseconds_never_become_milliseconds():
    def change(definition):
        header_field(definition, "occurred_at")["type"]["logicalType"] = "timestamp-millis"

    found = refusal(edited(CT, change))

    assert "timestamp-micros" in found["Header.occurred_at"]
    assert "timestamp-millis" in found["Header.occurred_at"]


@pytest.mark.parametrize(("name", "value"), [("scale", 3), ("precision", 12)])
def test_scale_and_precision_of_a_decimal_never_change(name, value):
    text = edited(CT, lambda d: field(d, "dlp_mgycm")["type"][1].update({name: value}))

    assert "its type was" in refusal(text)["CtAcquired.dlp_mgycm"]


def test_a_logical_type_is_never_taken_off():
    def change(definition):
        header_field(definition, "event_id")["type"] = "string"

    assert "uuid" in refusal(edited(CT, change))["Header.event_id"]


@pytest.mark.parametrize("aliases", [[], ["depth_mm"]])
@pytest.mark.parametrize("name", ["depth_cm", "depth"])
def test_the_unit_of_a_field_never_changes(name, aliases):
    def change(definition):
        field(definition, "depth_mm").update({"name": name, "aliases": aliases})

    assert refusal(edited(PROBE, change)) == {
        f"ProbeInserted.{name}": "is depth_mm in another unit"
    }


def test_a_required_field_is_never_dropped():
    text = edited(PROBE, lambda d: d["fields"].remove(field(d, "probe_no")))

    found = refusal(text)

    assert found["ProbeInserted.probe_no"] == "a required field was dropped"
    assert "the older version cannot read the newer" in found[""]


def test_a_required_field_is_never_added():
    new = {"name": "nozzle_no", "type": "int", "doc": "A nozzle."}
    found = refusal(edited(PROBE, lambda d: d["fields"].append(new)))

    assert found["ProbeInserted.nozzle_no"] == "a required field was added"
    assert "the newer version cannot read the older" in found[""]


@pytest.mark.parametrize("default", [None, "FIRST"])
def test_a_code_list_without_the_default_unknown_is_refused(default):
    code_list = {"type": "enum", "name": "Kettle", "doc": "Kettles.", "symbols": ["FIRST"]}
    if default:
        code_list["default"] = default
    text = edited(CT, lambda d: d["fields"].append(optional("kettle", code_list)))

    assert refusal(text)["Kettle"] == "an enum needs the default UNKNOWN"


def test_a_symbol_is_never_dropped():
    text = edited(CT, lambda d: field(d, "phase")["type"]["symbols"].remove("SURVEY"))

    assert refusal(text)["CtPhase"] == "symbol SURVEY was dropped"


@pytest.mark.parametrize(
    ("was", "now"), [("int", "long"), ("double", "float"), ("string", "bytes"), ("int", "string")]
)
def test_a_type_never_changes_even_where_avro_would_promote_it(was, now):
    older = edited(CT, lambda d: d["fields"].append(optional("extra", was)))
    newer = edited(CT, lambda d: d["fields"].append(optional("extra", now)))

    paths = {problem.path for problem in compatibility_problems(older, newer)}

    assert "CtAcquired.extra" in paths


def test_optional_and_required_stay_what_they_are():
    def required(definition):
        field(definition, "series_uid").update({"type": "string"})
        del field(definition, "series_uid")["default"]

    assert refusal(edited(CT, required))["CtAcquired.series_uid"]


def test_bounds_never_change():
    text = edited(PROBE, lambda d: field(d, "probe_no").update(minimum=0))

    assert refusal(text)["ProbeInserted.probe_no"] == "its minimum was 1, is 0"


def test_a_fingerprint_is_never_used_for_two_texts():
    text = edited(CT, lambda d: d.update(doc="Other words."))

    assert "its fingerprint is that of CtAcquired version 1" in refusal(text)[""]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda d: field(d, "phase").pop("doc"), "CtAcquired.phase"),
        (lambda d: d.pop("doc"), "CtAcquired"),
        (lambda d: d["fields"].reverse(), "header"),
        (lambda d: d["fields"].append({**optional("x"), "default": 1}), "CtAcquired.x"),
    ],
)
def test_the_form_of_one_version_is_checked(change, path):
    if path == "CtAcquired.x":
        # Avro itself wants the default to be of the first branch, so this one is written in full.
        def change(definition):
            definition["fields"].append({**optional("x"), "type": ["int", "null"], "default": 1})

    assert path in refusal(edited(CT, change))


def test_every_earlier_version_counts_not_the_last_one_only():
    second = EventType("CtAcquired", 2, edited(CT, lambda d: d["fields"].pop()))
    released = Catalog([CT, second])
    # Compatible with the second version, which no longer has the field; not with the first.
    third = edited(CT, lambda d: field(d, "series_uid").update(type=["null", "bytes"]))

    assert "its type was" in refusal(third, released)["CtAcquired.series_uid"]


def test_the_released_versions_agree_with_each_other_and_with_the_sources():
    for event_type in catalog():
        check_release(event_type.text, catalog())

    assert next_versions(catalog()) == []


def test_without_the_checker_the_remedy_is_named(monkeypatch):
    real_import = builtins.__import__

    def without_avro(name, *arguments, **named):
        if name.startswith("avro"):
            raise ModuleNotFoundError("No module named 'avro'", name="avro")
        return real_import(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", without_avro)

    with pytest.raises(SchemaError, match="needs the package avro") as refused:
        check_release(CT.text, catalog())

    assert "schemas-check" in refused.value.hint
