"""Encrypting personal text before it leaves the process, and reading it where the key is.

What is encrypted, and bound to what, is :mod:`cryotrail_schemas.personal`'s.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from cryotrail_schemas.codec import check
from cryotrail_schemas.errors import EventRefused, FieldProblem, ScopeErased
from cryotrail_schemas.events import Event, EventAmended
from cryotrail_schemas.personal import (
    KeyStore,
    SealedRecord,
    event_aad,
    event_nonce,
    parse_sealed,
    personal_fields,
    plaintext_of,
    record_nonce,
    record_scope,
    split,
    subject_scope,
    texts_of,
)

_log = logging.getLogger(__name__)

KEPT_S: Final = 60.0
"""How long a subject's key is used before the store is asked again whether it is still there."""

_MOST_KEPT: Final = 1000


class _KeptKey(NamedTuple):
    key_id: bytes
    cipher: AESGCMSIV
    until_s: float


class PersonalCipher:
    """Moves the personal text of events into their headers, under the key of their subject.

    The same event becomes the same bytes, so feeding it again still counts once. Of a subject
    whose key was destroyed the text is withheld: the event goes out with its personal fields null,
    ``personal_key_id`` naming the key that is gone, and no ciphertext. What happened is recorded;
    what was to be forgotten is not written again. Any thread may use it.
    """

    def __init__(self, keys: KeyStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._keys = keys
        self._clock = clock
        self._kept: dict[UUID, _KeptKey] = {}

    def encrypt(self, event: Event) -> Event:
        """The event as it may leave the process; one without personal text as it is.

        :raises EventRefused: the event breaks the contract, or brings a ciphertext of its own
            beside text in clear.
        :raises CryotrailError: the key store cannot be used.
        """
        if not _may_be_personal(event):
            return event
        check(event)  # afterwards nobody could tell what is wrong with the text
        bare, texts = split(event)
        if not texts:
            return event
        header = event.header
        if header.personal_key_id is not None or header.personal_ciphertext is not None:
            given = "given, and personal fields in clear beside it: " + ", ".join(texts)
            raise EventRefused(event.TYPE, [FieldProblem("header.personal_ciphertext", given)])
        try:
            key_id, cipher, _until = self._key(header.subject_id)
            ciphertext = cipher.encrypt(
                event_nonce(header.event_id, key_id),
                plaintext_of(texts),
                event_aad(header.event_id, event.TYPE, key_id),
            )
        except ScopeErased as erased:
            _log.warning(
                "%s %s: %d personal fields withheld: %s",
                event.TYPE, header.event_id, len(texts), erased,
            )  # fmt: skip
            key_id, ciphertext = erased.key_id, None
        return replace(
            bare,
            header=replace(header, personal_key_id=key_id, personal_ciphertext=ciphertext),
        )

    def read(
        self, event_id: UUID, event_type: str, key_id: bytes, ciphertext: bytes
    ) -> dict[str, str] | None:
        """The personal text of an event by JSON pointer; None when its key is not here.

        :raises ValueError: the key is here and the ciphertext is not what it made of this event.
        """
        key = self._keys.key_of(key_id)
        if key is None:
            return None
        nonce, aad = event_nonce(event_id, key_id), event_aad(event_id, event_type, key_id)
        return texts_of(_opened(key, nonce, ciphertext, aad))

    def close(self) -> None:
        """Forget the keys that are in memory and close the key store."""
        self._kept.clear()
        self._keys.close()

    def _key(self, subject_id: UUID) -> _KeptKey:
        now_s = self._clock()
        kept = self._kept.get(subject_id)
        if kept is None or kept.until_s < now_s:
            self._kept.pop(subject_id, None)
            key = self._keys.data_key(subject_scope(subject_id))
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            kept = _KeptKey(key.key_id, AESGCMSIV(key.key), now_s + KEPT_S)
            self._kept[subject_id] = kept
        return kept


class RecordCipher:
    """Seals the bytes of quarantined records, which nobody could read and anything may be in.

    Each record has a key of its own, so that one can be erased and the others stay. The same
    record becomes the same bytes. Of a record whose key was destroyed the bytes are withheld: it
    may come again from Kafka, into a store that was restored, and is not written again.
    """

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys

    def seal(self, records: Sequence[tuple[UUID, bytes]]) -> list[SealedRecord]:
        """Seal the values of records, each with the event id of its quarantine entry.

        Their keys are durable when this returns, in one transaction of the key store. A record
        that was erased comes back without a ciphertext, naming the key that is gone.

        :raises CryotrailError: the key store cannot be used; retriable when it may be later.
        """
        try:
            keys = self._keys.data_keys([record_scope(record_id) for record_id, _ in records])
        except ScopeErased as erased:
            if len(records) == 1:
                ((record_id, _),) = records
                _log.warning("record %s is recorded without its bytes: %s", record_id, erased)
                return [SealedRecord(erased.key_id, record_id, b"")]
            # One of them, and none was made: each by itself tells which.
            return [sealed for record in records for sealed in self.seal([record])]
        sealed = []
        for (record_id, value), key in zip(records, keys, strict=True):
            empty = SealedRecord(key.key_id, record_id, b"")
            nonce = record_nonce(record_id, key.key_id)
            ciphertext = AESGCMSIV(key.key).encrypt(nonce, value, empty.aad)
            sealed.append(empty._replace(ciphertext=ciphertext))
        return sealed

    def open(self, stored: bytes | None) -> bytes | None:
        """The value of a record from its stored bytes; those in clear as they are.

        None when they are sealed and their key is not here.

        :raises ValueError: the key is here and the bytes are not what it sealed.
        """
        sealed = parse_sealed(stored)
        if sealed is None:
            return stored
        key = self._keys.key_of(sealed.key_id)
        if key is None:
            return None
        nonce = record_nonce(sealed.record_id, sealed.key_id)
        return _opened(key, nonce, sealed.ciphertext, sealed.aad)


def _may_be_personal(event: Event) -> bool:
    return isinstance(event, EventAmended) or any(
        getattr(event, name) is not None for name in personal_fields(event.TYPE)
    )


def _opened(key: bytes, nonce: bytes, ciphertext: bytes, aad: bytes) -> bytes:
    try:
        return AESGCMSIV(key).decrypt(nonce, ciphertext, aad)
    except InvalidTag:
        raise ValueError("the ciphertext is not what its key made of this record") from None
