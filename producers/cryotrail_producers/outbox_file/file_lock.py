"""Advisory locks between processes, and between the threads of one, on files made for nothing else.

``flock`` belongs to the open file, not to the process: two locks on one path exclude each other
inside a process too, and a process that dies lets go of its own.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class FileLock:
    """One file that is locked shared or exclusively. It is never removed: that would race."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)

    def try_exclusive(self) -> bool:
        """Take the lock alone, if nobody else holds it. A shared lock of ours is given up."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def exclusive(self) -> None:
        """Take the lock alone; waits for all who hold it."""
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def share(self) -> None:
        """Hold the lock beside others; waits for one who holds it alone."""
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    def release(self) -> None:
        """Let go; the lock can be taken again."""
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def note(self, text: str) -> None:
        """Write a short text into the file, in place of what stands there."""
        os.pwrite(self._descriptor, text.encode(), 0)

    def noted(self) -> str:
        """The text in the file; empty when nobody wrote one."""
        return os.pread(self._descriptor, 1000, 0).decode(errors="replace")

    def close(self) -> None:
        """Let go for good."""
        os.close(self._descriptor)
