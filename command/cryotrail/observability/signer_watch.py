"""What a signer does, counted: how often it hashed the log and found it to be the one it knew."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from cryotrail.observability.health import Heartbeat
from cryotrail_audit.checkpoints.errors import CheckpointError

_Asked = ParamSpec("_Asked")
_Answer = TypeVar("_Answer")


class SignerWatch:
    """Watches the steps of one signer. Its numbers may be read from any thread."""

    def __init__(self) -> None:
        self.heartbeat = Heartbeat()
        self.failures = 0
        """Times that the log was not what it should be, and was not signed."""
        self.verified_s: float | None = None
        """When new entries were last hashed and found to extend what was signed; since 1970."""
        self.problem: str | None = None
        """Why the last step signed nothing; None = it did, or there was nothing to sign."""

    def watched(
        self, call: Callable[_Asked, _Answer], *, verifies: bool = False
    ) -> Callable[_Asked, _Answer]:
        """``call``, its failures counted; one that ``verifies`` has verified when it returns."""

        def watching(*arguments: _Asked.args, **named: _Asked.kwargs) -> _Answer:
            try:
                result = call(*arguments, **named)
            except CheckpointError as error:
                self.failures += 1
                self.problem = str(error)
                raise
            if verifies:
                self.verified_s, self.problem = time.time(), None
            return result

        return watching
