"""``cryotrail record``: from Kafka into the audit store."""

from __future__ import annotations

import argparse
import logging
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict

from cryotrail.console import print_json, say
from cryotrail.recording import RecordOutcome, open_recorder, record
from cryotrail.settings import Settings
from cryotrail_consumers.recorder import Recorder

_DESCRIPTION = """\
Record what arrives on both topics in the audit store, each record exactly once.

Rows, quarantined bytes and positions are committed together, and positions are read from the
store alone: the recorder may be killed at any moment and started again. A record that cannot be
read is quarantined with its bytes and the recorder goes on; while the database, the broker or the
schema registry is away, it waits.
"""

_EXAMPLES = """\
examples:
  cryotrail record                              until Ctrl-C or SIGTERM
  cryotrail record --until-caught-up            what Kafka holds now, then end
  cryotrail record --until-caught-up --json     {"recorded": 11805, "redelivered": 0, ...}

recorded = new events; redelivered = known events that came again, with the same content;
conflicts = known event ids with other content (kept beside the first); quarantined = records that
could not be read (`cryotrail audit quarantine list`); alarms = partitions whose log in Kafka is
not the one that was recorded; held_up = partitions whose log is damaged where they stand: nothing
of them is passed over, and the exit code is 1.

An SQLite store is created when there is none, and takes one recorder. A PostgreSQL store is
created by `cryotrail audit init` and may have several.
"""


def main(arguments: Sequence[str], settings: Settings) -> int:
    """Run the recorder. 1 = it ended while the damaged log of a partition held records up."""
    parser = argparse.ArgumentParser(
        prog="cryotrail record",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--until-caught-up",
        action="store_true",
        help="end when everything is recorded that Kafka held at the start",
    )
    parser.add_argument("--json", action="store_true", help="the summary as JSON")
    options = parser.parse_args(arguments)

    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    logging.getLogger("kafka").setLevel(logging.ERROR)  # what matters of it, we say ourselves
    with open_recorder(settings) as recorder, _stopped_by_signals(recorder):
        outcome = record(recorder, until_caught_up=options.until_caught_up)
    if options.json:
        print_json(_as_json(outcome))
    else:
        print(_sentence(outcome))
    return 1 if outcome.tally.held_up else 0


@contextmanager
def _stopped_by_signals(recorder: Recorder) -> Iterator[None]:
    """The first SIGINT or SIGTERM ends the recorder after its transaction, a second one at once."""

    def stop(number: int, frame: object) -> None:
        signal.signal(number, signal.default_int_handler)
        say("stopping after the transaction in hand …")
        recorder.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _as_json(outcome: RecordOutcome) -> dict[str, object]:
    return {
        **asdict(outcome.tally),
        "elapsed_s": round(outcome.elapsed_s, 3),
        "records_per_s": round(outcome.records_per_s, 1),
    }


def _sentence(outcome: RecordOutcome) -> str:
    tally = outcome.tally
    held_up = f"; {tally.held_up} partitions held up by a damaged log" if tally.held_up else ""
    return (
        f"{tally.recorded} recorded, {tally.redelivered} redelivered, {tally.conflicts} conflicts, "
        f"{tally.quarantined} quarantined, {tally.alarms} loss alarms "
        f"in {outcome.elapsed_s:.1f} s ({outcome.records_per_s:.0f} records/s){held_up}"
    )
