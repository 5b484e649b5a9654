"""Who uses the file at a path, and who puts another in its place.

``flock`` lets who shares go before who wants it alone, for ever if they overlap, as a few busy
processes do. So who wants it alone closes a door first, through which everybody else has to pass.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from cryotrail_producers.outbox_file.file_lock import FileLock


class PlaceLock:
    """One holder's lock on the place of an outbox file. Nobody may take two of one path at once."""

    def __init__(self, path: Path) -> None:
        with ExitStack() as undo:
            self._door = FileLock(path.with_name(f"{path.name}.door"))
            undo.callback(self._door.close)
            self._place = FileLock(path.with_name(f"{path.name}.place"))
            undo.pop_all()

    def share(self) -> None:
        """Hold it beside others; waits for one who holds it alone or waits for that."""
        self._door.share()
        try:
            self._place.share()
        finally:
            self._door.release()

    def exclusive(self) -> None:
        """Hold it alone; waits for all who share it, and nobody gets in meanwhile."""
        self._door.exclusive()
        self._place.exclusive()

    def release(self) -> None:
        """Let go of what is shared; it can be taken again."""
        self._place.release()

    def close(self) -> None:
        """Let go for good."""
        self._place.close()
        self._door.close()
