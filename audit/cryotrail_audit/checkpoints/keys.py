"""The key of a log or a witness: two key pairs of one name, Ed25519 and ML-DSA-44.

Ed25519 is what every tool reads; ML-DSA-44 (FIPS 204) holds against quantum computers as well. A
note counts as signed when every key of the pinned file has signed it.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryotrail_audit.checkpoints import algorithms, base64_text, key_files, signature_types
from cryotrail_audit.checkpoints.checkpoint import BATCHES
from cryotrail_audit.checkpoints.errors import KeyRefused, NoteRefused, SignatureRefused
from cryotrail_audit.checkpoints.head import PROCEDURE_HEADS, check_log_name
from cryotrail_audit.checkpoints.note import NoteSignature, SignedNote
from cryotrail_audit.checkpoints.signature_types import COSIGNATURE_ED25519, ED25519, ML_DSA_44
from cryotrail_audit.checkpoints.verifier_key import Verified, VerifierKey, parse_line

_PRIVATE: Final = "PRIVATE+KEY+"


@dataclass(frozen=True, slots=True)
class PinnedKey:
    """The public keys that a verifier was given by hand; all of one name."""

    keys: tuple[VerifierKey, ...]
    """One or two, Ed25519 before ML-DSA-44."""

    @classmethod
    def read(cls, path: Path) -> PinnedKey:
        """Read a public key file.

        :raises KeyRefused: it cannot be read or is no such file.
        """
        text = key_files.read(path)
        # Nothing of the file is quoted: who takes one file for another may have given a secret.
        if "PRIVATE+KEY" in text or "PRIVATE KEY" in text:
            raise KeyRefused(
                f"{path} is a private key, a public one is asked for",
                hint="give the file beside it whose name ends in .pub; a private key is handed to"
                " nobody",
            )
        try:
            return cls.parse(text)
        except KeyRefused as error:
            raise KeyRefused(f"{path} is no public key: {error}", hint=error.hint) from error

    @classmethod
    def parse(cls, text: str) -> PinnedKey:
        """Read the text of a public key file: one or two verifier keys, a line each.

        :raises KeyRefused: anything that :meth:`to_text` would not write again.
        """
        keys = tuple(map(parse_line, _lines(text)))
        if len({key.name for key in keys}) != 1:
            raise KeyRefused("the keys of one file have one name")
        if [key.kind for key in keys] not in _KINDS_OF_A_FILE:
            raise KeyRefused("a key file holds an Ed25519 key, an ML-DSA-44 key, or both in order")
        return cls(keys)

    @property
    def name(self) -> str:
        """The name of the log, or of the witness."""
        return self.keys[0].name

    @property
    def is_witness(self) -> bool:
        """Whether the key cosigns what others signed."""
        return self.keys[0].kind == COSIGNATURE_ED25519

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the public key file in hex: what ``sha256sum`` prints of it."""
        return sha256(self.to_text().encode()).hexdigest()

    def to_text(self) -> str:
        """The public key file."""
        return "".join(f"{key.to_line()}\n" for key in self.keys)

    def is_for(self, note: SignedNote) -> bool:
        """Whether it is the key of the note's log, or a witness's, which cosigns any."""
        return self.is_witness or note.text.partition("\n")[0] in _origins(self.name)

    def verify(self, note: SignedNote) -> list[Verified]:
        """The signatures of this key in a note: at least one of each of its keys.

        Lines of other names and keys are not looked at. A log's key signs what bears its own name
        only; a witness's key, what any log signed.

        :raises SignatureRefused: a line does not verify, a key has not signed, or the note is of
            another log.
        """
        origin = note.text.partition("\n")[0]
        if not self.is_for(note):
            raise SignatureRefused(
                f"the note is of {origin}, the key is of {self.name}",
                hint="give the public key of the log that the note names in its first line",
            )
        found: list[Verified] = []
        for key in self.keys:
            lines = key.verify(note)
            if not lines:
                raise SignatureRefused(
                    f"the note has no signature of the {key}",
                    hint=f"the fingerprint of the key that was given is {self.fingerprint}",
                )
            found += lines
        return found


@dataclass(frozen=True, slots=True)
class LogKey:
    """The private key of a log, or of a witness. Never printed: ``repr`` shows the name alone."""

    name: str
    seeds: tuple[tuple[bytes, bytes], ...]
    """Type byte and seed of each key, in the order of the file."""

    def __repr__(self) -> str:
        return f"LogKey({self.name!r})"

    @classmethod
    def create(cls, name: str, *, witness: bool = False) -> LogKey:
        """A new key.

        :param name: of a log, its origin; of a witness, a name of its own.
        :raises KeyRefused: a name that no note can carry.
        """
        try:
            check_log_name(name)
        except NoteRefused as error:
            raise KeyRefused(str(error), hint="name logs like hospital.example/audit") from error
        first = COSIGNATURE_ED25519 if witness else ED25519
        return cls(
            name,
            tuple(
                (kind, secrets.token_bytes(algorithms.SEED_BYTES)) for kind in (first, ML_DSA_44)
            ),
        )

    @classmethod
    def read(cls, path: Path) -> LogKey:
        """Read a private key file.

        :raises KeyRefused: it cannot be read, is no such file, or others may read it.
        """
        return cls.parse(key_files.read_private(path))

    @classmethod
    def parse(cls, text: str) -> LogKey:
        """Read the text of a private key file.

        :raises KeyRefused: anything that :meth:`to_text` would not write again.
        """
        found: list[tuple[str, bytes, bytes]] = []
        for line in _lines(text):
            name, _, rest = line.removeprefix(_PRIVATE).partition("+")
            try:
                data = base64_text.decode(rest.partition("+")[2], "the key")
            except NoteRefused as error:
                # Without the reason's text: it may quote the key.
                raise KeyRefused("the file holds no private key of a log") from error
            if data[:1] not in algorithms.NAMES or len(data) != 1 + algorithms.SEED_BYTES:
                raise KeyRefused("the file holds a key that is neither Ed25519 nor ML-DSA-44")
            found.append((name, data[:1], data[1:]))
        key = cls(found[0][0], tuple((kind, seed) for _, kind, seed in found))
        if key.to_text() != text:
            raise KeyRefused("the file is not spelled as private keys of a log are")
        PinnedKey.parse(key.pinned.to_text())
        return key

    @property
    def pinned(self) -> PinnedKey:
        """The public part, to be handed out."""
        return PinnedKey(
            tuple(
                VerifierKey(self.name, kind, algorithms.public_key(kind, seed))
                for kind, seed in self.seeds
            )
        )

    def to_text(self) -> str:
        """The private key file."""
        return "".join(
            f"{_PRIVATE}{key.name}+{key.to_line().split('+', 2)[1]}+"
            f"{base64_text.encode(kind + seed)}\n"
            for key, (kind, seed) in zip(self.pinned.keys, self.seeds, strict=True)
        )

    def sign(self, text: str, time_s: int) -> SignedNote:
        """A note with one line of each key.

        :param time_s: now, in seconds since 1970-01-01T00:00:00Z.
        :raises NoteRefused: a witness's key, and the text is no checkpoint.
        """
        return SignedNote(text, self.signatures(text, time_s))

    def cosign(self, note: SignedNote, time_s: int) -> SignedNote:
        """The note with this key's lines behind those that it has; it verifies nothing."""
        return note.with_signatures(*self.signatures(note.text, time_s))

    def signatures(self, text: str, time_s: int) -> tuple[NoteSignature, ...]:
        """One line of each key for a text."""
        lines = []
        for key, (_, seed) in zip(self.pinned.keys, self.seeds, strict=True):
            kind = key.type_for(text)
            message = signature_types.message(kind, self.name, text, time_s)
            signed = algorithms.sign(key.kind, seed, message)
            digest = signature_types.key_hash(self.name, kind, key.public_key)
            signature = signature_types.with_time(kind, time_s, signed)
            lines.append(NoteSignature(self.name, digest, signature))
        return tuple(lines)


def _origins(name: str) -> Sequence[str]:
    """The first lines that a log's key signs."""
    return name, name + BATCHES, name + PROCEDURE_HEADS


def _lines(text: str) -> list[str]:
    lines = text.split("\n")
    if lines.pop() or not 0 < len(lines) <= 2:
        raise KeyRefused("a key file is one or two lines, each with its newline")
    return lines


_KINDS_OF_A_FILE: Final = [
    [ED25519],
    [COSIGNATURE_ED25519],
    [ML_DSA_44],
    [ED25519, ML_DSA_44],
    [COSIGNATURE_ED25519, ML_DSA_44],
]
