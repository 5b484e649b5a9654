"""Which processes die where: every named point in turn, at a random one of its first calls."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import cycle, islice

from faults.kill_points import Death, KillPoint

_FIRST_CALLS = 4


def deaths_at(points: Sequence[KillPoint], kills: int, chance: random.Random) -> list[Death]:
    """``kills`` deaths in random order, spread evenly over the points."""
    deaths = [
        Death(one, 1 if one.once else chance.randint(1, _FIRST_CALLS))
        for one in islice(cycle(points), kills)
    ]
    chance.shuffle(deaths)
    return deaths
