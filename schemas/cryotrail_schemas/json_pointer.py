"""JSON pointer (RFC 6901): naming one value within a JSON document, reading and replacing it."""

from __future__ import annotations

from typing import Any


class PointerError(ValueError):
    """The pointer is malformed or leads nowhere in this document."""


def parse(pointer: str) -> list[str]:
    """The reference tokens of a pointer, unescaped; none for the whole document.

    :raises PointerError: it does not begin with ``/``, or holds a ``~`` that escapes nothing.
    """
    if not pointer:
        return []
    if not pointer.startswith("/"):
        raise PointerError(f"{pointer!r} does not begin with /")
    tokens = pointer[1:].split("/")
    for token in tokens:
        if "~" in token.replace("~0", "").replace("~1", ""):
            raise PointerError(f"{pointer!r} holds a ~ that is neither ~0 nor ~1")
    return [token.replace("~1", "/").replace("~0", "~") for token in tokens]


def value_at(document: Any, pointer: str) -> Any:
    """The value that a pointer names; of a member that an object does not have, null.

    :raises PointerError: the pointer is malformed or leads nowhere.
    """
    node = document
    for token in parse(pointer):
        if isinstance(node, dict):
            node = node.get(token)
        elif isinstance(node, list):
            node = node[_index(token, node, pointer)]
        else:
            raise PointerError(f"{pointer!r}: {token!r} is below a value that holds nothing")
    return node


def replaced(document: Any, pointer: str, value: Any) -> Any:
    """The document with the value at the pointer replaced; the one given is left as it is.

    A member that an object does not have yet is added; an array keeps its length.

    :raises PointerError: the pointer is malformed or leads nowhere.
    """
    return _replaced(document, parse(pointer), value, pointer)


def _replaced(node: Any, tokens: list[str], value: Any, pointer: str) -> Any:
    if not tokens:
        return value
    token, rest = tokens[0], tokens[1:]
    if isinstance(node, dict):
        if rest and token not in node:
            raise PointerError(f"{pointer!r}: there is no {token!r}")
        return {**node, token: _replaced(node.get(token), rest, value, pointer)}
    if isinstance(node, list):
        index = _index(token, node, pointer)
        return [*node[:index], _replaced(node[index], rest, value, pointer), *node[index + 1 :]]
    raise PointerError(f"{pointer!r}: {token!r} is below a value that holds nothing")


def _index(token: str, array: list[Any], pointer: str) -> int:
    # No sign, no leading zero: RFC 6901 section 4.
    is_index = token.isascii() and token.isdigit() and (token == "0" or token[0] != "0")
    if not is_index or int(token) >= len(array):
        raise PointerError(f"{pointer!r}: the array has no item {token!r}")
    return int(token)
