"""The ``cryotrail`` command: one name to learn, its subcommands imported only when called.

An installation of the SDK alone therefore starts, lists everything in ``--help``, and names the
extra that a subcommand lacks.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module, metadata
from typing import NamedTuple

from cryotrail.console import say
from cryotrail.settings import load_settings
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
    subcommand = COMMANDS[chosen.command]
    _configure_logging()
    # What a home holds is clinical data: whatever a command creates is not for everybody.
    os.umask(os.umask(0o027) | 0o027)
    try:
        module = import_module(f"cryotrail.commands.{subcommand.module}")
        return int(module.main(rest, load_settings()))
    except ModuleNotFoundError as missing:
        if subcommand.extra is None or (missing.name or "").startswith("cryotrail"):
            raise  # our own fault, not a missing extra
        say(
            f"cryotrail {chosen.command} needs {missing.name}: "
            f"pip install 'cryotrail[{subcommand.extra}]'"
        )
        return 2
    except CryotrailError as error:
        say(f"cryotrail {chosen.command}: {error}")
        if error.hint:
            say(f"  → {error.hint}")
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output went away (as `head` does); nothing is left to say to it.
        sys.stderr.close()
        return 0
    except OSError as error:
        # A folder that cannot be made, a full disk: the system's own words and the place.
        place = f"{error.filename}: " if error.filename else ""
        say(f"cryotrail {chosen.command}: {place}{error.strerror or error}")
        return 1


def _configure_logging() -> None:
    """One line a remark on standard error; libraries only ask for loggers, the process decides."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    # The client reports every refused connection many times over; what matters of it is raised
    # as an error or said by the part that waits for it.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cryotrail",
        description="CT-guided cryoablation as evidence: events, audit store, marts and pages.",
        epilog="`cryotrail COMMAND --help` teaches a command. Start with `cryotrail demo`.",
    )
    version = metadata.version("cryotrail")
    parser.add_argument("--version", action="version", version=f"cryotrail {version}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, subcommand in COMMANDS.items():
        # The module's own parser answers --help: it alone knows its options.
        commands.add_parser(name, help=subcommand.summary, add_help=False)
    return parser


if __name__ == "__main__":
    sys.exit(main())
