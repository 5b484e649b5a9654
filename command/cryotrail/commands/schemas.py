"""``cryotrail schemas``: the event contract, for publishers and integrators."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from cryotrail.console import print_json, say, table
from cryotrail.settings import Settings, SettingsError
from cryotrail_producers.schema_registry import SchemaRegistry, subject_of
from cryotrail_schemas.catalog import EventType, catalog
from cryotrail_schemas.errors import EvolutionRefused
from cryotrail_schemas.evolution import check_release, next_versions
from cryotrail_schemas.topics import topic_of

DESCRIPTION = """\
The event types of cryotrail, as Avro schemas.

An event type is published as one self-contained Avro text. Every released version is kept and
never edited; its CRC-64-AVRO fingerprint is what a record on Kafka names.
"""

EPILOG = """\
examples:
  cryotrail schemas list                       every type, its version and fingerprint
  cryotrail schemas show FreezeStarted         the published text, ready for a code generator
  cryotrail schemas show FreezeStarted --version 1
  cryotrail schemas check                      the released versions, and what the sources would
                                               release now (needs the extra schemas-check)
  CRYOTRAIL_SCHEMA_REGISTRY_URL=http://registry:8081 cryotrail schemas register

Records are written in Avro single-object framing, for which no schema registry is needed. With
CRYOTRAIL_SCHEMA_REGISTRY_URL they are written in Confluent framing, and publishers register what
they write themselves; `register` does it beforehand for all types, under the rights of whoever
runs it. The subject is the full record name, such as cryotrail.events.FreezeStarted.
"""


def main(arguments: Sequence[str], settings: Settings) -> int:
    """Run ``cryotrail schemas``. Returns 0, or 1 when ``check`` finds something.

    :raises CryotrailError: what is asked for is not there, or the registry refuses or is away.
    """
    chosen = _parser().parse_args(arguments)
    if chosen.action == "list":
        return _list(chosen.json)
    if chosen.action == "show":
        return _show(chosen.type, chosen.version, chosen.json)
    if chosen.action == "register":
        return _register(settings.schema_registry_url, chosen.json)
    return _check(chosen.json)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cryotrail schemas",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="every released version of every type")
    showing = actions.add_parser("show", help="the published text of a type")
    showing.add_argument("type", metavar="TYPE", help="name of the type, such as FreezeStarted")
    showing.add_argument("--version", type=int, help="a released version; default: the newest")
    checking = actions.add_parser(
        "check", help="whether every version reads every other, and the sources may be released"
    )
    registering = actions.add_parser(
        "register", help="the newest version of every type with the schema registry"
    )
    for action in (listing, showing, checking, registering):
        action.add_argument("--json", action="store_true", help="one JSON document, nothing else")
    return parser


def _list(as_json: bool) -> int:
    rows = [_row(event_type) for event_type in catalog()]
    if as_json:
        print_json(rows)
    else:
        table(rows, ["type", "version", "fingerprint", "topic"])
    return 0


def _show(name: str, version: int | None, as_json: bool) -> int:
    event_type = catalog().current(name) if version is None else catalog().version(name, version)
    if as_json:
        print_json({**_row(event_type), "text": event_type.text})
    else:
        print(event_type.text, end="")
    return 0


def _check(as_json: bool) -> int:
    refused: list[EvolutionRefused] = []
    released = catalog()
    for event_type in released:
        try:
            check_release(event_type.text, released)
        except EvolutionRefused as error:
            refused.append(error)
    changed: list[str] = []
    try:
        changed = [event_type.name for event_type in next_versions(released)]
    except EvolutionRefused as error:
        refused.append(error)
    if as_json:
        print_json(
            {
                "compatible": not refused,
                "versions": len(released),
                "changed": changed,
                "problems": [
                    {"type": refusal.type_name, "path": problem.path, "reason": problem.reason}
                    for refusal in refused
                    for problem in refusal.problems
                ],
            }
        )
        return 1 if refused else 0
    for refusal in refused:
        say(f"{refusal}")
    if not refused:
        print(f"{len(released)} released versions: every version of a type reads every other")
    for name in changed:
        print(f"{name}: the source differs from its newest released version and may be released")
    return 1 if refused else 0


def _register(registry_url: str | None, as_json: bool) -> int:
    if registry_url is None:
        raise SettingsError(
            "there is no schema registry to register with",
            hint="CRYOTRAIL_SCHEMA_REGISTRY_URL names one",
        )
    registry = SchemaRegistry(registry_url)
    rows = []
    for event_type in catalog().current_versions():
        schema_id = registry.register(event_type)
        rows.append(
            {
                "subject": subject_of(event_type),
                "id": schema_id,
                "version": registry.version(event_type),
            }
        )
    if as_json:
        print_json(rows)
    else:
        table(rows, ["subject", "id", "version"])
    return 0


def _row(event_type: EventType) -> dict[str, Any]:
    return {
        "type": event_type.name,
        "version": event_type.version,
        "fingerprint": event_type.fingerprint.hex(),
        "sha256": event_type.sha256.hex(),
        "topic": topic_of(event_type.name),
    }
