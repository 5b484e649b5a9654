"""``cryotrail audit``: create, verify and inspect the audit store, for quality officers."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from cryotrail.console import print_json, progress, say, table
from cryotrail.settings import Settings
from cryotrail_audit.decoded import decoded_event, unframed_headers
from cryotrail_audit.errors import AuditError
from cryotrail_audit.records import KINDS, QUARANTINED, Entry, StoredTopic
from cryotrail_audit.store import AuditStore, migrate, open_store
from cryotrail_audit.verification import verify

DESCRIPTION = """\
The audit store: every event that arrived, with its bytes, in one append-only log.

Nothing in it is ever changed or deleted. Each entry's columns are bound by a hash, and all
hashes by one root. `verify` recomputes all of it from the bytes.
"""

EPILOG = """\
examples:
  cryotrail audit init                         create the store, or upgrade it
  cryotrail audit verify                       read every byte and recompute everything
  cryotrail audit show 01997b6e-8d4b-7c11-b1c3-2f1d8a4e5f60
  cryotrail audit quarantine list              records that could not be read, and why
  cryotrail audit quarantine show 1042

`intact` means that the store agrees with itself. It does not exclude that somebody who may write
everything in the database rebuilt everything in it: only a root that was kept outside shows that,
so write down the size and root that `verify` prints, where that person cannot reach them.
"""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def main(arguments: Sequence[str], settings: Settings) -> int:
    """Run ``cryotrail audit``. Returns 0, or 1 for a broken log or an entry that is not there."""
    chosen = _parser().parse_args(arguments)
    url = settings.audit_url
    if chosen.action == "init":
        return _init(url, chosen.origin)
    if chosen.action == "verify":
        return _verify(url, chosen.json)
    with closing(open_store(url)) as store:
        if chosen.action == "show":
            return _show(store, chosen.event_id)
        if chosen.quarantine_action == "list":
            return _quarantine_list(store, chosen.json)
        return _quarantine_show(store, chosen.seq)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cryotrail audit",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    init = actions.add_parser("init", help="create the store, or upgrade it; may be repeated")
    init.add_argument(
        "--origin",
        metavar="NAME",
        help="the log's name for all time, such as hospital.example/cryoablation",
    )
    verifying = actions.add_parser("verify", help="read every byte and recompute everything")
    showing = actions.add_parser("show", help="the entry of an event, as JSON")
    showing.add_argument("event_id", metavar="EVENT_ID", type=UUID)
    quarantine = actions.add_parser("quarantine", help="records that could not be read")
    inner = quarantine.add_subparsers(dest="quarantine_action", required=True, metavar="ACTION")
    listing = inner.add_parser("list", help="all of them, with the reason")
    one = inner.add_parser("show", help="one of them with its bytes, as JSON")
    one.add_argument("seq", metavar="SEQ", type=int)
    for action in (verifying, showing, listing, one):
        action.add_argument("--json", action="store_true", help="one JSON document, nothing else")
    return parser


def _init(url: str, origin: str | None) -> int:
    name = migrate(url, origin=origin)
    if origin is not None and name != origin:
        raise AuditError(
            f"the store exists already, and its log is named {name}",
            hint="a log keeps its name for all time",
        )
    print(f"the audit store is ready; its log is named {name}")
    return 0


def _verify(url: str, as_json: bool) -> int:
    with progress("verifying", _size(url)) as advance:
        found = verify(url, advance)
    if as_json:
        print_json(found._asdict() | {"root": found.root.hex()})
    elif found.result == "broken":
        where = "" if found.first_broken_seq is None else f" at entry {found.first_broken_seq}"
        print(f"broken{where}: {found.reason}")
    else:
        print(f"{found.result}: {found.size} entries, root {found.root.hex()}")
        say("no outside anchor: keep size and root where the database's owner cannot reach them")
    return 1 if found.result == "broken" else 0


def _size(url: str) -> int | None:
    """How much there is to verify; None = the store cannot say, and verification tells why."""
    try:
        with closing(open_store(url)) as store:
            return store.head().tree_size
    except AuditError:
        return None


def _show(store: AuditStore, event_id: UUID) -> int:
    entry = store.entry_of(event_id)
    if entry is None:
        raise AuditError(
            f"no entry has the event id {event_id}",
            hint="it may still wait in an outbox: cryotrail outbox status",
        )
    print_json(_described(store, entry))
    return 0


def _quarantine_list(store: AuditStore, as_json: bool) -> int:
    topics = store.topics()
    rows = [
        {
            "seq": entry.seq,
            "topic": _topic_name(topics, entry),
            "partition": entry.part,
            "offset": entry.kafka_offset,
            "reason": entry.reason,
        }
        for entries in store.entries(kinds=(QUARANTINED,))
        for entry in entries
    ]
    if as_json:
        print_json(rows)
    elif rows:
        table(rows, ["seq", "topic", "partition", "offset", "reason"])
    else:
        say("nothing is in quarantine")
    return 0


def _quarantine_show(store: AuditStore, seq: int) -> int:
    found = next(store.entries(after_seq=seq - 1, through_seq=seq, kinds=(QUARANTINED,)), None)
    if not found:
        raise AuditError(
            f"entry {seq} is not in quarantine", hint="cryotrail audit quarantine list"
        )
    print_json(_described(store, found[0]))
    return 0


def _described(store: AuditStore, entry: Entry) -> dict[str, Any]:
    """An entry as JSON: what identifies it, its bytes, and what they say."""
    topics = store.topics()
    return {
        "seq": entry.seq,
        "kind": KINDS[entry.kind],
        "event_id": str(UUID(bytes=entry.event_id)),
        "event_type": entry.event_type,
        "procedure_id": None if entry.procedure_id is None else str(UUID(bytes=entry.procedure_id)),
        "procedure_entry_no": entry.procedure_entry_no,
        "occurred_at": _time(entry.occurred_us),
        "recorded_at": _time(entry.recorded_us),
        "topic": _topic_name(topics, entry),
        "partition": entry.part,
        "offset": entry.kafka_offset,
        "producer_id": entry.producer_id,
        "producer_seq": entry.producer_seq,
        "procedure_seq": entry.procedure_seq,
        "reason": entry.reason,
        "key_hex": _hex(entry.kafka_key),
        "headers": [
            {"name": name, "value": None if value is None else value.decode(errors="replace")}
            for name, value in unframed_headers(entry.kafka_headers)
        ],
        "schema_sha256": _hex(entry.schema_sha256),
        "raw_hex": _hex(entry.raw),
        "content_hash": entry.content_hash.hex(),
        "leaf_hash": entry.leaf_hash.hex(),
        "event": decoded_event(entry, store.schemas()),
    }


def _topic_name(topics: Mapping[int, StoredTopic], entry: Entry) -> str | None:
    return None if entry.topic_id is None else topics[entry.topic_id].name


def _hex(value: bytes | None) -> str | None:
    return None if value is None else value.hex()


def _time(microseconds: int | None) -> str | None:
    if microseconds is None:
        return None
    try:
        time = _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        return f"{microseconds} us"  # a producer's clock of another age
    return time.isoformat(timespec="microseconds").replace("+00:00", "Z")
