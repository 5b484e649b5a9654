"""Keeps checkpoints in every configured place, and says how far outside the log is anchored."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from cryotrail_audit.checkpoints import durable_files
from cryotrail_audit.checkpoints.anchors.anchor import Anchor, Kept
from cryotrail_audit.checkpoints.errors import CheckpointError

NO_OUTSIDE_ANCHOR: Final = "no outside anchor"
"""What every surface says while nothing outside holds a checkpoint."""

ANCHOR_EVERY_S: Final = 3600.0
"""How long a checkpoint may wait for a place outside while no procedure ends."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AnchorState:
    """How one place stands."""

    name: str
    size: int | None = None
    """Of the largest checkpoint that it holds; None = it holds none."""
    root: str | None = None
    """In hex."""
    kept_s: int | None = None
    """When it was kept, in seconds since 1970-01-01T00:00:00Z."""
    problem: str | None = None
    """Why the last attempt failed; None = it did not."""


class Anchoring:
    """The configured places and a file that says how each stands."""

    def __init__(
        self,
        anchors: Sequence[Anchor],
        state_file: Path,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._anchors, self._file, self._clock = anchors, state_file, clock

    def states(self) -> list[AnchorState]:
        """How each configured place stands, in the order of the setting."""
        kept = {state.name: state for state in read_states(self._file)}
        return [kept.get(anchor.name, AnchorState(anchor.name)) for anchor in self._anchors]

    def is_due(self) -> bool:
        """Whether a place has failed, holds nothing yet, or has waited for an hour."""
        return any(self._is_due(state) for state in self.states())

    def keep(self, kept: Kept, *, at_once: bool) -> list[AnchorState]:
        """Keep a checkpoint in every place, or in those alone that are due; never raises.

        A place that fails is remembered as failed and tried again the next time.
        """
        states = []
        for anchor, state in zip(self._anchors, self.states(), strict=True):
            if at_once or self._is_due(state):
                state = self._kept(anchor, state, kept)
            states.append(state)
        if states:
            self._save(states)
        return states

    def _is_due(self, state: AnchorState) -> bool:
        if state.problem is not None or state.kept_s is None:
            return True
        return self._clock() - state.kept_s >= ANCHOR_EVERY_S

    def _kept(self, anchor: Anchor, state: AnchorState, kept: Kept) -> AnchorState:
        try:
            anchor.keep(kept)
        except CheckpointError as error:
            problem = str(error)
        except Exception as error:  # noqa: BLE001  a plug-in must not stop the signer
            _log.exception("the anchor %s failed", anchor.name)
            problem = f"{type(error).__name__}: {error}"
        else:
            size, root = kept.checkpoint.size, kept.checkpoint.root.hex()
            return AnchorState(anchor.name, size, root, int(self._clock()))
        return replace(state, problem=problem)

    def _save(self, states: Sequence[AnchorState]) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps([asdict(state) for state in states], indent=1)
        durable_files.replace(self._file, text.encode())


def read_states(file: Path) -> list[AnchorState]:
    """What the file says; nothing when there is none, or none that can be read."""
    try:
        said: Any = json.loads(file.read_text(encoding="utf-8"))
        return [AnchorState(**state) for state in said]
    except (OSError, ValueError, TypeError):
        return []


def in_words(states: Sequence[AnchorState]) -> str:
    """One line for a surface: what is held outside, or :data:`NO_OUTSIDE_ANCHOR`."""
    held = [state for state in states if state.size is not None]
    failing = "".join(f"; {state.problem}" for state in states if state.problem is not None)
    if not held:
        return NO_OUTSIDE_ANCHOR + failing
    said = [
        f"anchored outside at size {state.size} ({_time(state.kept_s or 0)}, {state.name})"
        for state in held
    ]
    return ", ".join(said) + failing


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
