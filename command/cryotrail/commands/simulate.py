"""``cryotrail simulate``: made-up procedures with telemetry, through the outbox into Kafka."""

from __future__ import annotations

import argparse
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date

from cryotrail.argument_types import seconds, site_zone
from cryotrail.console import print_json, say
from cryotrail.publishing import publish_events
from cryotrail.settings import Settings
from cryotrail_producers.published_form import AsPublished
from cryotrail_producers.simulate import FIRST_DAY, paced, simulate, source_of
from cryotrail_schemas.events import DataOrigin, Event

_DESCRIPTION = """\
Publish made-up procedures, through the same outbox as real ones. Every event says data_origin
SYNTHETIC; values are plausible at most, and nothing may be concluded from them.
"""

_EXAMPLES = """\
examples:
  cryotrail simulate                                   one procedure, as fast as possible
  cryotrail simulate --procedures 500 --seed 7         about 850,000 events, the same ones each time
  cryotrail simulate --speed 60                        watch it: an hour takes a minute

The same seed, first day and zone make the same subjects, procedures and bytes, so publishing them
twice counts once; more --procedures continue where fewer ended. Without --seed a new one is drawn
and named. --speed paces the procedure day; nights and months between events are passed over.
Exit 0, 2 = wrong usage.
"""


def main(arguments: Sequence[str], settings: Settings) -> int:
    """Simulate and publish. Returns 0 once every event is durable in the outbox."""
    options = _parser().parse_args(arguments)
    seed = secrets.randbelow(10**6) if options.seed is None else options.seed
    say(f"simulating with --seed {seed}")

    def events(as_published: AsPublished) -> Iterator[Event]:
        made = simulate(
            options.procedures,
            seed,
            first_day=options.first_day,
            site_tz=options.site_tz,
            as_published=as_published,
        )
        return paced(made, options.speed)

    outcome = publish_events(events, settings, options.wait_s, "simulate", source=source_of(seed))
    if options.json:
        print_json(
            {
                "source": source_of(seed),
                "data_origin": DataOrigin.SYNTHETIC,
                "seed": seed,
                "procedures": options.procedures,
                **asdict(outcome),
            }
        )
    else:
        print(f"{options.procedures} procedures (SYNTHETIC): {outcome.sentence()}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cryotrail simulate",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--procedures", type=_count, default=1, metavar="N", help="how many (default 1)"
    )
    parser.add_argument(
        "--speed",
        type=_speed,
        default=0.0,
        metavar="X",
        help="times as fast as real; 0 = as fast as possible (default)",
    )
    parser.add_argument("--seed", type=int, metavar="S", help="which made-up procedures")
    parser.add_argument(
        "--first-day",
        type=date.fromisoformat,
        default=FIRST_DAY,
        metavar="YYYY-MM-DD",
        help="day of the first procedure; two follow each working day (default %(default)s)",
    )
    parser.add_argument(
        "--site-tz",
        type=site_zone,
        default="UTC",
        metavar="ZONE",
        help="IANA zone of the made-up site (default %(default)s)",
    )
    parser.add_argument(
        "--wait-s", type=seconds, default=30.0, help="wait for Kafka so long (default %(default)g)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    return parser


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return count


def _speed(text: str) -> float:
    speed = float(text)
    if not 0 <= speed < float("inf"):
        raise argparse.ArgumentTypeError("a number from 0")
    return speed
