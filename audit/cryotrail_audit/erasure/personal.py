"""Reading the personal text of an entry back, or saying why that cannot be done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, Protocol
from uuid import UUID

from cryotrail_audit.erasure.erase import erasures
from cryotrail_audit.store import AuditStore
from cryotrail_schemas.personal import KeyStore

State = Literal["readable", "erased", "key not at hand", "damaged"]
"""``erased``: the key was destroyed, or the log states that it was. ``damaged``: the key is here and
the ciphertext is not what it made of this event."""


class PersonalReader(Protocol):
    """What opens ciphertexts: the cipher over a key store."""

    def read(
        self, event_id: UUID, event_type: str, key_id: bytes, ciphertext: bytes
    ) -> dict[str, str] | None:
        """The text by JSON pointer; None when the key is not here.

        :raises ValueError: the ciphertext was not made of this event.
        """
        ...


class PersonalText(NamedTuple):
    """The personal text of an entry."""

    state: State
    key_id: bytes
    texts: Mapping[str, str] | None
    """By JSON pointer into the event; None unless it is readable."""
    withheld: bool
    """It was published after the erasure, and went out without the text."""

    def as_json(self) -> dict[str, Any]:
        """For a command's output."""
        shown: dict[str, Any] = {"state": self.state, "key_id": self.key_id.hex()}
        if self.withheld:
            shown["withheld"] = True
        return shown | ({} if self.texts is None else {"texts": dict(self.texts)})


def personal_text(
    store: AuditStore,
    event: Mapping[str, Any] | None,
    keys: KeyStore | None,
    reader: PersonalReader | None,
) -> PersonalText | None:
    """The personal text of an event as JSON; None when it has none that was encrypted.

    :param event: as :func:`cryotrail_audit.decoded.decoded_event` gives it.
    :param keys: the key store; None = none is at hand.
    """
    header = (event or {}).get("header") or {}
    if event is None or header.get("personal_key_id") is None:
        return None
    key_id = bytes.fromhex(header["personal_key_id"])
    ciphertext = header.get("personal_ciphertext")
    if ciphertext is None:
        return PersonalText("erased", key_id, None, withheld=True)
    if reader is not None:
        try:
            texts = reader.read(
                UUID(header["event_id"]), str(event["type"]), key_id, bytes.fromhex(ciphertext)
            )
        except ValueError:
            return PersonalText("damaged", key_id, None, withheld=False)
        if texts is not None:
            return PersonalText("readable", key_id, texts, withheld=False)
    state: State = "erased" if is_erased(store, keys, key_id) else "key not at hand"
    return PersonalText(state, key_id, None, withheld=False)


def is_erased(store: AuditStore, keys: KeyStore | None, key_id: bytes) -> bool:
    """Whether a key was destroyed, as the key store or the log says."""
    if keys is not None and any(
        known.key_id == key_id and known.destroyed_us is not None for known in keys.scopes()
    ):
        return True
    return any(key_id.hex() in said.payload["key_ids"] for said in erasures(store))
