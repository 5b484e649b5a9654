"""``cryotrail outbox status``: what waits, how near the bounds are, what was refused or shed."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import asdict

from cryotrail.console import print_json, say, table
from cryotrail.outbox_budgets import clinical_budget, telemetry_budget
from cryotrail.settings import Settings
from cryotrail_producers.outbox.status import (
    OutboxStatus,
    by_file,
    status_of_file,
    together,
)
from cryotrail_producers.outbox_file.budget import size_text
from cryotrail_producers.salvage.set_aside import files_set_aside

_DESCRIPTION = """\
What the outbox of this home holds, whoever put it there; nothing is opened for writing.

waiting = durable here and not yet acknowledged by Kafka; sent = acknowledged, ever; refused = events
and lines that were not taken; oldest = since when the oldest waiting event waits; used = the share
of the bound that is nearer, of bytes or of age; shed = telemetry chunks given up for want of room,
each of them in a TelemetryGapReported; problem = why Kafka refuses an event: the later ones of its
procedure wait behind it.

A file that was damaged is set aside under another name, and named here for as long as it is there:
keep it, with its -wal, until its loss is accounted for, then remove it.

Exit status 1 when something is to be done: Kafka refuses an event, or a bound is used by 80 % or
more. At a bound clinical events are refused, with an error, until something was sent; only what ends
and seals a procedure still finds room. Telemetry is shed where OUTBOX_SHEDDABLE names its channel,
else refused too. It never takes the room of clinical events.
"""

_COLUMNS = ("outbox", "waiting", "sent", "refused", "oldest_age_s", "used", "shed", "problem")


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add its parser."""
    parser = commands.add_parser(
        "status",
        help="what waits, was sent, was refused, was shed, and how full it is",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--json", action="store_true", help="both outboxes together, and each, as JSON"
    )
    parser.set_defaults(run=_run)


def _run(chosen: argparse.Namespace, settings: Settings) -> int:
    files = by_file(
        status_of_file(settings.outbox_path, clinical_budget(settings)),
        status_of_file(settings.outbox_telemetry_path, telemetry_budget(settings)),
    )
    whole = together(files.values())
    set_aside = [
        str(path)
        for file in (settings.outbox_path, settings.outbox_telemetry_path)
        for path in files_set_aside(file)
    ]
    if chosen.json:
        each = {name: asdict(status) for name, status in files.items()}
        print_json({**status_json(whole), **each, "set_aside": set_aside})
    else:
        table([_row(name, status) for name, status in files.items()], _COLUMNS)
        _say_what_to_do(files)
        for name in set_aside:
            say(f"set aside as damaged, its events salvaged and its loss reported: {name}")
    return 1 if whole.problem or whole.warnings else 0


def status_json(status: OutboxStatus) -> dict[str, object]:
    """Both outboxes together, of which neither's bound is the bound."""
    whole = asdict(status)
    del whole["limit_bytes"], whole["limit_age_s"]
    return whole


def _row(name: str, status: OutboxStatus) -> dict[str, object]:
    row: dict[str, object] = {"outbox": name, **asdict(status), "shed": status.shed_chunks}
    if status.oldest_age_s is not None:
        row["oldest_age_s"] = round(status.oldest_age_s, 1)
    if status.share is not None:
        row["used"] = f"{status.share:.0%}"
        if status.limit_bytes is not None:
            row["used"] = f"{status.share:.0%} ({size_text(status.bytes)})"
    return row


def _say_what_to_do(files: Mapping[str, OutboxStatus]) -> None:
    for name, status in files.items():
        for warning in status.warnings:
            say(f"{name}: {warning}")
        if status.shedding:
            say(f"{name}: samples are being shed; each loss is reported as an event")
    if any(status.warnings for status in files.values()):
        say(
            "what to do: `cryotrail outbox send` sends what waits, or tells why it cannot; until"
            " Kafka is back, the settings OUTBOX_LIMIT_* and OUTBOX_TELEMETRY_LIMIT_* make room"
        )
