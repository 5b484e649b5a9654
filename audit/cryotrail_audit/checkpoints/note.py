"""Signed notes (https://c2sp.org/signed-note): a text, and lines of those who signed it."""

from __future__ import annotations

from typing import Final, NamedTuple

from cryotrail_audit.checkpoints import base64_text
from cryotrail_audit.checkpoints.errors import NoteRefused

KEY_HASH_BYTES: Final = 4

LARGEST_NOTE_BYTES: Final = 1 << 20

MOST_SIGNATURES: Final = 100
"""The specification asks for at least 16; a witness quorum with two lines each is far below."""

_DASH: Final = "— "


class NoteSignature(NamedTuple):
    """One signature line. Whether it verifies is for who holds the key to say."""

    name: str
    """Name of the key."""
    key_hash: bytes
    """4 bytes that tell the keys of one name apart; an identifier, no protection."""
    signature: bytes

    def to_line(self) -> str:
        """The line with its newline."""
        return f"{_DASH}{self.name} {base64_text.encode(self.key_hash + self.signature)}\n"


class SignedNote(NamedTuple):
    """A text and its signature lines, none of them verified."""

    text: str
    """Ends in a newline."""
    signatures: tuple[NoteSignature, ...]

    def to_bytes(self) -> bytes:
        """The note as it is kept and handed over."""
        lines = "".join(signature.to_line() for signature in self.signatures)
        return f"{self.text}\n{lines}".encode()

    def with_signatures(self, *signatures: NoteSignature) -> SignedNote:
        """The same text with further lines."""
        return SignedNote(self.text, (*self.signatures, *signatures))


def parse(data: bytes) -> SignedNote:
    """Read a signed note.

    :raises NoteRefused: anything that :meth:`SignedNote.to_bytes` would not write again byte for
        byte, a note without a signature, or one beyond the limits above.
    """
    if len(data) > LARGEST_NOTE_BYTES:
        raise NoteRefused(f"a note of {len(data)} bytes is larger than any that is signed")
    try:
        note = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NoteRefused(f"the note is not UTF-8: {error}") from error
    if any(character < " " and character != "\n" for character in note):
        raise NoteRefused("the note has a control character")
    # The text may hold empty lines itself: the last one is the border.
    text, border, lines = note.rpartition("\n\n")
    if not border or not lines.endswith("\n"):
        raise NoteRefused("the note is not a text, an empty line and signature lines")
    signed = lines[:-1].split("\n")
    if len(signed) > MOST_SIGNATURES:
        raise NoteRefused(f"{len(signed)} signatures are more than the {MOST_SIGNATURES} read")
    found = SignedNote(f"{text}\n", tuple(_parse_line(line) for line in signed))
    if found.to_bytes() != data:
        raise NoteRefused("the note is not spelled as notes are")
    return found


def check_key_name(name: str) -> None:
    """Refuse what no note can carry as the name of a key.

    :raises NoteRefused: empty, longer than 255 bytes, or with a space, plus sign or control
        character.
    """
    if not 0 < len(name.encode("utf-8", "surrogatepass")) < 256:
        raise NoteRefused(f"the key name {name!r:.80} is empty or longer than 255 bytes")
    if "+" in name or any(character.isspace() or not character.isprintable() for character in name):
        raise NoteRefused(
            f"the key name {name!r:.80} has a space, a plus sign or a control character"
        )


def _parse_line(line: str) -> NoteSignature:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space:
        raise NoteRefused("a line behind the text is not a signature line")
    check_key_name(name)
    signature = base64_text.decode(encoded, f"the signature of {name}")
    if len(signature) <= KEY_HASH_BYTES:
        raise NoteRefused(f"the signature of {name} is too short")
    return NoteSignature(name, signature[:KEY_HASH_BYTES], signature[KEY_HASH_BYTES:])
