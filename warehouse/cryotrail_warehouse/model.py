"""A model: SQL that names its inputs, and the columns that it promises.

The SQL is plain but for ``{{ ref('model') }}`` and ``{{ source('group', 'table') }}``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final, Literal

from cryotrail_warehouse.errors import ModelError

Refresh = Literal["staging", "touched", "full", "view", "written"]
"""How a model is brought up to date.

- ``staging``: a temporary table of one refresh, over the touched procedures
- ``touched``: a table whose rows of the touched procedures are replaced
- ``full``: a small table computed anew from other tables
- ``view``: a view in schema ``clinic``
- ``written``: a table that the materialiser itself fills; it has no SQL
"""

_REFERENCE: Final = re.compile(
    r"\{\{\s*(?:ref\('(?P<ref>\w+)'\)|source\('(?P<group>\w+)',\s*'(?P<table>\w+)'\))\s*\}\}"
)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a published table."""

    name: str
    data_type: str
    """DuckDB type."""
    description: str
    unit: str | None
    """UCUM code; None for a column without a unit."""
    data_tests: tuple[Any, ...]
    """Tests in dbt's notation, such as ``not_null``."""

    @property
    def comment(self) -> str:
        """What a SQL client shows: the description, then the unit in brackets."""
        return f"{self.description} [{self.unit}]" if self.unit else self.description


@dataclass(frozen=True, slots=True)
class Model:
    """One model: its SQL and what it promises."""

    name: str
    sql: str | None
    description: str
    grain: str
    key: tuple[str, ...]
    refresh: Refresh
    columns: tuple[Column, ...]

    @property
    def references(self) -> frozenset[str]:
        """Names of the models it reads."""
        matches = _REFERENCE.finditer(self.sql or "")
        return frozenset(match["ref"] for match in matches if match["ref"])

    def render(self, ref: Callable[[str], str], source: Callable[[str, str], str]) -> str:
        """The SQL with every input replaced by what ``ref`` and ``source`` make of it."""

        def replacement(match: re.Match[str]) -> str:
            return ref(match["ref"]) if match["ref"] else source(match["group"], match["table"])

        return _REFERENCE.sub(replacement, self.sql or "")


class ModelSet:
    """All models in an order in which each comes after what it reads."""

    def __init__(self, models: Mapping[str, Model], digest: str) -> None:
        self._models = models
        self._order = _ordered(models)
        self.digest = digest
        """SHA-256 (hexadecimal) over all model files: marts of other models are built anew."""

    def __iter__(self) -> Iterator[Model]:
        return (self._models[name] for name in self._order)

    def __getitem__(self, name: str) -> Model:
        return self._models[name]

    @property
    def tables(self) -> list[Model]:
        """The models that are published as tables."""
        return [model for model in self if model.refresh in ("touched", "full", "written")]

    @property
    def views(self) -> list[Model]:
        """The plain-named views of schema ``clinic``."""
        return [model for model in self if model.refresh == "view"]


def _ordered(models: Mapping[str, Model]) -> list[str]:
    for model in models.values():
        if unknown := model.references - models.keys():
            raise ModelError(f"model {model.name} refers to unknown {sorted(unknown)}")
    # Sorted, so that two runs work in one order and a failure names the same model twice.
    graph = {name: sorted(models[name].references) for name in sorted(models)}
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise ModelError(f"models refer to each other in a circle: {error.args[1]}") from error
