"""The one root of all errors, and those of the language itself.

CryotrailError
├── SchemaError            the contract itself is wrong or asked for what it does not have
│   └── EvolutionRefused   a new version of a type may not be released
├── EventRefused           an event breaks the contract; carries every problem at once
├── UndecodableRecord      bytes that are no event; carries the code of its quarantine
├── ProofRefused           a Merkle proof does not prove what it should
├── ScopeErased            the key of a subject or record was destroyed for good
├── (producers)  OutboxError, ReplayRefused, …
├── (audit)      StoreError, …
└── …            each rung derives its own from the root, in its own ``errors.py``
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple


class CryotrailError(Exception):
    """Something that cryotrail refused or could not do.

    The message says what failed and on what; ``hint`` says what to do about it. ``retriable``
    is asked by loops that may try again: no caller keeps a list of error classes.
    """

    retriable: bool = False

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class FieldProblem(NamedTuple):
    """One thing wrong with one field.

    ``path`` is dotted, with indices for arrays: ``header.occurred_at``, ``gradings[0].grade``;
    it is empty when the event as a whole is meant.
    """

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" if self.path else self.reason


class SchemaError(CryotrailError):
    """A schema is malformed, or a type is asked for that the catalog does not have."""


class EvolutionRefused(SchemaError):
    """A new version of a type is not compatible with every released one."""

    def __init__(self, type_name: str, problems: Iterable[FieldProblem]) -> None:
        self.type_name = type_name
        self.problems = tuple(problems)
        listed = "; ".join(str(problem) for problem in self.problems)
        super().__init__(
            f"{type_name} cannot be released: {listed}",
            hint="add and drop only optional fields; never change a field's type or unit",
        )


class EventRefused(CryotrailError):
    """An event breaks the contract; ``problems`` holds all that is wrong with it, not the first."""

    def __init__(self, type_name: str | None, problems: Iterable[FieldProblem]) -> None:
        self.type_name = type_name
        self.problems = tuple(problems)
        listed = "; ".join(str(problem) for problem in self.problems)
        super().__init__(f"{type_name or 'event'} refused: {listed}")


QuarantineCode = Literal[
    "empty_value",
    "unknown_framing",
    "truncated",
    "trailing_bytes",
    "unknown_fingerprint",
    "registry_not_configured",
    "undecodable",
    "invalid_value",
    "key_mismatch",
    "fingerprint_collision",
    "undecodable_headers",
]
"""Why a record is in quarantine.

``key_mismatch``, ``undecodable_headers`` and the registry's codes are the recorder's.
"""


class UndecodableRecord(CryotrailError):
    """Bytes from Kafka that cannot be read as an event; they are kept in quarantine as they are."""

    def __init__(self, code: QuarantineCode, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code: QuarantineCode = code
        self.detail = detail


class ProofRefused(CryotrailError):
    """A Merkle proof does not prove what it should, or was asked of a tree that cannot give it."""


class ScopeErased(CryotrailError):
    """The key of a scope was destroyed for good; what it encrypted cannot be read any more."""

    def __init__(self, scope: str, key_id: bytes) -> None:
        super().__init__(
            f"the key of {scope} was destroyed",
            hint="a subject that returns for a new treatment gets a new subject_id",
        )
        self.scope = scope
        self.key_id = key_id
        """The key that was destroyed."""
