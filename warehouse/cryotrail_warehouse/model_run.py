"""One run of the models over the touched procedures, inside one transaction on the marts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from cryotrail_audit.store import AuditStore
from cryotrail_warehouse import telemetry_files
from cryotrail_warehouse.current_events import resolve_touched
from cryotrail_warehouse.errors import ModelError
from cryotrail_warehouse.model import Model, ModelSet
from cryotrail_warehouse.working_files import WorkingFiles

_SCOPED_SOURCES: Final = ("event", "telemetry_chunk", "procedure_stream")


_TOUCHED: Final = """
create or replace temp table touched as
select procedure_id, first_seq from build.raw.procedure_stream
where last_seq > $1 or procedure_id in (
  select waiting.procedure_id from marts.main.fct_correction as waiting
  where waiting.status = 'WAITING' and waiting.target_event_id in (
    select event_id from build.raw.event where seq > $1
    union all select event_id from build.raw.telemetry_chunk where seq > $1))
"""


class ModelRun:
    """Brings the marts from one store number to another.

    The scope is every procedure that has an entry above ``after_seq``, or a correction that waited
    for one, whole: its rows are
    deleted by procedure, not by what comes anew, so that a procedure whose events were all voided
    disappears.
    """

    def __init__(self, files: WorkingFiles, models: ModelSet, warehouse_dir: Path) -> None:
        self._connection = files.connection
        self._scratch_dir = files.scratch_dir
        self._models = models
        self._warehouse_dir = warehouse_dir
        self._seq_range = (0, -1)

    def run(
        self,
        store: AuditStore,
        after_seq: int,
        through_seq: int,
        advance: Callable[[int], None] = lambda count: None,
    ) -> list[str]:
        """Run every model; the caller has begun the transaction and commits it.

        :param after_seq: the marts contain the log up to here; -1 = nothing.
        :param through_seq: the end of the log as it was read. It bounds the scan above, not the
            last number of a procedure: corrections come later than what they correct.
        :param advance: told 0 after each model: no entry was read, and the work goes on.
        :returns: the ids of the procedures that were touched.
        """
        execute = self._connection.execute
        execute(_TOUCHED, [after_seq])
        touched = execute("select procedure_id::varchar, first_seq from temp.touched").fetchall()
        if touched:
            # Literals of the range let DuckDB skip the row groups outside it: the cost of a
            # refresh follows the touched procedures, not the length of the log.
            self._seq_range = (min(first_seq for _, first_seq in touched), through_seq)
            resolve_touched(self._connection, store, self._scratch_dir)
            for model in self._models:
                if model.refresh in ("staging", "touched"):
                    self._replace_touched(model)
                    advance(0)
            telemetry_files.write_touched(self._connection, self._warehouse_dir)
        for model in self._models:
            if model.refresh == "full":
                sql = model.render(self._full_reference(model), self._remarks_only(model))
                execute(f"delete from marts.main.{model.name}")
                execute(f"insert into marts.main.{model.name} by name {sql}")
                advance(0)
        return [procedure_id for procedure_id, _ in touched]

    def drop_temporary(self) -> None:
        """Give back the memory of the temporary tables."""
        found = self._connection.execute(
            "select table_name from duckdb_tables() where database_name = 'temp'"
        ).fetchall()
        for (name,) in found:
            self._connection.execute(f"drop table temp.{name}")

    def _replace_touched(self, model: Model) -> None:
        execute = self._connection.execute
        sql = model.render(self._touched_reference(model), self._scoped_source)
        execute(f"create or replace temp table {model.name} as {sql}")
        if model.refresh == "touched":
            execute(
                f"delete from marts.main.{model.name}"
                " where procedure_id in (select procedure_id from temp.touched)"
            )
            execute(f"insert into marts.main.{model.name} by name from temp.{model.name}")

    def _scoped_source(self, group: str, table: str) -> str:
        if group == "corrections" and table in ("current_event", "correction_change"):
            return f"temp.{table}"
        if group != "raw" or table not in _SCOPED_SOURCES:
            raise ModelError(f"no source {group}.{table} for a model of touched procedures")
        touched = "procedure_id in (select procedure_id from temp.touched)"
        if table == "procedure_stream":
            return f"(select * from build.raw.{table} where {touched})"
        first, last = self._seq_range
        in_range = f"seq between {first} and {last}"
        return f"(select * from build.raw.{table} where {in_range} and {touched})"

    def _touched_reference(self, model: Model) -> Callable[[str], str]:
        def reference(name: str) -> str:
            if self._models[name].refresh not in ("staging", "touched"):
                raise ModelError(f"model {model.name} is of touched procedures, {name} is not")
            return f"temp.{name}"

        return reference

    def _full_reference(self, model: Model) -> Callable[[str], str]:
        def reference(name: str) -> str:
            if self._models[name].refresh == "staging":
                raise ModelError(f"model {model.name} is of all procedures, {name} is not")
            return f"marts.main.{name}"

        return reference

    def _remarks_only(self, model: Model) -> Callable[[str, str], str]:
        def source(group: str, table: str) -> str:
            if group != "raw" or table not in ("remark", "replay"):
                raise ModelError(f"model {model.name} may not read all of {group}.{table}")
            return f"build.raw.{table}"

        return source
