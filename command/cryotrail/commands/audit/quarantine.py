"""``cryotrail audit quarantine``: records that could not be read, and why; reading them again."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from cryotrail.argument_types import entry_number
from cryotrail.commands.audit import relay, replay
from cryotrail.commands.audit.actions import Actions, add_json
from cryotrail.commands.audit.described import described, numbered, topic_name
from cryotrail.console import print_json, say, table
from cryotrail.personal_reading import sealed_block
from cryotrail.settings import Settings
from cryotrail_audit.errors import AuditError
from cryotrail_audit.records import QUARANTINED, Entry, Replay
from cryotrail_audit.store import AuditStore, open_store


def add_to(actions: Actions) -> None:
    """Add the parsers of its own actions."""
    parser = actions.add_parser("quarantine", help="records that could not be read")
    inner = parser.add_subparsers(dest="quarantine_action", required=True, metavar="ACTION")
    listing = inner.add_parser("list", help="all of them, with the reason and what became of them")
    listing.add_argument("--open", action="store_true", help="those that nobody has replayed")
    listing.add_argument("--reason-code", metavar="CODE", help="those with this reason")
    add_json(listing)
    listing.set_defaults(run=run_list)
    showing = inner.add_parser("show", help="one of them with its bytes, as JSON")
    showing.add_argument("seq", metavar="SEQ", type=entry_number)
    add_json(showing)
    showing.set_defaults(run=run_show)
    replay.add_to(inner)
    relay.add_to(inner)


def run_list(chosen: argparse.Namespace, settings: Settings) -> int:
    """Print them; returns 0."""
    with closing(open_store(settings.audit_url)) as store:
        replays, topics = store.replays(), store.topics()
        rows = [
            {
                **numbered(store, entry),
                "topic": topic_name(topics, entry),
                "partition": entry.part,
                "offset": entry.kafka_offset,
                "reason": entry.reason,
                **_became(replays.get(store.place_of(entry))),
            }
            for entry in _quarantined(store)
            if chosen.reason_code in (None, entry.reason)
            and not (chosen.open and store.place_of(entry) in replays)
        ]
    if chosen.json:
        print_json(rows)
    elif rows:
        became = ["replayed", "replayed_as"] if any(row["replayed"] for row in rows) else []
        log = ["log", "log_seq"] if any("log" in row for row in rows) else []
        table(rows, ["seq", *log, "topic", "partition", "offset", "reason", *became])
    else:
        say("nothing is in quarantine" if not (chosen.open or chosen.reason_code) else "none")
    return 0


def run_show(chosen: argparse.Namespace, settings: Settings) -> int:
    """Print one of them; returns 0.

    :raises AuditError: the entry is not in quarantine.
    """
    seq = chosen.seq
    with closing(open_store(settings.audit_url)) as store:
        found = next(store.entries(after_seq=seq - 1, through_seq=seq, kinds=(QUARANTINED,)), None)
        if not found:
            raise AuditError(
                f"entry {seq} is not in quarantine", hint="cryotrail audit quarantine list"
            )
        sealed = sealed_block(settings, store, found[0])
        became = _became(store.replays([seq]).get(seq))
        print_json({**described(store, found[0]), "sealed": sealed, **became})
    return 0


def _quarantined(store: AuditStore) -> Iterator[Entry]:
    for entries in store.entries(kinds=(QUARANTINED,)):
        yield from entries


def _became(replay: Replay | None) -> dict[str, Any]:
    """What became of an entry: how it was replayed, and which entry holds what it says."""
    if replay is None:
        return {"replayed": None, "replayed_as": None}
    return {"replayed": replay.outcome, "replayed_as": replay.seq}
