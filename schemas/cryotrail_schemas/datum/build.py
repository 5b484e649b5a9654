"""The form of each event type, put together from its published schema and its class."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from cryotrail_schemas import events
from cryotrail_schemas.assembly import NAMESPACE
from cryotrail_schemas.catalog import catalog
from cryotrail_schemas.datum.composites import Array, Nullable, Record, RecordRule
from cryotrail_schemas.datum.form import Form
from cryotrail_schemas.datum.scalars import (
    Binary,
    Boolean,
    FixedPoint,
    Integer,
    Number,
    Symbol,
    Text,
    Uuid,
)
from cryotrail_schemas.datum.times import Day, Timestamp
from cryotrail_schemas.json_text import json_text_problems
from cryotrail_schemas.units import laboratory_unit_problems

_RULES: Final[Mapping[str, tuple[RecordRule, ...]]] = MappingProxyType(
    {
        "FieldChange": (json_text_problems,),
        "LabResultRecorded": (laboratory_unit_problems,),
    }
)


@cache
def record_form(name: str) -> Record:
    """The form of an event type's current version.

    :raises SchemaError: there is no such type.
    """
    definition = json.loads(catalog().current(name).text)
    return _Builder().record(definition)


class _Builder:
    """Builds forms over one published text, in which a definition stands at its first use."""

    def __init__(self) -> None:
        self._named: dict[str, Form] = {}

    def form(self, avro_type: Any, field: Mapping[str, Any]) -> Form:
        """The form of an Avro type; ``field`` carries the bounds that the contract adds."""
        if isinstance(avro_type, list):
            return Nullable(self.form(avro_type[1], field))
        if isinstance(avro_type, str):
            return self._named[avro_type] if "." in avro_type else _primitive(avro_type, field)
        match avro_type:
            case {"logicalType": "uuid"}:
                return Uuid()
            case {"logicalType": "timestamp-micros"}:
                return Timestamp()
            case {"logicalType": "date"}:
                return Day()
            case {"logicalType": "decimal", "precision": precision, "scale": scale}:
                return FixedPoint(precision, scale)
            case {"type": "array", "items": items}:
                return Array(self.form(items, {}), field.get("maxItems"))
            case {"type": "enum", "name": name}:
                return self._keep(name, Symbol(getattr(events, name)))
        return self.record(avro_type)

    def record(self, definition: Mapping[str, Any]) -> Record:
        name = definition["name"]
        fields = {field["name"]: self.form(field["type"], field) for field in definition["fields"]}
        required = [field["name"] for field in definition["fields"] if "default" not in field]
        record = Record(getattr(events, name), fields, required, _RULES.get(name, ()))
        self._keep(name, record)
        return record

    def _keep(self, name: str, form: Form) -> Form:
        self._named[f"{NAMESPACE}.{name}"] = form
        return form


def _primitive(name: str, field: Mapping[str, Any]) -> Form:
    match name:
        case "string":
            return Text()
        case "boolean":
            return Boolean()
        case "bytes":
            return Binary()
        case "int" | "long":
            return Integer(32 if name == "int" else 64, field.get("minimum"))
        case "float" | "double":
            return Number(single=name == "float")
    raise AssertionError(f"no form for the Avro type {name!r}")
