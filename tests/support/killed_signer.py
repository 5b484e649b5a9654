"""A signer as a process of its own that kills itself with SIGKILL at one point, or signs for ever.

``python killed_signer.py URL FOLDER POINT``: the folder holds ``log.key`` and the memory.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryotrail_audit.checkpoints import stored
from cryotrail_audit.checkpoints.keys import LogKey
from cryotrail_audit.checkpoints.memory import MemoryFile
from cryotrail_audit.checkpoints.signer import Signer
from cryotrail_audit.checkpoints.stored import SignedNotes

POINTS_BEFORE_THE_DATABASE = ("half a memory", "memory", "signature")
"""Where a signing can be cut: one after another, in its order."""

POINTS_IN_THE_DATABASE = ("transaction", "rows")
"""Where it can be cut after that."""


def killed(*_arguments: Any, **_options: Any) -> None:
    """End as by a power cut for this process."""
    os.kill(os.getpid(), signal.SIGKILL)


def then_killed(of: type | Any, name: str) -> None:
    """Replace a function by one that does its work and is killed behind it."""
    function: Callable[..., Any] = getattr(of, name)

    def last(*arguments: Any, **options: Any) -> None:
        function(*arguments, **options)
        killed()

    setattr(of, name, last)


def main(url: str, folder: Path, point: str) -> None:
    """Sign once and be killed at the point, or sign until somebody kills this process."""
    key = LogKey.read(folder / "log.key")
    signer = Signer(url, key, MemoryFile(folder / "log.memory.json"))
    if point == "half a memory":
        Path.replace = killed  # type: ignore[assignment, method-assign]
    elif point == "memory":
        then_killed(MemoryFile, "save")
    elif point == "signature":
        SignedNotes.add = killed  # type: ignore[method-assign]
    elif point == "transaction":
        then_killed(stored, "_insert")
    elif point == "rows":
        then_killed(SignedNotes, "add")
    while True:
        if signer.is_due(waited=True):
            print(signer.sign().checkpoint.size, flush=True)
        time.sleep(0.002)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
