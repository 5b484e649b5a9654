"""The command ``cryotrail record`` as a process of its own, to be stopped, paused and killed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from kafka.admin import MemberToRemove
from kafka_fixtures import KafkaNode
from recorded_kafka import group_at

from cryotrail_producers.kafka_clients import admin


class RecorderProcess(NamedTuple):
    """A process, and where its remarks go."""

    process: subprocess.Popen[str]
    remarks: Path

    def said(self) -> str:
        """What it wrote to standard error so far."""
        return self.remarks.read_text()


@contextmanager
def recorder_process(
    kafka: KafkaNode, url: str, home: Path, *arguments: str, size: int | None = None, **given: str
) -> Iterator[RecorderProcess]:
    """A recorder from ``kafka`` into ``url``, killed at the end of the block if it still runs.

    :param arguments: of ``cryotrail record``.
    :param size: no file that it writes may grow beyond this: to it the disk is full.
    :param given: settings without their prefix.
    """
    settings = {"HOME": str(home), "KAFKA_BOOTSTRAP": kafka.bootstrap, "AUDIT_URL": url} | given
    environment = os.environ | {f"CRYOTRAIL_{name}": value for name, value in settings.items()}
    remarks = home / f"recorder-{len(list(home.glob('recorder-*')))}.stderr"
    command = [sys.executable, "-m", "cryotrail.main", "record", *arguments]
    if size is not None:
        command = ["prlimit", f"--fsize={size}", *command]
    with (
        remarks.open("w") as stderr,
        subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=stderr, text=True
        ) as process,
    ):
        try:
            yield RecorderProcess(process, remarks)
        finally:
            process.kill()


def members(kafka: KafkaNode, url: str) -> set[str]:
    """The recorders into a store that their group knows, by member id."""
    client = admin(kafka.connection)
    try:
        group = group_at(url)
        return {one["member_id"] for one in client.describe_groups([group])[group]["members"]}
    finally:
        client.close()


def give_up_members(kafka: KafkaNode, url: str) -> None:
    """Let the broker find out at once what it would after ten seconds: its members are dead."""
    dead = [MemberToRemove(member_id=member) for member in members(kafka, url)]
    client = admin(kafka.connection)
    try:
        client.remove_group_members(group_at(url), dead)
    finally:
        client.close()
