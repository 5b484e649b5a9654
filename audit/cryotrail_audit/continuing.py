"""Continues a log whose store was restored from a backup, under a new name.

What was signed of the old log and is gone cannot be given back, and its signer rightly refuses a
log that got shorter. So the old log ends where the restore left it, and a new one begins, whose
entry 0 says what was signed, what is left and why. The topics, schemas and keys that the old log
had introduced are said again, so that the new log can be proved without the old one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, insert, select, text

from cryotrail_audit.appending.append import append_administrative
from cryotrail_audit.appending.databases import appends_of
from cryotrail_audit.appending.prepare import prepare_administrative
from cryotrail_audit.appending.transaction import AppendTransaction
from cryotrail_audit.checkpoints import checkpoint as checkpoints
from cryotrail_audit.checkpoints import note as notes
from cryotrail_audit.checkpoints.checkpoint import Checkpoint
from cryotrail_audit.checkpoints.errors import NoteRefused, SignatureRefused
from cryotrail_audit.checkpoints.head import check_log_name
from cryotrail_audit.checkpoints.keys import PinnedKey
from cryotrail_audit.clock import StoreClock
from cryotrail_audit.database_errors import database_errors
from cryotrail_audit.databases import engine_of, name_of, parse_url
from cryotrail_audit.errors import NotContinued
from cryotrail_audit.migration import check_revision
from cryotrail_audit.places import PlacedLog, read_places
from cryotrail_audit.proofs.prover import Prover
from cryotrail_audit.records import Administrative
from cryotrail_audit.tables import CHECKPOINT, ENTRY, LOG

CONTINUED: Final = "continued"
"""Type of entry 0 of a log that continues another."""

_RESTATED: Final = ("topic", "schema", "key")
_ADMINISTRATIVE = text("kind = 3")


class Restored(NamedTuple):
    """What a restore left of a log, beside the last checkpoint that was signed of it."""

    origin: str
    signed_size: int
    signed_root: bytes
    restored_size: int
    is_signature_checked: bool
    extends_size: int | None
    """The largest checkpoint, given or stored, that what is left extends; None = there is none, so
    nothing shows that what is left is the beginning of what was signed."""
    extends_where: str | None
    """Whether that one was ``given`` or is ``stored`` in the database itself."""


class ContinuedLog(NamedTuple):
    """A log that was opened."""

    origin: str
    log_id: int
    continues: Restored


def continue_log(
    url: str,
    signed: Sequence[bytes],
    reason: str,
    *,
    origin: str | None = None,
    pinned_key: PinnedKey | None = None,
) -> ContinuedLog:
    """Open a log that continues the newest one, in one transaction under the append lock.

    What is left is compared with checkpoints by the hashes that are stored; whether these are the
    hashes of what is stored, :func:`~cryotrail_audit.verification.verify` tells.

    :param signed: checkpoints of the newest log that were kept outside. The largest says what was
        signed; smaller ones may show that what is left is the beginning of that.
    :param origin: the new log's name; that of the old one with the next number when left out.
    :param pinned_key: the old log's public key: it must have signed them.
    :raises NotContinued: the log is not shorter than what was signed, or is another one; or the
        name can be no new log's.
    :raises NoteRefused: what was given is no checkpoint.
    :raises SignatureRefused: the key did not sign it.
    """
    if not reason.strip():
        raise NotContinued("no reason is given", hint="say why the log is continued")
    given = sorted(_read(signed, pinned_key), key=lambda one: one.size)
    parsed = parse_url(url)
    engine = engine_of(parsed)
    try:
        with database_errors(name_of(parsed)):
            with engine.connect() as connection:
                check_revision(connection, name_of(parsed))
            # Not guarded: to confirm a clock would add to the log that is to be continued.
            clock_us = StoreClock().unguarded_us()
            with appends_of(engine).transaction() as transaction:
                return _opened(transaction, given, reason, origin, pinned_key, clock_us)
    finally:
        engine.dispose()


def _opened(
    transaction: AppendTransaction,
    given: Sequence[Checkpoint],
    reason: str,
    origin: str | None,
    pinned_key: PinnedKey | None,
    clock_us: int,
) -> ContinuedLog:
    connection = transaction.connection
    logs = read_places(connection).logs
    _check_origin(given, logs)
    restored = _restored(connection, logs[-1], given, pinned_key)
    name = origin or next_origin(logs[-1])
    _check_name(name, logs)
    # Time goes on from where it was: what was known when is told by it, over all logs.
    now_us = max(clock_us, transaction.log_end().recorded_us)
    said = {
        "origin": restored.origin,
        "signed_size": restored.signed_size,
        "signed_root": restored.signed_root.hex(),
        "restored_size": restored.restored_size,
        "reason": reason,
    }
    entries = [Administrative(CONTINUED, said), *_restated(connection)]
    log_id = logs[-1].log_id + 1
    connection.execute(
        insert(LOG).values(log_id=log_id, origin=name, continues=restored.origin, created_us=now_us)
    )
    append_administrative(transaction, prepare_administrative(entries), now_us)
    return ContinuedLog(name, log_id, restored)


def next_origin(log: PlacedLog) -> str:
    """The name with the next number: ``hospital.example/log`` is continued by ``…/log/2``."""
    stem = re.sub(rf"/{log.log_id}\Z", "", log.origin) if log.log_id > 1 else log.origin
    return f"{stem}/{log.log_id + 1}"


def _read(signed: Sequence[bytes], pinned_key: PinnedKey | None) -> Iterator[Checkpoint]:
    for data in signed:
        note = notes.parse(data)
        checkpoint = checkpoints.parse(note.text)
        if pinned_key is not None:
            pinned_key.verify(note)
        yield checkpoint


def _check_origin(given: Sequence[Checkpoint], logs: Sequence[PlacedLog]) -> None:
    newest = logs[-1].origin
    for one in given:
        if one.origin == newest:
            continue
        if one.origin in {log.origin for log in logs}:
            raise NotContinued(
                f"{one.origin} was continued already; the newest log is {newest}",
                hint=f"give the last checkpoint that was signed of {newest}",
            )
        raise NotContinued(
            f"the checkpoint is of {one.origin}, the newest log of the store is {newest}",
            hint="give the last checkpoint that was signed of it, which is not the one over its"
            " batches; if it ought to be this store's, another one was restored",
        )


def _restored(
    connection: Connection,
    log: PlacedLog,
    given: Sequence[Checkpoint],
    pinned_key: PinnedKey | None,
) -> Restored:
    """What is left of a log.

    :raises NotContinued: nothing is missing, or what is left is not what was signed.
    """
    signed, prover = given[-1], Prover(connection, log.log_id)
    within = [("given", one) for one in given if one.size <= log.size]
    newest = _stored(connection, log, pinned_key)
    within += [] if newest is None else [("stored", newest)]
    for where, one in within:
        if prover.root(one.size) != one.root:
            raise NotContinued(
                f"{log.origin} does not extend the {where} checkpoint of {one.size} entries: it was"
                " forked or rebuilt, or appended to after the restore",
                hint="restore the backup once more and continue before anything is appended; keep"
                " this database for comparison",
            )
    if signed.size <= log.size:
        raise NotContinued(
            f"nothing to continue: {log.origin} has {log.size} entries and extends the checkpoint"
            f" of {signed.size}",
            hint="go on with the log as it is; if its signer refuses, give the newest checkpoint",
        )
    nearest = max(within, key=lambda one: one[1].size, default=None)
    return Restored(
        log.origin,
        signed.size,
        signed.root,
        log.size,
        pinned_key is not None,
        None if nearest is None else nearest[1].size,
        None if nearest is None else nearest[0],
    )


def _stored(
    connection: Connection, log: PlacedLog, pinned_key: PinnedKey | None
) -> Checkpoint | None:
    """The largest checkpoint of a log in the store; with a key, that the key signed."""
    query = (
        select(CHECKPOINT.c.note)
        .where(CHECKPOINT.c.origin == log.origin, CHECKPOINT.c.tree_size <= log.size)
        .order_by(CHECKPOINT.c.tree_size.desc(), CHECKPOINT.c.checkpoint_no.desc())
    )
    for data in connection.execute(query).scalars():
        try:
            note = notes.parse(data)
            if pinned_key is not None:
                pinned_key.verify(note)
            found = checkpoints.parse(note.text)
        except (NoteRefused, SignatureRefused):
            continue
        if found.origin == log.origin and found.size <= log.size:
            return found
    return None


def _check_name(name: str, logs: Sequence[PlacedLog]) -> None:
    try:
        check_log_name(name)
        if name in {log.origin for log in logs}:
            raise NoteRefused("the store has a log of this name")
    except NoteRefused as error:
        raise NotContinued(
            f"{name} cannot be the name of a new log: {error}",
            hint="leave --origin out, or give another",
        ) from error


def _restated(connection: Connection) -> Iterator[Administrative]:
    """What the logs say of topics, schemas and keys, as they say it; of each statement one."""
    rows = connection.execute(
        select(ENTRY.c.event_type, ENTRY.c.raw)
        .where(_ADMINISTRATIVE, ENTRY.c.event_type.in_(_RESTATED))
        .order_by(ENTRY.c.log_id, ENTRY.c.seq)
    )
    for event_type, raw in dict.fromkeys(tuple(row) for row in rows):
        yield Administrative(event_type, json.loads(raw))
