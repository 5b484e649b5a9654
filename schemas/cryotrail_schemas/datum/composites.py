"""Forms of values that are made of others: optional ones, arrays and records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from cryotrail_schemas.datum.form import MISSING, Form, ValueRefused, described
from cryotrail_schemas.datum.unknown_fields import why_unknown
from cryotrail_schemas.errors import FieldProblem

RecordRule = Callable[[Any], list[FieldProblem]]
"""A rule over several fields of one record."""


class Nullable(Form):
    """A value or null."""

    def __init__(self, inner: Form) -> None:
        self._inner = inner
        self._inner_to_plain = inner.to_plain
        self.demanding = inner.demanding

    def to_plain(self, value: Any) -> Any:
        return None if value is None else self._inner_to_plain(value)

    def from_plain(self, plain: Any) -> Any:
        return None if plain is None else self._inner.from_plain(plain)

    def to_json(self, value: Any) -> Any:
        return None if value is None else self._inner.to_json(value)

    def problems(self, value: Any, path: str) -> list[FieldProblem]:
        return [] if value is None else self._inner.problems(value, path)

    def read_json(self, value: Any, path: str, found: list[FieldProblem]) -> Any:
        return None if value is None else self._inner.read_json(value, path, found)


class Array(Form):
    """A tuple of values of one kind, in JSON an array."""

    def __init__(self, item: Form, greatest_length: int | None) -> None:
        self._item = item
        self.demanding = item.demanding
        self._greatest_length = greatest_length

    def to_plain(self, value: Any) -> list[Any]:
        self._check_length(value, tuple, "a tuple")
        return list(map(self._item.to_plain, value))

    def from_plain(self, plain: Any) -> tuple[Any, ...]:
        return tuple(map(self._item.from_plain, plain))

    def to_json(self, value: Any) -> list[Any]:
        return list(map(self._item.to_json, value))

    def problems(self, value: Any, path: str) -> list[FieldProblem]:
        try:
            self._check_length(value, tuple, "a tuple")
        except ValueRefused as refused:
            return [FieldProblem(path, str(refused))]
        each = (self._item.problems(item, f"{path}[{i}]") for i, item in enumerate(value))
        return [problem for problems in each for problem in problems]

    def read_json(self, value: Any, path: str, found: list[FieldProblem]) -> Any:
        try:
            self._check_length(value, list, "an array")
        except ValueRefused as refused:
            found.append(FieldProblem(path, str(refused)))
            return MISSING
        items = [self._item.read_json(item, f"{path}[{i}]", found) for i, item in enumerate(value)]
        return MISSING if MISSING in items else tuple(items)

    def _check_length(self, value: Any, kind: type[list[Any] | tuple[Any, ...]], name: str) -> None:
        if not isinstance(value, kind):
            raise ValueRefused(f"expected {name}, got {described(value)}")
        if self._greatest_length is not None and len(value) > self._greatest_length:
            raise ValueRefused(
                f"{len(value)} values; more than {self._greatest_length} are refused"
            )


class Record(Form):
    """A record of named fields, in Python an instance of its generated class."""

    def __init__(
        self,
        record_class: type,
        fields: Mapping[str, Form],
        required: Sequence[str],
        rules: Sequence[RecordRule] = (),
    ) -> None:
        self.record_class = record_class
        self.fields = fields
        self.required = frozenset(required)
        self._rules = tuple(rules)
        self.demanding = any(form.demanding for form in fields.values())
        self._to_plain = [(name, form.to_plain) for name, form in fields.items()]
        getter = attrgetter(*fields)
        # attrgetter of one name returns the value itself, of several a tuple of them.
        self._values = getter if len(fields) > 1 else lambda record: (getter(record),)

    def to_plain(self, value: Any) -> dict[str, Any]:
        self._check_class(value)
        plain = {
            name: to_plain(item)
            for (name, to_plain), item in zip(self._to_plain, self._values(value), strict=True)
        }
        for rule in self._rules:
            for problem in rule(value):
                raise ValueRefused(str(problem))
        return plain

    def from_plain(self, plain: Any) -> Any:
        return self.record_class(
            **{name: form.from_plain(plain[name]) for name, form in self.fields.items()}
        )

    def to_json(self, value: Any) -> dict[str, Any]:
        """A field that is null is left out: absent and null mean the same."""
        items = zip(self.fields.items(), self._values(value), strict=True)
        return {name: form.to_json(item) for (name, form), item in items if item is not None}

    def problems(self, value: Any, path: str) -> list[FieldProblem]:
        try:
            self._check_class(value)
        except ValueRefused as refused:
            return [FieldProblem(path, str(refused))]
        found: list[FieldProblem] = []
        for (name, form), item in zip(self.fields.items(), self._values(value), strict=True):
            found += form.problems(item, _below(path, name))
        if not found:
            for rule in self._rules:
                found += [FieldProblem(_below(path, p.path), p.reason) for p in rule(value)]
        return found

    def read_json(self, value: Any, path: str, found: list[FieldProblem]) -> Any:
        if not isinstance(value, Mapping):
            found.append(FieldProblem(path, f"expected an object, got {described(value)}"))
            return MISSING
        before = len(found)
        for name in value:
            if name not in self.fields:
                reason = why_unknown(str(name), list(self.fields))
                found.append(FieldProblem(_below(path, str(name)), reason))
        given: dict[str, Any] = {}
        for name, form in self.fields.items():
            if value.get(name) is not None:
                given[name] = form.read_json(value[name], _below(path, name), found)
            elif name in self.required:
                found.append(FieldProblem(_below(path, name), "required, and missing"))
        if len(found) > before:
            return MISSING
        record = self.record_class(**given)
        for rule in self._rules:
            found += [FieldProblem(_below(path, p.path), p.reason) for p in rule(record)]
        return MISSING if len(found) > before else record

    def _check_class(self, value: Any) -> None:
        if type(value) is not self.record_class:
            raise ValueRefused(f"expected {self.record_class.__name__}, got {described(value)}")


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
