"""``cryotrail record shadow``: all that Kafka holds recorded once more, and compared."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from cryotrail.commands.audit.actions import Actions, add_json
from cryotrail.comparisons import as_json, differences_of, say_differences
from cryotrail.console import print_json, table
from cryotrail.settings import Settings
from cryotrail.shadowing import shadow_of
from cryotrail_consumers.operating.shadow import PartitionShadow

_DESCRIPTION = """\
Record everything that Kafka holds once more, by the recorder's own code, into a store of its own
(SQLite, in a temporary folder), and compare the two: per partition the same offsets with the same
content hashes. The real store is only read, and a recorder may be running meanwhile: what it
records after the beginning is not compared.

`cryotrail audit reconcile` compares the bytes in the store with those in Kafka. This goes the whole
way through framing, schemas, decoding and quarantine, so it also shows a record that this version
of the program would read otherwise than the one that recorded it.
"""

_EPILOG = """\
examples:
  cryotrail record shadow
  cryotrail record shadow --keep /srv/shadow --json

differences:
  missing in store   Kafka holds a record that is in no row of the store
  only in store      recorded, and gone from Kafka though its log begins before
  other content      another content hash at this offset
  unreadable now     an event in the store that this program would put into quarantine
  topic replaced     the topic was deleted and made anew: nothing of it can be compared
Counted apart, and no difference: trimmed (Kafka's log begins above), records of earlier lives of a
log, records that `record reset --skip` left unread, quarantined records that could be read today
(`cryotrail audit quarantine replay`), sealed records whose key is not here.

Takes as much room below the temporary folder (TMPDIR) as the store has, and reads all of Kafka.
Exit 0, 1 = a difference.
"""


def add_to(actions: Actions) -> None:
    """Add the action's parser."""
    parser = actions.add_parser(
        "shadow",
        help="record all that Kafka holds once more, and compare",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--keep",
        metavar="DIR",
        type=Path,
        help="make the shadow store in this new folder, and leave it there",
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace, settings: Settings) -> int:
    """Print what was compared; returns 1 when something differs.

    :raises EmbeddedKafkaNotRunning: no cluster is named and none runs for this home.
    :raises FileExistsError: the folder to keep is there already.
    """
    found = shadow_of(settings, chosen.keep)
    if chosen.json:
        print_json([as_json(one) for one in found])
    else:
        _print(found)
    return 0 if all(one.agrees for one in found) else 1


def _print(found: Sequence[PartitionShadow]) -> None:
    rows = [
        {
            "partition": f"{one.topic}[{one.partition}]",
            "incarnation": one.incarnation,
            "compared": f"{one.kafka_from}..{one.compared_below}",
            "equal": one.equal,
            "trimmed": one.trimmed,
            "differences": differences_of(one),
        }
        for one in found
        if one.incarnation is not None
    ]
    if rows:
        table(rows, list(rows[0]))
    for one in found:
        say_differences(one)
    apart = {
        "were trimmed from Kafka": sum(one.trimmed for one in found),
        "are of earlier lives of a log": sum(one.earlier_lives for one in found),
        "were left unread by a reset": sum(one.skipped for one in found),
        "are in quarantine and could be read now": sum(one.readable_now for one in found),
        "are sealed, and their keys are not here": sum(one.not_comparable for one in found),
    }
    print(
        f"{sum(one.equal for one in found)} records equal,"
        f" {sum(one.difference_count for one in found)} differences"
        + ("; a topic was replaced" if any(one.topic_replaced for one in found) else "")
        + "".join(f"; {count} {what}" for what, count in apart.items() if count)
    )
