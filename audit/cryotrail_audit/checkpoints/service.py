"""What the signer's process does again and again: sign, and keep what was signed outside."""

from __future__ import annotations

import logging
from collections.abc import Callable

from cryotrail_audit.checkpoints.anchors.anchoring import Anchoring
from cryotrail_audit.checkpoints.anchors.kept import Kept
from cryotrail_audit.checkpoints.growth import Progress
from cryotrail_audit.checkpoints.signer import Signed, Signer

_log = logging.getLogger(__name__)


class SignerService:
    """A signer and its anchors, for :func:`~cryotrail_audit.checkpoints.following.follow`.

    A place outside that fails is tried again with every look that has waited; nothing is signed
    anew for it.
    """

    def __init__(
        self,
        signer: Signer,
        anchoring: Anchoring,
        newest: Kept | None,
        said: Callable[[Signed], None],
        progress: Progress,
    ) -> None:
        """Put them together.

        :param newest: the newest checkpoint in the store, of an earlier run.
        :param said: told of everything that was signed.
        """
        self._signer, self._anchoring, self._newest = signer, anchoring, newest
        self._said, self._progress = said, progress
        self._is_new = False

    def is_due(self, waited: bool) -> bool:
        """Whether there is something to sign, or a place outside that waits."""
        self._is_new = self._signer.is_due(waited)
        waiting = waited and self._newest is not None and self._anchoring.is_due()
        return self._is_new or waiting

    def step(self) -> None:
        """Sign what is new, and anchor: at once when a procedure ended."""
        at_once = False
        if self._is_new:
            signed = self._signer.sign(progress=self._progress)
            self._newest = Kept(signed.note.to_bytes(), signed.batches_note.to_bytes())
            at_once = bool(signed.heads)
            self._said(signed)
        if self._newest is not None:
            for state in self._anchoring.keep(self._newest, at_once=at_once):
                if state.problem is not None:
                    _log.error("NOT ANCHORED: %s", state.problem)
