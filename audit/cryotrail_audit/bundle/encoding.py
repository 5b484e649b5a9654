"""How a bundle spells what it holds: one spelling for each value, so that any changed bit shows.

JSON has its names in a fixed order, no spaces and no escapes beyond what it must escape. UUIDs are
lower-case text, hashes and ids hexadecimal, other bytes base64.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from cryotrail_audit.records import Entry

FORMAT: Final = "cryotrail-bundle-1"


def _uuid(value: bytes) -> str:
    return str(UUID(bytes=bytes(value)))


def _hex(value: bytes) -> str:
    return bytes(value).hex()


def _base64(value: bytes) -> str:
    return b64encode(value).decode("ascii")


_SPELLED: Final[Mapping[str, Callable[[Any], str]]] = {
    "event_id": _uuid,
    "procedure_id": _uuid,
    "kafka_key": _base64,
    "kafka_headers": _base64,
    "schema_sha256": _hex,
    "key_id": _hex,
    "signing_key_id": _hex,
    "signature": _base64,
    "raw": _base64,
    "content_hash": _hex,
    "leaf_hash": _hex,
}
"""The columns that are not integers and text, which JSON has itself."""


def json_text(value: Any) -> str:
    """A value in the one spelling of JSON that a bundle has.

    :raises ValueError: NaN or infinity, which JSON does not have.
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def entry_line(entry: Entry, proof: Sequence[bytes]) -> str:
    """An entry with all its columns, and the hashes that lead from its leaf to the root."""
    columns = {
        name: _SPELLED[name](value) if name in _SPELLED and value is not None else value
        for name, value in entry._asdict().items()
    }
    return json_text({"columns": columns, "proof": [_base64(each) for each in proof]})


def manifest(procedure_id: UUID, files: Mapping[str, bytes]) -> bytes:
    """Size and SHA-256 of each file, and the manifest's own.

    It names a damaged file. It is no evidence: whoever changes a file can make a new one.
    """
    said: dict[str, Any] = {
        "format": FORMAT,
        "procedure_id": str(procedure_id),
        "files": {
            name: {"bytes": len(files[name]), "sha256": sha256(files[name]).hexdigest()}
            for name in sorted(files)
        },
    }
    own = sha256(_indented(said).encode()).hexdigest()
    return f"{_indented(said | {'sha256': own})}\n".encode()


def _indented(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)
