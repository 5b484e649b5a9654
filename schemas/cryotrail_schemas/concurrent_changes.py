"""Amendments whose authors did not know of each other: they are shown for decision, never decided.

A clinician's correction and a nurse's that was entered offline may both replace the value that
the device gave. The later one in the store is in force, since something has to be, and every
value that it did not replace knowingly is shown beside it. An amendment that supersedes all of
them decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from uuid import UUID

from cryotrail_schemas.field_changes import Change, touches

Supersessions = Mapping[UUID, Sequence[tuple[str, UUID | None]]]
"""By amendment of one event, also one that was taken back: path and superseded of each change."""


def rivals(
    changes: Iterable[Change], supersessions: Supersessions
) -> dict[str, tuple[Change, ...]]:
    """Per path that is undecided the changes to decide between, in order; the last is in force.

    A change of a value takes part in the paths below it: whoever replaces an array may undo what
    somebody else corrected in one of its items.

    :param changes: those of one event that can be made and were not taken back.
    """
    by_path: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        by_path[change.path].append(change)
    undecided = {}
    for path in sorted(by_path):
        here = sorted(
            (change for above in _itself_and_above(path) for change in by_path.get(above, ())),
            key=lambda change: (change.seq, change.position),
        )
        in_force = here[-1]
        known = _known_to([in_force.amended_by], path, supersessions) | {in_force.amended_by}
        unknown = [change for change in here if change.amended_by not in known]
        if unknown:
            replaced = _known_to({c.amended_by for c in unknown}, path, supersessions)
            left = [change for change in unknown if change.amended_by not in replaced]
            undecided[path] = (*(left or unknown), in_force)
    return undecided


def _itself_and_above(path: str) -> Iterator[str]:
    tokens = path.split("/")
    return ("/".join(tokens[:length]) for length in range(2, len(tokens) + 1))


def _known_to(amendments: Collection[UUID], path: str, supersessions: Supersessions) -> set[UUID]:
    """What the authors of some amendments replaced at a path, at first or second hand.

    The way leads through amendments that were taken back as well: who replaces one of them has
    seen what it replaced.
    """
    known: set[UUID] = set()
    following = list(amendments)
    while following:
        for changed, superseded in supersessions.get(following.pop(), ()):
            related = touches(changed, path) or touches(path, changed)
            if related and superseded is not None and superseded not in known:
                known.add(superseded)
                following.append(superseded)
    return known
