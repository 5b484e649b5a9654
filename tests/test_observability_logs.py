"""A log line holds what is allowed in it and nothing else, in text and in JSON."""

from __future__ import annotations

import json
import logging
import threading
from typing import Any

import pytest

from cryotrail.console import say
from cryotrail.observability.logs import logging_configured
from cryotrail_schemas.errors import CryotrailError

NAME = "VIVALDI^ANTONIO"
EVENT_ID = "0198f2c4-7d10-7c3e-9a51-3f0c5b1e2d41"
Capture = pytest.CaptureFixture[str]

_log = logging.getLogger("cryotrail.tests")
_foreign = logging.getLogger("somebody.else")


def lines(capsys: Capture) -> list[dict[str, Any]]:
    said = capsys.readouterr()
    assert said.out == ""
    return [json.loads(line) for line in said.err.splitlines()]


def test_a_line_of_json_says_when_how_grave_what_and_who(capsys: Capture) -> None:
    with logging_configured("json"):
        _log.warning("trying again in %.1f s", 2.0, extra={"partition": 3, "event_id": EVENT_ID})
    (line,) = lines(capsys)
    assert list(line)[:4] == ["ts", "level", "event", "logger"]
    assert line["ts"].endswith("Z")
    assert line | {"ts": ""} == {
        "ts": "",
        "level": "warning",
        "event": "trying again in 2.0 s",
        "logger": "cryotrail.tests",
        "partition": 3,
        "event_id": EVENT_ID,
    }


@pytest.mark.parametrize(
    "extra",
    [
        {"patient": NAME},
        {"event_id": NAME},
        {"trace_id": NAME},
        {"topic": NAME},
        {"reason": NAME},
        {"partition": NAME},
        {"event_type": NAME},
        {"offset": {"key": NAME}},
        {"payload": NAME.encode()},
    ],
    ids=lambda extra: next(iter(extra)),
)
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_field_that_is_not_allowed_or_looks_wrong_is_dropped_and_counted(
    extra: dict[str, Any], form: str, capsys: Capture
) -> None:
    with logging_configured(form):
        _log.warning("something", extra=extra)
    said = capsys.readouterr().err
    assert "VIVALDI" not in said
    assert ('"dropped_fields": 1' if form == "json" else "dropped_fields=1") in said


@pytest.mark.parametrize("form", ["text", "json"])
def test_of_an_exception_of_others_the_classes_and_places_are_said_and_no_word(
    form: str, capsys: Capture
) -> None:
    with logging_configured(form):
        try:
            try:
                raise KeyError(NAME)
            except KeyError as error:
                raise ValueError(f"Failing row contains ({NAME})") from error
        except ValueError:
            _log.exception("the sender failed")
    said = capsys.readouterr().err
    assert "VIVALDI" not in said
    assert "ValueError ← KeyError" in said
    assert "test_observability_logs.py:" in said
    assert len(said.splitlines()) == 1


def test_of_an_exception_of_ours_the_words_are_said(capsys: Capture) -> None:
    with logging_configured("json"):
        try:
            raise CryotrailError("the disk is full")
        except CryotrailError:
            _log.exception("nothing is appended")
    (line,) = lines(capsys)
    assert line["error_text"] == "the disk is full"


@pytest.mark.parametrize("form", ["text", "json"])
def test_of_a_foreign_library_its_own_words_are_said_without_what_it_put_in(
    form: str, capsys: Capture
) -> None:
    with logging_configured(form):
        _foreign.error("cannot parse %s", NAME)
    said = capsys.readouterr().err
    assert "cannot parse %s" in said
    assert "VIVALDI" not in said


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_message_stays_one_line_and_bounded(form: str, capsys: Capture) -> None:
    with logging_configured(form):
        _log.warning("one\ntwo %s", "x" * 5000)
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert len(said) < 1300


def test_with_json_remarks_are_lines_too(capsys: Capture) -> None:
    with logging_configured("json"):
        say("stopping after the transaction in hand …")
    say("for a person again")
    said = capsys.readouterr().err.splitlines()
    assert json.loads(said[0])["event"] == "stopping after the transaction in hand …"
    assert said[1:] == ["for a person again"]


def test_with_json_an_error_that_nobody_expected_is_a_line_and_the_end(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as ended, logging_configured("json"):
        raise RuntimeError(NAME)
    (line,) = lines(capsys)
    assert ended.value.code == 1
    assert (line["level"], line["error"]) == ("critical", "RuntimeError")


def test_with_json_a_thread_that_ends_by_an_error_is_a_line(capsys: Capture) -> None:
    def fail() -> None:
        raise RuntimeError(NAME)

    with logging_configured("json"):
        thread = threading.Thread(target=fail)
        thread.start()
        thread.join()
    (line,) = lines(capsys)
    assert (line["level"], line["error"]) == ("critical", "RuntimeError")


def test_the_level_decides_what_is_written(capsys: Capture) -> None:
    with logging_configured("json", "ERROR"):
        _log.warning("left out")
        _log.error("said")
    assert [line["event"] for line in lines(capsys)] == ["said"]


def test_afterwards_nothing_of_it_is_left(capsys: Capture) -> None:
    root = logging.getLogger()
    before = (list(root.handlers), root.level)
    with logging_configured("json", "DEBUG"):
        pass
    assert (list(root.handlers), root.level) == before
