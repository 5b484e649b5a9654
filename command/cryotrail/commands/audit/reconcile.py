"""``cryotrail audit reconcile``: what was recorded beside what Kafka still holds, byte by byte."""

from __future__ import annotations

import argparse
from contextlib import closing
from typing import TYPE_CHECKING, Any

from cryotrail.commands.audit.actions import Actions, add_json
from cryotrail.comparisons import as_json, differences_of, say_differences
from cryotrail.console import print_json, progress, say, table
from cryotrail.personal_keys import existing_record_cipher
from cryotrail.settings import Settings
from cryotrail_audit.origin.kafka_records import KafkaRecords
from cryotrail_schemas.topics import EVENT_TOPICS

if TYPE_CHECKING:
    from cryotrail_consumers.operating.reconciliation import PartitionReconciliation

_FETCH_BYTES = 1024 * 1024

_DESCRIPTION = """\
Compare the store with Kafka: every recorded offset that Kafka retains must be there with the same
key, value and headers, and every record that Kafka holds below the recorded position must be in the
store. What Kafka has deleted since cannot be compared; the retention start is named.
"""

_EPILOG = """\
examples:
  cryotrail audit reconcile
  cryotrail audit reconcile --topic cryotrail.procedure-events --json

differences:
  missing in Kafka   recorded, and gone from Kafka though its retention begins before
  not recorded       Kafka holds a record below the recorded position that is in no row
  other value        Kafka holds another record at this offset; so with key and headers
  topic replaced     the topic was deleted and made anew: nothing of it can be compared
  deleted unrecorded Kafka's retention begins above the recorded position: what lay between is lost
Records that `cryotrail record reset --skip` left unread are counted apart, and are no difference.

Reads all that Kafka retains. Exit 0, 1 = a difference.
"""


def add_to(actions: Actions) -> None:
    """Add the action's parser."""
    parser = actions.add_parser(
        "reconcile",
        help="compare the store with what Kafka still holds",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--topic", action="append", choices=EVENT_TOPICS, help="again for more (default: both)"
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace, settings: Settings) -> int:
    """Print what was compared; returns 1 when something differs.

    :raises EmbeddedKafkaNotRunning: no cluster is named and none runs for this home.
    """
    # Here, so that no other action loads a Kafka client.
    from cryotrail.embedded.connection import kafka_connection
    from cryotrail_consumers.operating.reconciliation import offsets_to_compare, reconcile
    from cryotrail_consumers.reading.kafka_log_reader import KafkaLogReader
    from cryotrail_consumers.reading.kafka_sighting import KafkaSighting

    connection = kafka_connection(settings)
    with (
        KafkaRecords.open(settings.audit_url) as records,
        existing_record_cipher(settings) as cipher,
        closing(KafkaSighting(connection, chosen.topic or EVENT_TOPICS)) as cluster,
        closing(KafkaLogReader(connection, fetch_bytes=_FETCH_BYTES)) as reader,
    ):
        total = offsets_to_compare(records, reader, cluster.topics)
        with progress("store ↔ Kafka", total) as advance:
            found = list(
                reconcile(records, reader, cluster.cluster_id, cluster.topics, cipher, advance)
            )
        cluster.confirm()
    if chosen.json:
        print_json([_as_json(one) for one in found])
    else:
        _print(found)
    return 0 if all(one.agrees for one in found) else 1


def _print(found: list[PartitionReconciliation]) -> None:
    touched = [one for one in found if one.recorded_below or one.kafka_below]
    rows = [
        {
            "partition": f"{one.topic}[{one.partition}]",
            "Kafka holds": f"{one.kafka_from}..{one.kafka_below}",
            "recorded below": one.recorded_below,
            "equal": one.equal,
            "not retained": one.not_retained,
            "differences": differences_of(one),
        }
        for one in touched
    ]
    if rows:
        table(rows, list(rows[0]))
    for one in touched:
        say_differences(one)
        if one.deleted_unrecorded:
            say(
                f"{one.topic}[{one.partition}]: {one.deleted_unrecorded} offsets from"
                f" {one.recorded_below} on were deleted from Kafka and are not recorded"
            )
    equal = sum(one.equal for one in found)
    different = sum(one.difference_count for one in found)
    replaced = any(one.topic_replaced for one in found)
    lost = sum(one.deleted_unrecorded for one in found)
    closed = sum(one.not_comparable for one in found)
    skipped = sum(one.skipped for one in found)
    print(
        f"{equal} records equal, {different} differences"
        + ("; a topic was replaced" if replaced else "")
        + (f"; {lost} offsets deleted unrecorded" if lost else "")
        + (f"; {skipped} records were left unread by a reset" if skipped else "")
        + (f"; {closed} sealed records not compared, their keys are not here" if closed else "")
    )


def _as_json(one: PartitionReconciliation) -> dict[str, Any]:
    return {
        **as_json(one),
        "not_yet_recorded": one.not_yet_recorded,
        "deleted_unrecorded": one.deleted_unrecorded,
    }
