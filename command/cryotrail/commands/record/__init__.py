"""``cryotrail record``: from Kafka into the audit store."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict

from cryotrail.argument_types import add_http, seconds
from cryotrail.commands.record import reset, shadow
from cryotrail.console import print_json
from cryotrail.recording import RecordOutcome, open_recorder, record
from cryotrail.settings import Settings
from cryotrail.stopping import stopped_by_signals
from cryotrail_consumers.recording.recorder import Recorder

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
could not be read (`cryotrail audit quarantine list`); known = records read again after a reset, of
which nothing was new; alarms = partitions whose log in Kafka is
not the one that was recorded; held_up = partitions whose log is damaged where they stand, and
breakers = partitions of whose records too many name a schema that is not known here (a producer was
deployed before the recorder, or the registry is not configured): nothing of them is passed over,
the others go on, and the exit code is 1. A running recorder reads on in the latter by itself once
the schema is known; --quarantine-unknown gives up waiting for it.

An SQLite store is created when there is none, and takes one recorder. A PostgreSQL store is
created by `cryotrail audit init` and may have several.

`cryotrail record reset` moves where reading goes on; `cryotrail record shadow` records all that
Kafka holds once more, into a store of its own, and compares it with the real one.
"""


def main(arguments: Sequence[str], settings: Settings) -> int:
    """Run the recorder, or one of its actions; returns the exit code."""
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
    parser.add_argument(
        "--give-up-after-s",
        type=seconds,
        metavar="S",
        help="exit 1 when what is away (database, broker, registry, disk space) does not come back"
        " in this time (default: 60 with --until-caught-up, else never)",
    )
    parser.add_argument(
        "--quarantine-unknown",
        action="store_true",
        help="quarantine records whose schema is not known, however many: an operator's decision,"
        " which the log states",
    )
    # A name of its own, since an action has this option too, and its default would hide ours.
    parser.add_argument(
        "--json", dest="recorder_json", action="store_true", help="the summary as JSON"
    )
    add_http(parser, "RECORDER_HTTP")
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    reset.add_to(actions)
    shadow.add_to(actions)
    parser.set_defaults(run=_run)
    options = parser.parse_args(arguments)
    if options.action:
        _check_action(parser, options)
    return int(options.run(options, settings))


def _check_action(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Refuse what is said to the recorder and not to the action, which would not heed it."""
    action = options.action
    if options.recorder_json:
        parser.error(f"--json goes behind the action: cryotrail record {action} --json")
    for option, is_given in (
        ("--until-caught-up", options.until_caught_up),
        ("--give-up-after-s", options.give_up_after_s is not None),
        ("--quarantine-unknown", options.quarantine_unknown),
        ("--http", options.http is not None),
    ):
        if is_given:
            parser.error(f"{option} is of a recorder that runs, not of {action}: leave it out")


def _run(options: argparse.Namespace, settings: Settings) -> int:
    """Run the recorder; 1 = records of a partition are held up."""
    address = options.http or settings.recorder_http
    with (
        _opened(settings, address, options.quarantine_unknown) as recorder,
        stopped_by_signals(recorder, settings.recorder_stop_within_s),
    ):
        outcome = record(
            recorder,
            until_caught_up=options.until_caught_up,
            give_up_after_s=options.give_up_after_s,
        )
    if options.recorder_json:
        print_json(_as_json(outcome))
    else:
        print(_sentence(outcome))
    return 1 if outcome.tally.held_up or outcome.tally.breakers else 0


def _opened(
    settings: Settings, address: str | None, quarantine_unknown: bool
) -> AbstractContextManager[Recorder]:
    if address is None:
        return open_recorder(settings, quarantine_unknown=quarantine_unknown)
    # Only here: who wants no endpoints needs no library for them.
    from cryotrail.observability.observed_recorder import observed_recorder

    return observed_recorder(settings, address, quarantine_unknown=quarantine_unknown)


def _as_json(outcome: RecordOutcome) -> dict[str, object]:
    tally = asdict(outcome.tally)
    # Places by their names, as JSON has no other keys.
    tally |= {
        name: {str(partition): value for partition, value in getattr(outcome.tally, name).items()}
        for name in ("breakers", "lag")
    }
    return {
        **tally,
        "elapsed_s": round(outcome.elapsed_s, 3),
        "records_per_s": round(outcome.records_per_s, 1),
    }


def _sentence(outcome: RecordOutcome) -> str:
    tally = outcome.tally
    known = f"{tally.known} known from before, " if tally.known else ""
    held_up = f"; {tally.held_up} partitions held up by a damaged log" if tally.held_up else ""
    if tally.breakers:
        held_up += f"; held up by schemas that are not known: {', '.join(map(str, tally.breakers))}"
    return (
        f"{tally.recorded} recorded, {tally.redelivered} redelivered, {tally.conflicts} conflicts, "
        f"{tally.quarantined} quarantined, {known}{tally.alarms} loss alarms "
        f"in {outcome.elapsed_s:.1f} s ({outcome.records_per_s:.0f} records/s){held_up}"
    )
