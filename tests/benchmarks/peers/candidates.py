"""The four that are compared: how each is started, and where its rows are."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import psycopg
from connect_files import write_connect_files
from free_ports import free_port
from kafka_fixtures import home_environment
from peer_messages import topics_of
from peer_table import prepare_store, prepare_table
from postgres_server import PostgresServer

from cryotrail.embedded.jars import parse_line, require_jars
from cryotrail.embedded.java import find_java
from cryotrail.settings import load_settings
from cryotrail_schemas.catalog import catalog

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[2]
PEERS_PYTHON: Final = ROOT / ".venv-peers" / "bin" / "python"


class Place(NamedTuple):
    """Where one run of a candidate takes place."""

    bootstrap: str
    server: PostgresServer
    database: str
    folder: Path
    """Of the run alone: settings, logs and whatever the candidate keeps."""


class Launch(NamedTuple):
    """What starts a candidate; the same again after it was killed."""

    command: Sequence[str]
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Candidate:
    """One of the four."""

    name: str
    form: str
    """``avro`` or ``json``: which topics it reads."""
    launch: Callable[[Place], Launch]
    """Writes what it needs into its folder, once a run."""
    table: str = "event"
    count: str = "select count(*) from event"
    written: str = "select transaction_no, event_id::text from written order by write_no"
    """Transaction and event of each write; of ours every entry counts as its own, for the log has
    an order of its own."""
    rows: str = "select event_id::text from event"
    newest_write: str = "select coalesce(max(write_no), 0) from written"
    is_ours: bool = False

    def prepare(self, place: Place, connection: psycopg.Connection, *, note_writes: bool) -> Launch:
        """Make its table or store in an empty database; returns how to start it.

        :param note_writes: keep a list of all writes beside the table, which costs time.
        """
        if not self.is_ours:
            prepare_table(connection, note_writes=note_writes)
        return self.launch(place)


def _cryotrail(place: Place) -> Launch:
    url = prepare_store(place.server, place.database)
    environment = _bare_environment() | home_environment(place.folder)
    environment |= {"CRYOTRAIL_AUDIT_URL": url, "CRYOTRAIL_KAFKA_BOOTSTRAP": place.bootstrap}
    environment["CRYOTRAIL_RECORDER_INSTANCE"] = "one"  # a name in its group, as the peers have
    return Launch([str(ROOT / ".venv" / "bin" / "cryotrail"), "record"], environment)


def _python_peer(place: Place, script: str) -> Launch:
    schemas = place.folder / "schemas.json"
    schemas.write_text(json.dumps(_plain_schemas()), encoding="utf-8")
    settings = {
        "bootstrap": place.bootstrap,
        "group": place.database,  # no other run's offsets
        "port": place.server.port,
        "database": place.database,
        "topics": topics_of("avro"),
        "schemas": str(schemas),
    }
    command = [str(PEERS_PYTHON), str(HERE / script), json.dumps(settings)]
    return Launch(command, _bare_environment())


def _quixstreams(place: Place) -> Launch:
    return _python_peer(place, "run_quixstreams.py")


def _faststream(place: Place) -> Launch:
    return _python_peer(place, "run_faststream.py")


def _kafka_connect(place: Place) -> Launch:
    settings = load_settings(dict(os.environ))
    pinned = (HERE / "connect-jars.txt").read_text(encoding="utf-8").splitlines()
    jars = [parse_line(line) for line in pinned if line[0] != "#"]
    class_path = require_jars(settings.cache_dir, jars)
    files = write_connect_files(
        place.folder, place.bootstrap, place.server.port, place.database,
        topics_of("json"), free_port(),
    )  # fmt: skip
    java = find_java(settings.java_home)
    # The heap of the shell script that Kafka ships; the machine's own choice of collector and both
    # compilers, unlike the small broker.
    options = ["-Xms256m", "-Xmx2g", "-Djava.awt.headless=true"]
    if java.major >= 24:
        options.append("--sun-misc-unsafe-memory-access=allow")
    command = [
        str(java.executable), *options,
        f"-Dlog4j2.configurationFile={place.folder / 'log4j2.properties'}",
        "-cp", os.pathsep.join(str(path) for path in class_path),
        "org.apache.kafka.connect.cli.ConnectStandalone", *files,
    ]  # fmt: skip
    return Launch(command, _bare_environment())


def _bare_environment() -> dict[str, str]:
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "TZ")
    return {name: os.environ[name] for name in kept if name in os.environ}


def _plain_schemas() -> dict[str, dict[str, object]]:
    """Every released schema without its logical types, by fingerprint in hexadecimal digits."""
    return {
        one.fingerprint.hex(): {
            "name": one.name,
            "schema": {key: value for key, value in one.plain.items() if key[:2] != "__"},
        }
        for one in catalog()
    }


def versions() -> dict[str, str]:
    """The pinned versions of what is compared, by artifact or distribution."""
    peers = (ROOT / "requirements" / "peers.txt").read_text(encoding="utf-8")
    jars = (HERE / "connect-jars.txt").read_text(encoding="utf-8")
    return {
        **dict(re.findall(r"^([\w.-]+)==(\S+)", peers, re.MULTILINE)),
        **dict(re.findall(r"^[\w.-]+:([\w.-]+):(\S+) ", jars, re.MULTILINE)),
    }


CANDIDATES: Final = (
    Candidate(
        "cryotrail",
        "avro",
        _cryotrail,
        table="audit.entry",
        count="select count(*) from audit.entry where kind = 0",
        written="select seq, event_id::text from audit.entry where kind = 0 order by seq",
        rows="select event_id::text from audit.entry where kind = 0",
        newest_write="select coalesce(max(seq) + 1, 0) from audit.entry",
        is_ours=True,
    ),
    Candidate("quixstreams", "avro", _quixstreams),
    Candidate("faststream", "avro", _faststream),
    Candidate("kafka-connect", "json", _kafka_connect),
)
