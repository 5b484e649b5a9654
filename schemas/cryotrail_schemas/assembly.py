"""From the ``.avsc`` sources to the self-contained text in which a type is published.

The sources refer to each other by full name, one definition a file. A published text holds every
definition that it needs, each where it is first used, so that it can be read alone for ever.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

from cryotrail_schemas.errors import SchemaError

NAMESPACE: Final = "cryotrail.events"
"""Avro namespace of every record and enum."""

EVENT_FOLDERS: Final = (
    "preparation",
    "access",
    "probes",
    "outcome",
    "record_keeping",
    "telemetry",
)
"""Folders of the event types, in the order of a procedure."""

PART_FOLDERS: Final = ("enums", "records")
"""Folders of what event types are made of."""


@cache
def sources() -> Mapping[str, Mapping[str, dict[str, Any]]]:
    """Every definition by folder and short name, as its file writes it.

    :raises SchemaError: a file is not JSON, or does not define what its name says.
    """
    return MappingProxyType({folder: _folder(folder) for folder in PART_FOLDERS + EVENT_FOLDERS})


def event_type_names() -> list[str]:
    """Short names of all event types, by folder, within one in alphabetical order."""
    return [name for folder in EVENT_FOLDERS for name in sources()[folder]]


def assemble(name: str) -> str:
    """The published text of an event type as the sources have it now.

    :raises SchemaError: there is no such event type, or it refers to a name without a file.
    """
    for folder in EVENT_FOLDERS:
        if name in sources()[folder]:
            whole = _inline(sources()[folder][name], defined=set())
            return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"
    raise SchemaError(f"there is no event type {name!r}", hint="cryotrail schemas list")


def _folder(folder: str) -> Mapping[str, dict[str, Any]]:
    definitions: dict[str, dict[str, Any]] = {}
    entries = files("cryotrail_schemas").joinpath("avro", folder).iterdir()
    for entry in sorted(entries, key=lambda entry: entry.name):
        name = entry.name.removesuffix(".avsc")
        try:
            definition = json.loads(entry.read_text(encoding="utf-8"))
        except ValueError as error:
            raise SchemaError(f"{folder}/{entry.name} is not JSON: {error}") from error
        if (definition.get("namespace"), definition.get("name")) != (NAMESPACE, name):
            raise SchemaError(f"{folder}/{entry.name} does not define {NAMESPACE}.{name}")
        definitions[name] = definition
    return MappingProxyType(definitions)


def _inline(node: Any, defined: set[str]) -> Any:
    """The node with each referred definition put in at its first use, by name afterwards."""
    if isinstance(node, list):
        return [_inline(item, defined) for item in node]
    if isinstance(node, str):
        if not node.startswith(f"{NAMESPACE}."):
            return node
        if node in defined:
            return node
        defined.add(node)
        return _inline(_part(node), defined)
    inlined = dict(node)
    if "fields" in node:
        inlined["fields"] = [
            {**field, "type": _inline(field["type"], defined)} for field in node["fields"]
        ]
    if "items" in node:
        inlined["items"] = _inline(node["items"], defined)
    return inlined


def _part(full_name: str) -> dict[str, Any]:
    name = full_name.removeprefix(f"{NAMESPACE}.")
    for folder in PART_FOLDERS:
        if name in sources()[folder]:
            return sources()[folder][name]
    raise SchemaError(f"no file defines {full_name}")
