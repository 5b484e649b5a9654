"""The jars of the embedded Kafka: a pinned list, fetched once and checked at every start.

The list is :file:`kafka-jars.txt`, one artifact a line with its SHA-256. It is resolved flat, one
artifact at a time, because a Maven resolver that is given several roots at once lets one root's
managed versions replace the other's.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from cryotrail.console import progress
from cryotrail.embedded.errors import JarRefused, JarsUnavailable

_FETCH_TIMEOUT_S = 60
_FETCH_THREADS = 8


class Jar(NamedTuple):
    """``org.apache.kafka:kafka-clients:4.3.0 <64 hexadecimal digits>``"""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def coordinate(self) -> str:
        """``group:artifact:version``."""
        return f"{self.group}:{self.artifact}:{self.version}"

    @property
    def file_name(self) -> str:
        """As every Maven repository names it."""
        return f"{self.artifact}-{self.version}.jar"


def pinned_jars() -> tuple[Jar, ...]:
    """The committed list, in class-path order."""
    text = files("cryotrail").joinpath("embedded", "kafka-jars.txt").read_text(encoding="utf-8")
    return tuple(parse_line(line) for line in text.splitlines() if line and line[0] != "#")


def parse_line(line: str) -> Jar:
    """One line of the list."""
    coordinate, sha256 = line.split()
    group, artifact, version = coordinate.split(":")
    return Jar(group, artifact, version, sha256)


def kafka_version(jars: Sequence[Jar]) -> str:
    """The version of the broker that the list brings."""
    return next(jar.version for jar in jars if jar.artifact == "kafka-clients")


def require_jars(cache_dir: Path, jars: Sequence[Jar]) -> list[Path]:
    """The paths of all jars, each present and of the pinned content.

    What is missing is fetched; with everything in ``cache_dir`` nothing touches the network. A
    machine without a network can be given the files by hand, under their Maven names.

    :raises JarRefused: a file of another content, in the cache or as fetched, is named; it stays
        where it is (the cache) or is not kept (a fetch).
    :raises JarsUnavailable: something is missing and cannot be fetched; retriable.
    """
    folder = cache_dir / "kafka-jars"
    folder.mkdir(parents=True, exist_ok=True)
    missing = [jar for jar in jars if not (folder / jar.file_name).exists()]
    if missing:
        with progress(f"Fetching Apache Kafka {kafka_version(jars)}", len(missing)) as advance:
            _fetch(missing, folder, advance)
    paths = [folder / jar.file_name for jar in jars]
    for jar, path in zip(jars, paths, strict=True):
        _check(jar, path)
    return paths


def _fetch(missing: Sequence[Jar], folder: Path, advance: Callable[[int], None]) -> None:
    try:
        from jgo.maven import MavenContext
    except ModuleNotFoundError as error:
        raise JarsUnavailable(
            f"{len(missing)} jars of the embedded Kafka are not in {folder}",
            hint="pip install 'cryotrail[kafka]' brings what fetches them",
        ) from error
    # Fetched aside and moved when checked, so that an interrupted fetch leaves nothing behind
    # that would be refused for ever, and so that two processes may fetch at once.
    with tempfile.TemporaryDirectory(prefix="fetching-", dir=folder) as aside:
        context = MavenContext(repo_cache=Path(aside), timeout=_FETCH_TIMEOUT_S)

        def fetch_one(jar: Jar) -> None:
            fetched = _resolve(context, jar)
            _check(jar, fetched)
            shutil.move(fetched, folder / jar.file_name)
            advance(1)

        with ThreadPoolExecutor(_FETCH_THREADS) as pool:
            try:
                list(pool.map(fetch_one, missing))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise


def _resolve(context: Any, jar: Jar) -> Path:
    component = context.project(jar.group, jar.artifact).at_version(jar.version)
    try:
        return Path(component.artifact().resolve())
    except (OSError, RuntimeError) as error:  # what requests and jgo raise
        raise JarsUnavailable(
            f"cannot fetch {jar.coordinate}: {error}",
            hint="the first start needs a network (behind a proxy with certificates of its own, "
            "REQUESTS_CA_BUNDLE names their file); or put the jars into CRYOTRAIL_CACHE_DIR",
        ) from error


def _check(jar: Jar, path: Path) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != jar.sha256:
        raise JarRefused(
            f"{path} is not {jar.coordinate}: SHA-256 {found}, pinned {jar.sha256}",
            hint="remove the file to have it fetched again, and find out who changed it",
        )
