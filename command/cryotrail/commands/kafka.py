"""``cryotrail kafka``: the embedded Apache Kafka of this home, and the topics of any cluster."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import closing

from cryotrail.console import print_json, say, table
from cryotrail.embedded import broker
from cryotrail.embedded.connection import kafka_connection
from cryotrail.embedded.state import read_state, running_state
from cryotrail.embedded.topics import TopicDifference, ensure_topics
from cryotrail.settings import Settings
from cryotrail_schemas.topics import EVENT_TOPICS

_EXAMPLES = """\
examples:
  cryotrail kafka start             start it; prints host:port, and it runs on
  cryotrail kafka status --json     {"running": true, "bootstrap": "127.0.0.1:41873", ...}
  cryotrail kafka stop              a clean stop; the data stay in CRYOTRAIL_HOME/kafka
  CRYOTRAIL_KAFKA_BOOTSTRAP=kafka.example:9092 cryotrail kafka topics
                                    create both topics on a cluster of yours
  cryotrail kafka trim --through-recorded --dry-run
                                    what the audit store has recorded and Kafka still holds
  cryotrail kafka trim --through-recorded --topic cryotrail.probe-telemetry

trim deletes records below the position that the audit store has recorded, never one above it, and
nothing of a partition whose log is not the one that was recorded. It cannot be undone: verify the
store and have a backup of it before. Only the store of this home is asked: what another reader of
the topics, such as a second store, has not read yet is gone for it, which it reports as a loss.

It is Apache Kafka itself, one node on 127.0.0.1, for one computer: its jars are fetched once
against pinned hashes, and it runs on Java 17 or newer, or on the one that comes with the extra
[kafka]. Its log is CRYOTRAIL_HOME/logs/kafka.log.
"""


def main(arguments: Sequence[str], settings: Settings) -> int:
    """Run one action. 1 = not running, topics that differ, or a log that was left alone."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if chosen.action == "trim":
        if not chosen.through_recorded:
            parser.error("trim needs --through-recorded: there is no other way to trim")
        return _trim(settings, chosen.topic or list(EVENT_TOPICS), chosen.dry_run, chosen.json)
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
        for topic in EVENT_TOPICS:
            print(f"{topic} {'created' if topic in outcome.created else 'exists'}")
        _report(outcome.differences)
    return 1 if outcome.differences else 0


def _trim(settings: Settings, topics: Sequence[str], dry_run: bool, as_json: bool) -> int:
    # Here, so that starting a broker loads no database.
    from cryotrail.embedded.trim import trim_through_recorded
    from cryotrail.personal_keys import existing_record_cipher
    from cryotrail_audit.store import open_store

    connection = kafka_connection(settings)
    with (
        existing_record_cipher(settings) as records,
        closing(open_store(settings.audit_url)) as store,
    ):
        done = trim_through_recorded(connection, store, topics, records, dry_run=dry_run)
    rows = [one._asdict() for one in done]
    if as_json:
        print_json(rows)
    else:
        table(rows, list(rows[0]))
        count = sum(one.deleted for one in done)
        say(f"{count} records {'would be' if dry_run else 'were'} deleted; their bytes leave")
        say("Kafka's disks when their segments are closed and the next retention check comes")
    return 1 if any(one.outcome == "not the same log" for one in done) else 0


def _report(differences: Sequence[TopicDifference]) -> None:
    for topic, name, designed, found in differences:
        say(f"{topic}: {name} is {found}, designed {designed}; it was not changed")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cryotrail kafka",
        description="Start, stop and inspect the embedded Apache Kafka of this home; "
        "create the topics on it or on the cluster that the settings name, and delete from them "
        "what the audit store has recorded.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "action",
        choices=("start", "stop", "status", "topics", "trim"),
        help="start: until it is ready, topics included; stop: cleanly; status: exit 1 when it "
        "does not run; topics: create what is missing, exit 1 when an existing one differs; "
        "trim: delete what the audit store has recorded, exit 1 when a log was left alone",
    )
    trimming = parser.add_argument_group("trim")
    trimming.add_argument(
        "--through-recorded",
        action="store_true",
        help="delete the records below each partition's recorded position",
    )
    trimming.add_argument(
        "--topic", action="append", choices=EVENT_TOPICS, help="only this topic; may be repeated"
    )
    trimming.add_argument("--dry-run", action="store_true", help="say it, and delete nothing")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    return parser
