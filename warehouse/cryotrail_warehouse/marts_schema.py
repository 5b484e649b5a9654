"""The marts file: its tables, views and comments, as the schema.yml files promise them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryotrail_warehouse.model import Model, ModelSet

if TYPE_CHECKING:
    import duckdb

CLINIC = "clinic"
"""Schema of the plain-named views."""


def create_marts(connection: duckdb.DuckDBPyConnection, models: ModelSet) -> None:
    """Create every published table and view, empty and documented, in an empty ``marts``.

    Rows are inserted and deleted from here on, never a table created from a query: that would
    lose the comments.
    """
    execute = connection.execute
    execute("begin")
    execute("use marts")
    execute(f"create schema {CLINIC}")
    for model in models.tables:
        columns = ", ".join(f'"{column.name}" {column.data_type}' for column in model.columns)
        execute(f"create table main.{model.name} ({columns})")
        _comment(connection, "table", f"main.{model.name}", model)
        for column in model.columns:
            name = f'main.{model.name}."{column.name}"'
            execute(f"comment on column {name} is {_literal(column.comment)}")
    for model in models.views:
        # Named without the file: the view is read under whatever name the file is attached.
        sql = model.render(ref="main.{}".format, source="{}.{}".format)
        execute(f"create view {CLINIC}.{model.name} as {sql}")
        _comment(connection, "view", f"{CLINIC}.{model.name}", model)
    execute("use memory")
    execute("commit")


def _comment(connection: duckdb.DuckDBPyConnection, kind: str, name: str, model: Model) -> None:
    text = f"{model.description} Grain: {model.grain}."
    connection.execute(f"comment on {kind} {name} is {_literal(text)}")


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
