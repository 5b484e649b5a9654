"""Key files of a log: their owner's alone, never overwritten, and no garbage is a key."""

import subprocess

import pytest

from cryotrail_audit.checkpoints import key_files
from cryotrail_audit.checkpoints.checkpoint import Checkpoint
from cryotrail_audit.checkpoints.errors import KeyRefused, SignatureRefused
from cryotrail_audit.checkpoints.keys import LogKey, PinnedKey

SEEDS = ((b"\x01", b"\xfb" * 32), (b"\x06", b"\xef" * 32))
"""Their base 64 is full of plus signs, which also stand between the parts of a line."""

KEY = LogKey("tests.example/log", SEEDS)
NOTE = KEY.sign(Checkpoint("tests.example/log", 3, bytes(32)).to_text(), 1_790_000_000)


def test_a_key_comes_back_from_its_files(tmp_path):
    private, public = tmp_path / "made" / "log.key", tmp_path / "log.pub"
    key_files.write_private(private, KEY.to_text())
    key_files.write_public(public, KEY.pinned.to_text())

    assert LogKey.read(private) == KEY
    assert PinnedKey.read(public) == KEY.pinned
    assert private.stat().st_mode & 0o777 == 0o600
    assert private.parent.stat().st_mode & 0o077 == 0
    assert [file.name for file in private.parent.iterdir()] == ["log.key"]


def test_the_fingerprint_is_what_sha256sum_prints(tmp_path):
    public = tmp_path / "log.pub"
    key_files.write_public(public, KEY.pinned.to_text())

    printed = subprocess.run(["sha256sum", public], capture_output=True, text=True, check=True)

    assert printed.stdout.split()[0] == KEY.pinned.fingerprint


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_private_key_that_others_can_open_is_refused(tmp_path, mode):
    file = tmp_path / "log.key"
    key_files.write_private(file, KEY.to_text())
    file.chmod(mode)

    with pytest.raises(KeyRefused, match=f"mode {mode:04o}"):
        LogKey.read(file)


def test_a_key_is_never_overwritten(tmp_path):
    file = tmp_path / "log.key"
    key_files.write_private(file, KEY.to_text())

    with pytest.raises(KeyRefused, match="never overwritten"):
        key_files.write_private(file, LogKey.create("tests.example/log").to_text())

    assert LogKey.read(file) == KEY
    assert [found.name for found in tmp_path.iterdir()] == ["log.key"]


LINES = KEY.to_text().splitlines(keepends=True)
PUBLIC_LINES = KEY.pinned.to_text().splitlines(keepends=True)
OTHER = LogKey.create("tests.example/other")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "garbage\n",
        KEY.to_text()[:-1],
        KEY.to_text() + "\n",
        LINES[1] + LINES[0],
        LINES[0] + LINES[0],
        LINES[0].replace("PRIVATE+KEY+", ""),
        LINES[0].replace("log+", "log2+"),
        LINES[0] + OTHER.to_text().splitlines(keepends=True)[1],
        KEY.pinned.to_text(),
    ],
)
def test_what_is_no_private_key_is_refused(text):
    with pytest.raises(KeyRefused) as refused:
        LogKey.parse(text)

    for line in LINES:
        assert line.split("+", 4)[4].strip()[:20] not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        PUBLIC_LINES[0].strip(),
        PUBLIC_LINES[1] + PUBLIC_LINES[0],
        PUBLIC_LINES[0] + OTHER.pinned.to_text().splitlines(keepends=True)[1],
        PUBLIC_LINES[0].replace("log+", "log2+"),
        PUBLIC_LINES[0].replace("+", " "),
        PUBLIC_LINES[0][:-4] + "\n",
        KEY.to_text(),
        "tests.example/log+00000000+AAAA\n",
    ],
)
def test_what_is_no_public_key_is_refused(text):
    with pytest.raises(KeyRefused):
        PinnedKey.parse(text)


def test_a_file_that_is_missing_or_huge_is_refused(tmp_path):
    huge = tmp_path / "huge"
    huge.write_bytes(b"a" * 100_000)
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff" * 100)

    for file in (tmp_path / "missing", huge, binary):
        with pytest.raises(KeyRefused, match=file.name):
            PinnedKey.read(file)


def test_every_key_of_the_file_must_have_signed():
    ed25519, ml_dsa = NOTE.signatures

    assert len(KEY.pinned.verify(NOTE)) == 2
    for line, name in ((ed25519, "ML-DSA-44"), (ml_dsa, "Ed25519")):
        with pytest.raises(SignatureRefused, match=f"no signature of the {name} key"):
            KEY.pinned.verify(NOTE._replace(signatures=(line,)))


def test_another_key_of_the_same_name_has_not_signed():
    with pytest.raises(SignatureRefused, match="no signature"):
        LogKey.create("tests.example/log").pinned.verify(NOTE)


def test_a_key_signs_for_its_own_log_alone():
    other = Checkpoint("tests.example/other", 3, bytes(32))

    for origin in ("tests.example/log", "tests.example/log/batches"):
        assert KEY.pinned.verify(KEY.sign(other._replace(origin=origin).to_text(), 1))
    with pytest.raises(SignatureRefused, match=r"of tests\.example/other"):
        KEY.pinned.verify(KEY.sign(other.to_text(), 1))


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u00a0b", "x" * 250, "a\u200bb"])
def test_a_name_that_no_note_can_carry_is_refused(name):
    with pytest.raises(KeyRefused):
        LogKey.create(name)


def test_a_key_does_not_show_itself():
    assert repr(KEY) == "LogKey('tests.example/log')"
