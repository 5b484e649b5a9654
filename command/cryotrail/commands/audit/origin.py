"""``cryotrail audit origin``: is a procedure all that its producers published, and who says so."""

from __future__ import annotations

import argparse
from typing import Any
from uuid import UUID

from cryotrail.commands.audit.actions import Actions, add_json
from cryotrail.console import print_json, progress, say, table
from cryotrail.settings import Settings
from cryotrail_audit.errors import AuditError
from cryotrail_audit.origin.seals import SealVerdict
from cryotrail_audit.origin.signatures import Judgement
from cryotrail_audit.origin.stored import OriginReader
from cryotrail_audit.origin.verdict import OriginVerdict

_DESCRIPTION = """\
Compare what was recorded of a procedure with its seals, and judge who signed it.

`verify` finds what was changed in the store since; this finds what never came in as it was
published: an event forged into the store, or dropped before it. The producer's outbox counts and
hashes what it published of a procedure and seals it, once a procedure and outbox.
"""

_EPILOG = """\
verdicts:
  sealed and complete   every event that was sealed is recorded with its content, and no other
  missing n             n sealed events are not recorded; the recorder may still be behind
  n extra               n events were recorded under the seal that it does not count
  content differs       as many as were sealed, with another content
  n displaced           the producer's content is there as a conflict: another event came first
  n after the seal      normal: corrections, after-care, other outboxes; each is to be signed
  seal unreadable       it names another procedure or event than its entry, or cannot be decoded
  not sealed            nobody said how much there is

origin proved = every seal fits, and seals, corrections and what is after the seal are signed by
keys that were registered and valid when they were recorded. Unsigned, it is "not proved".

examples:
  cryotrail audit origin
  cryotrail audit origin 0d9c3a52-1c1d-5d1e-9b6f-7d52b6c4a001 --json

Exit 0, or 1 for any finding; unsigned, not sealed and after the seal are none. Trusts the store to
be unchanged: run `cryotrail audit verify` too.
"""


def add_to(actions: Actions) -> None:
    """Add the action's parser."""
    parser = actions.add_parser(
        "origin",
        help="seals and signatures: is it all, and who said it",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "procedure_id", metavar="PROCEDURE", type=UUID, nargs="?", help="default: all of them"
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace, settings: Settings) -> int:
    """Print the verdicts; returns 1 when there is a finding.

    :raises AuditError: nothing was ever recorded of the procedure.
    """
    with OriginReader.open(settings.audit_url) as reader:
        known = reader.procedure_ids()
        if chosen.procedure_id is not None and chosen.procedure_id not in known:
            raise AuditError(
                f"nothing was recorded of procedure {chosen.procedure_id}",
                hint="cryotrail audit origin lists all procedures",
            )
        asked = known if chosen.procedure_id is None else [chosen.procedure_id]
        verdicts = []
        with progress("procedures", len(asked)) as advance:
            for verdict in reader.verdicts(*asked):
                verdicts.append(verdict)
                advance(1)
    if chosen.json:
        print_json([_as_json(verdict) for verdict in verdicts])
    elif verdicts:
        table(
            [{"procedure": one.procedure_id, "verdict": one.words()} for one in verdicts],
            ["procedure", "verdict"],
        )
        for verdict in verdicts:
            for finding in verdict.findings():
                say(f"{verdict.procedure_id}: {finding}")
    else:
        say("no procedure was recorded yet")
    return 1 if any(verdict.findings() for verdict in verdicts) else 0


def _as_json(verdict: OriginVerdict) -> dict[str, Any]:
    return {
        "procedure_id": verdict.procedure_id,
        "verdict": verdict.words(),
        "sealed": verdict.is_sealed,
        "complete": verdict.is_complete,
        "origin_proved": verdict.is_origin_proved,
        "findings": verdict.findings(),
        "seals": [_seal_as_json(seal) for seal in verdict.seals],
        "after_seal": list(verdict.after_seal),
        "must_be_signed": [_signature_as_json(one) for one in verdict.must_be_signed],
        "signed_besides": [_signature_as_json(one) for one in verdict.signed_besides],
        "displaced": list(verdict.displaced),
        "voided_seals": list(verdict.voided_seals),
        "sequence_reused": [
            {
                "producer_id": number.producer_id,
                "telemetry": number.is_telemetry,
                "procedure_seq": number.procedure_seq,
                "event_ids": list(number.event_ids),
            }
            for number in verdict.reused_numbers
        ],
        "quarantined": verdict.quarantined,
    }


def _seal_as_json(verdict: SealVerdict) -> dict[str, Any]:
    seal = verdict.seal
    return {
        "event_id": verdict.event_id,
        "seq": verdict.seq,
        "verdict": verdict.words(),
        "missing": verdict.missing,
        "extra": verdict.extra,
        "content_differs": verdict.content_differs,
        "displaced": list(verdict.displaced),
        "sealed_producer_ids": None if seal is None else sorted(seal.producer_ids),
        "event_count": None if seal is None else seal.event_count,
        "telemetry_chunk_count": None if seal is None else seal.telemetry_chunk_count,
        "signature": _signature_as_json(verdict.signature),
    }


def _signature_as_json(one: Judgement) -> dict[str, Any]:
    return {
        "event_id": one.event_id,
        "seq": one.seq,
        "event_type": one.event_type,
        "state": one.state,
        "holder": one.holder,
        "key_id": None if one.key_id is None else one.key_id.hex(),
    }
