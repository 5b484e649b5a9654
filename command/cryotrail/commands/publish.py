"""``cryotrail publish``: JSON lines from a file or a pipe into the outbox, and on to Kafka."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from cryotrail.argument_types import seconds
from cryotrail.console import print_json, say
from cryotrail.publishing import open_publisher, publish_through
from cryotrail.settings import Settings
from cryotrail_producers.errors import LinesUnreadable
from cryotrail_producers.json_lines import RefusedLine, read_lines
from cryotrail_producers.publisher import Publisher
from cryotrail_schemas.events import Event

EPILOG = """\
a line of the file (here broken over three):
  {"type": "FreezeStarted", "probe_id": "1", "cycle_no": 1,
   "header": {"procedure_id": "...", "subject_id": "...", "lesion_id": "...", "actor_role": "DEVICE",
   "occurred_at": "2026-11-22T10:24:00Z", "time_basis": "DEVICE_SYNCED", "data_origin": "LIVE"}}

  `cryotrail schemas show FreezeStarted` tells the fields of a type.

examples:
  cryotrail publish events.jsonl
  cryotrail publish events.jsonl --wait-s 0 --json
  my-device-reader | cryotrail publish -

A line that is refused is reported with its number, field and reason; the others are published, and
the exit status is 1. An accepted event is durable at once: while Kafka cannot be reached it waits
in the outbox, and the next `cryotrail publish` or `cryotrail outbox send` delivers it.
"""


def main(arguments: Sequence[str], settings: Settings) -> int:
    """Publish one file. Returns 1 when a line was refused."""
    parser = argparse.ArgumentParser(
        prog="cryotrail publish",
        description="Publish events from JSON lines, one event a line.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", metavar="FILE", help="a file of JSON lines; - is standard input")
    parser.add_argument(
        "--wait-s",
        type=seconds,
        default=30.0,
        metavar="SECONDS",
        help="how long to wait for Kafka's acknowledgements (default 30)",
    )
    parser.add_argument("--json", action="store_true", help="the outcome as JSON")
    options = parser.parse_args(arguments)

    refused: list[RefusedLine] = []
    with _lines_of(options.file) as lines, open_publisher(settings) as publisher:
        outcome = publish_through(publisher, _events(lines, publisher, refused), options.wait_s)
        if refused:
            publisher.count_refused(len(refused))
    if options.json:
        print_json(
            {
                "accepted": outcome.accepted,
                "acknowledged": outcome.acknowledged,
                "waiting": outcome.waiting,
                "problem": outcome.problem,
                "refused": [
                    {"line": line.line_no, "field": problem.path, "reason": problem.reason}
                    for line in refused
                    for problem in line.problems
                ],
            }
        )
    else:
        print(outcome.sentence() + (f"; {_lines(len(refused))} refused" if refused else ""))
    return 1 if refused else 0


def _lines_of(name: str) -> AbstractContextManager[Iterable[bytes]]:
    if name == "-":
        return nullcontext(sys.stdin.buffer)
    try:
        return Path(name).open("rb")
    except OSError as error:
        raise LinesUnreadable(f"cannot read {name}: {error.strerror}") from error


def _events(
    lines: Iterable[bytes], publisher: Publisher, refused: list[RefusedLine]
) -> Iterator[Event]:
    for line in read_lines(lines, publisher.check):
        if isinstance(line, RefusedLine):
            refused.append(line)
            for problem in line.problems:
                say(f"line {line.line_no}: {problem}")
        else:
            yield line.event


def _lines(count: int) -> str:
    return f"{count} line" if count == 1 else f"{count} lines"
