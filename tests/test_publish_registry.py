"""With a schema registry the sender writes Confluent framing, and never waits for the registry."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from uuid import uuid4

import pytest
from outbox_room import Room
from registry_fixtures import RegistryProcess
from room_events import chunk, freeze
from waiting import until

from cryotrail_producers.errors import RegistryAddressRefused, RegistryUnavailable
from cryotrail_producers.registry_framing import RegistryFraming
from cryotrail_producers.schema_registry import SchemaRegistry
from cryotrail_producers.transport import MemoryTransport
from cryotrail_schemas.catalog import catalog
from cryotrail_schemas.codec import decode
from cryotrail_schemas.framing import parse_frame

FREEZE = "cryotrail.events.FreezeStarted"
CHUNK = "cryotrail.events.ProbeTelemetryChunk"


def kinds(log: MemoryTransport) -> list[str]:
    return [parse_frame(record.value).kind for record in log.records]


def test_events_are_framed_with_the_ids_of_the_registry(
    room: Room, registry: RegistryProcess
) -> None:
    log = MemoryTransport()
    publisher = room.publisher(RegistryFraming(log, SchemaRegistry(registry.url)))
    procedure = uuid4()
    events = [freeze(procedure), chunk(procedure)]
    publisher.publish_many(events)
    assert publisher.wait(20).waiting == 0

    for event in events:
        current = catalog().current(event.TYPE)
        schema_id = registry.register(f"cryotrail.events.{event.TYPE}", current.text)
        (frame,) = (
            frame
            for frame in (parse_frame(record.value) for record in log.records)
            if frame.schema_id == schema_id
        )
        assert decode(frame.body, current) == event


def test_the_registry_is_asked_once_for_each_type(room: Room, registry: RegistryProcess) -> None:
    log = MemoryTransport()
    publisher = room.publisher(RegistryFraming(log, SchemaRegistry(registry.url)))
    for procedure in (uuid4(), uuid4()):
        publisher.publish_many([freeze(procedure, number) for number in range(1, 6)])
        publisher.publish(chunk(procedure))
        assert publisher.wait(20).waiting == 0

    assert kinds(log) == ["confluent"] * 12
    assert sorted(registry.requests()) == [
        f"POST /subjects/{FREEZE}/versions 200",
        f"POST /subjects/{CHUNK}/versions 200",
    ]


def test_while_the_registry_is_away_events_arrive_in_single_object_framing(
    room: Room, registry: RegistryProcess, caplog: pytest.LogCaptureFixture
) -> None:
    registry.stop()
    log = MemoryTransport()
    framing = RegistryFraming(log, SchemaRegistry(registry.url), ask_again_s=0.5)
    publisher = room.publisher(framing)
    publisher.publish_many([freeze(uuid4()), freeze(uuid4())])
    assert publisher.wait(20).waiting == 0
    assert kinds(log) == ["single_object"] * 2
    warnings = [one.message for one in caplog.records if one.levelno == logging.WARNING]
    assert warnings and f"{registry.url} does not answer" in warnings[0]

    registry.start()

    def confluent_again() -> bool:
        publisher.publish(freeze(uuid4()))
        assert publisher.wait(20).waiting == 0
        return kinds(log)[-1] == "confluent"

    until(confluent_again)


def test_a_registry_that_hangs_delays_no_call_and_loses_nothing(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cryotrail_producers.schema_registry._TIMEOUT_S", 600)
    log = MemoryTransport()
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        publisher = room.publisher(RegistryFraming(log, SchemaRegistry(address)))
        publisher.publish(freeze(uuid4()))  # the sender now waits for the registry
        with silent.accept()[0]:
            publisher.publish_many([freeze(uuid4()) for _ in range(10)])
            # Accepted while the registry is still asked: else the first event would be sent.
            assert publisher.status().waiting == 11
        assert publisher.wait(20).waiting == 0

    assert kinds(log) == ["single_object"] * 11


def test_a_schema_that_the_registry_refuses_does_not_hold_up_events(
    room: Room, registry: RegistryProcess, caplog: pytest.LogCaptureFixture
) -> None:
    registry.register(FREEZE, json.dumps({"type": "record", "name": "Other", "fields": []}))
    log = MemoryTransport()
    publisher = room.publisher(RegistryFraming(log, SchemaRegistry(registry.url)))
    procedure = uuid4()
    publisher.publish_many([freeze(procedure), freeze(procedure), chunk(procedure)])
    assert publisher.wait(20).waiting == 0

    assert sorted(kinds(log)) == ["confluent", "single_object", "single_object"]
    (warning,) = (one for one in caplog.records if one.levelno == logging.WARNING)
    assert f"does not take {FREEZE}" in warning.message
    assert registry.requests().count(f"POST /subjects/{FREEZE}/versions 409") == 1


def test_a_registry_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cryotrail_producers.schema_registry._TIMEOUT_S", 0.2)
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        registry = SchemaRegistry(f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(RegistryUnavailable):
            registry.text(7)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\n<p></",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<p>hi</p>",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}",
        b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"id": -1}',
        b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"id": ""}',
        b'HTTP/1.1 503 No\r\nContent-Length: 19\r\n\r\n{"error_code": 503}',
        b"220 mail.hospital.example ESMTP\r\n",
    ],
)
def test_an_answer_from_which_nothing_can_be_concluded_is_none(answer: bytes) -> None:
    """Also a proxy's 404: only the registry itself can say that it has no such schema."""
    with closing(socket.create_server(("127.0.0.1", 0))) as stranger:
        registry = SchemaRegistry(f"http://127.0.0.1:{stranger.getsockname()[1]}")
        for ask in (
            lambda: registry.register(catalog().current("FreezeStarted")),
            lambda: registry.text(7),
        ):
            with _answering(stranger, answer), pytest.raises(RegistryUnavailable):
                ask()


def test_a_path_that_is_not_the_registrys_says_nothing_of_a_schema(
    registry: RegistryProcess,
) -> None:
    with pytest.raises(RegistryUnavailable, match="404"):
        SchemaRegistry(f"{registry.url}/apis").text(7)

    assert SchemaRegistry(registry.url).text(7) is None


@pytest.mark.parametrize(
    "address",
    ["registry:8081", "file:///etc/passwd", "http://", "http://[", "http://r:port", "http://u:p@r"],
)
def test_what_is_no_address_of_a_registry_is_refused(address: str) -> None:
    with pytest.raises(RegistryAddressRefused) as refused:
        SchemaRegistry(address)

    assert "u:p" not in str(refused.value)
    assert refused.value.hint


@contextmanager
def _answering(server: socket.socket, answer: bytes) -> Iterator[None]:
    """Gives the next connection an answer, whatever it asks."""

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(answer)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass

    thread = threading.Thread(target=serve)
    thread.start()
    yield
    thread.join(10)
