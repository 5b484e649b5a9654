"""Base 64 (RFC 4648 section 4) that has one spelling only.

The last character of a padded text has bits that mean nothing, and Python's decoder ignores them:
two files could differ and both be accepted. So what was read is written again and compared.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode

from cryotrail_audit.checkpoints.errors import NoteRefused


def encode(data: bytes) -> str:
    """Bytes as padded base 64 without line breaks."""
    return b64encode(data).decode("ascii")


def decode(text: str, what: str) -> bytes:
    """The bytes of a text in base 64.

    :param what: what the text is, for the message.
    :raises NoteRefused: anything but the one spelling of its bytes.
    """
    try:
        data = b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteRefused(f"{what} is not base 64: {error}") from error
    if encode(data) != text:
        raise NoteRefused(f"{what} is not the base 64 that its bytes give")
    return data
