"""What a recorder tells whoever watches it, such as metrics."""

from __future__ import annotations

from typing import Protocol

from cryotrail_audit.records import AppendOutcome, IncomingBatch
from cryotrail_consumers.recording.tally import Tally


class RecorderObserver(Protocol):
    """Told by the recorder, on its own thread, what it does.

    The calls must be quick and raise nothing: they are part of the loop. Numbers that grow, and
    what stands now, are attributes of :class:`~cryotrail_consumers.recording.tally.Tally`, which
    any thread may read at any time.
    """

    def begins(self, tally: Tally, tree_size: int) -> None:
        """A recorder is about to work on a log of so many entries; said once, by who opened it."""
        ...

    def looped(self, tally: Tally) -> None:
        """The loop turned once: about every half second, also while something is waited for."""
        ...

    def appended(self, batch: IncomingBatch, outcome: AppendOutcome, elapsed_s: float) -> None:
        """One transaction with records was committed.

        :param batch: what was handed to the store; not to be kept.
        :param elapsed_s: what the store took for it, waiting for its lock included.
        """
        ...


class Unobserved:
    """Nobody watches."""

    def begins(self, tally: Tally, tree_size: int) -> None:
        """See :class:`RecorderObserver`."""

    def looped(self, tally: Tally) -> None:
        """See :class:`RecorderObserver`."""

    def appended(self, batch: IncomingBatch, outcome: AppendOutcome, elapsed_s: float) -> None:
        """See :class:`RecorderObserver`."""
