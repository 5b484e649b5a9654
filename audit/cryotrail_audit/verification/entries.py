"""The entries of a log in order: ranges, each checked on its own, joined to what came before."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from cryotrail_audit.evidence.range import Broken, RangeFindings, wrong_number
from cryotrail_audit.verification.heads import HeadChecks
from cryotrail_schemas.merkle import HASH_BYTES

Progress = Callable[[int], None]
"""Called with the number of entries read since the last call."""


class EntryStream:
    """Hands out the leaf hashes of the entries, as far as they are as they should be."""

    def __init__(
        self,
        log_id: int,
        ranges: Iterator[RangeFindings],
        first: int,
        entry_nos: dict[bytes, int],
        heads: HeadChecks,
        progress: Progress,
    ) -> None:
        """Begin with entry ``first``.

        :param entry_nos: the highest number of each procedure before it; goes on counting.
        """
        self._log_id, self._ranges, self._heads = log_id, ranges, heads
        self._progress = progress
        self._next = first
        self._leaf_hashes = b""
        self._leaf_first = first
        self._times: deque[tuple[int, int]] = deque()
        self._recorded_us: int | None = None
        self._pending: Broken | None = None
        self.entry_nos = entry_nos
        self._said: deque[tuple[int, bytes, bytes | None]] = deque()
        self.broken: Broken | None = None
        """Set once :meth:`take` came to an entry that is not as it should be."""

    def take(self, end: int) -> list[bytes]:
        """The leaf hashes of the next entries below ``end``; fewer once :attr:`broken` is set."""
        taken: list[bytes] = []
        while self._next < end and self.broken is None:
            known = self._leaf_first + len(self._leaf_hashes) // HASH_BYTES
            if self._next < known:
                stop = min(end, known)
                first, last = ((seq - self._leaf_first) * HASH_BYTES for seq in (self._next, stop))
                leaf_hashes = self._leaf_hashes
                taken += [
                    leaf_hashes[at : at + HASH_BYTES] for at in range(first, last, HASH_BYTES)
                ]
                self._next = stop
            elif self._pending is not None:
                self.broken = self._pending
            else:
                self._read()
        return taken

    def said_below(self, end: int) -> list[tuple[int, bytes, bytes | None]]:
        """The administrative entries below ``end`` that were not given out yet.

        (seq, event_type, raw) of those that give something its meaning.
        """
        given = []
        while self._said and self._said[0][0] < end:
            given.append(self._said.popleft())
        return given

    def check_times(self, first: int, end: int, recorded_us: int, batch_no: int) -> None:
        """The entries ``first <= seq < end``, all handed out, must have one ``recorded_us``.

        :raises Broken: the first that has another.
        """
        while self._times and self._times[0][0] <= first:
            self._recorded_us = self._times.popleft()[1]
        seq = first
        while True:
            if seq < end and self._recorded_us != recorded_us:
                raise Broken(seq, f"entry {seq}: recorded_us is not that of batch {batch_no}")
            if not self._times or self._times[0][0] >= end:
                return
            seq, self._recorded_us = self._times.popleft()

    def _read(self) -> None:
        """Take the next range, and join it to those before."""
        found = next(self._ranges, None)
        if found is None:
            self._pending = _missing(self._next, True)
            return
        self._leaf_first, self._leaf_hashes = found.of.first, found.leaf_hashes
        count = len(found.leaf_hashes) // HASH_BYTES
        self._progress(count)
        self._times += found.times
        broken = None if found.broken is None else Broken(*found.broken)
        if broken is None and count < found.of.end - found.of.first:
            follows = next(self._ranges, None)
            is_last = follows is None or not (follows.leaf_hashes or follows.broken)
            broken = _missing(found.of.first + count, is_last)
        broken = self._numbered(found, broken)
        if broken is not None and broken.seq is not None:
            kept = max(0, broken.seq - found.of.first)
            self._leaf_hashes = found.leaf_hashes[: kept * HASH_BYTES]
        self._pending = broken
        self._heads.take(self._log_id, found)
        self._said += found.said

    def _numbered(self, found: RangeFindings, broken: Broken | None) -> Broken | None:
        """The earlier of a break that was found and the first procedure that does not go on."""
        for procedure_id, part in found.procedures.items():
            expected = self.entry_nos.get(procedure_id, 0) + 1
            seq = found.of.first + part.seqs[0] if part.seqs else found.of.end
            if part.first_no != expected and (broken is None or seq < (broken.seq or 0)):
                broken = Broken(seq, wrong_number(seq, part.first_no, expected))
            self.entry_nos[procedure_id] = part.first_no + len(part.seqs) - 1
        return broken


def _missing(seq: int, all_that_followed: bool) -> Broken:
    return Broken(seq, f"entry {seq} is missing" + ", and all that followed it" * all_that_followed)
