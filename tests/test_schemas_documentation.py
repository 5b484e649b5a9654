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
FIELDS = [(record["name"], field) for record in RECORDS for field in record["fields"]]
SOURCE = re.compile(
    r"Source: (printed in Susa 2016|literature|general knowledge, unconfirmed"
    r"|cryotrail's own choice)|Printed in Susa 2016: "
)


@pytest.mark.parametrize(
    ("record", "field"), FIELDS, ids=lambda x: x if type(x) is str else x["name"]
)
def test_a_field_documents_meaning_unit_and_source(record, field):
    doc = field["doc"]
    suffix = unit_suffix(field["name"])

    assert SOURCE.search(doc)
    assert len(SOURCE.split(doc)[0].strip()) > 3
    assert (f"Unit: {UNIT_OF_SUFFIX[suffix]} (UCUM)." in doc) if suffix else ("Unit:" not in doc)


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


def test_no_event_type_shares_a_field_of_two_meanings():
    # One name, one type: what joins across types in the marts must be comparable.
    types = {}
    for record, field in FIELDS:
        types.setdefault(field["name"], {}).setdefault(
            json.dumps(_without_null(field["type"])), []
        ).append(record)
    differing = {name: kinds for name, kinds in types.items() if len(kinds) > 1}

    # These name a code list each, chosen by the type that holds them.
    allowed = {"phase", "kind", "outcome", "reason", "structure", "location", "modality", "status"}
    assert differing.keys() <= allowed | {"mode", "form", "method", "medium", "meaning"}, differing


def _without_null(avro_type):
    return avro_type[1] if isinstance(avro_type, list) else avro_type
