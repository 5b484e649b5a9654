"""``cryotrail audit quarantine replay``: records that could not be read, read again."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from cryotrail.argument_types import entry_number
from cryotrail.commands.audit.actions import Actions, add_json
from cryotrail.console import print_json, say, table
from cryotrail.settings import Settings
from cryotrail_audit.errors import AuditError
from cryotrail_audit.records import QUARANTINED, Entry
from cryotrail_audit.store import AuditStore, open_store

if TYPE_CHECKING:
    from cryotrail_consumers.operating.quarantine_replay import Replayed

_DESCRIPTION = """\
Read quarantined records again, with the schemas and the registry that are known now, and append
what can be read as entries of their own. The quarantined entries stay as they are; each is
replayed once. What still cannot be read is named with its reason, and the exit code is 1.

Sealed bytes are opened for it: the new entry holds what the producer sent, and what that holds in
clear stands in the log in clear, for good.
"""

_EXAMPLES = """\
examples:
  cryotrail audit quarantine replay 1042
  cryotrail audit quarantine replay --all --reason-code registry_not_configured --dry-run
  cryotrail audit quarantine replay 1042 --corrected-file event.json \\
      --reason "probe number read from the protocol sheet" --decided-by staff-17

outcomes: event, conflict (its id is known with other content), redelivered (an entry says the
same), replayed_before, readable (--dry-run), unreadable.
A corrected file holds one event as JSON, or a record value as a producer sends it. Its entry is
marked corrected_by_operator, with the reason and who decided it, for good: name no patient.
"""


def add_to(actions: Actions) -> None:
    """Add the action's parser."""
    parser = actions.add_parser(
        "replay",
        help="read them again with what is known now",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "seqs", metavar="SEQ", type=entry_number, nargs="*", help="entries in quarantine"
    )
    parser.add_argument("--all", action="store_true", help="all that nobody has replayed")
    parser.add_argument("--reason-code", metavar="CODE", help="with --all: those with this reason")
    parser.add_argument("--dry-run", action="store_true", help="say what would come of it")
    parser.add_argument(
        "--corrected-file", type=Path, metavar="FILE", help="what an operator gives for one entry"
    )
    parser.add_argument("--reason", metavar="TEXT", help="with --corrected-file: why")
    parser.add_argument("--decided-by", metavar="STAFF_ID", help="with --corrected-file: who")
    add_json(parser)
    parser.set_defaults(run=run, parser=parser)


def run(chosen: argparse.Namespace, settings: Settings) -> int:
    """Replay; returns 0, or 1 when a record still cannot be read.

    :raises AuditError: an entry is not in quarantine.
    """
    _check_usage(chosen)
    with closing(open_store(settings.audit_url)) as store:
        entries = _open(store, chosen.reason_code) if chosen.all else _of(store, chosen.seqs)
        results = _replayed(store, entries, chosen, settings)
    rows = [_row(result) for result in results]
    if chosen.json:
        print_json(rows)
    elif rows:
        table(rows, ["source_seq", "outcome", "seq", "event_type", "reason"])
    else:
        say("nothing is to be replayed")
    if chosen.dry_run and rows:
        say("a dry run: nothing was appended")
    return 1 if any(result.outcome == "unreadable" for result in results) else 0


def _check_usage(chosen: argparse.Namespace) -> None:
    error = chosen.parser.error
    if bool(chosen.seqs) == chosen.all:
        error("name entries, or give --all")
    if chosen.reason_code is not None and not chosen.all:
        error("--reason-code goes with --all")
    given = [chosen.corrected_file, chosen.reason, chosen.decided_by]
    if any(one is not None for one in given):
        if None in given:
            error("--corrected-file, --reason and --decided-by go together")
        if len(chosen.seqs) != 1:
            error("--corrected-file is for one entry")


def _of(store: AuditStore, seqs: Sequence[int]) -> list[Entry]:
    entries = []
    for seq in dict.fromkeys(seqs):
        found = next(store.entries(after_seq=seq - 1, through_seq=seq, kinds=(QUARANTINED,)), None)
        if not found:
            raise AuditError(
                f"entry {seq} is not in quarantine", hint="cryotrail audit quarantine list"
            )
        entries += found
    return entries


def _open(store: AuditStore, reason: str | None) -> list[Entry]:
    replays = store.replays()
    return [
        entry
        for entries in store.entries(kinds=(QUARANTINED,))
        for entry in entries
        if store.place_of(entry) not in replays and reason in (None, entry.reason)
    ]


def _replayed(
    store: AuditStore, entries: list[Entry], chosen: argparse.Namespace, settings: Settings
) -> list[Replayed]:
    # Imported here: listing what is in quarantine needs no Kafka client.
    from cryotrail.configured_registry import configured_registry
    from cryotrail_consumers.decoding.decoding import RecordDecoder
    from cryotrail_consumers.decoding.known_schemas import KnownSchemas, SchemasAtHand
    from cryotrail_consumers.operating.operator_correction import OperatorCorrection
    from cryotrail_consumers.operating.quarantine_replay import QuarantineReplay
    from cryotrail_producers.key_store.kek import read_kek
    from cryotrail_producers.key_store.sqlite import SqliteKeyStore
    from cryotrail_producers.personal_cipher import PersonalCipher, RecordCipher

    schemas = KnownSchemas(
        SchemasAtHand(store) if chosen.dry_run else store, configured_registry(settings)
    )
    with ExitStack() as stack:
        keys = None
        if settings.personal_kek_file is not None:
            kek = read_kek(settings.personal_kek_file)
            keys = stack.enter_context(SqliteKeyStore(settings.keys_path, kek))
        correction = None
        if chosen.corrected_file is not None:
            correction = OperatorCorrection.of(
                _content(chosen.corrected_file),
                chosen.reason,
                chosen.decided_by,
                UUID(bytes=entries[0].event_id),
                None if keys is None else PersonalCipher(keys).encrypt,
            )
        replay = QuarantineReplay(
            store, RecordDecoder(schemas), None if keys is None else RecordCipher(keys)
        )
        return (replay.look if chosen.dry_run else replay.replay)(entries, correction)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise AuditError(f"cannot read {path}: {error.strerror}") from error


def _row(result: Replayed) -> dict[str, Any]:
    event_id = None if result.event_id is None else str(result.event_id)
    return {**result._asdict(), "event_id": event_id}
