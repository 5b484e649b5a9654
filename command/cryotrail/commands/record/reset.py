"""``cryotrail record reset``: where the recorder is to go on."""

from __future__ import annotations

import argparse
import getpass
import os
import socket
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from cryotrail.argument_types import moment_us, one_line
from cryotrail.commands.audit.actions import Actions, add_json
from cryotrail.console import print_json, say, table
from cryotrail.embedded.connection import kafka_connection
from cryotrail.personal_keys import existing_record_cipher
from cryotrail.settings import Settings
from cryotrail_audit.errors import PositionMoved
from cryotrail_audit.store import open_store
from cryotrail_consumers.coordinates import TopicPartition
from cryotrail_consumers.errors import ResetRefused
from cryotrail_consumers.operating.position_reset import (
    PlannedReset,
    Target,
    apply_resets,
    plan_resets,
)
from cryotrail_consumers.reading.kafka_log_reader import KafkaLogReader
from cryotrail_consumers.reading.kafka_sighting import KafkaSighting
from cryotrail_schemas.topics import EVENT_TOPICS

_ATTEMPTS = 5

_DESCRIPTION = """\
Move the place in Kafka from which the recorder goes on.

Backwards, it reads again what it has read. Whatever the store has is passed over: no entry and no
redelivery is added; what an earlier reset skipped is recorded now, late. Forwards, records are left
unread and are in no store until somebody goes back: so it takes --skip and a --reason.

A recorder that is running need not be stopped: within seconds it goes on from the new place.
Each partition that is moved is an entry in the log: from, to, who and why, for good.
"""

_EPILOG = """\
examples:
  cryotrail record reset --to-start --dry-run             what would be read again, nothing is done
  cryotrail record reset --to-time 2026-11-22T08:00:00Z   from the first record of that time on
  cryotrail record reset --to-offset 1200 --topic cryotrail.procedure-events --partition 4
  cryotrail record reset --to-offset 1343 --topic cryotrail.procedure-events --partition 4 \\
      --skip --reason "batch at 1342 is damaged on disk, copies asked for at the publisher"

Times are those that Kafka has of its records, and need a zone. A place before the log's start, or
before what was recorded of this log, becomes that start, and that is said. One behind the log's end
is refused. So is any reset when the log is not the one that was recorded: run the recorder first.

Exit 0; 1 = refused; 2 = wrong usage.
"""


def add_to(actions: Actions) -> None:
    """Add the action's parser."""
    parser = actions.add_parser(
        "reset",
        help="move where the recorder goes on, back or forth",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument(
        "--to-offset", metavar="N", type=_offset, help="of one topic and its partitions"
    )
    where.add_argument(
        "--to-time", metavar="TIME", type=moment_us, help="such as 2026-11-22T08:00:00Z"
    )
    where.add_argument("--to-start", action="store_true", help="the first record that Kafka holds")
    parser.add_argument("--topic", choices=EVENT_TOPICS, help="default: both")
    parser.add_argument(
        "--partition", metavar="P", type=_offset, nargs="+", help="of that topic; default: all"
    )
    parser.add_argument("--skip", action="store_true", help="leave records unread")
    parser.add_argument(
        "--reason", type=one_line, help="why; it stays in the log for good, so name no patient"
    )
    parser.add_argument("--dry-run", action="store_true", help="only show what would be done")
    add_json(parser)
    parser.set_defaults(run=run, parser=parser)


def run(chosen: argparse.Namespace, settings: Settings) -> int:
    """Show where the partitions go and move them; returns 0.

    :raises ResetRefused: it cannot be done, or records would be skipped without a word.
    :raises PositionMoved: a recorder was faster each time.
    """
    _check_usage(chosen)
    connection = kafka_connection(settings)
    names = (chosen.topic,) if chosen.topic else EVENT_TOPICS
    with (
        closing(open_store(settings.audit_url)) as store,
        existing_record_cipher(settings) as cipher,
        closing(KafkaSighting(connection, names)) as cluster,
        closing(KafkaLogReader(connection)) as reader,
    ):
        partitions = _partitions(chosen, cluster)

        def plan() -> list[PlannedReset]:
            return plan_resets(
                store, reader, cluster.cluster_id, cluster.topics, partitions, _target(chosen),
                cipher,
            )  # fmt: skip

        def move(planned: Sequence[PlannedReset]) -> int:
            cluster.confirm()
            return apply_resets(
                store, cluster.cluster_id, cluster.topics, planned, chosen.reason, _who()
            )

        planned = plan()
        if not chosen.json:
            _print(planned)
        entry = None
        for left in reversed(range(_ATTEMPTS)):
            _check_skipped(chosen, planned)
            if chosen.dry_run or not any(one.moves for one in planned):
                break
            try:
                entry = move(planned)
                break
            except PositionMoved:  # while a recorder reads what is to be skipped
                if not left:
                    raise
                planned = plan()
    _say_outcome(chosen, planned, entry)
    return 0


def _say_outcome(
    chosen: argparse.Namespace, planned: Sequence[PlannedReset], entry: int | None
) -> None:
    moving = sum(one.moves for one in planned)
    if chosen.json:
        partitions = [_as_json(one) for one in planned]
        print_json({"moved": entry is not None, "first_entry": entry, "partitions": partitions})
    elif entry is not None:
        print(f"{moving} partition{'' if moving == 1 else 's'} moved (from entry {entry} on)")
    else:
        print("nothing was moved" + (": a dry run" if moving else ""))


def _check_usage(chosen: argparse.Namespace) -> None:
    error = chosen.parser.error
    if chosen.partition is not None and chosen.topic is None:
        error("--partition goes with --topic")
    if chosen.to_offset is not None and not chosen.partition:
        error("--to-offset needs --topic and --partition: an offset is of one partition")
    if chosen.skip and chosen.reason is None:
        error("--skip needs --reason: why records are left unread")


def _check_skipped(chosen: argparse.Namespace, planned: Sequence[PlannedReset]) -> None:
    skipping = [one for one in planned if one.unread_count]
    if skipping and not chosen.skip and not chosen.dry_run:
        first = skipping[0]
        raise ResetRefused(
            f"{sum(one.unread_count for one in skipping)} offsets would be left unread, the first"
            f" in {first.partition} from {first.from_offset} on",
            hint='if that is wanted, say so: --skip --reason "…"',
        )


def _partitions(chosen: argparse.Namespace, cluster: KafkaSighting) -> list[TopicPartition]:
    existing = [
        TopicPartition(name, part)
        for name, sighting in cluster.topics.items()
        for part in sorted(sighting.leader_epochs)
    ]
    wanted = [
        one for one in existing if chosen.partition is None or one.partition in chosen.partition
    ]
    missing = set(chosen.partition or ()) - {one.partition for one in wanted}
    if missing:
        raise ResetRefused(f"{chosen.topic} has no partition {min(missing)}")
    return wanted


def _target(chosen: argparse.Namespace) -> Target:
    if chosen.to_time is None:
        return Target(offset=chosen.to_offset)
    return Target(timestamp_ms=-(-chosen.to_time // 1000))  # not a record from before that time


def _who() -> str:
    """The user of the operating system and the host, for the entry."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container's user need have no name
        user = f"uid {os.getuid()}"
    return f"{user}@{socket.gethostname()}"


def _print(planned: Sequence[PlannedReset]) -> None:
    rows = [
        {
            "partition": str(one.partition),
            "Kafka holds": f"{one.extent.start}..{one.extent.end}",
            "from": one.from_offset if one.position else f"{one.from_offset} (never read)",
            "to": one.to_offset,
            "read again": one.reread_count,
            "left unread": one.unread_count,
        }
        for one in planned
        if one.moves
    ]
    if rows:
        table(rows, list(rows[0]))
    for one in planned:
        if one.clamped_from is not None and one.moves:
            say(
                f"{one.partition}: what was recorded of this log begins at {one.to_offset},"
                f" so it is not {one.clamped_from}"
            )


def _as_json(one: PlannedReset) -> dict[str, Any]:
    return {
        "topic": one.partition.topic,
        "partition": one.partition.partition,
        "log_start": one.extent.start,
        "log_end": one.extent.end,
        "recorded_offset": None if one.position is None else one.position.next_offset,
        "from_offset": one.from_offset,
        "to_offset": one.to_offset,
        "clamped_from": one.clamped_from,
        "reread_count": one.reread_count,
        "unread_count": one.unread_count,
    }


def _offset(text: str) -> int:
    """A whole number from 0 on.

    :raises ArgumentTypeError: it is none.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise argparse.ArgumentTypeError(f"{text!r} is no offset or partition: 0, 1, 2, …")
    return int(text)
