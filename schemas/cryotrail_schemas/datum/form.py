"""The contract of a form: how one kind of value is checked, encoded and read."""

from __future__ import annotations

from reprlib import Repr
from typing import Any, Final

from cryotrail_schemas.errors import FieldProblem

MISSING: Final = object()
"""What :meth:`Form.read_json` returns instead of a value that it had to refuse."""

_ABRIDGED: Final = Repr()
_ABRIDGED.maxstring = _ABRIDGED.maxlong = _ABRIDGED.maxother = 60


class ValueRefused(Exception):
    """A value breaks the contract. It never leaves this package: callers see ``EventRefused``."""


class Form:
    """One kind of value, in Python, as plain Avro (logical types taken off) and in JSON.

    The first two methods are the fast ones: they raise at the first thing wrong. The last two
    collect everything that is wrong, with its path.
    """

    demanding = False
    """Whether :meth:`from_plain` may refuse what Avro decodes: bytes allow more than the kind."""

    def to_plain(self, value: Any) -> Any:
        """Check a Python value and return what the encoder takes.

        :raises ValueRefused: the value breaks the contract.
        """
        raise NotImplementedError

    def from_plain(self, plain: Any) -> Any:
        """The Python value of a decoded one.

        :raises ValueError: it decodes, but no value of this kind is written so.
        """
        return plain

    def to_json(self, value: Any) -> Any:
        """The JSON value of a Python value that the contract allows."""
        return value

    def from_json(self, value: Any) -> Any:
        """The Python value of a JSON value, of the right kind but otherwise unchecked.

        :raises ValueRefused: the JSON value is of another kind.
        """
        return value

    def problems(self, value: Any, path: str) -> list[FieldProblem]:
        """Everything wrong with a Python value found at ``path``."""
        try:
            self.to_plain(value)
        except ValueRefused as refused:
            return [FieldProblem(path, str(refused))]
        return []

    def read_json(self, value: Any, path: str, found: list[FieldProblem]) -> Any:
        """The Python value of JSON at ``path``; :data:`MISSING` after adding what is wrong."""
        try:
            python_value = self.from_json(value)
            self.to_plain(python_value)
        except ValueRefused as refused:
            found.append(FieldProblem(path, str(refused)))
            return MISSING
        return python_value


def described(value: object) -> str:
    """A value as a message names it: itself, cut short, however large or nested it is."""
    if value is None:
        return "null"
    text = _ABRIDGED.repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
