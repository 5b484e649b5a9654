"""What was encrypted, read back for a person who may: text of events, bytes of quarantined records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cryotrail.personal_keys import existing_keys
from cryotrail.settings import Settings
from cryotrail_audit.erasure.personal import is_erased, personal_text
from cryotrail_audit.records import Entry
from cryotrail_audit.store import AuditStore
from cryotrail_producers.personal_cipher import PersonalCipher, RecordCipher
from cryotrail_schemas.personal import parse_sealed


def personal_block(
    settings: Settings, store: AuditStore, event: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """The encrypted personal text of an event as JSON, or why it cannot be read; None without any.

    ``{"state": "readable" | "erased" | "key not at hand" | "damaged", "key_id", "texts"?}``

    :raises KekRefused, KeyStoreError: the key file is set and the keys cannot be used.
    """
    if event is None or (event.get("header") or {}).get("personal_key_id") is None:
        return None  # so that it can be shown without any key
    with existing_keys(settings) as keys:
        reader = None if keys is None else PersonalCipher(keys)
        found = personal_text(store, event, keys, reader)
    return None if found is None else found.as_json()


def sealed_block(settings: Settings, store: AuditStore, entry: Entry) -> dict[str, Any] | None:
    """The bytes of a sealed quarantined record, or why they cannot be read; None = not sealed.

    ``{"state": "readable" | "erased" | "key not at hand" | "damaged", "key_id", "value_hex"?}``

    :raises KekRefused, KeyStoreError: the key file is set and the keys cannot be used.
    """
    sealed = parse_sealed(entry.raw)
    if sealed is None:
        return None
    shown: dict[str, Any] = {"state": "key not at hand", "key_id": sealed.key_id.hex()}
    with existing_keys(settings) as keys:
        try:
            value = None if keys is None else RecordCipher(keys).open(entry.raw)
        except ValueError:
            return shown | {"state": "damaged"}
        if value is not None:
            return shown | {"state": "readable", "value_hex": value.hex()}
        if is_erased(store, keys, sealed.key_id):
            shown["state"] = "erased"
    return shown
