"""Events made up by hypothesis from the published schemas: any event that the contract allows.

The strategies are derived from the Avro text, not from the forms that encode it, so that a form
that forgot a field or a bound is found out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from cryotrail_schemas import events
from cryotrail_schemas.catalog import catalog
from cryotrail_schemas.units import UNIT_OF_ANALYTE

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)

_PRIMITIVES: Mapping[str, st.SearchStrategy[Any]] = {
    "string": TEXT,
    "boolean": st.booleans(),
    "bytes": st.binary(max_size=40),
    "double": st.floats(allow_nan=False, allow_infinity=False),
    # What a 32-bit number can hold exactly, so that it comes back as it went.
    "float": st.floats(allow_nan=False, allow_infinity=False, width=32),
}


def any_event(type_name: str) -> st.SearchStrategy[events.Event]:
    """Any event of one type that the contract allows."""
    strategy = _Strategies().of(json.loads(catalog().current(type_name).text), {})
    return strategy.filter(_has_the_unit_of_its_analyte)


def _has_the_unit_of_its_analyte(event: Any) -> bool:
    if not isinstance(event, events.LabResultRecorded):
        return True
    expected = UNIT_OF_ANALYTE.get(event.analyte)
    if event.unit_ucum is None:
        return event.value is None
    return expected is None or event.unit_ucum == expected


class _Strategies:
    """Strategies over one published text, in which a definition stands at its first use."""

    def __init__(self) -> None:
        self._named: dict[str, st.SearchStrategy[Any]] = {}

    def of(self, avro_type: Any, field: Mapping[str, Any]) -> st.SearchStrategy[Any]:
        if isinstance(avro_type, list):
            return st.none() | self.of(avro_type[1], field)
        if avro_type in ("int", "long"):
            greatest = 2 ** (31 if avro_type == "int" else 63) - 1
            return st.integers(field.get("minimum", -greatest - 1), greatest)
        if avro_type == "string" and field.get("name", "").endswith("_json"):
            return TEXT.map(json.dumps)
        if isinstance(avro_type, str):
            known = {**self._named, **_PRIMITIVES}
            return known[avro_type.rpartition(".")[2]]
        match avro_type:
            case {"logicalType": "uuid"}:
                return st.uuids()
            case {"logicalType": "timestamp-micros"}:
                greatest = datetime.max
                return st.datetimes(datetime.min, greatest, timezones=st.just(UTC))
            case {"logicalType": "date"}:
                return st.dates()
            case {"logicalType": "decimal", "precision": precision, "scale": scale}:
                greatest = 10**precision - 1
                unscaled = st.integers(-greatest, greatest)
                return unscaled.map(lambda number: Decimal(number).scaleb(-scale))
            case {"type": "array", "items": items}:
                longest = min(field.get("maxItems", 4), 30)
                return st.lists(self.of(items, {}), max_size=longest).map(tuple)
        name = avro_type["name"]
        python_class = getattr(events, name)
        if avro_type["type"] == "enum":
            self._named[name] = st.sampled_from(python_class)
        else:
            fields = {item["name"]: self.of(item["type"], item) for item in avro_type["fields"]}
            self._named[name] = st.builds(python_class, **fields)
        return self._named[name]
