"""The data folder of the embedded Kafka: formatted once, recognised ever after, never wiped."""

from __future__ import annotations

import base64
import fcntl
import shutil
import subprocess
import uuid
from collections.abc import Sequence
from pathlib import Path

from cryotrail.embedded.errors import BrokerFailed, DataFolderRefused
from cryotrail.embedded.properties import NODE_ID, broker_properties

_FORMAT_TIMEOUT_S = 120


def new_cluster_id() -> str:
    """A random cluster id as Kafka writes them: 16 bytes as 22 characters of URL-safe base64."""
    while True:
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not cluster_id.startswith("-"):  # Kafka's own tools would read that as an option.
            return cluster_id


def is_formatted(data_dir: Path) -> bool:
    """Whether there is anything in the folder."""
    return data_dir.is_dir() and any(data_dir.iterdir())


def require_own(data_dir: Path, cluster_id: str | None) -> None:
    """Refuse a folder that another cluster, another node or another program filled or has open.

    :param cluster_id: the id that this home gave its broker; None = it never had one.
    :raises DataFolderRefused: saying what was found. Nothing in the folder is touched.
    """
    found = _meta_properties(data_dir)
    if found is None:
        raise DataFolderRefused(
            f"{data_dir} is not empty, and is not a Kafka data folder (no meta.properties)",
            hint="move its content away, or give another CRYOTRAIL_HOME",
        )
    wanted = {"cluster.id": cluster_id, "node.id": str(NODE_ID)}
    for name, value in wanted.items():
        if found.get(name) != value:
            raise DataFolderRefused(
                f"{data_dir} belongs to another Kafka: {name} {found.get(name)}, "
                f"this home's {value or 'has none yet'}",
                hint="move the folder away, or give another CRYOTRAIL_HOME",
            )
    if is_open(data_dir):
        raise DataFolderRefused(
            f"another Kafka process has {data_dir} open",
            hint="stop that process; this home did not start it, so cryotrail leaves it alone",
        )


def is_open(data_dir: Path) -> bool:
    """Whether a Kafka process has the folder open: a broker keeps ``.lock`` locked in it."""
    try:
        with (data_dir / ".lock").open("r+b") as lock:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except (BlockingIOError, PermissionError):
        return True
    return False


def format_data_folder(java: Sequence[str], data_dir: Path, cluster_id: str) -> None:
    """Format an empty folder for one node of ``cluster_id``.

    Done aside and moved into place, so that an interrupted format leaves no half of a folder.

    :param java: the Java command with its options and class path.
    :raises BrokerFailed: Kafka's storage tool failed; its words are in the message.
    """
    aside = data_dir.with_name("formatting")
    shutil.rmtree(aside, ignore_errors=True)
    properties = data_dir.with_name("formatting.properties")
    # The ports are no part of what is formatted; any will do.
    properties.write_text(broker_properties("127.0.0.1", 1, 2, aside), encoding="utf-8")
    command = [*java, "kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(properties)]
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=_FORMAT_TIMEOUT_S, check=False
    )
    if result.returncode != 0:
        raise BrokerFailed(
            f"cannot format {data_dir}: {(result.stderr or result.stdout).strip()[-500:]}"
        )
    properties.unlink()
    aside.rename(data_dir)


def _meta_properties(data_dir: Path) -> dict[str, str] | None:
    try:
        text = (data_dir / "meta.properties").read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataFolderRefused(f"cannot read {data_dir}: {error.strerror}") from error
    pairs = (line.partition("=") for line in text.splitlines() if not line.startswith("#"))
    return {name: value for name, _, value in pairs}
