"""Quarantined bytes under keys of their own, and comparing what is sealed with what Kafka holds.

Nobody could read these records, so anything may be in them, names as well. With encryption on the
store holds them sealed, each under its own key: one can be erased, and no hash changes.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from hashlib import sha256
from uuid import UUID

from cryotrail_audit.records import QUARANTINED, IncomingRecord
from cryotrail_producers.personal_cipher import RecordCipher
from cryotrail_schemas.personal import parse_sealed

_log = logging.getLogger(__name__)


def with_sealed_quarantine(
    records: Sequence[tuple[int, IncomingRecord]], cipher: RecordCipher | None
) -> list[tuple[int, IncomingRecord]]:
    """Records with the bytes of each quarantined one sealed; without a cipher as they are.

    ``content_hash`` is then that of the sealed bytes, so that verification needs no key.

    :raises CryotrailError: the key store cannot be used; retriable when it may be later.
    """
    if cipher is None:
        return list(records)
    places = [
        index
        for index, (kind, record) in enumerate(records)
        if kind == QUARANTINED and record.raw and record.key_id is None
    ]
    if not places:
        return list(records)
    given = [
        (UUID(bytes=record.event_id), record.raw or b"")
        for _, record in (records[index] for index in places)
    ]
    sealed_records = list(records)
    for index, sealed in zip(places, cipher.seal(given), strict=True):
        stored = sealed.to_bytes()
        sealed_records[index] = (
            QUARANTINED,
            records[index][1]._replace(
                raw=stored, key_id=sealed.key_id, content_hash=sha256(stored).digest()
            ),
        )
    return sealed_records


def is_same_value(stored: bytes | None, read: bytes | None, cipher: RecordCipher | None) -> bool:
    """Whether stored bytes are those of the value that Kafka holds.

    What cannot be compared (:func:`compared_value`) is taken for the same, and said in the
    program's log.
    """
    same = compared_value(stored, read, cipher)
    if same is None:
        _log.warning("a sealed record is not compared: its key is not here")
    return same is not False


def compared_value(
    stored: bytes | None, read: bytes | None, cipher: RecordCipher | None
) -> bool | None:
    """Whether stored bytes are those of the value that Kafka holds; None = nobody here can tell.

    That is so of a sealed value whose key is destroyed, or not here.
    """
    if stored == read or parse_sealed(stored) is None:
        return stored == read
    if cipher is None:
        return None
    try:
        opened = cipher.open(stored)
    except ValueError:
        return False
    return None if opened is None else opened == read
