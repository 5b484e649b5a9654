"""Signed notes, checkpoints and procedure heads: what others wrote is read, and nothing else is."""

from uuid import UUID

import c2sp_vectors
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cryotrail_audit.checkpoints import checkpoint as checkpoints
from cryotrail_audit.checkpoints import head as heads
from cryotrail_audit.checkpoints import note as notes
from cryotrail_audit.checkpoints.checkpoint import Checkpoint
from cryotrail_audit.checkpoints.errors import NoteRefused, SignatureRefused
from cryotrail_audit.checkpoints.head import ProcedureHead
from cryotrail_audit.checkpoints.keys import LogKey, PinnedKey
from cryotrail_audit.checkpoints.verifier_key import parse_line

KEY = LogKey.create("tests.example/log")
CHECKPOINT = Checkpoint("tests.example/log", 1204, bytes(range(32)))
HEAD = ProcedureHead("tests.example/log", UUID(int=7), 41, 1204, bytes(32), 1_790_000_000)
SIGNED = KEY.sign(CHECKPOINT.to_text(), 1_790_000_000).to_bytes()


def test_the_note_of_the_go_package_is_made_byte_for_byte():
    note = notes.parse(c2sp_vectors.POEM.encode())
    key = LogKey.parse(c2sp_vectors.POEM_KEY)

    assert key.sign(note.text, 0).to_bytes() == c2sp_vectors.POEM.encode()
    assert key.pinned.to_text() == c2sp_vectors.POEM_VKEY
    assert len(parse_line(c2sp_vectors.POEM_VKEY.strip()).verify(note)) == 1


@pytest.mark.parametrize(
    ("note", "key", "algorithm", "time_s"),
    [
        (c2sp_vectors.PUBLIC_LOG, c2sp_vectors.PUBLIC_LOG_VKEY, "Ed25519", None),
        (c2sp_vectors.PUBLIC_LOG, c2sp_vectors.PUBLIC_WITNESS_VKEY, "Ed25519", 1779573024),
        (c2sp_vectors.LITEWITNESS, c2sp_vectors.LITEWITNESS_VKEY, "ML-DSA-44", 0),
    ],
)
def test_signatures_of_other_implementations_verify(note, key, algorithm, time_s):
    (verified,) = PinnedKey.parse(key).verify(notes.parse(note.encode()))

    assert (verified.algorithm, verified.time_s) == (algorithm, time_s)


@pytest.mark.parametrize("size", ["1432088533", "1"])
def test_another_size_under_the_same_signatures_does_not_verify(size):
    for note, key in (
        (c2sp_vectors.PUBLIC_LOG, c2sp_vectors.PUBLIC_LOG_VKEY),
        (c2sp_vectors.PUBLIC_LOG, c2sp_vectors.PUBLIC_WITNESS_VKEY),
        (c2sp_vectors.LITEWITNESS, c2sp_vectors.LITEWITNESS_VKEY),
    ):
        origin, _, rest = note.split("\n", 2)
        altered = notes.parse(f"{origin}\n{size}9\n{rest}".encode())

        with pytest.raises(SignatureRefused, match="does not verify"):
            PinnedKey.parse(key).verify(altered)


def test_what_is_written_is_read_again():
    assert notes.parse(SIGNED).to_bytes() == SIGNED
    assert checkpoints.parse(CHECKPOINT.to_text()) == CHECKPOINT
    assert heads.parse(HEAD.to_text()) == HEAD


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, len(SIGNED) - 1), bit=st.integers(0, 7))
def test_one_flipped_bit_of_a_signed_note_is_refused(at, bit):
    altered = bytearray(SIGNED)
    altered[at] ^= 1 << bit

    with pytest.raises((NoteRefused, SignatureRefused)):
        KEY.pinned.verify(notes.parse(bytes(altered)))


@pytest.mark.parametrize(
    "altered",
    [
        SIGNED[:-1],
        SIGNED + b"\n",
        SIGNED.replace(b"\n", b"\r\n"),
        SIGNED.replace("— ".encode(), b"- "),
        SIGNED.replace(b"\n\n", b"\n"),
        SIGNED.split(b"\n\n")[0] + b"\n\n",
        b"",
        b"\xff" + SIGNED,
        b"\n" * 2 + SIGNED.split(b"\n\n")[1],
        SIGNED + SIGNED.splitlines(keepends=True)[-1] * 100,
    ],
)
def test_what_is_no_signed_note_is_refused(altered):
    with pytest.raises((NoteRefused, SignatureRefused)):
        KEY.pinned.verify(notes.parse(altered))


ROOT = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


@pytest.mark.parametrize(
    "text",
    [
        f"tests.example/log\n01204\n{ROOT}\n",
        f"tests.example/log\n+1204\n{ROOT}\n",
        f"tests.example/log\n١٢\n{ROOT}\n",
        f"tests.example/log\n-1\n{ROOT}\n",
        f"tests.example/log\n{2**63}\n{ROOT}\n",
        f"\n1204\n{ROOT}\n",
        f"tests example/log\n1204\n{ROOT}\n",
        f"tests.example/log\n1204\n{ROOT}\nan extension\n",
        f"tests.example/log\n1204\n{ROOT}",
        "tests.example/log\n1204\n" + ROOT.replace("8=", "9=") + "\n",
        "tests.example/log\n1204\n" + ROOT.replace("=", "") + "\n",
        "tests.example/log\n1204\nAAEC\n",
    ],
)
def test_a_checkpoint_has_one_spelling(text):
    with pytest.raises(NoteRefused):
        checkpoints.parse(text)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("00000000-0000-0000", "0000000000000000"),
        ("\n41\n", "\n041\n"),
        ("Z\n", "+00:00\n"),
        ("/procedure-heads", ""),
        ("2026-", "2026-0"),
        ("Z\n", "Z\n\n"),
    ],
)
def test_a_procedure_head_has_one_spelling(old, new):
    text = HEAD.to_text()
    assert old in text

    with pytest.raises(NoteRefused):
        heads.parse(text.replace(old, new, 1))


def test_a_head_is_signed_whole_by_both_algorithms():
    note = KEY.sign(HEAD.to_text(), HEAD.signed_s)
    altered = note._replace(text=note.text.replace("\n41\n", "\n40\n"))

    assert [line.algorithm for line in KEY.pinned.verify(note)] == ["Ed25519", "ML-DSA-44"]
    for key in KEY.pinned.keys:
        with pytest.raises(SignatureRefused):
            PinnedKey((key,)).verify(altered)


def test_a_signature_of_a_head_is_none_of_a_checkpoint():
    """ML-DSA-44 signs both with one key: the two messages never have the same bytes."""
    head, checkpoint = KEY.sign(HEAD.to_text(), 1), KEY.sign(CHECKPOINT.to_text(), 1)

    for note, lines in ((head, checkpoint.signatures), (checkpoint, head.signatures)):
        with pytest.raises(SignatureRefused):
            KEY.pinned.verify(note._replace(signatures=lines))
