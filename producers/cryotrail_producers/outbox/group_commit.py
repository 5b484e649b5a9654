"""Group commit: calls that arrive while a commit is being synced share the next one.

Nobody waits for company: a call that finds no commit under way commits at once, so one caller
pays one sync, and a crowd pays one sync together.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Call(Generic[Item, Result]):
    """What one caller handed in, and what became of it."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items
        self.results: list[Result] | None = None
        self.error: BaseException | None = None


class GroupCommit(Generic[Item, Result]):
    """Turns concurrent calls into few calls of ``commit``, which is never run twice at a time.

    ``commit`` takes the items of whole calls, in order of arrival, and returns one result for
    each. When it raises, every call of that group raises.
    """

    def __init__(self, commit: Callable[[list[Item]], list[Result]]) -> None:
        self._commit = commit
        self._changed = threading.Condition()
        self._waiting: list[_Call[Item, Result]] = []
        self._committing = False

    def submit(self, items: Sequence[Item]) -> list[Result]:
        """Commit ``items`` and return their results; returns after the commit that held them."""
        call = _Call[Item, Result](items)
        with self._changed:
            self._waiting.append(call)
            while self._committing and not _over(call):
                self._changed.wait()
            if not _over(call):
                self._committing = True
                group, self._waiting = self._waiting, []
        if not _over(call):
            self._lead(group)
        if call.error is not None:
            raise call.error
        assert call.results is not None
        return call.results

    def _lead(self, group: list[_Call[Item, Result]]) -> None:
        try:
            results = self._commit([item for call in group for item in call.items])
            start = 0
            for call in group:
                call.results = results[start : start + len(call.items)]
                start += len(call.items)
        except BaseException as error:
            for call in group:
                call.error = error
            raise
        finally:
            with self._changed:
                self._committing = False
                self._changed.notify_all()


def _over(call: _Call[Item, Result]) -> bool:
    return call.results is not None or call.error is not None
