"""One background process: started in a session of its own, recognised and ended by its id."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_POLL_S = 0.02


def spawn(command: Sequence[str], log: Path, environment: Mapping[str, str]) -> int:
    """Start a process that outlives this one; returns its id.

    It has its own session, so that a Ctrl-C at our terminal does not reach it, no standard input,
    and appends what it prints to ``log``.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    # Not subprocess.Popen: its object warns when it is dropped while the process still runs.
    return os.posix_spawn(
        command[0],
        list(command),
        environment,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), flags, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )


def is_running(pid: int, mark: str) -> bool:
    """Whether process ``pid`` lives and ``mark`` stands in its command line, or has yet to end.

    The mark is what tells our process from a stranger that was given the same number later. A
    process that was killed holds its ports and locks until the last of its threads is gone.
    """
    _reap(pid)
    return mark in _command_line(pid) or _is_ending(pid)


def terminate(pid: int, mark: str, timeout_s: float) -> bool:
    """Ask a process to end (SIGTERM) and wait until it is gone.

    Returns whether it ended within ``timeout_s``. A process that is not there, or does not carry
    ``mark``, is left alone and counts as ended.
    """
    deadline = time.monotonic() + timeout_s
    if mark in _command_line(pid):
        os.kill(pid, signal.SIGTERM)
    while is_running(pid, mark):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def kill(pid: int, mark: str) -> None:
    """End a process at once (SIGKILL) when it carries ``mark``, and wait until it is gone."""
    if mark in _command_line(pid):
        os.kill(pid, signal.SIGKILL)
    while is_running(pid, mark):
        time.sleep(_POLL_S)


def _reap(pid: int) -> None:
    """Collect the exit status of a child of ours, which would stay a zombie otherwise."""
    with contextlib.suppress(ChildProcessError):  # Another process started it.
        os.waitpid(pid, os.WNOHANG)


def _command_line(pid: int) -> str:
    if sys.platform != "linux":
        listing = subprocess.run(
            ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
        return listing.stdout
    process = Path(f"/proc/{pid}")
    try:
        raw = (process / "cmdline").read_bytes()
        while not raw and _is_executing(process):
            time.sleep(_POLL_S)
            raw = (process / "cmdline").read_bytes()
    except OSError:
        return ""
    return raw.replace(b"\0", b" ").decode(errors="replace")


def _is_ending(pid: int) -> bool:
    """Whether a process has lost its command line, and not yet its files or all of its threads."""
    process = Path(f"/proc/{pid}")
    try:
        bare = not (process / "cmdline").read_bytes()
        threads = sum(1 for _ in (process / "task").iterdir())
        status = (process / "status").read_text()
    except OSError:
        return False
    # A zombie has let go of everything; a thread of the kernel never had a command line.
    over = threads == 1 and "\nState:\tZ" in status
    return bare and not over and "\nPPid:\t2\n" not in status


def _is_executing(process: Path) -> bool:
    """Whether a process without a command line is one that has only just been started.

    Linux lets the parent go on before the child's arguments are in place; a zombie and a thread
    of the kernel have no command line for ever, but neither has an executable.
    """
    return (process / "exe").exists() and "\nState:\tZ" not in (process / "status").read_text()
