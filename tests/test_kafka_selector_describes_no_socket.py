"""The selector of the Kafka clients answers as the standard library's does, without its costs."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from cryotrail_producers.kafka_bootstrap import ThriftySelector


class _Undescribed(socket.socket):
    """Fails whoever describes it."""

    def __repr__(self) -> str:
        raise AssertionError("the socket was described")


@pytest.fixture
def selector() -> Iterator[ThriftySelector]:
    with closing(ThriftySelector()) as opened:
        yield opened


def test_a_socket_that_is_not_registered_is_said_to_be_none_undescribed(
    selector: ThriftySelector,
) -> None:
    with closing(_Undescribed()) as one, pytest.raises(KeyError):
        selector.get_key(one)


def test_a_registered_socket_is_found_by_itself_and_by_its_number(
    selector: ThriftySelector,
) -> None:
    with closing(socket.socket()) as one:
        key = selector.register(one, selectors.EVENT_READ, "data")
        assert selector.get_key(one) == selector.get_key(one.fileno()) == key


def test_a_socket_that_was_closed_while_registered_is_still_found(
    selector: ThriftySelector,
) -> None:
    one = socket.socket()
    key = selector.register(one, selectors.EVENT_READ, "data")
    one.close()
    assert selector.get_key(one) == key
    selector.unregister(one)
