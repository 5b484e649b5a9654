"""Feeding a publisher from a source that may be slow, without holding back what it has yielded."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from queue import Empty, Queue

from cryotrail_producers.publisher import Publisher
from cryotrail_schemas.events import Event

_GROUP_EVENTS = 1000
_END = None


def feed(publisher: Publisher, events: Iterable[Event], accepted: Callable[[int], object]) -> int:
    """Publish every event, in order; returns how many once all are durable.

    While one group is committed and the source works, the next group gathers: a fast source is
    committed by the thousand, a slow one event by event. ``accepted`` is told each group's count,
    from another thread.

    :raises EventRefused: the events before the refused one are durable, none after it is.
    :raises OutboxError: the outbox failed; what ``accepted`` was told is durable.
    """
    feeder = _Feeder(publisher, accepted)
    try:
        for event in events:
            feeder.put(event)
    finally:
        feeder.finish()
    return feeder.count


class _Feeder:
    """A thread that publishes whatever has been put, as one group."""

    def __init__(self, publisher: Publisher, accepted: Callable[[int], object]) -> None:
        self.count = 0
        self._publisher = publisher
        self._accepted = accepted
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
        if self._error is not None:
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
            self._publisher.publish_many(group)
            self.count += len(group)
            self._accepted(len(group))
        except BaseException as error:  # noqa: BLE001 - raised in the thread that puts
            self._error = error
