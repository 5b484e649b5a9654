"""A measured process with all that it starts: its CPU, its peak memory, its sudden end."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class ProcessGroup:
    """A command in a session of its own; everything it starts belongs to it.

    It gets nothing of a Ctrl-C at our terminal, so whoever starts it ends it: :meth:`end`, or
    :meth:`kill` for SIGKILL to all of it at once.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, cwd=log.parent, start_new_session=True,
            )  # fmt: skip

    def is_running(self) -> bool:
        """Whether the command itself still runs."""
        return self._process.poll() is None

    def cpu_s(self) -> float:
        """User and system time that the group has used, ended and awaited children included."""
        return sum(cpu_seconds(pid, with_children=True) for pid in self._members())

    def peak_mib(self) -> float:
        """The sum of the most memory that each process has held (VmHWM)."""
        total = 0
        for pid in self._members():
            with suppress(OSError, IndexError):
                status = Path(f"/proc/{pid}/status").read_text()
                total += int(status.partition("VmHWM:")[2].split()[0])
        return total / 1024

    def freeze(self) -> None:
        """Stop it where it stands."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL to all of it."""
        self._signal(signal.SIGKILL)
        self._process.wait(timeout=30)

    def end(self, timeout_s: float = 15) -> None:
        """SIGTERM, and SIGKILL for what is left after ``timeout_s``."""
        self._signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=timeout_s)
        deadline = time.monotonic() + 1
        while self._members() and time.monotonic() < deadline:
            time.sleep(0.02)
        self.kill()

    def _signal(self, number: signal.Signals) -> None:
        # The session's leader gave the group its number, which nobody else gets while it is there.
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def _members(self) -> list[int]:
        members = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(OSError):
                    fields = _stat_fields(int(entry.name))
                    if int(fields[3]) == self._process.pid and fields[0] != "Z":
                        members.append(int(entry.name))
        return members


def cpu_seconds(pid: int, *, with_children: bool = False) -> float:
    """User and system time of a process; 0 when it is gone."""
    try:
        fields = _stat_fields(pid)
    except OSError:
        return 0.0
    ticks = sum(int(field) for field in fields[11 : 15 if with_children else 13])
    return ticks / _TICKS_PER_S


def _stat_fields(pid: int) -> list[str]:
    """Of ``/proc/PID/stat`` what follows the name: state, parent, group, session, ..."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
