"""Whether a schema bounds what a body can make its reader do.

A registry gives out whatever was registered with it, and a producer that we do not know writes
the body. fastavro's compiled reader takes both at their word: an array of items that take no
bytes may claim 2**63 of them in ten bytes, and a record within itself, or within very many
others, runs through the machine's stack, which ends the process and not the record. Neither can
be caught, so such a schema is refused before anything is read with it. What remains costs memory
in proportion to the body, whose size Kafka limits.
"""

from __future__ import annotations

from typing import Any, Final

from cryotrail_schemas.errors import SchemaError

MOST_LEVELS: Final = 64
"""How deep a schema may nest; no type of cryotrail needs ten."""

_OPEN: Final = -1
"""The levels of a definition that is being looked at."""


def check_bounded(parsed: Any) -> None:
    """Refuse a schema, as ``fastavro.parse_schema`` returned it, that bounds nothing.

    :raises SchemaError: something in it takes no bytes (null outside a union, a record without
        fields, a fixed of no bytes), a record contains itself, or it nests too deep.
    """
    _levels(parsed, {})


def _levels(schema: Any, defined: dict[str, int]) -> int:
    """How many levels a schema nests; ``defined`` are those of the definitions before it."""
    if isinstance(schema, str):
        return _levels_of_name(schema, defined)
    if isinstance(schema, list):
        # In a union the index of the branch takes a byte, so null may be one.
        return 1 + max((_levels(one, defined) for one in schema if not _is_null(one)), default=0)
    levels = 1 + _levels_within(schema, defined)
    if levels > MOST_LEVELS:
        raise SchemaError(f"it nests more than {MOST_LEVELS} levels")
    return levels


def _levels_of_name(name: str, defined: dict[str, int]) -> int:
    if name == "null":
        raise SchemaError("a null outside a union takes no bytes")
    levels = defined.get(name, 0)  # of a primitive, 0
    if levels == _OPEN:
        raise SchemaError(f"{name} contains itself")
    return levels


def _levels_within(schema: dict[str, Any], defined: dict[str, int]) -> int:
    match schema["type"]:
        case "record" | "error":
            return _levels_of_record(schema["name"], schema["fields"], defined)
        case "array":
            return _levels(schema["items"], defined)
        case "map":
            return _levels(schema["values"], defined)
        case "fixed":
            if schema["size"] < 1:
                raise SchemaError(f"{schema['name']} is a fixed of no bytes")
            return 0
        case "enum":
            return 0
        case other:
            return _levels(other, defined)


def _levels_of_record(name: str, fields: list[dict[str, Any]], defined: dict[str, int]) -> int:
    if not fields:
        raise SchemaError(f"{name} has no fields, so it takes no bytes")
    defined[name] = _OPEN
    levels = max(_levels(field["type"], defined) for field in fields)
    defined[name] = 1 + levels
    return levels


def _is_null(schema: Any) -> bool:
    return schema == "null" or (isinstance(schema, dict) and schema["type"] == "null")
