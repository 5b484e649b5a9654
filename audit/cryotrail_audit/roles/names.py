"""The four roles of a store on PostgreSQL, and what each may do to which table."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from cryotrail_audit.errors import AuditError

DEFAULT_PREFIX: Final = "cryotrail_audit"

_PREFIX: Final = re.compile(r"(?!pg_)[a-z_][a-z0-9_]{0,55}")

APPENDED: Final = (
    "topic", "schema", "entry", "batch", "batch_partition", "claim", "redelivery", "tile",
)  # fmt: skip
"""What the recorder's writer appends to. Not ``log``: only an operator opens one."""

SIGNED: Final = ("checkpoint", "procedure_head")
"""What the signer appends to, and nobody else."""


class RoleNames(NamedTuple):
    """The roles of one store; a role belongs to a server, not to a database."""

    owner: str
    """Owns the schema and everything in it; never logs in, and may not even read."""
    writer: str
    """Appends and reads. Bypasses row-level security, since COPY FROM does not work under it."""
    reader: str
    """Reads: verification, exports, the warehouse."""
    signer: str
    """Reads, and appends checkpoints and procedure heads."""

    @classmethod
    def of(cls, prefix: str) -> RoleNames:
        """The roles under a prefix, such as ``cryotrail_audit``.

        :raises AuditError: no plain lower-case name, or one that PostgreSQL keeps to itself.
        """
        if _PREFIX.fullmatch(prefix) is None:
            raise AuditError(
                f"{prefix!r} cannot begin the name of a role",
                hint="use up to 56 of a-z, 0-9 and _, beginning with a letter, not with pg_",
            )
        return cls(*(f"{prefix}_{role}" for role in cls._fields))

    @classmethod
    def of_owner(cls, owner: str) -> RoleNames | None:
        """The roles of a store whose schema has this owner; None = it has no such roles."""
        prefix = owner.removesuffix("_owner")
        return None if prefix == owner else cls.of(prefix)
