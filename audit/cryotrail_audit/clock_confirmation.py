"""An operator's word that this machine's clock is right, as an entry of the log.

It says what was compared, so that a later reader can judge the stamps around it.
"""

from __future__ import annotations

import json
import time
from typing import Final, NamedTuple

from sqlalchemy import Connection, select, text

from cryotrail_audit.appending.append import append_administrative
from cryotrail_audit.appending.databases import appends_of
from cryotrail_audit.appending.prepare import prepare_administrative
from cryotrail_audit.database_errors import database_errors
from cryotrail_audit.databases import engine_of, name_of, parse_url
from cryotrail_audit.migration import check_revision
from cryotrail_audit.places import read_places
from cryotrail_audit.records import Administrative
from cryotrail_audit.tables import ENTRY

CLOCK_JUMP: Final = "clock_jump"
"""Type of the entry that confirms a clock."""

_ADMINISTRATIVE = text("kind > 0")


class ClockConfirmation(NamedTuple):
    """A clock that an operator confirmed."""

    place: int
    """Of its entry."""
    recorded_us: int
    """Of its entry: not below the clock, and not below the stamp before."""
    clock_us: int
    """What the machine's clock said."""
    server_ahead_us: int
    """How far the database server's clock was ahead of it; 0 where the database has none."""


def confirm_clock(
    url: str,
    reason: str | None = None,
    decided_by: str | None = None,
    *,
    clock_us: int | None = None,
) -> ClockConfirmation:
    """State in the log that this machine's clock is right; appends go on by it.

    To be called on the machine whose clock is in doubt.

    :param clock_us: what the clock says; None = it is looked at.
    :raises AuditError: as opening the store and appending to it.
    """
    parsed = parse_url(url)
    engine = engine_of(parsed)
    try:
        with database_errors(name_of(parsed)):
            with engine.connect() as connection:
                check_revision(connection, name_of(parsed))
            with appends_of(engine).transaction() as transaction:
                clock_us = time.time_ns() // 1000 if clock_us is None else clock_us
                said = {
                    "reason": reason,
                    "decided_by": decided_by,
                    "clock_us": clock_us,
                    "last_recorded_us": transaction.log_end().recorded_us,
                    "server_us": transaction.server_us,
                }
                entry = prepare_administrative([Administrative(CLOCK_JUMP, said)])
                append_administrative(transaction, entry, clock_us)
                confirmed = newest_confirmation(transaction.connection)
    finally:
        engine.dispose()
    assert confirmed is not None  # it was just appended
    return confirmed


def newest_confirmation(connection: Connection) -> ClockConfirmation | None:
    """The last clock that was confirmed in a store."""
    row = connection.execute(
        select(ENTRY.c.log_id, ENTRY.c.seq, ENTRY.c.recorded_us, ENTRY.c.raw)
        .where(_ADMINISTRATIVE, ENTRY.c.event_type == CLOCK_JUMP)
        .order_by(ENTRY.c.log_id.desc(), ENTRY.c.seq.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    said = json.loads(row.raw)
    server_us = said["server_us"] or said["clock_us"]
    return ClockConfirmation(
        read_places(connection).of(row.log_id, row.seq),
        row.recorded_us,
        said["clock_us"],
        server_us - said["clock_us"],
    )
