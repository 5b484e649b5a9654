"""``cryotrail audit erase``: make a subject's text, or one quarantined record, unreadable for good."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any
from uuid import UUID

from cryotrail.argument_types import entry_number, one_line
from cryotrail.commands.audit.actions import Actions, add_json
from cryotrail.console import print_json, progress, say
from cryotrail.personal_keys import required_keys
from cryotrail.settings import Settings
from cryotrail_audit.erasure.erase import (
    Erased,
    erase_record,
    erase_subject,
    holds_over,
    keys_elsewhere,
    quarantined_entry,
    refuse_held,
)
from cryotrail_audit.erasure.holds import holds_in_force
from cryotrail_audit.erasure.trace import Stretch, Trace, trace
from cryotrail_audit.store import AuditStore, open_store
from cryotrail_schemas.personal import KeyStore

if TYPE_CHECKING:
    from cryotrail.kafka_copies import KafkaCopy

_DESCRIPTION = """\
Destroy the key that a subject's personal text is encrypted with.

The text is then unreadable wherever its ciphertext went: in the log, in Kafka, in outboxes, in
exports and in backups of them. No entry is changed and every proof still verifies. The log says
whose key was destroyed, on what basis and decided by whom. It cannot be undone, but for backups of
the key store: keep none for longer than the erasure may wait.
"""

_EPILOG = """\
examples:
  cryotrail audit erase 5f6f7d1e-4f0c-4b6e-9a51-7f8b6a0c2d11 --dry-run
  cryotrail audit erase 5f6f7d1e-4f0c-4b6e-9a51-7f8b6a0c2d11 \\
      --basis "GDPR 17(1)(a), request 2026-114" --decided-by dpo-2
  cryotrail audit erase --record 1042 --basis "mis-routed message" --decided-by dpo-2

--basis and --decided-by stay in the log for good: no names, dates or numbers of a patient.
Exit 1 = refused, under a hold for instance (with --dry-run: would be); or done, and text of the
subject remains readable that was published while encryption was off, or whose key is in another key
store.
Run it again after an interruption: it completes what is missing and states nothing twice.
"""


def add_to(actions: Actions) -> None:
    """Add the action's parser."""
    parser = actions.add_parser(
        "erase",
        help="make a subject's personal text unreadable for good",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("subject", metavar="SUBJECT", type=UUID, nargs="?", help="subject_id")
    what.add_argument("--record", metavar="SEQ", type=entry_number, help="one quarantined record")
    parser.add_argument(
        "--basis", type=one_line, metavar="TEXT", help="on what ground, e.g. an article of law"
    )
    parser.add_argument(
        "--decided-by", type=one_line, metavar="NAME", help="staff id of who decided it"
    )
    parser.add_argument("--dry-run", action="store_true", help="say it, and destroy nothing")
    add_json(parser)
    parser.set_defaults(run=run, usage_error=parser.error)


def run(chosen: argparse.Namespace, settings: Settings) -> int:
    """Erase. Returns 1 when text of the subject remains readable, or a dry run meets a hold.

    :raises ErasureRefused: a hold forbids it, or there is nothing that could be erased.
    :raises KekRefused, KeyStoreError: the keys are not at hand.
    """
    if not chosen.dry_run and not (chosen.basis and chosen.decided_by):
        chosen.usage_error("--basis and --decided-by are required")
    with (
        required_keys(settings) as keys,
        closing(open_store(settings.audit_url)) as store,
    ):
        if chosen.record is not None:
            report = _record(chosen, settings, store, keys)
        else:
            report = _subject(chosen, settings, store, keys)
    if chosen.json:
        print_json(report)
    else:
        _print(report)
    refused = chosen.dry_run and report["holds"]
    return 1 if refused or report["still_readable"] else 0


def _subject(
    chosen: argparse.Namespace, settings: Settings, store: AuditStore, keys: KeyStore
) -> dict[str, Any]:
    subject: UUID = chosen.subject
    held = holds_in_force(store, subject)
    if not chosen.dry_run:
        refuse_held(held)  # before the whole log is read
    with progress("reading the log", store.head().tree_size) as advance:
        found = trace(store, subject, advance)
    erased = None
    if not chosen.dry_run:
        erased = erase_subject(store, keys, subject, found, chosen.basis, chosen.decided_by)
    copies, problem = _kafka_copies(settings, store, found.stretches)
    readable = []
    if found.clear:
        readable.append(
            f"{len(found.clear)} entries were published while encryption was off: their text stands"
            " in the log in clear, for ever, and in Kafka, marts and backups"
        )
    in_clear = [one.seq for one in found.quarantined if not one.sealed]
    if in_clear:
        readable.append(
            f"{len(in_clear)} quarantined records of the subject's procedures stand in the log in"
            " clear, for ever; nobody knows what is in them"
        )
    elsewhere = keys_elsewhere(keys, subject, found)
    if elsewhere:
        count = sum(found.encrypted[key_id] for key_id in elsewhere)
        readable.append(
            f"{count} entries are encrypted with keys of another key store: erase there as well"
        )
    sealed = [one.seq for one in found.quarantined if one.sealed]
    return _report(chosen, erased, copies, problem) | {
        "subject_id": str(subject),
        "holds": [hold.seq for hold in held],
        "counts": found.counts(),
        "in_clear": [
            {
                "seq": one.seq,
                "event_id": str(one.event_id),
                "event_type": one.event_type,
                "fields": list(one.pointers),
            }
            for one in found.clear
        ],
        "quarantined_in_clear": in_clear,
        "quarantined_sealed": sealed,
        "still_readable": readable,
        "remains": _remains(found, sealed),
    }


def _remains(found: Trace, sealed: list[int]) -> list[str]:
    remains = [
        f"{found.entries} entries of what was done, under the pseudonym: they are the evidence",
        f"{found.encrypted.total()} ciphertexts that nobody can read, also in exports and backups",
        "marts as they are: encrypted text never gets into them, so nothing was purged",
        "what people copied while the key was there, such as the output of `audit show`",
        "backups of the key store, until the last one that holds the key is gone",
    ]
    if sealed:
        remains.append(
            f"{len(sealed)} quarantined records of the subject's procedures, each under its own"
            " key, and in Kafka in clear: erase those that say something of them,"
            f" --record {sealed[0]}, and trim Kafka"
        )
    return remains


def _record(
    chosen: argparse.Namespace, settings: Settings, store: AuditStore, keys: KeyStore
) -> dict[str, Any]:
    seq: int = chosen.record
    entry = quarantined_entry(store, seq)
    held = holds_over(store, seq)
    erased = None
    if not chosen.dry_run:
        erased = erase_record(store, keys, seq, chosen.basis, chosen.decided_by)
    stretches = {}
    if entry.topic_id is not None and entry.part is not None and entry.incarnation is not None:
        offset = entry.kafka_offset or 0
        stretches[entry.topic_id, entry.part, entry.incarnation] = Stretch(1, offset, offset)
    copies, problem = _kafka_copies(settings, store, stretches)
    readable = []
    if any(copy.held is not False for copy in copies):
        readable.append(
            "Kafka's own copy of the record is in clear"
            + (
                ": cryotrail kafka trim --through-recorded"
                if problem is None
                else ", if it is there"
            )
        )
    return _report(chosen, erased, copies, problem) | {
        "record": seq,
        "holds": [hold.seq for hold in held],
        "still_readable": readable,
        "remains": [
            "the entry: its place, key, headers and reason, in clear as they came",
            "its ciphertext, which nobody can read, and hashes over it",
        ],
    }


def _kafka_copies(
    settings: Settings, store: AuditStore, stretches: Mapping[tuple[int, int, int], Stretch]
) -> tuple[list[KafkaCopy], str | None]:
    # Imported here, so that no other action loads a Kafka client.
    from cryotrail.kafka_copies import kafka_copies

    return kafka_copies(settings, store.topics(), stretches)


def _report(
    chosen: argparse.Namespace, erased: Erased | None, copies: list[KafkaCopy], problem: str | None
) -> dict[str, Any]:
    return {
        "dry_run": chosen.dry_run,
        "entry": None if erased is None else erased.seq,
        "stated_before": None if erased is None else erased.stated_before,
        "keys_destroyed": [] if erased is None else [one.hex() for one in erased.key_ids],
        "kafka": [copy._asdict() for copy in copies],
        "kafka_problem": problem,
    }


def _print(report: dict[str, Any]) -> None:
    what = (
        f"the text of subject {report['subject_id']}"
        if "subject_id" in report
        else f"the bytes of entry {report['record']}"
    )
    if report["dry_run"]:
        print(f"nothing was destroyed: a dry run for {what}")
        for seq in report["holds"]:
            print(f"REFUSED as things are: a hold was set by entry {seq}")
    else:
        count = len(report["keys_destroyed"])
        again = ", stated before" if report["stated_before"] else ""
        print(f"erased {what}: {count} key destroyed (entry {report['entry']}{again})")
    for name, count in report.get("counts", {}).items():
        print(f"  {name}: {count}")
    for line in report["still_readable"]:
        say(f"STILL READABLE: {line}")
    for one in report.get("in_clear", [])[:20]:
        say(f"  in clear: entry {one['seq']}, {one['event_type']}: {', '.join(one['fields'])}")
    _print_copies(report)
    for line in report["remains"]:
        print(f"remains: {line}")


def _print_copies(report: dict[str, Any]) -> None:
    if report["kafka_problem"] is not None:
        say(f"Kafka was not asked what it still holds: {report['kafka_problem']}")
    for copy in report["kafka"]:
        if copy["held"] is not False:
            maybe = "holds" if copy["held"] else "may hold"
            print(
                f"Kafka {maybe} copies: {copy['topic']} partition {copy['partition']},"
                f" {copy['record_count']} records up to offset {copy['last_offset']}"
            )
    if any(copy["held"] for copy in report["kafka"]):
        print("to delete them there: cryotrail kafka trim --through-recorded")
