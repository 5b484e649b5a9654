"""Personal text: which fields hold it, and how it travels encrypted beside them.

Fields named ``*_text`` and ``series_uid``, and the values of amendments to such fields, may say
something about a person. With encryption on they are null on the wire, and the header carries
``personal_ciphertext`` (JSON pointer -> text) and ``personal_key_id``. The key belongs to one
subject; destroying it makes that subject's text unreadable in every copy, while every hash over
the ciphertext still fits.

Pure: what is encrypted, under which nonce and bound to what. The cipher is AES-256-GCM-SIV (RFC
8452): an event encrypts to the same bytes each time, so that a replay stays a redelivery. Two
different contents under one event id share a nonce; GCM-SIV then reveals whether they are equal,
and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cache
from hashlib import sha256
from typing import Any, Final, NamedTuple, Protocol
from uuid import UUID

from cryotrail_schemas.events import EVENT_CLASSES, Event, EventAmended, FieldChange
from cryotrail_schemas.json_pointer import PointerError, parse

KEY_ID_LENGTH: Final = 16
KEY_LENGTH: Final = 32
NONCE_LENGTH: Final = 12

_EVENT_CONTEXT: Final = b"cryotrail-personal-v1\0"
_RECORD_CONTEXT: Final = b"cryotrail-record-v1\0"
_SEALED: Final = b"\0cryotrail-sealed-v1\0"
_VALUES: Final = ("value_json", "old_value_json")

_compact = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


def is_personal(field_name: str) -> bool:
    """Whether a field of this name may hold personal text or point to a patient's images."""
    return field_name.endswith("_text") or field_name == "series_uid"


def is_personal_path(pointer: str) -> bool:
    """Whether the value at a JSON pointer may be or contain personal text.

    A pointer that is malformed, that means the whole event, or that leads into the changes of
    another amendment, is taken for one that does.
    """
    try:
        tokens = parse(pointer)
    except PointerError:
        return True
    return not tokens or tokens[0] == "changes" or any(map(is_personal, tokens))


@cache
def personal_fields(event_type: str) -> tuple[str, ...]:
    """The personal fields of an event type, all of them optional."""
    return tuple(item.name for item in fields(EVENT_CLASSES[event_type]) if is_personal(item.name))


def split(event: Event) -> tuple[Event, dict[str, str]]:
    """The event with its personal fields null, and what stood in them by JSON pointer.

    An event without personal text comes back as it is, with an empty map.
    """
    texts: dict[str, str] = {}
    nulls: dict[str, Any] = {}
    for name in personal_fields(event.TYPE):
        text = getattr(event, name)
        if text is not None:
            texts[f"/{name}"] = text
            nulls[name] = None
    if isinstance(event, EventAmended):
        changes = tuple(
            _split_change(change, f"/changes/{index}", texts)
            for index, change in enumerate(event.changes)
        )
        if changes != event.changes:
            nulls["changes"] = changes
    return (replace(event, **nulls) if nulls else event), texts


def join(event: Event, texts: Mapping[str, str]) -> Event:
    """The inverse of :func:`split`.

    :raises ValueError: a pointer leads to no personal field of this event.
    """
    given: dict[str, Any] = {}
    changes = list(event.changes) if isinstance(event, EventAmended) else []
    for pointer, text in texts.items():
        match parse(pointer):
            case [name] if name in personal_fields(event.TYPE):
                given[name] = text
            case ["changes", index, name] if (
                name in _VALUES and index.isdecimal() and (int(index) < len(changes))
            ):
                changes[int(index)] = _with_value(changes[int(index)], name, text)
                given["changes"] = tuple(changes)
            case _:
                raise ValueError(f"{pointer!r} is no personal field of a {event.TYPE}")
    return replace(event, **given)


def _split_change(change: FieldChange, pointer: str, texts: dict[str, str]) -> FieldChange:
    if not is_personal_path(change.path):
        return change
    for name in _VALUES:
        text = getattr(change, name)
        if text is not None:
            texts[f"{pointer}/{name}"] = text
            change = _with_value(change, name, None)
    return change


def _with_value(change: FieldChange, name: str, text: str | None) -> FieldChange:
    return (
        replace(change, value_json=text)
        if name == "value_json"
        else replace(change, old_value_json=text)
    )


def clear_pointers(plain: Mapping[str, Any]) -> list[str]:
    """Where a decoded record holds personal text in clear, by JSON pointer.

    :param plain: of any type and version, as :func:`~cryotrail_schemas.codec.decode_plain` or
        :func:`~cryotrail_schemas.json_form.event_to_json` gives it.
    """
    found = [f"/{name}" for name, value in plain.items() if is_personal(name) and value is not None]
    changes = plain.get("changes")
    for index, change in enumerate(changes if isinstance(changes, list) else ()):
        if isinstance(change, Mapping) and is_personal_path(str(change.get("path", ""))):
            found += [
                f"/changes/{index}/{name}" for name in _VALUES if change.get(name) is not None
            ]
    return found


def plaintext_of(texts: Mapping[str, str]) -> bytes:
    """What is encrypted: the map as compact JSON with sorted keys, in UTF-8."""
    return _compact(texts).encode()


def texts_of(plaintext: bytes) -> dict[str, str]:
    """The inverse of :func:`plaintext_of`."""
    texts: dict[str, str] = json.loads(plaintext)
    return texts


def event_nonce(event_id: UUID, key_id: bytes) -> bytes:
    """First 12 bytes of SHA-256(``cryotrail-personal-v1`` NUL, event id, key id)."""
    return sha256(_EVENT_CONTEXT + event_id.bytes + key_id).digest()[:NONCE_LENGTH]


def event_aad(event_id: UUID, event_type: str, key_id: bytes) -> bytes:
    """What the ciphertext is bound to: event id (16 bytes), type in UTF-8, NUL, key id."""
    return b"%b%b\0%b" % (event_id.bytes, event_type.encode(), key_id)


def record_nonce(record_id: UUID, key_id: bytes) -> bytes:
    """First 12 bytes of SHA-256(``cryotrail-record-v1`` NUL, id of the record, key id)."""
    return sha256(_RECORD_CONTEXT + record_id.bytes + key_id).digest()[:NONCE_LENGTH]


class SealedRecord(NamedTuple):
    """The bytes of a quarantined record as the store holds them with encryption on.

    They name their own key and record, so that they can be opened wherever they are met. On disk:
    NUL ``cryotrail-sealed-v1`` NUL, key id (16 bytes), record id (16 bytes), ciphertext.
    """

    key_id: bytes
    record_id: UUID
    """Event id of the quarantine entry."""
    ciphertext: bytes

    @property
    def aad(self) -> bytes:
        """What the ciphertext is bound to: all that stands before it."""
        return _SEALED + self.key_id + self.record_id.bytes

    def to_bytes(self) -> bytes:
        """As stored."""
        return self.aad + self.ciphertext


def parse_sealed(raw: bytes | None) -> SealedRecord | None:
    """The sealed record in stored bytes; None when they are not sealed, hence in clear."""
    if raw is None or not raw.startswith(_SEALED):
        return None
    after_key = len(_SEALED) + KEY_ID_LENGTH
    after_id = after_key + 16
    if len(raw) < after_id:
        return None
    return SealedRecord(
        raw[len(_SEALED) : after_key], UUID(bytes=raw[after_key:after_id]), raw[after_id:]
    )


def subject_scope(subject_id: UUID) -> str:
    """The scope of the key of one subject's text."""
    return f"subject:{subject_id}"


def record_scope(record_id: UUID) -> str:
    """The scope of the key of one quarantined record."""
    return f"record:{record_id}"


@dataclass(frozen=True, slots=True)
class DataKey:
    """A key that encrypts, and the name that it goes by on the wire."""

    key_id: bytes
    """16 random bytes."""
    key: bytes = field(repr=False)
    """32 random bytes."""


class ScopeState(NamedTuple):
    """What a key store knows of one scope."""

    scope: str
    key_id: bytes
    created_us: int | None
    """None = it was closed before it ever had a key; ``key_id`` then names none."""
    destroyed_us: int | None
    """None = its key is there."""


class KeyStore(Protocol):
    """Keys of data that may have to be erased, each by the scope that it belongs to.

    A scope has one key at most, for ever: once it is destroyed it never gets another, so what was
    erased cannot be written readable again. Kept apart from the audit store and its backups, and
    never sent through Kafka. Several processes may share one. Every method may raise
    a :class:`CryotrailError`, retriable when the store cannot be reached or is held by another.
    """

    def data_key(self, scope: str) -> DataKey:
        """The key of a scope, made and durable if there was none.

        :raises ScopeErased: it was destroyed.
        """
        ...

    def data_keys(self, scopes: Sequence[str]) -> list[DataKey]:
        """The same for several scopes, in their order, made durable together.

        :raises ScopeErased: one of them was destroyed; none was made.
        """
        ...

    def key_of(self, key_id: bytes) -> bytes | None:
        """The 32 bytes of a key; None when it is destroyed or was never here."""
        ...

    def scopes(self, scope: str | None = None) -> list[ScopeState]:
        """Every scope that is known here, destroyed ones as well, or this one alone."""
        ...

    def destroy(self, scope: str) -> list[bytes]:
        """Destroy the key of a scope for good, in this store's files as well; returns its id.

        When it returns no file of the store holds the key, readable or wrapped, and the scope
        never gets another. To be repeated after a failure: of a scope that is destroyed already
        it returns the same id. A scope that never had a key is closed and has none to return.
        """
        ...

    def close(self) -> None:
        """Give the files back."""
        ...
