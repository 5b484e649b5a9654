"""Keys are made once, wrapped, shared, and gone for good when they are destroyed."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from key_stores import files_with, kek_file, key_store

from cryotrail_producers.errors import KekRefused, KeyStoreError
from cryotrail_producers.key_store.kek import create_kek, read_kek
from cryotrail_producers.key_store.sqlite import SqliteKeyStore
from cryotrail_schemas.errors import ScopeErased
from cryotrail_schemas.personal import KeyStore


class KeyStoreContract:
    """What every key store keeps; a subclass gives the fixture ``keys``."""

    def test_a_scope_has_one_key(self, keys: KeyStore) -> None:
        first = keys.data_key("subject:1")

        assert keys.data_key("subject:1") == first
        assert (len(first.key_id), len(first.key)) == (16, 32)
        assert keys.key_of(first.key_id) == first.key

    def test_scopes_have_different_keys_and_come_in_their_order(self, keys: KeyStore) -> None:
        known = keys.data_key("subject:2")

        made = keys.data_keys(["subject:1", "subject:2", "subject:3", "subject:1"])

        assert made[1] == known
        assert made[0] == made[3]
        assert len({key.key for key in made}) == len({key.key_id for key in made}) == 3

    def test_a_destroyed_key_is_gone_and_its_scope_is_closed(self, keys: KeyStore) -> None:
        key, other = keys.data_keys(["subject:1", "subject:2"])

        assert keys.destroy("subject:1") == [key.key_id]

        assert keys.key_of(key.key_id) is None
        with pytest.raises(ScopeErased) as refused:
            keys.data_keys(["subject:9", "subject:1"])
        assert refused.value.key_id == key.key_id
        assert keys.scopes("subject:9") == []
        assert keys.key_of(other.key_id) == other.key

    def test_destroying_again_changes_nothing(self, keys: KeyStore) -> None:
        key = keys.data_key("subject:1")
        keys.destroy("subject:1")
        before = keys.scopes()

        assert keys.destroy("subject:1") == [key.key_id]

        assert keys.scopes() == before

    def test_a_scope_without_a_key_can_be_closed(self, keys: KeyStore) -> None:
        assert keys.destroy("subject:1") == []

        (state,) = keys.scopes("subject:1")
        assert state.created_us is None
        assert state.destroyed_us is not None
        with pytest.raises(ScopeErased):
            keys.data_key("subject:1")

    def test_an_unknown_key_is_not_here(self, keys: KeyStore) -> None:
        assert keys.key_of(bytes(16)) is None
        assert keys.scopes("subject:1") == []

    def test_a_key_does_not_show_in_print(self, keys: KeyStore) -> None:
        key = keys.data_key("subject:1")

        assert repr(key.key) not in repr(key)


class TestSqliteKeyStore(KeyStoreContract):
    @pytest.fixture
    def keys(self, tmp_path: Path) -> Iterator[SqliteKeyStore]:
        with key_store(tmp_path) as keys:
            yield keys


def test_no_file_holds_a_destroyed_key_readable_or_wrapped(tmp_path: Path) -> None:
    with key_store(tmp_path) as keys:
        key = keys.data_key("subject:1")
        kept = keys.data_keys([f"subject:{number}" for number in range(2, 400)])
        wrapped = _wrapped(tmp_path, "subject:1")
        assert {name for name, _ in files_with([wrapped], tmp_path)} == {"keys.sqlite3"}

        keys.destroy("subject:1")

        assert files_with([key.key, wrapped, wrapped[12:]], tmp_path) == set()
        assert [path.name for path in tmp_path.glob("keys*")] == ["keys.sqlite3"]
        assert keys.data_keys([f"subject:{number}" for number in range(2, 400)]) == kept
    assert files_with([key.key, wrapped, wrapped[12:]], tmp_path) == set()


def test_a_write_ahead_log_would_keep_a_deleted_key(tmp_path: Path) -> None:
    """Why the store has none: what SQLite does with ``secure_delete`` and a write-ahead log."""
    secret = b"the wrapped bytes of a data key!"
    with sqlite3.connect(tmp_path / "trap.sqlite3", isolation_level=None) as connection:
        for pragma in ("journal_mode = WAL", "secure_delete = ON"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("CREATE TABLE data_key (wrapped BLOB)")
        connection.execute("INSERT INTO data_key VALUES (?)", (secret,))
        connection.execute("DELETE FROM data_key")

        found = {name for name, _ in files_with([secret], tmp_path)}
    connection.close()

    assert "trap.sqlite3-wal" in found


def test_an_interrupted_destruction_is_completed_by_the_next(tmp_path: Path) -> None:
    with key_store(tmp_path) as keys:
        key = keys.data_key("subject:1")
        wrapped = _wrapped(tmp_path, "subject:1")
    # As a process leaves it that ended between the commit and the rewriting of the file.
    with sqlite3.connect(tmp_path / "keys.sqlite3") as connection:
        connection.execute("UPDATE data_key SET wrapped = NULL, destroyed_us = 1")
    connection.close()

    with key_store(tmp_path) as keys:
        assert keys.destroy("subject:1") == [key.key_id]

    assert files_with([key.key, wrapped], tmp_path) == set()


def test_another_key_file_is_refused_at_once(tmp_path: Path) -> None:
    with key_store(tmp_path) as keys:
        keys.data_key("subject:1")
    create_kek(tmp_path / "other.kek")

    with pytest.raises(KekRefused, match="another key") as refused:
        SqliteKeyStore(tmp_path / "keys.sqlite3", read_kek(tmp_path / "other.kek"))

    assert "backup" in str(refused.value.hint)


def test_keys_exchanged_between_two_rows_do_not_open(tmp_path: Path) -> None:
    with key_store(tmp_path) as keys:
        one, _other = keys.data_keys(["subject:1", "subject:2"])
    with sqlite3.connect(tmp_path / "keys.sqlite3") as connection:
        connection.execute(
            "UPDATE data_key SET wrapped = (SELECT other.wrapped FROM data_key AS other"
            " WHERE other.scope <> data_key.scope)"
        )
    connection.close()

    with key_store(tmp_path) as keys, pytest.raises(KeyStoreError, match="was changed"):
        keys.key_of(one.key_id)


def test_the_key_file_is_private_exact_and_never_overwritten(tmp_path: Path) -> None:
    path = kek_file(tmp_path)
    kek = read_kek(path)

    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(KekRefused, match="exists"):
        create_kek(path)
    assert read_kek(path) == kek
    path.chmod(0o640)
    with pytest.raises(KekRefused, match="read by others"):
        read_kek(path)
    path.chmod(0o600)
    path.write_bytes(kek + b"\n")
    with pytest.raises(KekRefused, match="32 bytes"):
        read_kek(path)
    path.unlink()
    with pytest.raises(KekRefused, match="is not there"):
        read_kek(path)


def test_only_its_owner_reads_the_store(tmp_path: Path) -> None:
    with key_store(tmp_path):
        assert (tmp_path / "keys.sqlite3").stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE other (a)")
    connection.close()
    before = path.read_bytes()

    with pytest.raises(KeyStoreError, match="another SQLite file"):
        key_store(tmp_path)

    assert path.read_bytes() == before


def test_a_store_that_must_exist_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(KeyStoreError, match="is not there"):
        SqliteKeyStore(tmp_path / "keys.sqlite3", bytes(32), create=False)

    assert list(tmp_path.iterdir()) == []


def test_processes_that_ask_at_once_get_the_same_keys(tmp_path: Path) -> None:
    script = (
        "from pathlib import Path; from key_stores import key_store; import sys\n"
        "with key_store(Path(sys.argv[1])) as keys:\n"
        "    print([keys.data_key(f'subject:{n}').key_id.hex() for n in range(30)])"
    )
    kek_file(tmp_path)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, tmp_path],
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parent / "support")},
        )
        for _ in range(3)
    ]

    got = [process.communicate(timeout=60)[0] for process in processes]

    assert len(got[0]) > 30 * 32
    assert got[0] == got[1] == got[2]


def _wrapped(folder: Path, scope: str) -> bytes:
    connection = sqlite3.connect(folder / "keys.sqlite3")
    try:
        (wrapped,) = connection.execute(
            "SELECT wrapped FROM data_key WHERE scope = ?", (scope,)
        ).fetchone()
    finally:
        connection.close()
    assert isinstance(wrapped, bytes)
    return wrapped
