"""A disk that is too small for what is written to it, until it is made larger."""

from __future__ import annotations

import resource
import subprocess
from pathlib import Path
from typing import Self

_LARGE_BYTES = 256 << 20


class SmallDisk:
    """A folder on a file system of its own in memory; a context manager.

    Where no file system may be mounted, :meth:`limit` keeps the files of processes from growing
    in its place, which is all that their programs notice of a full disk.
    """

    def __init__(self, folder: Path, size_bytes: int) -> None:
        self.folder = folder
        self._size_bytes = size_bytes
        self.is_mounted = False

    def __enter__(self) -> Self:
        self.folder.mkdir(exist_ok=True)
        self.is_mounted = self._mount(f"size={self._size_bytes}")
        return self

    def __exit__(self, *_: object) -> None:
        if self.is_mounted:
            subprocess.run(["umount", "--lazy", self.folder], check=True, capture_output=True)

    def limit(self, pid: int) -> None:
        """Where nothing is mounted: let no file of the process grow beyond the size."""
        if not self.is_mounted:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (self._size_bytes, resource.RLIM_INFINITY))

    def free(self, pids: list[int]) -> None:
        """Somebody has made room."""
        if self.is_mounted:
            assert self._mount(f"remount,size={_LARGE_BYTES}")
            return
        for pid in pids:
            unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, unlimited)

    def _mount(self, options: str) -> bool:
        command = ["mount", "-t", "tmpfs", "-o", options, "cryotrail-faults", str(self.folder)]
        try:
            return subprocess.run(command, capture_output=True, check=False).returncode == 0
        except FileNotFoundError:
            return False
