"""Units: the suffix of a field's name, its UCUM code, and the unit of each laboratory analyte.

UCUM is the Unified Code for Units of Measure, https://ucum.org.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from cryotrail_schemas.errors import FieldProblem
from cryotrail_schemas.events import Analyte

UNIT_OF_SUFFIX: Final[Mapping[str, str]] = MappingProxyType(
    {
        "mm": "mm",
        "cel": "Cel",
        "min": "min",
        "s": "s",
        "ms": "ms",
        "h": "h",
        "d": "d",
        "ml": "mL",
        "pct": "%",
        "deg": "deg",
        "v": "V",
        "mgycm": "mGy.cm",
        "mgy": "mGy",
    }
)
"""UCUM code by the last part of a field's name; a field without such a part has no unit."""

UNIT_OF_ANALYTE: Final[Mapping[Analyte, str]] = MappingProxyType(
    {
        Analyte.INR: "1",
        Analyte.PLATELETS: "10*9/L",
        Analyte.LEUKOCYTES: "10*9/L",
        Analyte.APTT: "s",
        Analyte.HAEMOGLOBIN: "g/L",
        Analyte.CRP: "mg/L",
        Analyte.CREATININE: "umol/L",
    }
)
"""The one UCUM unit in which a value of the analyte is sent; others may come in any unit."""


def unit_suffix(field_name: str) -> str | None:
    """The part of a field's name that states its unit: ``mm`` of ``depth_mm``, else None."""
    stem, _, suffix = field_name.rpartition("_")
    return suffix if stem and suffix in UNIT_OF_SUFFIX else None


def laboratory_unit_problems(result: Any) -> list[FieldProblem]:
    """What is wrong with the unit of a ``LabResultRecorded``."""
    expected = UNIT_OF_ANALYTE.get(result.analyte)
    if result.unit_ucum is None:
        if result.value is None:
            return []
        wanted = f", use {expected}" if expected else ""
        return [FieldProblem("unit_ucum", f"required with value{wanted}")]
    if expected is None or result.unit_ucum == expected:
        return []
    reason = f"{result.unit_ucum!r} is not the unit of {result.analyte}, use {expected}"
    return [FieldProblem("unit_ucum", reason)]
