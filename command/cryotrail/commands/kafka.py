"""``cryotrail kafka``: the embedded Apache Kafka of this home, and the topics of any cluster."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from cryotrail.console import print_json, say, table
from cryotrail.embedded import broker
from cryotrail.embedded.connection import kafka_connection
from cryotrail.embedded.state import read_state, running_state
from cryotrail.embedded.topics import TOPICS, TopicDifference, ensure_topics
from cryotrail.settings import Settings

_EXAMPLES = """\
examples:
  cryotrail kafka start             start it; prints host:port, and it runs on
  cryotrail kafka status --json     {"running": true, "bootstrap": "127.0.0.1:41873", ...}
  cryotrail kafka stop              a clean stop; the data stay in CRYOTRAIL_HOME/kafka
  CRYOTRAIL_KAFKA_BOOTSTRAP=kafka.example:9092 cryotrail kafka topics
                                    create both topics on a cluster of yours

It is Apache Kafka itself, one node on 127.0.0.1, for one computer: its jars are fetched once
against pinned hashes, and it runs on Java 17 or newer, or on the one that comes with the extra
[kafka]. Its log is CRYOTRAIL_HOME/logs/kafka.log.
"""


def main(arguments: Sequence[str], settings: Settings) -> int:
    """Run one of start, stop, status and topics. 1 = not running, or topics that differ."""
    chosen = _parser().parse_args(arguments)
    actions = {"start": _start, "stop": _stop, "status": _status, "topics": _topics}
    return actions[chosen.action](settings, chosen.json)


def _start(settings: Settings, as_json: bool) -> int:
    running = broker.start(settings)
    _report(running.differences)
    if settings.kafka_bootstrap is not None:
        say(f"the other commands use {settings.kafka_bootstrap} (CRYOTRAIL_KAFKA_BOOTSTRAP)")
    if as_json:
        print_json(
            {
                "running": True,
                "bootstrap": running.bootstrap,
                "version": running.version,
                "pid": running.pid,
                "started": running.started,
            }
        )
        return 0
    state = "started" if running.started else "was already running"
    say(f"Apache Kafka {running.version} {state} (process {running.pid})")
    print(running.bootstrap)
    return 0


def _stop(settings: Settings, as_json: bool) -> int:
    stopped = broker.stop(settings)
    if as_json:
        print_json({"running": False, "stopped": stopped})
    else:
        say("stopped" if stopped else f"no Kafka was running for {settings.home}")
    return 0


def _status(settings: Settings, as_json: bool) -> int:
    running = running_state(settings.kafka_dir)
    known = running or read_state(settings.kafka_dir)
    report = {
        "running": running is not None,
        "bootstrap": running.bootstrap if running else None,
        "version": known.version if known else None,
        "pid": running.pid if running else None,
        "cluster_id": known.cluster_id if known else None,
        "stale_pid": known.pid if known and not running else None,
        "data": str(settings.kafka_dir / "data"),
        "log": str(settings.logs_dir / "kafka.log"),
    }
    if as_json:
        print_json(report)
    else:
        table([{"": name, "value": value} for name, value in report.items()], ["", "value"])
    if report["stale_pid"] is not None:
        say(f"process {report['stale_pid']} ended without a clean stop")
    return 0 if running else 1


def _topics(settings: Settings, as_json: bool) -> int:
    # A single node of ours flushes every message; a cluster has replicas for that.
    embedded = settings.kafka_bootstrap is None
    outcome = ensure_topics(kafka_connection(settings), flush_each_message=embedded)
    if as_json:
        print_json(
            {
                "created": outcome.created,
                "differences": [difference._asdict() for difference in outcome.differences],
            }
        )
    else:
        for topic in TOPICS:
            print(f"{topic} {'created' if topic in outcome.created else 'exists'}")
        _report(outcome.differences)
    return 1 if outcome.differences else 0


def _report(differences: Sequence[TopicDifference]) -> None:
    for topic, name, designed, found in differences:
        say(f"{topic}: {name} is {found}, designed {designed}; it was not changed")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cryotrail kafka",
        description="Start, stop and inspect the embedded Apache Kafka of this home; "
        "create the topics on it or on the cluster that the settings name.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "action",
        choices=("start", "stop", "status", "topics"),
        help="start: until it is ready, topics included; stop: cleanly; status: exit 1 when it "
        "does not run; topics: create what is missing, exit 1 when an existing one differs",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    return parser
