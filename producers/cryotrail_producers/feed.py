"""Feeding a publisher from a source that may be slow, without holding back what it has yielded."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from queue import Empty, Queue
from uuid import UUID

from cryotrail_producers.errors import OutboxError
from cryotrail_producers.publisher import Publisher
from cryotrail_schemas.events import Event

_GROUP_EVENTS = 1000
_END = None


@dataclass(slots=True)
class Fed:
    """How far a feed came. What is neither accepted nor shed was not published."""

    accepted: int = 0
    """Events that are durable."""
    shed: int = 0
    """Telemetry chunks that may be shed and found no room; their loss is noted."""
    failure: OutboxError | None = None
    """Why it stopped before the end of its source: the next event was not accepted."""

    @property
    def events(self) -> int:
        """Events of the source that were dealt with, from the first on, without a gap."""
        return self.accepted + self.shed


def feed(publisher: Publisher, events: Iterable[Event], dealt_with: Callable[[int], object]) -> Fed:
    """Publish every event, in order; returns once all are durable, or the outbox takes no more.

    While one group is committed and the source works, the next group gathers: a fast source is
    committed by the thousand, a slow one event by event. ``dealt_with`` is told each group's count,
    from another thread.

    :raises EventRefused: the events before the refused one are durable, none after it is.
    """
    feeder = _Feeder(publisher, dealt_with)
    try:
        for event in events:
            feeder.put(event)
    except OutboxError as failure:
        if failure is not feeder.fed.failure:
            raise
    finally:
        feeder.finish()
    return feeder.fed


class _Feeder:
    """A thread that publishes whatever has been put, as one group."""

    def __init__(self, publisher: Publisher, dealt_with: Callable[[int], object]) -> None:
        self.fed = Fed()
        self._publisher = publisher
        self._dealt_with = dealt_with
        self._queue: Queue[Event | None] = Queue(2 * _GROUP_EVENTS)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="outbox-feed", daemon=True)
        self._thread.start()

    def put(self, event: Event) -> None:
        if self._error is not None:
            raise self._error
        self._queue.put(event)

    def finish(self) -> None:
        self._queue.put(_END)
        self._thread.join()
        if self._error is not None and self._error is not self.fed.failure:
            raise self._error

    def _run(self) -> None:
        ended = False
        while not ended:
            group = [self._queue.get()]
            try:
                while len(group) < _GROUP_EVENTS and group[-1] is not _END:
                    group.append(self._queue.get_nowait())
            except Empty:
                pass
            ended = group[-1] is _END
            self._publish([event for event in group if event is not None])

    def _publish(self, group: list[Event]) -> None:
        if self._error is not None:
            return  # The queue is emptied all the same, so that nobody waits to put.
        try:
            self._count(self._publisher.publish_many(group))
        except OutboxError as error:
            self._count(error.outcomes)
            self.fed.failure = self._error = error
        except BaseException as error:  # noqa: BLE001 - raised in the thread that puts
            self._error = error

    def _count(self, outcomes: Sequence[UUID | None]) -> None:
        shed = outcomes.count(None)
        self.fed.shed += shed
        self.fed.accepted += len(outcomes) - shed
        self._dealt_with(len(outcomes))
