"""Where tests write: into memory where the machine has room for it, else where TMPDIR says.

Most of what the tests wait for is the disk: 2 ms a commit, 0.3 s a database. None of them is about
what a disk keeps when the power goes; they kill processes, and then the system has every write
that was made, wherever it was made to.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
ROOM_BYTES = 6 << 30
"""What must be free: the files of a whole run, the brokers, the browser and as much again."""


def has_room(folder: Path) -> bool:
    """Whether a folder in memory can take what the tests write, programs included."""
    try:
        system = os.statvfs(folder)
        told = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return False  # not this kind of system
    memory = {name: int(size.split()[0]) << 10 for name, size in (one.split(":") for one in told)}
    free = min(system.f_bavail * system.f_frsize, memory["MemAvailable"])
    return free >= ROOM_BYTES and not system.f_flag & os.ST_NOEXEC


# A process of pytest-xdist, and every command that a test starts, inherits the choice.
if "TMPDIR" not in os.environ and has_room(MEMORY):
    os.environ["TMPDIR"] = str(MEMORY)
    tempfile.tempdir = None
