"""What all runs share: the cluster, the database server, and the networks between them."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Literal, Self

from postgres_server import PostgresServer
from psycopg import sql

from cryotrail.embedded.ports import free_port
from cryotrail_audit.store import migrate
from faults.broker_node import REPLICAS, BrokerPorts
from faults.brokers import ThreeNodeKafka
from faults.networks import Network, ProxyThread

Database = Literal["SQLite", "PostgreSQL"]

_ORIGIN = "tests.example/faults"


class Stage:
    """A three-node Kafka and a PostgreSQL on loopback; a context manager.

    Publishers reach Kafka through ``room_network``, recorders through ``recording_network`` and
    the database through ``database_network``. ``cluster.direct`` is nobody's but the harness's.
    """

    cluster: ThreeNodeKafka
    postgres: PostgresServer
    room_network: Network
    recording_network: Network
    database_network: Network

    def __init__(self) -> None:
        self._opened = ExitStack()
        self._numbers = count(1)
        self._run = ExitStack()
        self.folder = Path()

    def __enter__(self) -> Self:
        with self._opened as undo:
            self.folder = Path(tempfile.mkdtemp(prefix="cryotrail-faults-"))
            undo.callback(shutil.rmtree, self.folder, ignore_errors=True)
            # As root the database server runs as somebody else, who has to enter.
            self.folder.chmod(0o755)
            proxies = undo.enter_context(ProxyThread())
            self.cluster = self._cluster(proxies)
            undo.callback(self.cluster.stop)
            self.cluster.start()
            postgres = self.folder / "postgres"
            postgres.mkdir()
            settings = {"fsync": "off", "full_page_writes": "off"}
            self.postgres = undo.enter_context(PostgresServer(postgres, settings))
            self.database_network = proxies.network([self.postgres.port])
            self._opened = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._run.close()
        self._opened.close()

    def new_folder(self) -> Path:
        """An empty folder for one run."""
        folder = self.folder / f"run-{next(self._numbers)}"
        folder.mkdir()
        return folder

    def new_store(self, database: Database, folder: Path) -> tuple[str, str]:
        """Create an empty store: its URL for the harness, and the one that recorders are given."""
        if database == "SQLite":
            url = f"sqlite:///{folder / 'audit.sqlite3'}"
            migrate(url, origin=_ORIGIN)
            return url, url
        name = folder.name.replace("-", "_")
        with self.postgres.connect() as connection:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        url = self.postgres.url(name)
        # Group names follow the origin: a run must not meet the members of an earlier one.
        migrate(url, origin=f"{_ORIGIN}-{name}")
        (proxied,) = self.database_network.ports
        return url, url.replace(f":{self.postgres.port}/", f":{proxied}/")

    def at_end(self, abandon: Callable[[], None]) -> None:
        """Call this before the next run, or when the stage closes, however the run has ended."""
        self._run.callback(abandon)

    def heal(self) -> None:
        """End every fault: nobody of an earlier run lives, all networks open, all nodes running."""
        # A scenario that failed has left its publishers, who would go on publishing into the next.
        self._run.close()
        for network in (self.room_network, self.recording_network, self.database_network):
            network.open()
        self.cluster.await_whole()

    def _cluster(self, proxies: ProxyThread) -> ThreeNodeKafka:
        taken: set[int] = set()

        def port() -> int:
            while (found := free_port(None)) in taken:
                pass
            taken.add(found)
            return found

        direct = [(port(), port()) for _ in range(REPLICAS)]
        room = [port() for _ in range(REPLICAS)]
        recording = [port() for _ in range(REPLICAS)]
        self.room_network = proxies.network(room)
        self.recording_network = proxies.network(recording)
        ports = [
            BrokerPorts(*direct[one], room[one], recording[one], room_port, recording_port)
            for one, (room_port, recording_port) in enumerate(
                zip(self.room_network.ports, self.recording_network.ports, strict=True)
            )
        ]
        home = self.folder / "kafka"
        home.mkdir(mode=0o700)
        return ThreeNodeKafka(home, ports)


def environment_for_children() -> None:
    """Let the processes that are forked later find these modules, as this process does."""
    here = Path(__file__).resolve().parent.parent
    paths = [str(here), str(here / "support")]
    known = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    os.environ["PYTHONPATH"] = os.pathsep.join(
        [*paths, *(p for p in known if p not in paths and p)]
    )
