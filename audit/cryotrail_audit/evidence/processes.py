"""Ranges of entries read by as many processes as the machine has processors.

Each process is a fresh interpreter that is told where the store is through a pipe, and never a
fork: the one that asks may have threads, or an SQLite file open whose locks a fork would drop.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, suppress
from itertools import count, islice
from typing import Any, Final

from cryotrail_audit.errors import StoreUnavailable
from cryotrail_audit.evidence import RangeSource
from cryotrail_audit.evidence.range import RangeFindings, SeqRange

_AT_LEAST: Final = 3
"""Ranges that pay for the start of a process, which takes a third of a second."""

_AHEAD: Final = 2
"""Ranges that each process is given before the first is taken from it."""


def read_ranges(
    source: RangeSource, log_id: int, ranges: Iterable[SeqRange]
) -> Generator[RangeFindings]:
    """What each range gives, in the order of the ranges; few are read within this process."""
    remaining = iter(ranges)
    first = list(islice(remaining, _AT_LEAST))
    processes = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    if len(first) < _AT_LEAST or (processes or 1) < 2 or not sys.executable:
        with closing(source.open()) as reader:
            for of in (*first, *remaining):
                yield reader.read(log_id, of)
        return
    yield from _read_by_processes(source, log_id, iter((*first, *remaining)), processes or 1)


def _read_by_processes(
    source: RangeSource, log_id: int, ranges: Iterator[SeqRange], processes: int
) -> Iterator[RangeFindings]:
    workers = [_Worker(source) for _ in range(processes)]
    try:
        asked: deque[_Worker] = deque()
        turn = count()
        for of in islice(ranges, processes * _AHEAD):
            workers[next(turn) % processes].ask(log_id, of)
        asked.extend(workers[number % processes] for number in range(next(turn)))
        while asked:
            worker = asked.popleft()
            findings = worker.answer()
            # The next one is asked for before this one is looked at: no process waits.
            if (of_next := next(ranges, None)) is not None:
                worker.ask(log_id, of_next)
                asked.append(worker)
            yield findings
    finally:
        for worker in workers:
            worker.end()


class _Worker:
    """One process that reads ranges; answers come in the order of the questions."""

    def __init__(self, source: RangeSource) -> None:
        self._process = subprocess.Popen(
            # -P: whatever lies in the working folder is no module of ours.
            [sys.executable, "-P", "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._send(source)

    def ask(self, log_id: int, of: SeqRange) -> None:
        """Ask for a range."""
        self._send((log_id, of))

    def answer(self) -> RangeFindings:
        """What the oldest question that was not answered yet gives; waits for it.

        :raises StoreUnavailable: the process ended.
        """
        assert self._process.stdout is not None
        try:
            answer = pickle.load(self._process.stdout)
        except EOFError:
            raise _ended() from None
        if isinstance(answer, BaseException):
            raise answer
        found: RangeFindings = answer
        return found

    def end(self) -> None:
        """End the process, whatever it is at."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):  # it may not have read what was left to be written
                pipe.close()
        self._process.wait()

    def _send(self, value: object) -> None:
        assert self._process.stdin is not None
        try:
            pickle.dump(value, self._process.stdin)
            self._process.stdin.flush()
        except BrokenPipeError:
            raise _ended() from None


def _ended() -> StoreUnavailable:
    return StoreUnavailable(
        "a process that was reading entries has ended before it was done",
        hint="look whether the machine ran out of memory, and verify again",
    )


def _serve() -> None:
    """Read ranges as they are asked for, until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who asks
    asking, answering = sys.stdin.buffer, sys.stdout.buffer
    source: RangeSource = pickle.load(asking)
    reader = None
    while True:
        try:
            log_id, of = pickle.load(asking)
        except EOFError:
            return
        answer: Any
        try:
            reader = reader or source.open()
            answer = reader.read(log_id, of)
        except Exception as error:  # noqa: BLE001  raised again where the answer is read
            answer = error
        pickle.dump(answer, answering)
        answering.flush()


if __name__ == "__main__":
    _serve()
