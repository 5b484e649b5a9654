"""The private build file: the log decoded once, in the order of ``seq``, never published.

``seq`` is the entry's place in the store throughout the warehouse, which is its ``seq`` in the log
while the store has one log.

Raw tables are append-only and lag the store by what has not been read yet. They are appended
before the marts are touched, in transactions of their own: DuckDB writes one attached database a
transaction, so a crash between the two leaves raw rows that the next refresh builds on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cryotrail_audit.records import Entry
from cryotrail_audit.store import AuditStore
from cryotrail_warehouse.decoding import Decoder, RawRow, decoder_digest
from cryotrail_warehouse.errors import OtherLog
from cryotrail_warehouse.raw_tables import STREAM_COLUMNS, TABLES, insert_json

if TYPE_CHECKING:
    import duckdb

_APPEND_TO_STREAM: Final = """
insert into build.raw.procedure_stream
select procedure_id, min(seq), max(seq), max(recorded_us),
  count(*) filter (where not is_chunk), count(*) filter (where is_chunk),
  max(seq) filter (where is_chunk), max(seq) filter (where is_correction)
from (
  select procedure_id, seq, recorded_us, false as is_chunk,
    event_type in ('EventAmended', 'EventVoided') as is_correction
  from build.raw.event where seq > $after
  union all
  select procedure_id, seq, recorded_us, true, false from build.raw.telemetry_chunk where seq > $after
)
group by procedure_id
on conflict (procedure_id) do update set
  last_seq = excluded.last_seq,
  last_recorded_us = excluded.last_recorded_us,
  event_count = event_count + excluded.event_count,
  chunk_count = chunk_count + excluded.chunk_count,
  last_chunk_seq = coalesce(excluded.last_chunk_seq, last_chunk_seq),
  last_correction_seq = coalesce(excluded.last_correction_seq, last_correction_seq)
"""


class RawLog:
    """The raw tables of an attached database ``build``."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, scratch_dir: Path) -> None:
        self._connection = connection
        self._scratch_dir = scratch_dir

    @property
    def is_current(self) -> bool:
        """Whether the tables are there and were decoded as this version decodes."""
        known = self._connection.execute(
            "select count(*) from duckdb_tables() where database_name = 'build' and table_name = 'progress'"
        ).fetchone()
        if known != (1,):
            return False
        row = self._connection.execute("select decoder_digest from build.raw.progress").fetchone()
        return row == (decoder_digest(),)

    @property
    def last_seq(self) -> int:
        """The store has been read through this number; -1 = nothing yet."""
        return self._progress()[0]

    def create(self) -> None:
        """Create the empty tables in an empty database."""
        execute = self._connection.execute
        execute("begin")
        execute("create schema build.raw")
        for table, columns in {**TABLES, "procedure_stream": STREAM_COLUMNS}.items():
            defined = ", ".join(f'"{name}" {data_type}' for name, data_type in columns.items())
            execute(f"create table build.raw.{table} ({defined})")
        execute(
            "create table build.raw.progress as"
            " select -1::bigint as last_seq, null::varchar as last_leaf_hash, $1 as decoder_digest",
            [decoder_digest()],
        )
        execute("commit")

    def append(self, store: AuditStore, through_seq: int, advance: Callable[[int], None]) -> int:
        """Append everything of the store up to ``through_seq`` that is not here yet.

        Each list that the store hands out is one transaction; reading again after a crash goes
        on behind the last of them.

        :param advance: told how many entries were taken, for a progress bar.
        :returns: how many entries were appended.
        :raises OtherLog: what was read before is not what the store holds under that number.
        """
        self._check_same_log(store)
        decoder = Decoder(store.schemas())
        appended = 0
        for stored in store.entries(after_seq=self.last_seq, through_seq=through_seq):
            entries = _placed(store, stored)
            self._append(entries, decoder.rows(entries))
            appended += len(entries)
            advance(len(entries))
        return appended

    def _check_same_log(self, store: AuditStore) -> None:
        last_seq, last_leaf_hash = self._progress()
        if last_seq < 0:
            return
        found = [entry for batch in store.entries(last_seq - 1, last_seq) for entry in batch]
        if not found or found[0].leaf_hash.hex() != last_leaf_hash:
            raise OtherLog(
                f"the warehouse was built from a log whose entry {last_seq} is not the one here",
                hint="cryotrail warehouse rebuild, if this audit store is the right one",
            )

    def _progress(self) -> tuple[int, str | None]:
        row = self._connection.execute(
            "select last_seq, last_leaf_hash from build.raw.progress"
        ).fetchone()
        assert row is not None
        return row[0], row[1]

    def _append(self, entries: list[Entry], rows: Iterable[RawRow]) -> None:
        by_table: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in rows:
            by_table[row.table].append(row.values)
        execute = self._connection.execute
        after = self.last_seq
        execute("begin")
        try:
            for table, values in by_table.items():
                insert_json(
                    self._connection, f"build.raw.{table}", TABLES[table], values, self._scratch_dir
                )
            execute(_APPEND_TO_STREAM, {"after": after})
            execute(
                "update build.raw.progress set last_seq = $1, last_leaf_hash = $2",
                [entries[-1].seq, entries[-1].leaf_hash.hex()],
            )
        except BaseException:
            execute("rollback")
            raise
        execute("commit")


def _placed(store: AuditStore, entries: list[Entry]) -> list[Entry]:
    """The entries with their place as ``seq``."""
    if entries[-1].log_id == 1:
        return entries
    return [entry._replace(seq=store.place_of(entry)) for entry in entries]
