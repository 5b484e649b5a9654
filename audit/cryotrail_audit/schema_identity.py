"""Whether two schema texts mean the same, documentation apart.

CRC-64-AVRO is taken over Avro's Parsing Canonical Form, which drops defaults, logical types and
aliases, and it is no cryptographic hash: a schema with two fields exchanged and the same CRC-64
can be made. So texts that share a fingerprint are compared in everything that reading depends on.
"""

from __future__ import annotations

import json
from typing import Any, Final

import fastavro

from cryotrail_schemas.errors import SchemaError

# https://avro.apache.org/docs/1.12.0/specification/: all attributes that change what is read.
# doc, aliases (of use to a reader's schema only) and unknown properties are not among them.
_MEANING: Final = frozenset(
    {
        "type", "name", "fields", "symbols", "items", "values", "size", "default",
        "logicalType", "precision", "scale",
    }
)  # fmt: skip


def meaning(text: str) -> Any:
    """What of a schema text matters to a reader, with full names; equal = the same meaning.

    :raises SchemaError: the text is no Avro schema.
    """
    try:
        return _kept(fastavro.parse_schema(json.loads(text)))
    except Exception as error:  # whatever a stranger's text makes the parser raise
        raise SchemaError(f"no Avro schema: {error}") from error


def _kept(node: Any) -> Any:
    if isinstance(node, list):
        return [_kept(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: value if key == "default" else _kept(value)
        for key, value in node.items()
        if key in _MEANING
    }
