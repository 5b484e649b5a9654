"""What is done again and again goes on after every failure, and says each of them once."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from cryotrail_producers.errors import KafkaUnreachable
from cryotrail_producers.outbox.repeated import Repeated

FULL, GONE = KafkaUnreachable("the disk is full"), KafkaUnreachable("the disk is gone")


def failing_with(errors: list[Exception | None]) -> Callable[[], None]:
    remaining = iter(errors)

    def task() -> None:
        error = next(remaining)
        if error is not None:
            raise error

    return task


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        ([FULL, FULL, FULL], ["the disk is full"]),
        ([FULL, GONE, GONE], ["the disk is full", "the disk is gone"]),
        ([FULL, None, FULL], ["the disk is full", "the disk is full"]),
        ([None, None, None], []),
        ([KeyError(7), None, FULL], ["looking after the outbox failed", "the disk is full"]),
    ],
)
def test_a_failure_is_said_once_while_it_lasts(
    errors: list[Exception | None], said: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    task = Repeated(failing_with(errors))
    for _ in errors:
        task()
    assert [record.getMessage() for record in caplog.records] == said
