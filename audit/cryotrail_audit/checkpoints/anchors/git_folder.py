"""Checkpoints as commits in a git repository, such as one that quality assurance owns."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Final

from cryotrail_audit.checkpoints.anchors.folder import write_note
from cryotrail_audit.checkpoints.anchors.kept import Kept
from cryotrail_audit.checkpoints.errors import AnchorFailed

WAIT_S: Final = 60
"""For one call of git, hooks included."""

_IDENTITY: Final = ("-c", "user.name=cryotrail signer", "-c", "user.email=cryotrail@localhost")


class GitFolderAnchor:
    """See :class:`~cryotrail_audit.checkpoints.anchors.anchor.Anchor`.

    One commit a checkpoint, by the ``git`` program. It pushes nothing: a repository on the same
    machine is as far outside as its owner's own fetches, or a hook of the repository, carry it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def name(self) -> str:
        return f"git:{self._folder}"

    def keep(self, kept: Kept) -> None:
        self._check_repository()
        names = list(kept.files())
        try:
            for name, note in kept.files().items():
                write_note(self._folder / name, note)
        except OSError as error:
            raise AnchorFailed(f"{self.name}: {error.strerror}") from error
        self._git("add", "--force", "--", *names)
        # Committed already, when an earlier attempt died right behind it.
        if self._git("status", "--porcelain", "--", *names):
            size = kept.checkpoint.size
            message = f"Anchor {kept.checkpoint.origin} at size {size}"
            self._git(*_IDENTITY, "commit", "--quiet", f"--message={message}", "--", *names)

    def _check_repository(self) -> None:
        """The folder is the top of a repository; one that only lies in another is none."""
        if not self._folder.is_dir():
            raise AnchorFailed(f"{self.name} is no folder", hint=f"git init {self._folder}")
        top = self._git("rev-parse", "--show-toplevel").strip()
        if not top or Path(top) != self._folder.resolve():
            raise AnchorFailed(
                f"{self.name} is not the top of a git repository",
                hint=f"git init {self._folder}",
            )

    def _git(self, *arguments: str) -> str:
        # GIT_DIR and its like would point git at another repository than the folder.
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("GIT_")
        } | {"GIT_TERMINAL_PROMPT": "0"}
        command = ["git", "-C", str(self._folder), *arguments]
        try:
            done = subprocess.run(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=WAIT_S,
                check=False,
            )
        except FileNotFoundError as error:
            raise AnchorFailed(f"{self.name}: the program git is not installed") from error
        except subprocess.TimeoutExpired as error:
            raise AnchorFailed(f"{self.name}: git did not end within {WAIT_S} s") from error
        if done.returncode:
            said = " ".join((done.stderr or done.stdout).split())
            raise AnchorFailed(f"{self.name}: git {arguments[0]} failed: {said:.300}")
        return done.stdout
