"""JSON that stands as text within an event: the values of a ``FieldChange``."""

from __future__ import annotations

import json
from typing import Any, Never

from cryotrail_schemas.errors import FieldProblem


def parse_json_text(text: str) -> Any:
    """The value that a text stands for.

    :raises ValueError: it is not JSON (RFC 8259: NaN and Infinity are none), or is nested deeper
        than the parser goes.
    """
    try:
        return json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def json_text_problems(change: Any) -> list[FieldProblem]:
    """Which values of a ``FieldChange`` are given and not JSON."""
    problems = []
    for name in ("value_json", "old_value_json"):
        text = getattr(change, name)
        try:
            if text is not None:
                parse_json_text(text)
        except ValueError as error:
            problems.append(FieldProblem(name, f"not JSON text: {error}"))
    return problems


def _no_constant(name: str) -> Never:
    raise ValueError(f"{name} is no JSON")
