"""What gives ids their meaning: the rows of topics and schemas beside what the log says of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import sha256
from typing import Any, Final

from cryotrail_audit.evidence import Evidence
from cryotrail_audit.evidence.range import Broken
from cryotrail_audit.registration import schema_payload, topic_payload

_IDENTITY: Final = {"topic": "topic_id", "schema": "sha256", "key": "key_id"}

Said = dict[tuple[str, str], tuple[int, str]]
"""What the log says of topics and schemas: (type, id) -> (seq, SHA-256 of the payload in hex)."""


def keep_said(said: Said, entries: Iterable[tuple[int, bytes, bytes | None]]) -> None:
    """Add what entries say. Each is said once: a later word would change what is recorded before.

    A log that continues another says the same again, in the same words.

    :param entries: seq, event_type and raw of each.
    :raises Broken: an entry that does not say what it is about, or says something else of it than
        one before; a schema whose text has another hash.
    """
    for seq, event_type, raw in entries:
        kind = event_type.decode()
        if kind not in _IDENTITY:
            continue
        try:
            payload = json.loads(raw or b"null")
            identity = str(payload[_IDENTITY[kind]])
            if not isinstance(payload[_IDENTITY[kind]], int | str):
                raise TypeError(identity)
            if kind == "schema" and sha256(payload["text"].encode()).hexdigest() != identity:
                raise Broken(seq, f"entry {seq}: the text of a schema does not have the hash given")
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise Broken(seq, f"entry {seq} does not say which {kind} it is about") from error
        if kind == "key":  # of a key there may be several statements, and no row
            continue
        first, digest = said.setdefault((kind, identity), (seq, _digest(payload)))
        if _digest(payload) != digest:
            raise Broken(
                seq, f"entry {seq} says of {kind} {identity} something else than entry {first}"
            )


def check_registered(said: Said, evidence: Evidence) -> None:
    """The rows of topics and schemas are what their entries say, and no row is without one.

    :raises Broken: one is not.
    """
    stored: dict[tuple[str, str], str] = {}
    try:
        for topic_id, topic in evidence.topics().items():
            stored["topic", str(topic_id)] = _digest(topic_payload(*topic))
        for schema in evidence.schemas().values():
            payload = schema_payload(*schema)
            stored["schema", payload["sha256"]] = _digest(payload)
    except (ValueError, TypeError, AttributeError) as error:
        raise Broken(None, f"a row of topic or schema cannot be read: {error}") from error
    for key in said.keys() | stored.keys():
        seq, digest = said.get(key, (None, None))
        if digest != stored.get(key):
            name = " ".join(key)
            raise Broken(
                seq,
                f"the row of {name} is not what entry {seq} says"
                if seq is not None
                else f"the row of {name} stands in no entry of the log",
            )


def _digest(payload: Any) -> str:
    return sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()
