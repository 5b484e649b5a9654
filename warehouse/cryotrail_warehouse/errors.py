"""What the warehouse refuses or cannot do.

WarehouseError
├── MaterialiserBusy    another process is writing this warehouse; retriable
├── NothingPublished    no publication yet in this folder
├── EntryChanged        an entry of the audit store was changed after it was recorded
├── OtherLog            the marts were built from another audit log
├── ModelError          a model file contradicts itself, its schema or another model
└── QueryRefused        a query that is not one read-only statement, or that DuckDB refuses
"""

from __future__ import annotations

from cryotrail_schemas.errors import CryotrailError


class WarehouseError(CryotrailError):
    """Root of the errors of the warehouse."""


class MaterialiserBusy(WarehouseError):
    """Another process holds the writable files of this warehouse; only one may."""

    retriable = True


class NothingPublished(WarehouseError):
    """The folder holds no publication, so there is nothing to read."""


class EntryChanged(WarehouseError):
    """The bytes of an entry do not have the hash that stands beside them: somebody changed them."""


class OtherLog(WarehouseError):
    """The marts were built from another audit log than the one that is open.

    Going on would mix two logs under one numbering.
    """


class ModelError(WarehouseError):
    """A model refers to something unknown, in a circle, or beyond what its refresh allows."""


class QueryRefused(WarehouseError):
    """A query could not be run; the message is DuckDB's own or names the rule that it breaks."""
