"""``cryotrail demo``: the published cohort on the whole path, beside the published figures."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from cryotrail.argument_types import port
from cryotrail.commands import dashboard
from cryotrail.console import print_json, say, table
from cryotrail.demonstration import Demonstration, run
from cryotrail.embedded import broker
from cryotrail.embedded.connection import kafka_connection
from cryotrail.embedded.topics import ensure_topics
from cryotrail.home_lock import alone_in
from cryotrail.settings import Settings
from cryotrail_producers import replay
from cryotrail_warehouse.cohort_figures import Comparison
from cryotrail_warehouse.published_series import CITATION

COLUMNS = ("figure", "unit", "per", "source", "published", "measured", "equal")


def main(arguments: Sequence[str], settings: Settings) -> int:
    """Run the demonstration, print its figures, and serve the pages unless told not to."""
    options = _parser(settings).parse_args(arguments)
    if settings.origins["SITE_TZ"] == "default":
        # The series was treated in Tokyo; its clocks are shown in that zone unless one was set.
        settings = replace(settings, site_tz=replay.SITE_TZ)
    demonstration = Demonstration()
    with ExitStack() as stack:
        lock = stack.enter_context(alone_in(settings.home))
        with demonstration.stage("kafka"):
            if stack.enter_context(broker.running(settings)) is None:
                ensure_topics(kafka_connection(settings))
        run(settings, demonstration)
        if options.json:
            print_json(_as_json(demonstration))
        else:
            _print(demonstration)
        if not demonstration.equal:
            _say_what_else_is_here(demonstration)
            return 1
        if options.no_dashboard:
            return 0
        lock.release()
        return dashboard.main(["--port", str(options.port)], settings)


def _say_what_else_is_here(demonstration: Demonstration) -> None:
    """A home into which another table was replayed holds one larger reconstructed cohort."""
    by_key = {comparison.figure.key: comparison for comparison in demonstration.comparisons}
    found = by_key["procedures"]
    if found.measured is not None and found.measured > found.figure.value:
        say(
            f"this home holds {found.measured:.0f} reconstructed procedures, the series has "
            f"{found.figure.value:.0f}: other tables were replayed into it, and a log takes nothing "
            "back\n  → run the demo in a home of its own: CRYOTRAIL_HOME=/path/of/another"
        )


def _row(comparison: Comparison) -> dict[str, Any]:
    figure = comparison.figure
    return {
        "figure": figure.label,
        "unit": figure.unit,
        "per": figure.analysis_unit,
        "source": figure.source,
        "published": _number(figure.value),
        "measured": _number(comparison.measured),
        "equal": comparison.equal,
    }


def _number(value: float | None) -> float | int | None:
    """Whole numbers without a decimal point, as they are printed."""
    return int(value) if value is not None and value == int(value) else value


def _as_json(demonstration: Demonstration) -> Mapping[str, Any]:
    verification = demonstration.verification
    return {
        "equal": demonstration.equal,
        "figures": [
            {"key": comparison.figure.key} | _row(comparison)
            for comparison in demonstration.comparisons
        ],
        "stages": demonstration.stages,
        "events": demonstration.events,
        "recorded": demonstration.recorded,
        "audit": verification
        and {
            "result": verification.result,
            "size": verification.size,
            "root": verification.root.hex(),
            "outside_anchor": demonstration.outside_anchor,
        },
    }


def _print(demonstration: Demonstration) -> None:
    table([_row(comparison) for comparison in demonstration.comparisons], COLUMNS)
    equal = sum(comparison.equal for comparison in demonstration.comparisons)
    verification = demonstration.verification
    assert verification is not None  # a demonstration that ran to its end has one
    print()
    print(
        f"{equal} of {len(demonstration.comparisons)} figures equal. The cohort is a reconstruction"
    )
    print(f"that meets every aggregate of {CITATION};")
    print("it is not the paper's own table, and no row is a real person.")
    print(
        f"{demonstration.events} events published, {demonstration.recorded} new to the log; audit "
        f"store {verification.result} ({demonstration.outside_anchor}), {verification.size} entries, root "
        f"{verification.root.hex()[:16]}…"
    )
    print(" · ".join(f"{name} {seconds:.1f} s" for name, seconds in demonstration.stages.items()))


def _parser(settings: Settings) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cryotrail demo",
        description=(
            "Publish the eleven cryoablations of the published series as Avro events through "
            "Apache Kafka, record them in the audit store, verify it, build the marts, and print "
            "every figure of the publication beside the one that was measured. Then serve the "
            "pages until Ctrl-C."
        ),
        epilog=(
            "source: published = printed in the paper; implied = the one integer that rounds to "
            "the printed mean; reconstruction = follows from the reconstructed rows, which meet "
            "every printed aggregate and are not the paper's own table. Exit 1 on any difference. "
            "Running it again in the same home adds nothing to the log."
        ),
    )
    parser.add_argument("--no-dashboard", action="store_true", help="stop after the figures")
    parser.add_argument(
        "--port",
        type=port,
        default=settings.dashboard_port,
        help="port of the pages (default: %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="figures and stages as one JSON object")
    return parser
