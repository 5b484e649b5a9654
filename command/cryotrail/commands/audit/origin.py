"""``cryotrail audit origin``: is a procedure all that its producers published, and who says so."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from cryotrail.commands.audit.actions import Actions, add_json
from cryotrail.console import print_json, progress, say, table
from cryotrail.settings import Settings
from cryotrail_audit.origin.seals import SealVerdict
from cryotrail_audit.origin.signatures import Judgement
from cryotrail_audit.origin.stored import OriginReader
from cryotrail_audit.origin.verdict import OriginVerdict
from cryotrail_audit.procedure_names import procedure_named

_FINDINGS_SHOWN: Final = 20
"""Of one procedure."""

_DESCRIPTION = """\
Compare what was recorded of a procedure with its seals, and judge who signed it.

`verify` finds what was changed in the store since; this finds what never came in as it was
published: an event forged into the store, or dropped before it. The producer's outbox counts and
hashes what it published of a procedure and seals it, once a procedure and outbox.
"""

_EPILOG = """\
a line says: how it stands and what is wrong, is it all, who signed it, remarks
  to be looked at: …    there is a finding; what it is stands first
  all is well           every seal fits and all that must be signed is, validly
  no finding            nothing is wrong, and not all of it is proved

verdicts:
  sealed and complete   every event that was sealed is recorded with its content, and no other
  missing n             n sealed events are not recorded; the recorder may still be behind
  n extra               n events were recorded under the seal that it does not count
  content differs       as many as were sealed, with another content
  n displaced           the producer's content is there as a conflict: another event came first
  n after the seal      normal: corrections, after-care, other outboxes; each is to be signed
  n copies without      normal after `cryotrail audit erase`: the same events published again,
  erased text           whose text can no longer be encrypted
  seal unreadable       it names another procedure or event than its entry, or cannot be decoded
  not sealed            nobody said how much there is

origin proved = every seal fits, seals, corrections and what is after the seal are signed by keys
that were registered and valid when they were recorded, and there is no finding. Unsigned, it is
"not proved".

examples:
  cryotrail audit origin
  cryotrail audit origin CRYO-0001
  cryotrail audit origin 0d9c3a52-1c1d-5d1e-9b6f-7d52b6c4a001 --json

Exit 0, or 1 for any finding; unsigned, not sealed, after the seal and copies without erased text are
none. Of a procedure with more than 20 findings the first 20 are printed, all with --json. Trusts
the store to be unchanged: run `cryotrail audit verify` too.
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
        "procedure",
        metavar="PROCEDURE",
        nargs="?",
        help="its id, or its label where that is unique; default: all of them",
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace, settings: Settings) -> int:
    """Print the verdicts; returns 1 when there is a finding.

    :raises ProcedureNotFound: nothing was ever recorded of the procedure, or several have the label.
    """
    named = chosen.procedure and procedure_named(settings.audit_url, chosen.procedure)
    with OriginReader.open(settings.audit_url) as reader:
        asked = [named] if named else reader.procedure_ids()
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
            _say_findings(verdict)
        _say_how_it_stands(verdicts)
    else:
        say("no procedure was recorded yet")
    return 1 if any(verdict.findings() for verdict in verdicts) else 0


def _say_findings(verdict: OriginVerdict) -> None:
    """The first of them; a forger may make thousands, and they would hide the other procedures."""
    findings = verdict.findings()
    for finding in findings[:_FINDINGS_SHOWN]:
        say(f"{verdict.procedure_id}: {finding}")
    if len(findings) > _FINDINGS_SHOWN:
        say(
            f"{verdict.procedure_id}: {len(findings)} findings, of which these are the first"
            f" {_FINDINGS_SHOWN}; all: cryotrail audit origin {verdict.procedure_id} --json"
        )


def _say_how_it_stands(verdicts: Sequence[OriginVerdict]) -> None:
    standing = Counter(verdict.standing for verdict in verdicts)
    counted = ", ".join(f"{words}: {count}" for words, count in standing.items())
    say(f"{len(verdicts)} procedures; {counted}")


def _as_json(verdict: OriginVerdict) -> dict[str, Any]:
    return {
        "procedure_id": verdict.procedure_id,
        "verdict": verdict.words(),
        "standing": verdict.standing,
        "sealed": verdict.is_sealed,
        "complete": verdict.is_complete,
        "origin_proved": verdict.is_origin_proved,
        "findings": verdict.findings(),
        "seals": [_seal_as_json(seal) for seal in verdict.seals],
        "after_seal": list(verdict.after_seal),
        "must_be_signed": [_signature_as_json(one) for one in verdict.must_be_signed],
        "signed_besides": [_signature_as_json(one) for one in verdict.signed_besides],
        "displaced": list(verdict.displaced),
        "copies_without_erased_text": verdict.withheld,
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
