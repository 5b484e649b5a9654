"""``cryotrail replay``: a cohort table as event streams, through the outbox into Kafka."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from cryotrail.argument_types import seconds, site_zone
from cryotrail.console import print_json
from cryotrail.publishing import publish_events
from cryotrail.settings import Settings
from cryotrail_producers import replay
from cryotrail_schemas.events import DataOrigin

_DESCRIPTION = """\
Turn a cohort table into events and publish them: one row a procedure, laid out minute by minute
from its length, probes and cycles, with CT and ice-ball checks, tip temperatures at 1 Hz,
discharge, follow-up MRI and vital status. Without FILE it is the shipped reference cohort, a
reconstruction that meets every printed aggregate of Susa et al., BMC Cancer 2016;16:798
(doi 10.1186/s12885-016-2852-6). It is not the paper's own table, and no row is a real person.

Every event says data_origin RECONSTRUCTED. Ids derive from the table (UUIDv5), so the same table
gives the same events: replaying it again, from any outbox, adds nothing to the audit store.
"""

_EXAMPLES = """\
examples:
  cryotrail replay                            the shipped cohort: 11 procedures, 11,805 events
  cryotrail replay series.csv                 a table of yours
  cryotrail replay --print-reference > series.csv
                                              the shipped table, to start one of yours from
  cryotrail replay series.csv --site-tz Europe/Zurich --json

FILE has the columns of the shipped table. A wrong cell is refused with its line and column, and
so is a procedure too short for its probes and cycles; then nothing is published. It is meant for
published and reconstructed tables: names of subjects become ids that can be recomputed, so a
table of your own patients does not belong here.

Waits up to --wait-s seconds for Kafka. What is not acknowledged by then stays in the outbox and
is said so: `cryotrail outbox send` sends it. Exit 0, 1 = the table was refused, 2 = wrong usage.
"""


def main(arguments: Sequence[str], settings: Settings) -> int:
    """Replay one table. Returns 0 once every event is durable in the outbox."""
    options = _parser().parse_args(arguments)
    if options.print_reference:
        print(replay.reference_table(), end="")
        return 0
    cohort = replay.read_cohort(options.file) if options.file else replay.reference_cohort()
    source = replay.source_of(cohort, options.site_tz)
    outcome = publish_events(
        lambda as_published: replay.events_of(cohort, options.site_tz, as_published),
        settings,
        options.wait_s,
        "replay",
        replay.event_count(cohort, options.site_tz),
        source=source,
    )
    procedures, subjects = len(cohort.rows), len({row.subject for row in cohort.rows})
    if options.json:
        print_json(
            {
                "table": str(options.file) if options.file else replay.REFERENCE_FILE,
                "source": source,
                "data_origin": DataOrigin.RECONSTRUCTED,
                "procedures": procedures,
                "subjects": subjects,
                **asdict(outcome),
            }
        )
    else:
        print(
            f"{procedures} procedures of {subjects} subjects (RECONSTRUCTED): {outcome.sentence()}"
        )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cryotrail replay",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "file", nargs="?", type=Path, metavar="FILE.csv", help="default: the shipped cohort"
    )
    parser.add_argument(
        "--print-reference", action="store_true", help="print the shipped table and publish nothing"
    )
    parser.add_argument(
        "--site-tz",
        type=site_zone,
        default=replay.SITE_TZ,
        metavar="ZONE",
        help="IANA zone in which procedures start at 10:00 (default %(default)s, as published; "
        "another zone moves every time and makes other ids)",
    )
    parser.add_argument(
        "--wait-s", type=seconds, default=30.0, help="wait for Kafka so long (default %(default)g)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    return parser
