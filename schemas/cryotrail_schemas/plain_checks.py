"""What Avro decodes although no event may hold it.

The bytes of a foreign producer can be good Avro and still carry a UUID that is none, text that
PostgreSQL cannot store, or a time beyond every calendar. The recorder sets such a record aside
before it reaches a transaction that would fail on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from math import isfinite
from typing import Any

from cryotrail_schemas.datum.build import record_form
from cryotrail_schemas.datum.form import Form
from cryotrail_schemas.datum.scalars import UUID_TEXT
from cryotrail_schemas.datum.times import GREATEST_US, LEAST_US
from cryotrail_schemas.errors import SchemaError, UndecodableRecord

_REQUIRED_IDS = ("event_id", "procedure_id", "subject_id")
_OPTIONAL_IDS = ("lesion_id", "correlation_id", "causation_id")
_GREATEST_INT = (1 << 31) - 1
_BYTES_OR_NULL = (bytes, type(None))


def check_plain(record: Mapping[str, Any], type_name: str | None = None) -> None:
    """Check what :func:`~cryotrail_schemas.codec.decode_plain` returned.

    Refused are header identities that are no UUID text, an ``occurred_at`` that is no integer or
    outside the years 1 to 9999, a ``personal_key_id`` that is no bytes, U+0000 in any text, and
    NaN or infinity. With ``type_name`` also body fields that Avro decodes wider than their type
    (UUIDs, times, days, decimals, 32-bit integers), for a type that the catalog has.

    :raises UndecodableRecord: ``invalid_value``, naming the field.
    """
    header = record.get("header")
    if type(header) is not dict:
        raise UndecodableRecord("invalid_value", "the record has no header")
    try:
        for name in _REQUIRED_IDS:
            if not UUID_TEXT(header[name]):
                raise _invalid(f"header.{name}", "no UUID text")
        for name in _OPTIONAL_IDS:
            value = header.get(name)
            if value is not None and not UUID_TEXT(value):
                raise _invalid(f"header.{name}", "no UUID text")
        occurred_at = header["occurred_at"]
        # Exactly: the schema may be a stranger's, and True and 1.0 compare as integers do.
        if type(occurred_at) is not int:
            raise _invalid("header.occurred_at", "no integer")
        if not LEAST_US <= occurred_at <= GREATEST_US:
            raise _invalid("header.occurred_at", "outside the years 1 to 9999")
        if type(header.get("personal_key_id")) not in _BYTES_OR_NULL:
            raise _invalid("header.personal_key_id", "no bytes")
        if not -_GREATEST_INT - 1 <= (header.get("clock_offset_ms") or 0) <= _GREATEST_INT:
            raise _invalid("header.clock_offset_ms", "no integer of 32 bits")
    except (KeyError, TypeError) as error:
        raise _invalid("header", f"not a header of cryotrail: {error!r}") from error
    _check_values(header, "header.")
    _check_values(record, "")
    if type_name is not None:
        for name, form in _demanding_fields(type_name):
            try:
                form.from_plain(record.get(name))
            except (ValueError, TypeError, KeyError, OverflowError) as error:
                raise _invalid(name, str(error)) from error


def _check_values(values: Mapping[str, Any], prefix: str) -> None:
    for name, value in values.items():
        kind = type(value)
        if kind is str:
            if "\0" in value:
                raise _invalid(prefix + name, "text holds U+0000")
        elif kind is float:
            if not isfinite(value):
                raise _invalid(prefix + name, f"{value} is no finite number")
        elif kind is list:
            _check_items(value, prefix + name)


def _check_items(items: list[Any], path: str) -> None:
    for index, item in enumerate(items):
        kind = type(item)
        if kind is float:
            if not isfinite(item):
                raise _invalid(f"{path}[{index}]", f"{item} is no finite number")
        elif kind is str:
            if "\0" in item:
                raise _invalid(f"{path}[{index}]", "text holds U+0000")
        elif kind is dict:
            _check_values(item, f"{path}[{index}].")


@cache
def _demanding_fields(type_name: str) -> tuple[tuple[str, Form], ...]:
    try:
        fields = record_form(type_name).fields
    except SchemaError:
        return ()
    return tuple(
        (name, form) for name, form in fields.items() if form.demanding and name != "header"
    )


def _invalid(path: str, reason: str) -> UndecodableRecord:
    return UndecodableRecord("invalid_value", f"{path}: {reason}")
