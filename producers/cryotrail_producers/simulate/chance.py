"""Seeded choices."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

Choice = TypeVar("Choice")


class Chance:
    """The same seed text makes the same choices in every process.

    All of them are made from ``Random.random()``, because its sequence is the only one that Python
    promises to keep from release to release.
    """

    def __init__(self, seed: str) -> None:
        self._random = Random(seed)

    def between(self, least: int, most: int) -> int:
        """A whole number, both ends included."""
        return least + int(self._random.random() * (most - least + 1))

    def pick(self, choices: Sequence[Choice]) -> Choice:
        """One of the choices; naming one twice makes it twice as likely."""
        return choices[self.between(0, len(choices) - 1)]

    def happens(self, percent: int) -> bool:
        """Whether something happens that does so in ``percent`` of all cases."""
        return self.between(1, 100) <= percent
