"""Write the Python event classes, and with ``--release`` new published versions, from the sources.

    python schemas/generate_events.py             write cryotrail_schemas/events/*.py
    python schemas/generate_events.py --check     exit 1 naming what is stale, write nothing
    python schemas/generate_events.py --release   also publish every type that changed

A release is a new file ``avro/released/<Type>.v<N>.avsc``, refused unless it is compatible with
every earlier version. Released files are never edited.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import TextWrapper
from typing import Any

from cryotrail_schemas.assembly import (
    EVENT_FOLDERS,
    NAMESPACE,
    assemble,
    event_type_names,
    sources,
)
from cryotrail_schemas.errors import CryotrailError

PACKAGE = Path(__file__).parent / "cryotrail_schemas"
NOTICE = "Generated from the .avsc files by schemas/generate_events.py: edit those, not this."

TITLES = {
    "enums": "Code lists. UNKNOWN is the default of each.",
    "records": "Records that events are made of.",
    "preparation": "Events of referral and preparation.",
    "access": "Events of access, imaging and protection.",
    "probes": "Events of probes, freeze-thaw cycles and ice.",
    "outcome": "Events of the end, complications and outcome.",
    "record_keeping": "Events of record keeping.",
    "telemetry": "Events of telemetry.",
}

PYTHON_TYPES = {
    "uuid": "UUID",
    "timestamp-micros": "datetime",
    "date": "date",
    "decimal": "Decimal",
    "string": "str",
    "bytes": "bytes",
    "boolean": "bool",
    "int": "int",
    "long": "int",
    "float": "float",
    "double": "float",
}

IMPORTS = {"UUID": "uuid", "datetime": "datetime", "date": "datetime", "Decimal": "decimal"}


def generated_modules() -> dict[str, str]:
    """File name to text of every generated module."""
    modules = {f"{folder}.py": _module(folder) for folder in ("records", *EVENT_FOLDERS)}
    return {"enums.py": _enums(), **modules, "__init__.py": _init()}


def _enums() -> str:
    classes = "\n\n\n".join(_enum(definition) for definition in sources()["enums"].values())
    return f"{_head('enums')}from enum import StrEnum\n\n\n{classes}\n"


def _enum(definition: dict[str, Any]) -> str:
    symbols = "\n".join(f'    {symbol} = "{symbol}"' for symbol in definition["symbols"])
    docstring = "\n".join(_docstring(definition["doc"], []))
    return f"class {definition['name']}(StrEnum):\n{docstring}\n\n{symbols}"


def _module(folder: str) -> str:
    definitions = list(sources()[folder].values())
    is_event = folder in EVENT_FOLDERS
    classes = "\n\n\n".join(_record(definition, is_event) for definition in definitions)
    return f"{_head(folder)}{_imports(definitions, is_event)}\n\n\n{classes}\n"


def _imports(definitions: list[dict[str, Any]], is_event: bool) -> str:
    names = {
        name
        for definition in definitions
        for field in definition["fields"]
        for name in _names_of(field["type"])
    }
    standard: dict[str, list[str]] = {"dataclasses": ["dataclass"]}
    for name in sorted(names & IMPORTS.keys()):
        standard.setdefault(IMPORTS[name], []).append(name)
    if is_event:
        standard["typing"] = ["ClassVar"]
    ours: dict[str, list[str]] = {}
    if is_event:
        ours["base"] = ["Event"]
    for folder in ("enums", "records"):
        used = sorted(names & sources()[folder].keys(), key=str)
        if used and folder != "records":
            ours[folder] = used
        elif used and is_event:
            ours[folder] = [name for name in used if name != "Header"]
    lines = [f"from {module} import {', '.join(standard[module])}" for module in sorted(standard)]
    lines.append("")
    for module, used in sorted(ours.items()):
        if used:
            lines += _import(f"cryotrail_schemas.events.{module}", used)
    return "\n".join(lines)


def _import(module: str, names: list[str]) -> list[str]:
    one_line = f"from {module} import {', '.join(names)}"
    if len(one_line) <= 100:
        return [one_line]
    return [f"from {module} import (", *(f"    {name}," for name in names), ")"]


def _names_of(avro_type: Any) -> set[str]:
    """Python names that the annotation of this Avro type uses."""
    if isinstance(avro_type, list):
        return set().union(*(_names_of(branch) for branch in avro_type))
    if isinstance(avro_type, dict) and avro_type["type"] == "array":
        return _names_of(avro_type["items"])
    return {_annotation(avro_type)}


def _annotation(avro_type: Any) -> str:
    if isinstance(avro_type, list):
        return f"{_annotation(avro_type[1])} | None"
    if isinstance(avro_type, dict):
        if avro_type["type"] == "array":
            return f"tuple[{_annotation(avro_type['items'])}, ...]"
        return PYTHON_TYPES[avro_type["logicalType"]]
    if avro_type not in PYTHON_TYPES:
        return str(avro_type.removeprefix(f"{NAMESPACE}."))
    return PYTHON_TYPES[avro_type]


def _record(definition: dict[str, Any], is_event: bool) -> str:
    name = definition["name"]
    fields = definition["fields"][1:] if is_event else definition["fields"]
    lines = [
        "@dataclass(frozen=True, slots=True, kw_only=True)",
        f"class {name}(Event):" if is_event else f"class {name}:",
        *_docstring(definition["doc"], fields),
        "",
    ]
    if is_event:
        lines += [f'    TYPE: ClassVar[str] = "{name}"', ""]
    lines += [
        f"    {field['name']}: {_annotation(field['type'])}{_default(field)}" for field in fields
    ]
    while not lines[-1]:
        lines.pop()
    return "\n".join(lines)


def _default(field: dict[str, Any]) -> str:
    if "default" not in field:
        return ""
    return {"None": " = None", "[]": " = ()"}[repr(field["default"])]


def _docstring(doc: str, fields: list[dict[str, Any]]) -> Iterator[str]:
    # Three columns are left for the closing quotes, which stay beside a docstring of one line.
    summary = TextWrapper(width=97, initial_indent='    """', subsequent_indent="    ")
    first = summary.wrap(doc)
    if not fields and len(first) == 1:
        yield first[0] + '"""'
        return
    yield from first
    if fields:
        yield ""
        entry = TextWrapper(width=100, initial_indent="    ", subsequent_indent="        ")
        for field in fields:
            yield from entry.wrap(f"- ``{field['name']}``: {field['doc']}")
    yield '    """'


def _init() -> str:
    lines = [
        f'"""The event classes: one frozen dataclass a type.\n\n{NOTICE}\n"""',
        "",
        "from __future__ import annotations",
        "",
        "from collections.abc import Mapping",
        "from types import MappingProxyType",
        "",
    ]
    exported = {"base": ["Event"], **{folder: sorted(sources()[folder]) for folder in TITLES}}
    for module in sorted(exported):
        lines += _import(f"cryotrail_schemas.events.{module}", exported[module])
    lines += ["", "EVENT_CLASSES: Mapping[str, type[Event]] = MappingProxyType(", "    {"]
    lines += [f'        "{name}": {name},' for name in event_type_names()]
    lines += ["    }", ")", '"""Event class by type name, in the order of a procedure."""', ""]
    everything = ["EVENT_CLASSES", *(name for names in exported.values() for name in names)]
    lines += ["__all__ = [", *(f'    "{name}",' for name in _as_ruff_sorts(everything)), "]"]
    return "\n".join(lines) + "\n"


def _as_ruff_sorts(names: list[str]) -> list[str]:
    """Constants first, then classes, each in alphabetical order (rule RUF022)."""
    return sorted(names, key=lambda name: (not name.isupper(), name))


def _head(folder: str) -> str:
    return f'"""{TITLES[folder]}\n\n{NOTICE}\n"""\n\nfrom __future__ import annotations\n\n'


def stale() -> list[str]:
    """What differs from the sources: generated modules and current published versions."""
    from cryotrail_schemas.catalog import catalog

    folder = PACKAGE / "events"
    found = [
        f"events/{name}"
        for name, text in generated_modules().items()
        if not (folder / name).is_file() or (folder / name).read_text(encoding="utf-8") != text
    ]
    released = {event_type.name: event_type.text for event_type in catalog().current_versions()}
    found += [
        f"avro/released/{name}"
        for name in event_type_names()
        if released.get(name) != assemble(name)
    ]
    return found + [f"avro/released/{name}" for name in released.keys() - set(event_type_names())]


def release() -> list[str]:
    """Publish every type whose sources changed since its last version; returns the new files.

    :raises EvolutionRefused: one is not compatible; nothing is written then.
    """
    from cryotrail_schemas.catalog import Catalog
    from cryotrail_schemas.evolution import next_versions

    written = []
    for event_type in next_versions(Catalog.read()):
        path = PACKAGE / "avro" / "released" / f"{event_type.name}.v{event_type.version}.avsc"
        path.write_text(event_type.text, encoding="utf-8")
        written.append(path.name)
    return written


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--check", action="store_true", help="name what is stale; write nothing")
    action.add_argument("--release", action="store_true", help="publish types that changed")
    chosen = parser.parse_args()
    if chosen.check:
        differing = stale()
        for name in differing:
            print(f"stale: {name}")
        return 1 if differing else 0
    for name, text in generated_modules().items():
        (PACKAGE / "events" / name).write_text(text, encoding="utf-8")
    if chosen.release:
        for name in release():
            print(f"released {name}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except CryotrailError as error:
        sys.exit(f"{error}\n  {error.hint}" if error.hint else str(error))
