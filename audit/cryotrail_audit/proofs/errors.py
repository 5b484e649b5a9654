"""What making and reading proofs refuses.

AuditError
├── ProofNotMade       the store cannot prove what it was asked for
└── ProofFileRefused   bytes that are no proof file

That a proof does not prove what it should is :class:`~cryotrail_schemas.errors.ProofRefused`.
"""

from __future__ import annotations

from cryotrail_audit.errors import AuditError


class ProofNotMade(AuditError):
    """The log is shorter, no checkpoint covers the entry, or what is stored contradicts itself."""


class ProofFileRefused(AuditError):
    """The bytes are not exactly what the format writes; nothing in them is to be believed."""
