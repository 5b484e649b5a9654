"""What all event classes have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cryotrail_schemas.events.records import Header


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A fact of one procedure: the common header and, in the classes below, its own fields.

    Identities are ``uuid.UUID``, times aware ``datetime`` in UTC, days ``date``, decimals
    ``Decimal``, arrays tuples. Nothing is checked on construction: ``codec.encode`` refuses what
    breaks the contract, all problems at once.
    """

    TYPE: ClassVar[str]
    """Name of the event type, such as ``FreezeStarted``."""

    header: Header
