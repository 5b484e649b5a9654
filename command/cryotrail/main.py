"""The ``cryotrail`` command: one name to learn, its subcommands imported only when called.

An installation of the SDK alone therefore starts, lists everything in ``--help``, and names the
extra that a subcommand lacks.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module, metadata
from typing import NamedTuple

from cryotrail.console import complain
from cryotrail.observability.logs import logging_configured
from cryotrail.settings import LOG_FORMATS, LOG_LEVELS, PREFIX, Settings, load_settings
from cryotrail_schemas.errors import CryotrailError


class Subcommand(NamedTuple):
    """Where a subcommand lives, the extra that brings what it imports, and what it does."""

    module: str
    extra: str | None
    summary: str


COMMANDS = {
    "demo": Subcommand("demo", "all", "the whole path on the published cohort, then its pages"),
    "up": Subcommand("up", "all", "everything of one host in the foreground"),
    "kafka": Subcommand("kafka", "kafka", "start, stop and inspect the embedded Apache Kafka"),
    "publish": Subcommand("publish", None, "events from a file of JSON lines"),
    "replay": Subcommand("replay", None, "a cohort table (CSV) as event streams"),
    "simulate": Subcommand("simulate", None, "made-up procedures with telemetry"),
    "outbox": Subcommand("outbox", None, "what waits to be sent; send it"),
    "record": Subcommand("record", "recorder", "the recorder: Kafka into the audit store"),
    "audit": Subcommand("audit", "audit", "create, verify and inspect the audit store"),
    "warehouse": Subcommand("warehouse", "warehouse", "build, publish and query the marts"),
    "schemas": Subcommand("schemas", None, "list, show and check the event schemas"),
    "dashboard": Subcommand("dashboard", "dashboards", "serve the pages"),
    "config": Subcommand("config", None, "the settings in force and where each came from"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand. Returns its exit code: 0 fine, 1 a finding or refusal, 2 wrong usage."""
    chosen, rest = _parser().parse_known_args(argv)
    # What a home holds is clinical data: whatever a command creates is not for everybody.
    os.umask(os.umask(0o027) | 0o027)
    try:
        with logging_configured(_asked_format(chosen)):
            settings = _as_asked(load_settings(), chosen)
        with logging_configured(settings.log_format, settings.log_level):
            return _run(chosen.command, rest, settings)
    except CryotrailError as error:
        return _refused(chosen.command, error)


def _run(command: str, rest: Sequence[str], settings: Settings) -> int:
    subcommand = COMMANDS[command]
    try:
        module = import_module(f"cryotrail.commands.{subcommand.module}")
        return int(module.main(rest, settings))
    except ModuleNotFoundError as missing:
        if subcommand.extra is None or (missing.name or "").startswith("cryotrail"):
            raise  # our own fault, not a missing extra
        complain(
            f"cryotrail {command} needs {missing.name}: pip install 'cryotrail[{subcommand.extra}]'"
        )
        return 2
    except CryotrailError as error:
        return _refused(command, error)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output went away (as `head` does); nothing is left to say to it.
        sys.stderr.close()
        return 0
    except OSError as error:
        # A folder that cannot be made, a full disk: the system's own words and the place.
        place = f"{error.filename}: " if error.filename else ""
        complain(f"cryotrail {command}: {place}{error.strerror or error}")
        return 1


def _refused(command: str, error: CryotrailError) -> int:
    complain(f"cryotrail {command}: {error}")
    if error.hint:
        complain(f"  → {error.hint}")
    return 1


def _as_asked(settings: Settings, chosen: argparse.Namespace) -> Settings:
    """The settings with what the command line says of the log."""
    asked = {
        name: value
        for name in ("log_format", "log_level")
        if (value := getattr(chosen, name)) is not None
    }
    origins = dict(settings.origins) | {name.upper(): "command line" for name in asked}
    return replace(settings, **asked, origins=origins)


def _asked_format(chosen: argparse.Namespace) -> str:
    """How to log until the settings are read, which may log themselves."""
    asked = chosen.log_format or os.environ.get(f"{PREFIX}LOG_FORMAT")
    return asked if asked in LOG_FORMATS else LOG_FORMATS[0]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cryotrail",
        description="CT-guided cryoablation as evidence: events, audit store, marts and pages.",
        epilog="`cryotrail COMMAND --help` teaches a command. Start with `cryotrail demo`.",
    )
    version = metadata.version("cryotrail")
    parser.add_argument("--version", action="version", version=f"cryotrail {version}")
    _add_log_options(parser, default=None)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, subcommand in COMMANDS.items():
        # The module's own parser answers --help: it alone knows its options.
        own = commands.add_parser(name, help=subcommand.summary, add_help=False, allow_abbrev=False)
        _add_log_options(own, default=argparse.SUPPRESS)  # what stands before the command stays
    return parser


def _add_log_options(parser: argparse.ArgumentParser, default: str | None) -> None:
    parser.add_argument(
        "--log-format",
        choices=LOG_FORMATS,
        default=default,
        help=f"how log records are written to standard error (else {PREFIX}LOG_FORMAT)",
    )
    parser.add_argument(
        "--log-level",
        choices=LOG_LEVELS,
        default=default,
        help=f"the least that is written (else {PREFIX}LOG_LEVEL, else WARNING)",
    )


if __name__ == "__main__":
    sys.exit(main())
