"""The columns of a cohort table, and how the text of a cell in each is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypeVar

from cryotrail_schemas.events import (
    ComplicationKind,
    DiseaseStatus,
    DisplacementMedium,
    Histology,
    LesionOrigin,
    Sex,
    Site,
    Tissue,
)

Symbol = TypeVar("Symbol", bound=StrEnum)


def _name(text: str) -> str:
    # A slash would let the ids of one procedure be those of another, since they are made of paths;
    # a space at an end would make two subjects of one.
    if not text or "/" in text or text != text.strip() or not text.isprintable():
        raise ValueError(f"must be a name without a slash or outer spaces, not {text!r}")
    return text


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if text.isascii() and text.isdigit() and least <= int(text) <= most:
            return int(text)
        raise ValueError(f"must be a whole number from {least} to {most}, not {text!r}")

    return read


def _decimal(least: str, most: str) -> Callable[[str], Decimal]:
    def read(text: str) -> Decimal:
        try:
            number = Decimal(text)
            if Decimal(least) <= number <= Decimal(most):
                return number
        except InvalidOperation:
            pass  # no number, or NaN, which compares with none: refused like one out of range
        raise ValueError(f"must be a number from {least} to {most}, not {text!r}")

    return read


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    # Other forms of ISO 8601 (20120119, 2012-W03-4) would be read too, but not by people.
    if day is None or day.isoformat() != text or not 1900 <= day.year <= 2100:
        raise ValueError(f"must be a day such as 2012-01-19, not {text!r}")
    return day


def _yes(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(f"must be true or false, not {text!r}")
    return text == "true"


def _text(text: str) -> str | None:
    return text or None


def _symbol(kind: type[Symbol]) -> Callable[[str], Symbol]:
    def read(text: str) -> Symbol:
        try:
            return kind(text)
        except ValueError:
            known = ", ".join(sorted(kind))
            raise ValueError(f"{text!r} is no {kind.__name__}; known: {known}") from None

    return read


def _optional(kind: type[Symbol]) -> Callable[[str], Symbol | None]:
    read = _symbol(kind)
    return lambda text: read(text) if text else None


COLUMNS: Mapping[str, Callable[[str], Any]] = {
    "procedure": _name,
    "subject": _name,
    "procedure_no": _whole(1, 99),
    "treated_on": _day,
    "age_years": _whole(0, 130),
    "sex": _symbol(Sex),
    "histology": _symbol(Histology),
    "origin": _symbol(LesionOrigin),
    "tissue": _symbol(Tissue),
    "site": _symbol(Site),
    "size_mm": _decimal("0.1", "1000"),
    "probe_count": _whole(1, 99),
    "cycle_count": _whole(1, 9),
    # It ends before discharge, which is at the hour of its start on the next day.
    "duration_min": _whole(1, 24 * 60 - 1),
    "embolized": _yes,
    "displacement": _optional(DisplacementMedium),
    "complication": _optional(ComplicationKind),
    "complication_detail": _text,
    "retreatment_of": _text,
    "follow_up_months": _decimal("0", "9999"),
    "last_contact_on": _day,
    "outcome": _symbol(DiseaseStatus),
}
"""How each column is read. A reader raises ValueError with what the cell must be."""
