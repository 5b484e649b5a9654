"""What a place outside has to do, and how one is named in the settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from cryotrail_audit.checkpoints.anchors.folder import FolderAnchor
from cryotrail_audit.checkpoints.anchors.git_folder import GitFolderAnchor
from cryotrail_audit.checkpoints.anchors.kept import Kept
from cryotrail_audit.checkpoints.anchors.time_stamp import TimeStampAnchor
from cryotrail_audit.checkpoints.errors import CheckpointError

__all__ = ["Anchor", "AnchorOptions", "Kept", "anchor_of", "anchors_of"]


class Anchor(Protocol):
    """A place outside. Whoever can write everything in the database must not be able to write here.

    A further kind is a class with these two and an entry in ``_KINDS``.
    """

    @property
    def name(self) -> str:
        """As it is configured, such as ``file:/mnt/worm/checkpoints``."""
        ...

    def keep(self, kept: Kept) -> None:
        """Keep a checkpoint; on return it is there for good. The same one again does nothing.

        :raises AnchorFailed: not now.
        :raises SigningRefused: the place holds another root for this size: a fork.
        """
        ...


class AnchorOptions(NamedTuple):
    """What anchors need beside their address."""

    tokens_folder: Path
    """Where time-stamp tokens are kept beside the notes that they stamp."""
    tsa_ca_file: Path | None = None
    """Certificates (PEM) that a time-stamp authority's own must lead to."""


def anchors_of(configured: str | None, options: AnchorOptions) -> list[Anchor]:
    """The anchors of a setting: ``KIND:ADDRESS`` separated by commas; none when it is empty.

    :raises CheckpointError: one that is not understood.
    """
    names = [name.strip() for name in (configured or "").split(",")]
    return [anchor_of(name, options) for name in names if name]


def anchor_of(name: str, options: AnchorOptions) -> Anchor:
    """One anchor.

    :raises CheckpointError: no such kind, or no address.
    """
    kind, _, address = name.partition(":")
    if kind not in _KINDS or not address:
        raise CheckpointError(
            f"{name!r} is no anchor",
            hint=f"an anchor is KIND:ADDRESS, KIND one of {', '.join(_KINDS)}",
        )
    return _KINDS[kind](address, options)


_KINDS: Final[Mapping[str, Callable[[str, AnchorOptions], Anchor]]] = {
    "file": lambda address, _options: FolderAnchor(Path(address).expanduser()),
    "git": lambda address, _options: GitFolderAnchor(Path(address).expanduser()),
    "rfc3161": lambda address, options: TimeStampAnchor(
        address, options.tokens_folder, options.tsa_ca_file
    ),
}
