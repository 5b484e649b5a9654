"""The row of ``meta_publication``: what a marts file holds, and of which moment."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Final, NamedTuple

from cryotrail_audit.records import Head
from cryotrail_warehouse.model_files import models

if TYPE_CHECKING:
    import duckdb


class AsOf(NamedTuple):
    """The earlier moment that a file is of."""

    recorded_us: int | None
    """The time that was asked for; None = an entry was."""
    seq: int
    """The last entry that was known then; -1 = none was."""


_DESCRIBE: Final = """
insert into marts.main.meta_publication by name
select $publication_no as publication_no, current_timestamp as published_at, $last_seq as last_seq,
  make_timestamptz($last_recorded_us) as last_recorded_at, $tree_size as audit_tree_size,
  $root as audit_root, (select count(*) from marts.main.fct_procedure) as procedure_count,
  (select coalesce(sum(event_count), 0) from build.raw.procedure_stream) as event_count,
  (select coalesce(sum(chunk_count), 0) from build.raw.procedure_stream) as telemetry_chunk_count,
  $site_tz as site_tz, $version as cryotrail_version, $digest as models_sha256,
  make_timestamptz($as_of_us) as as_of_at, $as_of_seq as as_of_seq
"""


def describe_publication(
    connection: duckdb.DuckDBPyConnection,
    head: Head,
    publication_no: int,
    site_tz: str,
    as_of: AsOf | None = None,
) -> None:
    """Replace the row, within the caller's transaction.

    :param head: the log through which the marts were built.
    """
    connection.execute("delete from marts.main.meta_publication")
    connection.execute(
        _DESCRIBE,
        {
            "publication_no": publication_no,
            "last_seq": head.tree_size - 1,
            "last_recorded_us": head.recorded_us,
            "tree_size": head.tree_size,
            "root": head.root.hex(),
            "site_tz": site_tz,
            "version": version("cryotrail"),
            "digest": models().digest,
            "as_of_us": None if as_of is None else as_of.recorded_us,
            "as_of_seq": None if as_of is None else as_of.seq,
        },
    )
