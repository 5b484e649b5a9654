"""``cryotrail audit register-key`` and ``revoke-key``: whose key may sign events, and since when."""

from __future__ import annotations

import argparse
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from cryotrail.argument_types import moment, one_line
from cryotrail.commands.audit.actions import Actions, add_json
from cryotrail.console import print_json
from cryotrail.settings import Settings
from cryotrail_audit.origin.key_files import KeyRefused, read_public_key
from cryotrail_audit.origin.keys import KeyStatement
from cryotrail_audit.origin.stored import OriginReader
from cryotrail_audit.records import IncomingBatch
from cryotrail_audit.store import open_store
from cryotrail_schemas.signing import KEY_ID_BYTES, signing_key_id

_REGISTER_EPILOG = """\
examples:
  cryotrail outbox key create room2.pem         where the events are published
  cryotrail audit register-key room2.pem.pub --holder "CT room 2"
  cryotrail audit register-key room2.pem.pub --holder "CT room 2" --device CRYO-17 \\
      --valid-from 2026-11-01T00:00:00Z --valid-until 2027-11-01T00:00:00Z

The registration is an entry of the log. Signatures are judged at the time at which the signed event
was recorded: register a key before its first use, or say with --valid-from since when it is used.
Compare the key id with what the holder reads to you: anybody who may write the store can do this.
"""

_REVOKE_EPILOG = """\
examples:
  cryotrail audit revoke-key 1f0c9a7be2d34455 --reason "laptop stolen" \\
      --valid-from 2026-11-20T18:00:00Z
  cryotrail audit revoke-key room2.pem.pub --reason "replaced"

What was recorded before --valid-from (default: now) keeps its signature's worth; what was signed
before and recorded later does not. A revoked key stays revoked.
"""


def add_to(actions: Actions) -> None:
    """Add the parsers of both actions."""
    register = actions.add_parser(
        "register-key",
        help="say in the log whose key may sign events",
        epilog=_REGISTER_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    register.add_argument("file", metavar="FILE", type=Path, help="the public key, PEM")
    register.add_argument(
        "--holder", type=one_line, required=True, metavar="NAME", help="who signs with it"
    )
    register.add_argument(
        "--device",
        action="append",
        metavar="ID",
        help="a device_id that it may sign for, again for more (default: any)",
    )
    register.add_argument("--valid-from", type=moment, metavar="TIME", help="default: now")
    register.add_argument("--valid-until", type=moment, metavar="TIME", help="default: for good")
    register.add_argument("--reason", type=one_line, metavar="TEXT")
    add_json(register)
    register.set_defaults(run=run_register)

    revoke = actions.add_parser(
        "revoke-key",
        help="say in the log that a key counts no more",
        epilog=_REVOKE_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    revoke.add_argument("key", metavar="KEY", help="its id in hexadecimal, or its public key file")
    revoke.add_argument("--reason", type=one_line, required=True, metavar="TEXT")
    revoke.add_argument("--valid-from", type=moment, metavar="TIME", help="default: now")
    add_json(revoke)
    revoke.set_defaults(run=run_revoke)


def run_register(chosen: argparse.Namespace, settings: Settings) -> int:
    """Append the registration; returns 0.

    :raises KeyRefused: the file holds no public key, or the key would never be valid.
    """
    statement = KeyStatement(
        statement="registered",
        public_key=read_public_key(chosen.file),
        holder=chosen.holder,
        device_ids=None if chosen.device is None else tuple(chosen.device),
        valid_from=chosen.valid_from or datetime.now(UTC),
        valid_until=chosen.valid_until,
        reason=chosen.reason,
    )
    if statement.valid_until is not None and statement.valid_until <= statement.valid_from:
        raise KeyRefused("the key would end before it begins to be valid")
    return _append(statement, settings, as_json=chosen.json)


def run_revoke(chosen: argparse.Namespace, settings: Settings) -> int:
    """Append the revocation; returns 0.

    :raises KeyRefused: the log knows no such key.
    """
    key_id = _key_id(chosen.key)
    with OriginReader.open(settings.audit_url) as reader:
        statements = reader.keys().of_key(key_id)
    if not statements:
        raise KeyRefused(
            f"the log knows no key {key_id.hex()}",
            hint="only a key that was registered can be revoked",
        )
    revoked = replace(
        statements[-1],
        statement="revoked",
        valid_from=chosen.valid_from or datetime.now(UTC),
        valid_until=None,
        reason=chosen.reason,
    )
    return _append(revoked, settings, as_json=chosen.json)


def _key_id(text: str) -> bytes:
    try:
        key_id = bytes.fromhex(text)
    except ValueError:
        key_id = b""
    if len(key_id) == KEY_ID_BYTES:
        return key_id
    return signing_key_id(read_public_key(Path(text)))


def _append(statement: KeyStatement, settings: Settings, *, as_json: bool) -> int:
    said = statement.entry()
    with closing(open_store(settings.audit_url)) as store:
        outcome = store.append(IncomingBatch((), (), [said], owner=""))
    if as_json:
        print_json({"seq": outcome.first_seq, **said.payload})
    else:
        print(
            f"{statement.statement} key {statement.key_id.hex()} of {statement.holder}, since "
            f"{said.payload['valid_from']} (entry {outcome.first_seq})"
        )
    return 0
