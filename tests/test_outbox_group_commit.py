"""Calls that arrive during a commit share the next one; a failure reaches each of its callers."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from waiting import until

from cryotrail_producers.outbox.group_commit import GroupCommit


class Commits:
    """Records each commit; holds the first until it is let go."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.began = threading.Event()
        self.let_go = threading.Event()

    def __call__(self, items: list[str]) -> list[str]:
        self.groups.append(items)
        if len(self.groups) == 1:
            self.began.set()
            assert self.let_go.wait(10)
        if "bad" in items:
            raise ValueError("bad item")
        return [item.upper() for item in items]


def test_a_lone_call_commits_at_once() -> None:
    group: GroupCommit[int, int] = GroupCommit(lambda items: [-item for item in items])
    assert group.submit([1, 2]) == [-1, -2]


def test_calls_during_a_commit_share_the_next_one() -> None:
    commits = Commits()
    group = GroupCommit(commits)
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(group.submit, ["a"])
        assert commits.began.wait(10)
        others = [pool.submit(group.submit, [f"b{n}", f"c{n}"]) for n in range(5)]
        until(lambda: len(group._waiting) == 5)
        commits.let_go.set()
        results = [future.result(10) for future in (first, *others)]

    assert results == [["A"], *([f"B{n}", f"C{n}"] for n in range(5))]
    assert [len(items) for items in commits.groups] == [1, 10]


def test_a_failed_commit_fails_its_calls_and_no_others() -> None:
    commits = Commits()
    group = GroupCommit(commits)
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(group.submit, ["a"])
        assert commits.began.wait(10)
        together = [pool.submit(group.submit, [item]) for item in ("good", "bad")]
        until(lambda: len(group._waiting) == 2)
        commits.let_go.set()
        assert first.result(10) == ["A"]
        for future in together:
            with pytest.raises(ValueError, match="bad item"):
                future.result(10)

    assert group.submit(["after"]) == ["AFTER"]
