"""The log of a process on standard error: one line a record, as text or as JSON.

Libraries ask for loggers and no more; this is the one place that says what becomes of their
records. Standard output stays for results.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from typing import TextIO

from cryotrail import console
from cryotrail.observability.errors import ObservabilityMissing
from cryotrail.observability.log_fields import (
    Fields,
    exception_in_short,
    only_allowed,
    plain_text,
)

_log = logging.getLogger(__name__)


@contextmanager
def logging_configured(form: str = "text", level: str = "WARNING") -> Iterator[None]:
    """Write the log records of this process while the block runs.

    With ``json`` the remarks of a command, and an error that nobody expected, are lines of the log
    too, so that standard error holds nothing else.

    :raises ObservabilityMissing: JSON was asked for and structlog is not installed.
    """
    handler = _Handler()
    handler.setFormatter(_json_formatter() if form == "json" else _TextFormatter())
    root, client = logging.getLogger(), logging.getLogger("kafka")
    levels = [(logger, logger.level) for logger in (root, client)]
    root.addHandler(handler)
    root.setLevel(level)
    # The client reports every refused connection many times over; what matters of it is raised
    # as an error or said by the part that waits for it.
    client.setLevel(logging.CRITICAL)
    try:
        with _everything_is_logged() if form == "json" else nullcontext():
            yield
    finally:
        root.removeHandler(handler)
        for logger, before in levels:
            logger.setLevel(before)


@contextmanager
def _everything_is_logged() -> Iterator[None]:
    """Remarks, and errors that nobody expected, become lines of the log."""
    remarks = logging.getLogger("cryotrail.remarks")
    remarks.setLevel(logging.INFO)
    of_threads, threading.excepthook = threading.excepthook, _log_end_of_thread
    try:
        with console.remarks_to(remarks.info, remarks.error):
            yield
    except Exception:  # noqa: BLE001 - it is said, in a form that quotes no record, and ends the process
        _log.critical("the process ends by an error that nobody expected", exc_info=True)
        raise SystemExit(1) from None
    finally:
        threading.excepthook = of_threads


def _log_end_of_thread(ended: threading.ExceptHookArgs) -> None:
    _log.critical("a thread ended by an error that nobody expected", exc_info=ended.exc_value)


class _Handler(logging.StreamHandler[TextIO]):
    """Writes to what standard error is at that moment."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr


class _TextFormatter(logging.Formatter):
    """A line for a person; the same rules as for JSON, so that a log file holds no name either."""

    def format(self, record: logging.LogRecord) -> str:
        fields: Fields = {"_record": record, "event": record.getMessage()}
        fields["exc_info"] = record.exc_info
        for step in (plain_text, only_allowed, exception_in_short):
            fields = step(None, "", fields)
        at = datetime.fromtimestamp(record.created).isoformat(" ", "milliseconds")
        text = " ".join(str(fields.pop("event")).splitlines())
        beside = [f"{key}={value}" for key, value in fields.items() if key != "_record"]
        return " ".join([at, record.levelname, text, *beside])


def _json_formatter() -> logging.Formatter:
    try:
        import structlog
    except ModuleNotFoundError as missing:
        raise ObservabilityMissing("a log in JSON", missing.name or "structlog") from missing
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[plain_text, only_allowed, exception_in_short, _stamped],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )


def _stamped(_logger: object, _method: str, fields: Fields) -> Fields:
    """Put the time, the level and the logger first."""
    record: logging.LogRecord = fields["_record"]
    at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    return {
        "ts": at.replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "event": fields.pop("event"),
        "logger": record.name,
        **fields,
    }
