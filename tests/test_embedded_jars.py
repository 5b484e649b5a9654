"""The jars are the pinned ones or they are not run; once they are there, no network is needed."""

from __future__ import annotations

import hashlib
import re
import socket
import threading
from collections.abc import Iterator
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from importlib.resources import files
from pathlib import Path

import jgo.maven._core as jgo_core
import pytest
from kafka_fixtures import KafkaNode, home_settings

from cryotrail.embedded.errors import JarRefused, JarsUnavailable
from cryotrail.embedded.jars import Jar, kafka_version, parse_line, pinned_jars, require_jars

CONTENT = b"not really a jar, but its bytes are pinned"


def pinned(content: bytes = CONTENT) -> Jar:
    sha256 = hashlib.sha256(content).hexdigest()
    return parse_line(f"org.apache.kafka:kafka-clients:4.3.0 {sha256}")


class Repository(SimpleHTTPRequestHandler):
    """A Maven repository on loopback; what it serves is a folder."""

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that the resolver takes for its only remote repository."""
    served = tmp_path / "repository"
    folder = served / "org/apache/kafka/kafka-clients/4.3.0"
    folder.mkdir(parents=True)
    with HTTPServer(("127.0.0.1", 0), partial(Repository, directory=str(served))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setitem(jgo_core.DEFAULT_REMOTE_REPOS, "central", address)
        yield folder
        server.shutdown()
        thread.join()


def test_a_missing_jar_is_fetched_checked_and_kept(repository: Path, tmp_path: Path) -> None:
    (repository / "kafka-clients-4.3.0.jar").write_bytes(CONTENT)
    jar = pinned()

    (path,) = require_jars(tmp_path / "cache", [jar])

    assert path.name == "kafka-clients-4.3.0.jar"
    assert path.read_bytes() == CONTENT
    assert [found.name for found in path.parent.iterdir()] == [path.name]
    (repository / "kafka-clients-4.3.0.jar").unlink()
    assert require_jars(tmp_path / "cache", [jar]) == [path], "nothing is asked for again"


def test_a_fetched_jar_of_another_content_is_refused_and_not_kept(
    repository: Path, tmp_path: Path
) -> None:
    (repository / "kafka-clients-4.3.0.jar").write_bytes(CONTENT + b", changed on the way")

    with pytest.raises(JarRefused, match=r"kafka-clients-4\.3\.0\.jar") as refusal:
        require_jars(tmp_path / "cache", [pinned()])

    assert pinned().sha256 in str(refusal.value)
    assert list((tmp_path / "cache" / "kafka-jars").iterdir()) == []


def test_a_changed_jar_in_the_cache_is_refused_by_name_at_every_start(
    repository: Path, tmp_path: Path
) -> None:
    (repository / "kafka-clients-4.3.0.jar").write_bytes(CONTENT)
    (path,) = require_jars(tmp_path / "cache", [pinned()])
    path.write_bytes(CONTENT.replace(b"pinned", b"Pinned"))

    with pytest.raises(JarRefused, match=re.escape(str(path))):
        require_jars(tmp_path / "cache", [pinned()])

    assert path.exists(), "it is evidence"


def test_without_a_network_what_is_missing_is_named_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = f"http://127.0.0.1:{server.getsockname()[1]}"
    monkeypatch.setitem(jgo_core.DEFAULT_REMOTE_REPOS, "central", closed)

    with pytest.raises(
        JarsUnavailable, match=r"org\.apache\.kafka:kafka-clients:4\.3\.0"
    ) as refusal:
        require_jars(tmp_path / "cache", [pinned()])
    assert refusal.value.hint is not None and "CRYOTRAIL_CACHE_DIR" in refusal.value.hint
    assert refusal.value.retriable


def test_with_a_filled_cache_nothing_touches_the_network(
    kafka: KafkaNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("a socket was opened")

    cache_dir = kafka.settings.cache_dir  # filled, since the broker of the session runs from it
    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    paths = require_jars(cache_dir, pinned_jars())
    assert len(paths) == len(pinned_jars())


def test_one_changed_pin_stops_the_start(kafka: KafkaNode) -> None:
    first, *rest = pinned_jars()
    changed = first._replace(sha256="0" * 64)
    with pytest.raises(JarRefused, match=first.file_name):
        require_jars(kafka.settings.cache_dir, [changed, *rest])


def test_the_committed_list_holds_one_kafka_and_no_addresses() -> None:
    jars = pinned_jars()
    text = files("cryotrail").joinpath("embedded", "kafka-jars.txt").read_text()
    assert "://" not in text
    assert kafka_version(jars) == "4.3.0"
    assert {jar.version for jar in jars if jar.group == "org.apache.kafka"} == {"4.3.0"}
    assert "log4j-slf4j-impl" in {jar.artifact for jar in jars}, "without it nothing is logged"
    assert len({jar.file_name for jar in jars}) == len(jars)
    assert all(re.fullmatch("[0-9a-f]{64}", jar.sha256) for jar in jars)


def test_the_cache_folder_is_a_setting(tmp_path: Path) -> None:
    settings = home_settings(tmp_path / "home", CACHE_DIR=str(tmp_path / "elsewhere"))
    assert settings.cache_dir == tmp_path / "elsewhere"
