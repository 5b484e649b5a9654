"""The append lock of a store on PostgreSQL: one writer at a time, and a name for who has it."""

from __future__ import annotations

from typing import Final

import psycopg

from cryotrail_audit.databases import APPEND_LOCK
from cryotrail_audit.errors import StoreBusy, StoreUnsafe

IDLE_HOLDER_S: Final = 60
"""How long the holder of the lock may do nothing with it."""

# In a statement of its own: whoever waits here must not have its snapshot yet.
# A writer that is stopped while it holds the lock, as a paused machine is, would hold up all others
# for as long as it stays so: the server ends its session.
_TAKE: Final = f"""
select pg_advisory_xact_lock({APPEND_LOCK}), current_setting('synchronous_commit'),
       (extract(epoch from clock_timestamp()) * 1000000)::bigint,
       set_config('idle_in_transaction_session_timeout', '{IDLE_HOLDER_S}s', true)
"""

# A key of 64 bits stands in two columns:
# https://www.postgresql.org/docs/current/view-pg-locks.html
_HOLDERS: Final = f"""
select format('pid %s (%s, user %s)', pid, coalesce(nullif(application_name, ''), 'unnamed'),
              usename)
from pg_locks join pg_stat_activity using (pid)
where locktype = 'advisory' and granted and objsubid = 1
  and database = (select oid from pg_database where datname = current_database())
  and classid = {APPEND_LOCK >> 32} and objid = {APPEND_LOCK & 0xFFFFFFFF}
"""


def take_append_lock(connection: psycopg.Connection) -> int:
    """Wait for the lock as long as ``lock_timeout`` says, and hold it until the transaction ends.

    Returns the server's clock once the lock was had, in microseconds since 1970.

    :raises StoreBusy: another session held it all that time; the message names the session. The
        transaction is rolled back.
    :raises StoreUnsafe: the server reports commits that a crash may undo, because of a setting
        of the session, the user, the database or the server.
    """
    try:
        row = connection.execute(_TAKE.encode()).fetchone()
    except psycopg.errors.LockNotAvailable as error:
        connection.rollback()
        holders = [holder for (holder,) in connection.execute(_HOLDERS.encode())]
        raise StoreBusy(
            "the append lock was not to be had:"
            f" {', '.join(holders) or 'a session that has ended since'} held it",
            hint="try again; end that session if it hangs: select pg_terminate_backend(PID)",
        ) from error
    assert row is not None  # a select without a table
    if row[1] == "off":
        raise StoreUnsafe(
            "synchronous_commit is off: the server reports commits that a crash may undo",
            hint="set it to on (or local, remote_write, remote_apply) for this user and database",
        )
    return int(row[2])
