"""``cryotrail publish``: JSON lines from a file or a pipe into the outbox, and on to Kafka."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryotrail.argument_types import seconds, traceparent
from cryotrail.console import print_json, say
from cryotrail.publishing import open_publisher, publish_through
from cryotrail.settings import Settings
from cryotrail_producers.errors import LinesUnreadable, OutboxError
from cryotrail_producers.json_lines import RefusedLine, read_lines
from cryotrail_producers.publisher import Publisher
from cryotrail_schemas.errors import EventRefused, FieldProblem
from cryotrail_schemas.events import Event, ProcedureSealed
from cryotrail_schemas.trace_context import is_traceparent

_log = logging.getLogger(__name__)

EPILOG = """\
a line of the file (here broken over four):
  {"type": "FreezeStarted", "probe_id": "1", "cycle_no": 1, "header": {
   "event_id": "0198f2c4-7d10-7c3e-9a51-3f0c5b1e2d41", "procedure_id": "...", "subject_id": "...",
   "lesion_id": "...", "actor_role": "DEVICE", "occurred_at": "2026-11-22T10:24:00Z",
   "time_basis": "DEVICE_SYNCED", "data_origin": "LIVE"}}

  `cryotrail schemas show FreezeStarted` tells the fields of a type.

event_id is a UUID of yours for this event, for ever the same one. A file that may be fed twice
needs it in each line: then the second time adds nothing. A line without it gets a new id each time
it is fed, and counts each time; the outcome says how many those were.

With PERSONAL_KEK_FILE set, a line with a ProcedureSealed is refused: its root is over text in clear,
and the text leaves encrypted. `cryotrail outbox seal PROCEDURE_ID` seals what was published.

examples:
  cryotrail publish events.jsonl
  cryotrail publish events.jsonl --wait-s 0 --json
  my-device-reader | cryotrail publish -

A line that is refused is reported with its number, field and reason; the others are published, and
the exit status is 1. An accepted event is durable at once: while Kafka cannot be reached it waits
in the outbox, and the next `cryotrail publish` or `cryotrail outbox send` delivers it.

When the outbox takes no more (the disk is full, or as much waits as may) the command stops at the
first line that it does not take, names it and exits with 1: that line and those after it were not
published. Feed them again once there is room.
"""


def main(arguments: Sequence[str], settings: Settings) -> int:
    """Publish one file. Returns 1 when a line was refused, or the outbox took no more."""
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
    parser.add_argument(
        "--traceparent",
        type=traceparent,
        metavar="00-TRACE-SPAN-FLAGS",
        help="the W3C trace context that the events are sent with (default: that of the environment"
        " variable TRACEPARENT, where there is one)",
    )
    parser.add_argument("--json", action="store_true", help="the outcome as JSON")
    options = parser.parse_args(arguments)

    read = _Read()
    with _lines_of(options.file) as lines, _open(settings, options.traceparent) as publisher:
        check = publisher.check if settings.personal_kek_file is None else _unsealed(publisher)
        outcome = publish_through(publisher, _events(lines, check, read), options.wait_s)
        stopped_at = None
        if outcome.failure is not None:
            stopped_at = read.stop_after(outcome.accepted + outcome.shed)
            say(f"stopped: {outcome.failure}")
            say(f"  {outcome.failure.hint}")
        if read.refused:
            # On a full disk they cannot be counted; they are told all the same.
            with suppress(OutboxError):
                publisher.count_refused(len(read.refused))
    if options.json:
        print_json(
            {
                "accepted": outcome.accepted,
                "acknowledged": outcome.acknowledged,
                "waiting": outcome.waiting,
                "problem": outcome.problem,
                "new_ids": read.new_ids,
                "shed": outcome.shed,
                "stopped_at_line": stopped_at,
                "failure": None if outcome.failure is None else str(outcome.failure),
                "refused": [
                    {"line": line.line_no, "field": problem.path, "reason": problem.reason}
                    for line in read.refused
                    for problem in line.problems
                ],
            }
        )
    else:
        print(outcome.sentence() + read.sentence() + _stopped(stopped_at))
    return 1 if read.refused or outcome.failure is not None else 0


@dataclass(slots=True)
class _Read:
    """What the lines of the file were, beyond the events that were accepted."""

    refused: list[RefusedLine] = field(default_factory=list)
    new_ids: int = 0
    event_lines: array[int] = field(default_factory=lambda: array("q"))
    """The line number of each event, in order."""

    def stop_after(self, events: int) -> int | None:
        """Forget what was read beyond so many events, which was not published.

        Returns the line of the next event, where to go on; None when there was none.
        """
        if events >= len(self.event_lines):
            return None
        line_no = self.event_lines[events]
        self.refused = [line for line in self.refused if line.line_no < line_no]
        return line_no

    def sentence(self) -> str:
        """The end of the outcome for a person, empty when there is nothing to say."""
        text = ""
        if self.new_ids:
            text += f"; {self.new_ids} without event_id got a new one (fed again they count again)"
        if self.refused:
            text += f"; {_lines(len(self.refused))} refused"
        return text


def _open(settings: Settings, given: str | None) -> Publisher:
    inherited = os.environ.get("TRACEPARENT")
    if given is None and inherited and not is_traceparent(inherited):
        # Whoever set it may not know of us, and an event is worth more than its trace.
        _log.warning("TRACEPARENT is no W3C trace context and was ignored")
        inherited = None
    return open_publisher(settings, traceparent=given or inherited or None)


def _lines_of(name: str) -> AbstractContextManager[Iterable[bytes]]:
    if name == "-":
        return nullcontext(sys.stdin.buffer)
    try:
        return Path(name).open("rb")
    except OSError as error:
        raise LinesUnreadable(f"cannot read {name}: {error.strerror}") from error


def _unsealed(publisher: Publisher) -> Callable[[Event], None]:
    """The check of a publisher that encrypts: what made the file hashed text that it alone saw."""

    def check(event: Event) -> None:
        if isinstance(event, ProcedureSealed):
            reason = (
                "it is over events in clear, and this outbox encrypts their text: leave the seal"
                f" out and run `cryotrail outbox seal {event.header.procedure_id}`"
            )
            raise EventRefused(event.TYPE, [FieldProblem("content_root", reason)])
        publisher.check(event)

    return check


def _events(lines: Iterable[bytes], check: Callable[[Event], None], read: _Read) -> Iterator[Event]:
    for line in read_lines(lines, check):
        if isinstance(line, RefusedLine):
            read.refused.append(line)
            for problem in line.problems:
                say(f"line {line.line_no}: {problem}")
        else:
            read.new_ids += line.has_new_id
            read.event_lines.append(line.line_no)
            yield line.event


def _stopped(line_no: int | None) -> str:
    if line_no is None:
        return ""
    return f"; stopped at line {line_no}: it and the lines after it were NOT published"


def _lines(count: int) -> str:
    return f"{count} line" if count == 1 else f"{count} lines"
