"""cryotrail's recorder beside what people would use instead: ``make bench-peers``.

The same events through the same Apache Kafka into the same PostgreSQL, by four candidates: speed,
CPU and memory in alternating runs, then what each loses, doubles or mixes up under SIGKILL, and
what a message that is no event does to it. A table goes to standard output (``--json``: one JSON
document), progress to standard error, and the page of the results to docs/peers.md unless
``--no-page``. Run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from candidates import CANDIDATES, PEERS_PYTHON, ROOT, Candidate
from kafka_fixtures import home_settings
from kill_series import kill_series
from many_messages import many_messages
from peer_messages import Event, event_of
from peers_page import page
from peers_results import Results, conditions, printed
from poison import EITHER_SIDE, KINDS, one_poison
from postgres_server import PostgresServer
from throughput import RunFailed, measure

from cryotrail.console import say
from cryotrail.embedded import broker
from cryotrail_schemas.topics import PROBE_TELEMETRY

WARM_UP_ROWS = 20_000
RUN_TIMEOUT_S = 150.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and report.

    0 = done; 1 = a candidate could not be measured; 2 = wrong usage; 130 = Ctrl-C.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=60_000, help="events of a run (60,000)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each candidate (3)")
    parser.add_argument("--kills", type=int, default=20, help="kills of each candidate (20)")
    parser.add_argument("--seed", type=int, default=1, help="of the moments of the kills (1)")
    parser.add_argument("--warm-up", type=int, default=WARM_UP_ROWS, help="events before (20,000)")
    parser.add_argument(
        "--only", action="append", choices=[one.name for one in CANDIDATES],
        help="this candidate; may be given several times",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    parser.add_argument("--no-page", action="store_true", help="leave docs/peers.md as it is")
    options = parser.parse_args(arguments)
    if min(options.rows, options.warm_up) < 1 or min(options.runs, options.kills) < 0:
        parser.error("--rows and --warm-up must be above 0, --runs and --kills at least 0")
    if not PEERS_PYTHON.exists():
        parser.error("the peers are not installed; `make bench-peers` does that")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything is ended
    chosen = [one for one in CANDIDATES if not options.only or one.name in options.only]
    started = time.monotonic()
    try:
        results = _measured(options, chosen)
    except KeyboardInterrupt:
        say("interrupted; what was started is ended")
        return 130
    results.elapsed_s = time.monotonic() - started
    if not options.no_page and not options.only:
        (ROOT / "docs" / "peers.md").write_text(page(results), encoding="utf-8")
    print(json.dumps(asdict(results), indent=2) if options.json else printed(results))
    return 1 if results.failures else 0


def _measured(options: argparse.Namespace, chosen: Sequence[Candidate]) -> Results:
    results = Results(conditions(options.rows, options.warm_up, options.runs, options.seed))
    with ExitStack() as stack:
        folder = _scratch(stack)
        settings = {"shared_buffers": "512MB", "track_commit_timestamp": "on"}
        say("starting Kafka and PostgreSQL …")
        kafka = stack.enter_context(broker.running(home_settings(folder / "home")))
        assert kafka is not None
        server = stack.enter_context(PostgresServer(_scratch(stack), settings))
        to = (kafka.bootstrap, server)

        say(f"preparing {options.warm_up + options.rows} events …")
        events = [event_of(one) for one in many_messages(options.warm_up + options.rows)]
        warm_up, counted = events[: options.warm_up], events[options.warm_up :]
        for number in range(options.runs):
            for one in chosen:
                run_folder = folder / f"{one.name}-{number}"
                try:
                    run = measure(one, *to, run_folder, warm_up, counted, RUN_TIMEOUT_S)
                except RunFailed as failure:
                    results.failures.append(f"{one.name}, run {number + 1}: {failure}")
                    say(f"run {number + 1} {one.name}: {failure}")
                    continue
                results.runs.setdefault(one.name, []).append(run)
                say(
                    f"run {number + 1} {one.name}: {run.rows_per_s:,.0f} rows/s, client "
                    f"{run.client_us:.1f}, server {run.server_us:.1f} µs a row"
                )
        for one in chosen if options.kills else ():
            endless = map(event_of, many_messages(sys.maxsize))
            results.kills[one.name] = kill_series(
                one, *to, folder / f"{one.name}-kills", endless, options.kills, options.seed,
                lambda number, one=one: say(f"kill {number} {one.name}"),
            )  # fmt: skip
            say(f"{one.name}: {results.kills[one.name]}")
        in_one_partition = _of_one_partition(2 * EITHER_SIDE + 1)
        for one in chosen if options.kills else ():
            for kind in KINDS:
                poison_folder = folder / f"{one.name}-{len(results.poison.get(one.name, {}))}"
                poison_folder = poison_folder.with_name(f"poison-{poison_folder.name}")
                outcome = one_poison(one, *to, poison_folder, in_one_partition, kind)
                results.poison.setdefault(one.name, {})[kind] = outcome
                say(f"{one.name}, {kind}: {outcome}")
    return results


def _scratch(stack: ExitStack) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="cryotrail-peers-"))
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _of_one_partition(wanted: int) -> list[Event]:
    """Events of one procedure's telemetry, hence of one topic and partition."""
    found: dict[tuple[str, int], list[Event]] = {}
    for event in map(event_of, many_messages(sys.maxsize)):
        same = found.setdefault((event.avro.topic, event.avro.partition), [])
        same.append(event)
        if len(same) == wanted and event.avro.topic == PROBE_TELEMETRY:
            return list(islice(same, wanted))
    raise AssertionError("the events never end")


if __name__ == "__main__":
    sys.exit(main())
