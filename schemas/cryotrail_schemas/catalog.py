"""The released schemas: every version of every event type, found by name or by fingerprint."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import sha256
from importlib.resources import files
from typing import Any

import fastavro
from fastavro.schema import fingerprint, to_parsing_canonical_form

from cryotrail_schemas.bounded_schema import check_bounded
from cryotrail_schemas.errors import SchemaError

_RELEASED = re.compile(r"(?P<name>[A-Za-z]+)\.v(?P<version>[1-9][0-9]*)\.avsc")

_DROPPED_FROM_PLAIN = frozenset(
    {"logicalType", "precision", "scale", "doc", "minimum", "maxItems", "aliases"}
)


@dataclass(frozen=True, eq=False)
class EventType:
    """One version of one event type.

    What is computed from the text is computed when first asked for, and once.
    """

    name: str
    """Short name, such as ``FreezeStarted``."""

    version: int | None
    """Number of the release; None for a text that was not released here (a foreign registry's)."""

    text: str
    """The published text: one self-contained Avro schema, as its file has it."""

    @cached_property
    def sha256(self) -> bytes:
        """SHA-256 of the text in UTF-8: the identity that evidence binds."""
        return sha256(self.text.encode()).digest()

    @cached_property
    def fingerprint(self) -> bytes:
        """CRC-64-AVRO of the parsing canonical form, 8 bytes little-endian, as on the wire."""
        canonical = to_parsing_canonical_form(_definition(self.text))
        return bytes.fromhex(fingerprint(canonical, "CRC-64-AVRO"))

    @cached_property
    def parsed(self) -> Any:
        """Parsed for fastavro, with logical types."""
        return fastavro.parse_schema(_definition(self.text))

    @cached_property
    def plain(self) -> Any:
        """Parsed for fastavro, logical types taken off: the same bytes as primitives, faster."""
        return fastavro.parse_schema(_without_logical_types(_definition(self.text)))


def event_type_of(text: str, version: int | None = None) -> EventType:
    """The event type that a schema text defines.

    :raises SchemaError: the text is no valid Avro schema of a record, or not one that bounds what
        decoding under it takes (:mod:`cryotrail_schemas.bounded_schema`).
    """
    try:
        given = _definition(text)
        if given["type"] != "record" or not isinstance(given["fields"], list):
            raise ValueError("not a record with fields")
        definition: Any = fastavro.parse_schema(given)
        check_bounded(definition)
        # A record of another namespace keeps its full name, so that it never passes for ours.
        name = str(definition["name"]).removeprefix("cryotrail.events.")
    except Exception as error:  # whatever a stranger's text makes the parser raise
        raise SchemaError(f"no Avro record schema: {error}") from error
    return EventType(name, version, text)


class Catalog:
    """All released versions; iteration gives them by name, then version."""

    def __init__(self, released: Iterable[EventType]) -> None:
        self._versions = sorted(released, key=lambda item: (item.name, item.version or 0))
        self._current = {item.name: item for item in self._versions}
        self._by_fingerprint = {item.fingerprint: item for item in self._versions}

    @classmethod
    def read(cls) -> Catalog:
        """Read the released files of this package anew; :func:`catalog` keeps one reading."""
        folder = files("cryotrail_schemas").joinpath("avro", "released")
        released = []
        for entry in folder.iterdir():
            if match := _RELEASED.fullmatch(entry.name):
                text = entry.read_text(encoding="utf-8")
                released.append(EventType(match["name"], int(match["version"]), text))
        return cls(released)

    def current(self, name: str) -> EventType:
        """The newest released version of a type.

        :raises SchemaError: there is no such type.
        """
        try:
            return self._current[name]
        except KeyError:
            hint = "cryotrail schemas list names every type"
            raise SchemaError(f"unknown event type {name!r}", hint=hint) from None

    def version(self, name: str, number: int) -> EventType:
        """One released version of a type.

        :raises SchemaError: there is no such type or version.
        """
        newest = self.current(name).version
        for item in self.versions(name):
            if item.version == number:
                return item
        raise SchemaError(f"{name} has no version {number}", hint=f"the newest is {newest}")

    def current_versions(self) -> list[EventType]:
        """The newest version of every type, by name."""
        return list(self._current.values())

    def versions(self, name: str) -> list[EventType]:
        """Every released version of a type, the oldest first; none when there is no such type."""
        return [item for item in self._versions if item.name == name]

    def by_fingerprint(self, fingerprint: bytes) -> EventType | None:
        """The version with this CRC-64-AVRO (8 bytes little-endian), if one was released."""
        return self._by_fingerprint.get(fingerprint)

    def __iter__(self) -> Iterator[EventType]:
        return iter(self._versions)

    def __len__(self) -> int:
        return len(self._versions)


@cache
def catalog() -> Catalog:
    """The catalog of this installation, read once a process."""
    return Catalog.read()


def _definition(text: str) -> Any:
    given = json.loads(text)
    if not isinstance(given, dict):
        return given
    # fastavro's own marks of a parsed schema would make it believe a stranger's text unseen.
    return {key: value for key, value in given.items() if not key.startswith("__")}


def _without_logical_types(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_logical_types(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {
        key: value if key == "default" else _without_logical_types(value)
        for key, value in node.items()
        if key not in _DROPPED_FROM_PLAIN
    }
    # {"type": "long"} without its annotation is "long", which fastavro reads with one look-up less.
    return kept["type"] if kept.keys() == {"type"} else kept
