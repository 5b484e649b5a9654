"""Every field says what it means, in which unit, and where the fact comes from."""

import inspect
import json
import re

import pytest

from cryotrail_schemas import events
from cryotrail_schemas.assembly import sources
from cryotrail_schemas.catalog import catalog
from cryotrail_schemas.events import EVENT_CLASSES
from cryotrail_schemas.evolution import form_problems
from cryotrail_schemas.units import UNIT_OF_SUFFIX, unit_suffix

RECORDS = [
    definition
    for definitions in sources().values()
    for definition in definitions.values()
    if definition["type"] == "record"
]
SOURCE = re.compile(
    r"Source: (printed in Susa 2016|literature|general knowledge, unconfirmed"
    r"|cryotrail's own choice)|Printed in Susa 2016: "
)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record["name"])
def test_each_field_documents_meaning_unit_and_source(record):
    for field in record["fields"]:
        name, doc = field["name"], field["doc"]
        suffix = unit_suffix(name)
        unit = re.findall(r"Unit: (\S+) \(UCUM\)\.", doc)

        assert SOURCE.search(doc), name
        assert len(SOURCE.split(doc)[0].strip()) > 3, name
        assert unit == ([UNIT_OF_SUFFIX[suffix]] if suffix else []), name


@pytest.mark.parametrize("name", [*EVENT_CLASSES, "Header", "Grading", "FieldChange"])
def test_the_class_carries_the_documentation_of_its_fields(name):
    definition = next(record for record in RECORDS if record["name"] == name)
    docstring = " ".join(inspect.getdoc(getattr(events, name)).split())

    assert definition["doc"] in docstring
    for field in definition["fields"]:
        if field["name"] != "header":
            assert f"``{field['name']}``: {field['doc']}" in docstring


@pytest.mark.parametrize("definition", sources()["enums"].values(), ids=lambda d: d["name"])
def test_a_code_list_has_a_source_and_the_default_unknown(definition):
    assert SOURCE.search(definition["doc"])
    assert definition["default"] == definition["symbols"][0] == "UNKNOWN"


def test_every_released_version_keeps_the_form_of_the_contract():
    found = {item.name: form_problems(item.text) for item in catalog()}

    assert not any(found.values()), found


def test_one_field_name_has_one_type_wherever_it_is_used():
    # One name, one type: what joins across types in the marts must be comparable.
    types = {}
    for record in RECORDS:
        for field in record["fields"]:
            kind = json.dumps(_without_null(field["type"]))
            types.setdefault(field["name"], {}).setdefault(kind, []).append(record["name"])
    differing = {name: kinds for name, kinds in types.items() if len(kinds) > 1}

    # These name a code list each, chosen by the type that holds them.
    allowed = {"phase", "kind", "outcome", "reason", "structure", "location", "modality", "status"}
    assert differing.keys() <= allowed | {"mode", "form", "method", "medium", "meaning"}, differing


def _without_null(avro_type):
    return avro_type[1] if isinstance(avro_type, list) else avro_type
