"""One public key as a line (https://c2sp.org/signed-note, "verifier keys"), and what it verifies."""

from __future__ import annotations

from typing import NamedTuple

from cryotrail_audit.checkpoints import algorithms, base64_text, signature_types
from cryotrail_audit.checkpoints.errors import KeyRefused, NoteRefused, SignatureRefused
from cryotrail_audit.checkpoints.note import NoteSignature, SignedNote, check_key_name
from cryotrail_audit.checkpoints.signature_types import ML_DSA_44, PUBLIC_KEY_BYTES, TEXT_ML_DSA_44


class Verified(NamedTuple):
    """A signature line that verifies."""

    name: str
    algorithm: str
    time_s: int | None
    """When it was made, by the clock of its maker; None where the type does not say."""


class VerifierKey(NamedTuple):
    """A public key with its name."""

    name: str
    kind: bytes
    """The type byte: 0x01, 0x04 or 0x06."""
    public_key: bytes

    def __str__(self) -> str:
        return f"{algorithms.NAMES[self.kind]} key of {self.name}"

    def to_line(self) -> str:
        """``<name>+<key hash in hex>+<base64(type || public key)>``, without a newline."""
        digest = signature_types.key_hash(self.name, self.kind, self.public_key)
        return f"{self.name}+{digest.hex()}+{base64_text.encode(self.kind + self.public_key)}"

    def type_for(self, text: str) -> bytes:
        """The type of signature that this key makes of a text.

        ML-DSA-44 in the form of tlog-cosignature signs checkpoints alone, so another type stands
        for what is none.
        """
        if self.kind == ML_DSA_44 and not signature_types.is_checkpoint(text):
            return TEXT_ML_DSA_44
        return self.kind

    def verify(self, note: SignedNote) -> list[Verified]:
        """The lines of this key in a note; all of them verify.

        :raises SignatureRefused: one of them does not.
        """
        kind = self.type_for(note.text)
        digest = signature_types.key_hash(self.name, kind, self.public_key)
        return [
            self._verified(kind, note.text, line)
            for line in note.signatures
            if (line.name, line.key_hash) == (self.name, digest)
        ]

    def _verified(self, kind: bytes, text: str, line: NoteSignature) -> Verified:
        try:
            time_s, signature = signature_types.split_time(kind, line.signature)
            message = signature_types.message(kind, self.name, text, time_s)
        except NoteRefused as error:
            raise SignatureRefused(
                f"the signature of the {self} cannot be read: {error}"
            ) from error
        if not algorithms.verifies(self.kind, self.public_key, signature, message):
            raise SignatureRefused(
                f"the signature of the {self} does not verify: the text was changed, or another"
                " key made it"
            )
        timed = kind in signature_types.TIMED
        return Verified(self.name, algorithms.NAMES[self.kind], time_s if timed else None)


def parse_line(line: str) -> VerifierKey:
    """Read a verifier key.

    Nothing of the line is quoted in an error before it is known to be a public key.

    :raises KeyRefused: anything that :meth:`VerifierKey.to_line` would not write again.
    """
    name, _, rest = line.partition("+")
    _, _, encoded = rest.partition("+")
    try:
        check_key_name(name)
        data = base64_text.decode(encoded, "the key")
    except NoteRefused as error:
        raise KeyRefused("a line of it is not NAME+HASH+KEY") from error
    found = VerifierKey(name, data[:1], data[1:])
    if PUBLIC_KEY_BYTES.get(found.kind) != len(found.public_key):
        raise KeyRefused("a key of it is neither Ed25519 nor ML-DSA-44")
    if found.to_line() != line:
        raise KeyRefused("a key of it does not have the hash that stands before it")
    return found
