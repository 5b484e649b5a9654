"""The model files of this package, read.

A model is ``models/<folder>/<name>.sql``; its description and columns stand in the ``schema.yml``
of the folder, in the shape that dbt reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from cryotrail_warehouse.errors import ModelError
from cryotrail_warehouse.model import Column, Model, ModelSet


@cache
def models() -> ModelSet:
    """The models of this package, read once a process.

    :raises ModelError: a file without an entry in its schema.yml or the reverse, an unknown
        reference, a circle.
    """
    import yaml

    found: dict[str, Model] = {}
    digest = sha256(macros().encode())
    folders = (entry for entry in _folder().iterdir() if entry.is_dir())
    for folder in sorted(folders, key=lambda entry: entry.name):
        text = folder.joinpath("schema.yml").read_text(encoding="utf-8")
        digest.update(text.encode())
        # libyaml where it is built in: a refresh starts ten times faster than with pure Python.
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        statements = {
            entry.name.removesuffix(".sql"): entry.read_text(encoding="utf-8")
            for entry in folder.iterdir()
            if entry.name.endswith(".sql")
        }
        for name, sql in sorted(statements.items()):
            digest.update(f"{name}\n{sql}".encode())
        for entry in yaml.load(text, Loader=loader)["models"]:
            found[entry["name"]] = _model(entry, statements.pop(entry["name"], None))
        if statements:
            raise ModelError(f"{folder.name}/schema.yml does not describe {sorted(statements)}")
    return ModelSet(found, digest.hexdigest())


def macros() -> str:
    """The SQL of the macros that models call; to be run once a connection."""
    return _folder().joinpath("macros.sql").read_text(encoding="utf-8")


def _folder() -> Traversable:
    return files("cryotrail_warehouse").joinpath("models")


def _model(entry: Mapping[str, Any], sql: str | None) -> Model:
    meta = entry["meta"]
    if (sql is None) != (meta["refresh"] == "written"):
        raise ModelError(f"model {entry['name']}: refresh {meta['refresh']} and its file disagree")
    return Model(
        name=entry["name"],
        sql=sql,
        description=entry["description"].strip(),
        grain=meta["grain"],
        key=tuple(meta.get("key", ())),
        refresh=meta["refresh"],
        columns=tuple(
            Column(
                name=column["name"],
                data_type=column["data_type"],
                description=column["description"],
                unit=column.get("meta", {}).get("unit"),
                data_tests=tuple(column.get("data_tests", ())),
            )
            for column in entry.get("columns", ())
        ),
    )
