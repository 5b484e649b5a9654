"""Which keys may sign events, as the log itself says: statements that register and revoke them.

A statement is an administrative entry of type ``key``, so it is under the tree like everything
else. It says since when it holds, which may be before it was made: a key that was stolen on Monday
and revoked on Tuesday counts for nothing that was recorded since Monday.

Whoever may append to the store may register a key. So compare the key id that a verdict names
with what the holder says it is.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from cryotrail_audit.records import Administrative, Entry
from cryotrail_schemas.signing import ALGORITHM, signing_key_id

ENTRY_TYPE: Final = "key"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyStatement:
    """One statement about one key."""

    statement: Literal["registered", "revoked"]
    public_key: bytes
    """The raw 32 bytes."""
    holder: str
    device_ids: tuple[str, ...] | None = None
    """The units that it may sign for; None = any."""
    valid_from: datetime
    """Since when the statement holds."""
    valid_until: datetime | None = None
    """Until when a registration holds, excluded; None = for good."""
    reason: str | None = None

    @property
    def key_id(self) -> bytes:
        """The 8 bytes that events name the key by."""
        return signing_key_id(self.public_key)

    def entry(self) -> Administrative:
        """What is to be appended to the log."""
        return Administrative(
            ENTRY_TYPE,
            {
                "statement": self.statement,
                "key_id": self.key_id.hex(),
                "algorithm": ALGORITHM,
                "public_key": b64encode(self.public_key).decode(),
                "holder": self.holder,
                "device_ids": None if self.device_ids is None else list(self.device_ids),
                "valid_from": _iso(self.valid_from),
                "valid_until": None if self.valid_until is None else _iso(self.valid_until),
                "reason": self.reason,
            },
        )

    def holds_at(self, moment: datetime) -> bool:
        """Whether the statement holds at a moment."""
        return self.valid_from <= moment and (self.valid_until is None or moment < self.valid_until)


class KeyRegister:
    """All statements of a log, by key."""

    def __init__(self, statements: Iterable[KeyStatement]) -> None:
        self._by_id: defaultdict[bytes, list[KeyStatement]] = defaultdict(list)
        for statement in statements:
            self._by_id[statement.key_id].append(statement)

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> KeyRegister:
        """The register that entries say; what is no statement about a key counts for nothing.

        :param entries: of kind 3, in the order of the log.
        """
        read = (_statement(entry.raw) for entry in entries if entry.event_type == ENTRY_TYPE)
        return cls(statement for statement in read if statement is not None)

    def of_key(self, key_id: bytes) -> Sequence[KeyStatement]:
        """The statements about a key, oldest first; none when it is unknown."""
        return self._by_id.get(key_id, ())

    def key_ids(self) -> list[bytes]:
        """Every key that was registered, oldest first."""
        return [
            key_id
            for key_id, statements in self._by_id.items()
            if any(one.statement == "registered" for one in statements)
        ]


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _statement(raw: bytes | None) -> KeyStatement | None:
    try:
        said: Mapping[str, Any] = json.loads(raw or b"null")
        public_key = b64decode(said["public_key"], validate=True)
        if (
            said["statement"] not in ("registered", "revoked")
            or said["algorithm"] != ALGORITHM
            or said["key_id"] != signing_key_id(public_key).hex()
        ):
            return None
        devices, until = said["device_ids"], said["valid_until"]
        return KeyStatement(
            statement=said["statement"],
            public_key=public_key,
            holder=str(said["holder"]),
            device_ids=None if devices is None else tuple(map(str, devices)),
            valid_from=_moment(said["valid_from"]),
            valid_until=None if until is None else _moment(until),
            reason=said["reason"],
        )
    except (ValueError, KeyError, TypeError):
        return None


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment
