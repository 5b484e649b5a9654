"""Values of metric labels that came from outside: few, plain, and nobody's name.

Each distinct value of a label is a series that Prometheus keeps. What arrives by Kafka may hold
anything, so a value becomes a label only when it looks like what it should be, and only so many
distinct ones do; the rest are counted together.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from cryotrail_schemas.catalog import catalog

OTHER: Final = "other"
"""Stands for every value that is no label."""

MOST_VALUES: Final = 100
"""Distinct values of one label."""

# A URI as sites name their systems: lower case, no spaces, nothing of what separates the parts of
# a person's name in DICOM (^) and HL7 (^, ~).
_SOURCE: Final = re.compile(r"[a-z][a-z0-9+.-]{1,15}:[a-z0-9:/._-]{1,100}")
_CODE: Final = re.compile(r"[a-z][a-z_]{1,39}")


class BoundedLabel:
    """The first values of a label that look as they should; every later one is ``other``."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self._pattern = pattern
        self._known: set[str] = set()

    def of(self, value: str | None) -> str:
        """The label for a value."""
        if value in self._known:
            return value
        if value is None or len(self._known) >= MOST_VALUES or not self._pattern.fullmatch(value):
            return OTHER
        self._known.add(value)
        return value


def sources() -> BoundedLabel:
    """For ``ce_source``: which system said it."""
    return BoundedLabel(_SOURCE)


def codes() -> BoundedLabel:
    """For reasons of quarantine, which are words of ours."""
    return BoundedLabel(_CODE)


def event_type(name: str | None) -> str:
    """For an event type: one of the catalog, or ``other``."""
    return name if name is not None and name in _types() else OTHER


@cache
def _types() -> frozenset[str]:
    return frozenset(one.name for one in catalog().current_versions())
