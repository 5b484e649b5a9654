"""Anchors keep signed checkpoints outside; a place that fails never stops the signer."""

import subprocess
from functools import cache

import pytest
from free_ports import free_port
from signed_logs import ORIGIN, SignedLog
from time_stamping import make_authority, serving, verified_by_openssl

from cryotrail_audit.checkpoints.anchors.anchor import AnchorOptions, anchor_of, anchors_of
from cryotrail_audit.checkpoints.anchors.anchoring import (
    ANCHOR_EVERY_S,
    NO_OUTSIDE_ANCHOR,
    Anchoring,
    in_words,
)
from cryotrail_audit.checkpoints.anchors.kept import Kept
from cryotrail_audit.checkpoints.checkpoint import Checkpoint
from cryotrail_audit.checkpoints.errors import AnchorFailed, CheckpointError, SigningRefused
from cryotrail_audit.checkpoints.keys import LogKey
from cryotrail_audit.checkpoints.service import SignerService

KEY = LogKey.create(ORIGIN)


@cache  # ML-DSA-44 signs with fresh randomness: no two notes of one text are the same
def kept(size=6, root=bytes(32), batches=2, time_s=1_790_000_000):
    note = KEY.sign(Checkpoint(ORIGIN, size, root).to_text(), time_s)
    chain = KEY.sign(Checkpoint(f"{ORIGIN}/batches", batches, root).to_text(), time_s)
    return Kept(note.to_bytes(), chain.to_bytes())


@pytest.fixture
def options(tmp_path):
    return AnchorOptions(tmp_path / "tokens")


def git(folder, *arguments):
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_a_folder_holds_a_note_for_each_size(tmp_path, options):
    folder = tmp_path / "worm"
    folder.mkdir()
    anchor = anchor_of(f"file:{folder}", options)

    anchor.keep(kept())
    anchor.keep(kept(time_s=1_790_000_001))  # the same checkpoint, signed again
    anchor.keep(kept(9, b"\1" * 32, 3))

    assert sorted(file.name for file in folder.iterdir()) == [
        "2.batches.note", "3.batches.note", "6.note", "9.note",
    ]  # fmt: skip
    assert (folder / "6.note").read_bytes() == kept().note


@pytest.mark.parametrize("kind", ["file", "git"])
def test_another_root_for_a_size_is_a_fork(tmp_path, options, kind):
    git(tmp_path, "init", "-q", "outside")
    anchor = anchor_of(f"{kind}:{tmp_path / 'outside'}", options)
    anchor.keep(kept())

    with pytest.raises(SigningRefused, match="another checkpoint for this size"):
        anchor.keep(kept(root=b"\1" * 32))
    assert (tmp_path / "outside" / "6.note").read_bytes() == kept().note


def test_a_folder_that_is_not_there_is_not_made(tmp_path, options):
    """A share that is not mounted would be written to beneath its mount point."""
    with pytest.raises(AnchorFailed, match="No such file"):
        anchor_of(f"file:{tmp_path / 'share'}", options).keep(kept())
    assert not (tmp_path / "share").exists()


def test_a_repository_gets_a_commit_for_each_checkpoint(tmp_path, options, monkeypatch):
    git(tmp_path, "init", "-q", "quality")
    folder = tmp_path / "quality"
    (folder / ".gitignore").write_text("*.note\n")
    (folder / "minutes.txt").write_text("not ours")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    anchor = anchor_of(f"git:{folder}", options)

    anchor.keep(kept())
    anchor.keep(kept())
    anchor.keep(kept(9, b"\1" * 32, 3))

    monkeypatch.delenv("GIT_DIR")
    assert git(folder, "log", "--format=%s").splitlines() == [
        f"Anchor {ORIGIN} at size 9",
        f"Anchor {ORIGIN} at size 6",
    ]
    assert git(folder, "show", "HEAD~1:6.note").encode() + b"\n" == kept().note
    assert "minutes.txt" not in git(folder, "ls-files")


def test_a_folder_that_is_no_repository_is_refused(tmp_path, options):
    git(tmp_path, "init", "-q")
    inner = tmp_path / "inner"
    inner.mkdir()

    with pytest.raises(AnchorFailed, match="not the top of a git repository"):
        anchor_of(f"git:{inner}", options).keep(kept())
    with pytest.raises(AnchorFailed, match="no folder"):
        anchor_of(f"git:{tmp_path / 'missing'}", options).keep(kept())
    assert list(inner.iterdir()) == []


def test_an_authority_stamps_the_note(tmp_path):
    root = make_authority(tmp_path / "tsa")
    tokens = tmp_path / "tokens"
    with serving(tmp_path / "tsa") as url:
        anchor = anchor_of(f"rfc3161:{url}", AnchorOptions(tokens, root))
        anchor.keep(kept())
        first = (tokens / "6.tsr").read_bytes()
        anchor.keep(kept(time_s=1_790_000_001))

    assert (tokens / "6.note").read_bytes() == kept().note
    assert (tokens / "6.tsr").read_bytes() == first
    assert verified_by_openssl(tokens / "6.tsr", tokens / "6.note", root)
    (tokens / "7.note").write_bytes(kept(7).note)
    assert not verified_by_openssl(tokens / "6.tsr", tokens / "7.note", root)


def test_a_token_of_another_authority_is_refused(tmp_path):
    make_authority(tmp_path / "tsa")
    other_root = make_authority(tmp_path / "other")
    with serving(tmp_path / "tsa") as url:
        anchor = anchor_of(f"rfc3161:{url}", AnchorOptions(tmp_path / "tokens", other_root))
        with pytest.raises(AnchorFailed, match="does not verify"):
            anchor.keep(kept())
        unpinned = anchor_of(f"rfc3161:{url}", AnchorOptions(tmp_path / "tokens"))
        with pytest.raises(AnchorFailed, match="no certificate"):
            unpinned.keep(kept())

    assert not (tmp_path / "tokens" / "6.tsr").exists()


def test_an_authority_that_is_away_is_reported(tmp_path):
    root = make_authority(tmp_path / "tsa")
    url = f"http://127.0.0.1:{free_port()}/"
    with pytest.raises(AnchorFailed, match="does not answer"):
        anchor_of(f"rfc3161:{url}", AnchorOptions(tmp_path / "tokens", root)).keep(kept())
    with pytest.raises(AnchorFailed, match="must begin with http"):
        anchor_of("rfc3161:file:///etc/passwd", AnchorOptions(tmp_path / "t", root)).keep(kept())


@pytest.mark.parametrize("name", ["worm", "file:", "s3:bucket", ":x"])
def test_what_is_no_anchor_is_refused(options, name):
    with pytest.raises(CheckpointError, match="is no anchor"):
        anchors_of(f"file:/tmp, {name}", options)


class Place:
    """A place that fails for as long as it has something to say."""

    name = "test:place"

    def __init__(self):
        self.failure = None
        self.sizes = []

    def keep(self, notes):
        if self.failure is not None:
            raise self.failure
        self.sizes.append(notes.checkpoint.size)


def test_without_an_anchor_there_is_no_outside_anchor(tmp_path):
    anchoring = Anchoring([], tmp_path / "anchors.json")

    assert not anchoring.is_due()
    assert in_words(anchoring.keep(kept(), at_once=True)) == NO_OUTSIDE_ANCHOR
    assert in_words(Anchoring([Place()], tmp_path / "anchors.json").states()) == NO_OUTSIDE_ANCHOR


def test_a_place_is_due_hourly_and_after_a_failure(tmp_path):
    place, now = Place(), [1_790_000_000.0]
    anchoring = Anchoring([place], tmp_path / "anchors.json", lambda: now[0])

    assert anchoring.is_due()
    anchoring.keep(kept(6), at_once=False)
    assert not anchoring.is_due()
    anchoring.keep(kept(7), at_once=False)
    anchoring.keep(kept(8), at_once=True)
    now[0] += ANCHOR_EVERY_S
    assert anchoring.is_due()
    place.failure = AnchorFailed("the share is gone")
    (state,) = anchoring.keep(kept(9), at_once=False)
    place.failure = None
    now[0] += 1

    assert anchoring.is_due()
    assert (state.size, state.problem) == (8, "the share is gone")
    said = in_words([state])
    assert said.startswith("anchored outside at size 8 (2026-") and "the share is gone" in said
    anchoring.keep(kept(9), at_once=False)
    assert place.sizes == [6, 8, 9]


@pytest.mark.parametrize("failure", [AnchorFailed("no"), OSError("no"), RuntimeError("a fault")])
def test_a_place_that_fails_does_not_stop_the_signer(sqlite_url, tmp_path, failure, caplog):
    log = SignedLog(sqlite_url, tmp_path)
    place = Place()
    place.failure = failure
    said = []
    with log.signer() as signer:
        anchoring = Anchoring([place], tmp_path / "anchors.json")
        service = SignerService(signer, anchoring, None, said.append, lambda _count: None)
        for _ in range(2):
            log.append(3, event_type="ProcedureEnded")
            assert service.is_due(False)
            service.step()
        place.failure = None
        assert not service.is_due(False)
        assert service.is_due(True)
        service.step()
        assert not service.is_due(True)

    assert [signed.checkpoint.size for signed in said] == [4, 7]
    assert place.sizes == [7]
    assert "anchor" in caplog.text.lower()
