"""Whether a new version of a type may be released: FULL_TRANSITIVE, and the rules that it lacks.

Every version must read every other, old and new, since the log is replayed from its beginning and
publishers are not upgraded together. The checker of the package ``avro`` (extra
``schemas-check``) judges that. It lets pass what would still change a meaning, so these are added:

- type, logical type, precision and scale of a field never change, nor the unit in its name;
- fields are added and dropped only when optional (null first, default null, or an empty array);
- symbols of a code list are never dropped, and each list has the default UNKNOWN;
- bounds on values are never changed;
- a CRC-64 fingerprint is never used for two texts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from cryotrail_schemas.assembly import assemble, event_type_names
from cryotrail_schemas.catalog import Catalog, EventType, event_type_of
from cryotrail_schemas.errors import EvolutionRefused, FieldProblem, SchemaError
from cryotrail_schemas.units import unit_suffix


def next_versions(released: Catalog) -> list[EventType]:
    """The versions that the sources would release now: one of every type that changed.

    :raises EvolutionRefused: one of them may not be released.
    """
    found = []
    for name in event_type_names():
        text = assemble(name)
        versions = released.versions(name)
        if versions and versions[-1].text == text:
            continue
        check_release(text, released)
        found.append(EventType(name, len(versions) + 1, text))
    return found


def check_release(text: str, released: Catalog) -> None:
    """Check a new version against its own form and every released version of its type.

    :raises EvolutionRefused: with every problem found.
    :raises SchemaError: the text is no schema, or the package ``avro`` is not installed.
    """
    candidate = event_type_of(text)
    found = form_problems(text)
    for version in released.versions(candidate.name):
        found += compatibility_problems(version.text, text)
    known = released.by_fingerprint(candidate.fingerprint)
    if known is not None and known.text != text:
        reason = f"its fingerprint is that of {known.name} version {known.version}"
        found.append(FieldProblem("", f"{reason}: only documentation or bounds differ"))
    if found:
        # One problem with several older versions is still one problem.
        raise EvolutionRefused(candidate.name, dict.fromkeys(found))


def compatibility_problems(older: str, newer: str) -> list[FieldProblem]:
    """Why two versions of a type may not stand side by side; none when they may."""
    return [*_full_compatibility(older, newer), *_meaning_kept(older, newer)]


def form_problems(text: str) -> list[FieldProblem]:
    """What is wrong with the form of one version on its own."""
    definition = json.loads(text)
    found: list[FieldProblem] = []
    if definition["fields"][0]["name"] != "header":
        found.append(FieldProblem("header", "must be the first field"))
    for name, part in _named(definition).items():
        if not part.get("doc"):
            found.append(FieldProblem(name, "has no doc"))
        if part["type"] == "enum":
            if part.get("default") != "UNKNOWN":
                found.append(FieldProblem(name, "an enum needs the default UNKNOWN"))
            continue
        for field in part["fields"]:
            path = f"{name}.{field['name']}"
            if not field.get("doc"):
                found.append(FieldProblem(path, "has no doc"))
            if isinstance(field["type"], list) and (
                field["type"][0] != "null" or field.get("default", "absent") is not None
            ):
                found.append(FieldProblem(path, "optional means null first and default null"))
    return found


def _full_compatibility(older: str, newer: str) -> Iterator[FieldProblem]:
    try:
        from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
        from avro.schema import parse
    except ModuleNotFoundError as missing:
        hint = "pip install 'cryotrail[schemas-check]'"
        raise SchemaError("the compatibility check needs the package avro", hint=hint) from missing
    schemas = {"older": parse(older), "newer": parse(newer)}
    for reader, writer in (("newer", "older"), ("older", "newer")):
        checker = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call]
        result = checker.get_compatibility(schemas[reader], schemas[writer])
        if result.compatibility is not SchemaCompatibilityType.compatible:
            why = "; ".join(sorted(result.messages))
            yield FieldProblem("", f"the {reader} version cannot read the {writer}: {why}")


def _meaning_kept(older: str, newer: str) -> Iterator[FieldProblem]:
    before, after = _named(json.loads(older)), _named(json.loads(newer))
    for name in before.keys() & after.keys():
        if before[name]["type"] != after[name]["type"]:
            yield FieldProblem(name, "is no longer the same kind of definition")
        elif before[name]["type"] == "enum":
            for symbol in sorted(set(before[name]["symbols"]) - set(after[name]["symbols"])):
                yield FieldProblem(name, f"symbol {symbol} was dropped")
        else:
            yield from _fields_kept(name, _fields(before[name]), _fields(after[name]))


def _fields_kept(
    record: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[FieldProblem]:
    for name in sorted(before.keys() & after.keys()):
        old, new = before[name], after[name]
        path = f"{record}.{name}"
        if _shape(old["type"]) != _shape(new["type"]):
            was, now = json.dumps(_shape(old["type"])), json.dumps(_shape(new["type"]))
            yield FieldProblem(path, f"its type was {was} and is {now}")
        for bound in ("minimum", "maxItems"):
            if old.get(bound) != new.get(bound):
                yield FieldProblem(path, f"its {bound} was {old.get(bound)}, is {new.get(bound)}")
        if ("default" in old) != ("default" in new):
            yield FieldProblem(path, "what was required stays so, what was optional too")
    dropped, added = before.keys() - after.keys(), after.keys() - before.keys()
    for name in sorted(dropped):
        if "default" not in before[name]:
            yield FieldProblem(f"{record}.{name}", "a required field was dropped")
    for name in sorted(added):
        if "default" not in after[name]:
            yield FieldProblem(f"{record}.{name}", "a required field was added")
        aliases = after[name].get("aliases", [])
        for former in sorted({*dropped, *aliases}):
            if _same_but_for_unit(former, name):
                yield FieldProblem(f"{record}.{name}", f"is {former} in another unit")


def _same_but_for_unit(former: str, name: str) -> bool:
    if unit_suffix(former) is None and unit_suffix(name) is None:
        return False
    stems = {field.rpartition("_")[0] for field in (former, name)}
    # Either another suffix on the same stem, or the suffix was put on or taken off.
    return len(stems) == 1 or bool(stems & {former, name})


def _named(definition: Any) -> dict[str, Any]:
    """Every record and enum that the text defines, by name."""
    if isinstance(definition, list):
        return {name: part for item in definition for name, part in _named(item).items()}
    if not isinstance(definition, dict):
        return {}
    found = {definition["name"]: definition} if definition["type"] in ("record", "enum") else {}
    for field in definition.get("fields", []):
        found |= _named(field["type"])
    return found | _named(definition.get("items"))


def _fields(record: Mapping[str, Any]) -> dict[str, Any]:
    return {field["name"]: field for field in record["fields"]}


def _shape(avro_type: Any) -> Any:
    """A type with each definition reduced to its name, and all that decides its meaning kept."""
    if isinstance(avro_type, list):
        return [_shape(branch) for branch in avro_type]
    if not isinstance(avro_type, dict):
        return avro_type.rpartition(".")[2]
    if "name" in avro_type:
        return avro_type["name"]
    return {key: _shape(value) if key == "items" else value for key, value in avro_type.items()}
