"""A recorder that runs and answers for itself over HTTP, for the length of a block."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from scraping import address_in, overheard

from cryotrail.observability.observed_recorder import observed_recorder
from cryotrail.settings import Settings
from cryotrail_consumers.recording.recorder import Recorder


@contextmanager
def answering(settings: Settings) -> Iterator[tuple[Recorder, str]]:
    """The recorder, and where it answers."""
    with overheard() as said, observed_recorder(settings, "0") as recorder:
        thread = threading.Thread(target=recorder.run)
        thread.start()
        try:
            yield recorder, address_in(said)
        finally:
            recorder.stop()
            thread.join(60)
    assert not thread.is_alive()
