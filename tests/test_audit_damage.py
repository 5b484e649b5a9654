"""A database whose own files are damaged is ``broken``, and never an error or a traceback.

Files are damaged here as a failing disk does it: garbage in their pages, past the database.
"""

import json
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from every_table import fill_every_table
from sqlalchemy import make_url
from store_tables import TABLES, tables_of

from cryotrail.main import main
from cryotrail_audit.verification import verify

PAGE_BYTES = 8192  # of both databases


def fill(url):
    """Put at least one row into every table."""
    fill_every_table(url)
    assert verify(url).result == "intact"


@pytest.fixture
def sqlite_file(sqlite_url):
    """The file of a filled store on SQLite."""
    fill(sqlite_url)
    return Path(str(make_url(sqlite_url).database))


@pytest.fixture(params=["sqlite", "postgresql"])
def with_damaged_table(request, tmp_path):
    """Damages the first page of a table of a filled store; returns the URL of the damaged one."""
    if request.param == "sqlite":
        file = request.getfixturevalue("sqlite_file")

        def damage(table):
            with closing(sqlite3.connect(file)) as connection:
                ((page,),) = connection.execute(
                    "select rootpage from sqlite_master where name = ?", [table]
                )
            return written(file, overwritten(file, (page - 1) * PAGE_BYTES, garbage(PAGE_BYTES)))
    else:
        source = request.getfixturevalue("postgres_url")
        server = request.getfixturevalue("postgres_server")
        fill(source)

        def damage(table):
            # Copied file by file: no page of the copy is in the server's memory.
            name = f"{make_url(source).database}_damaged_{table}"
            with server.connect() as connection:
                connection.execute(
                    f"create database {name} template {make_url(source).database}"
                    " strategy file_copy"
                )
                request.addfinalizer(lambda: dropped(server, name))
            with server.connect(name) as connection:
                ((path,),) = connection.execute(
                    "select current_setting('data_directory') || '/'"
                    f" || pg_relation_filepath('audit.{table}')"
                )
            with Path(path).open("r+b") as file:
                file.write(garbage(PAGE_BYTES))
            return server.url(name)

    return damage


def dropped(server, name):
    with server.connect() as connection:
        connection.execute(f"drop database {name} with (force)")


def garbage(count):
    return random.Random(count).randbytes(count)


def overwritten(file, at, data):
    """The bytes of a file with others in their place."""
    whole = file.read_bytes()
    return whole[:at] + data + whole[at + len(data) :]


def written(file, data):
    """Write a copy of a file; returns its URL."""
    copy = file.with_name("damaged.sqlite3")
    copy.write_bytes(data)
    return f"sqlite:///{copy}"


def test_verify_says_that_a_store_with_a_damaged_table_is_broken(with_damaged_table):
    for table in (*TABLES, "alembic_version"):
        found = verify(with_damaged_table(table))

        assert found.result == "broken", table
        assert found.reason


def test_the_command_prints_its_json_for_a_damaged_batch(with_damaged_table, monkeypatch, capsys):
    monkeypatch.setenv("CRYOTRAIL_AUDIT_URL", with_damaged_table("batch"))

    assert main(["audit", "verify", "--json"]) == 1

    printed = json.loads(capsys.readouterr().out)
    assert (printed["result"], printed["first_broken_seq"], printed["size"]) == ("broken", 0, 0)


def test_no_entry_is_named_when_the_damage_is_in_none(with_damaged_table, monkeypatch, capsys):
    monkeypatch.setenv("CRYOTRAIL_AUDIT_URL", with_damaged_table("alembic_version"))

    assert main(["audit", "verify", "--json"]) == 1

    printed = json.loads(capsys.readouterr().out)
    assert (printed["result"], printed["first_broken_seq"]) == ("broken", None)
    assert "is damaged" in printed["reason"]


@pytest.mark.parametrize("page_of", [garbage, bytes])
def test_no_page_of_an_sqlite_file_is_damaged_unseen(sqlite_file, page_of):
    for at in range(0, sqlite_file.stat().st_size, PAGE_BYTES):
        found = verify(written(sqlite_file, overwritten(sqlite_file, at, page_of(PAGE_BYTES))))

        assert found.result == "broken", f"page {at // PAGE_BYTES + 1}"


def test_bytes_may_be_damaged_unseen_only_where_no_row_is_affected(sqlite_file):
    def rows_of(url):
        with tables_of(url) as tables:
            return [tables.execute(f"select * from {table}") for table in TABLES]

    before = rows_of(f"sqlite:///{sqlite_file}")
    made_up = random.Random(1)
    results = []
    for _ in range(60):
        at = made_up.randrange(sqlite_file.stat().st_size - 64)
        url = written(sqlite_file, overwritten(sqlite_file, at, made_up.randbytes(64)))

        found = verify(url)

        results.append(found.result)
        if found.result == "intact":
            assert rows_of(url) == before, f"64 bytes at {at}"
    assert set(results) == {"intact", "broken"}


@pytest.mark.parametrize("pages", [0.1, 1, 3.5, -1])
def test_a_truncated_sqlite_file_is_broken(sqlite_file, pages):
    whole = sqlite_file.read_bytes()

    found = verify(written(sqlite_file, whole[: int(pages * PAGE_BYTES)]))

    assert (found.result, found.first_broken_seq) == ("broken", None)


def test_a_header_of_an_unknown_format_is_broken(sqlite_file):
    # The schema format number: https://sqlite.org/fileformat2.html#database_header
    found = verify(written(sqlite_file, overwritten(sqlite_file, 44, b"\0\0\0\xff")))

    assert (found.result, found.first_broken_seq) == ("broken", None)
    assert found.reason.endswith("is damaged: unsupported file format")


def test_damage_that_sqlite_quotes_in_its_message_is_broken(sqlite_file):
    name = sqlite_file.read_bytes().index(b"triggerlog_update") + len("trigger")

    found = verify(written(sqlite_file, overwritten(sqlite_file, name, b"\xff" * 16)))

    assert (found.result, found.first_broken_seq) == ("broken", None)
    assert "codec can't decode" in found.reason


def test_a_damaged_index_that_no_row_is_read_by_is_broken(sqlite_file):
    with closing(sqlite3.connect(sqlite_file)) as connection:
        ((page,),) = connection.execute(
            "select rootpage from sqlite_master where name = 'entry_event'"
        )

    found = verify(
        written(sqlite_file, overwritten(sqlite_file, (page - 1) * PAGE_BYTES, garbage(PAGE_BYTES)))
    )

    assert (found.result, found.size) == ("broken", 318)
    assert found.reason.startswith("the database is damaged: ")


@pytest.mark.parametrize(
    "table", ["topic", "schema", "entry", "batch", "batch_partition", "redelivery"]
)
def test_a_value_of_another_type_than_its_columns_is_broken(
    sqlite_file, table, monkeypatch, capsys
):
    """A damaged page can give any type back, whatever STRICT made sure of when it was written."""
    url = f"sqlite:///{sqlite_file}"
    monkeypatch.setenv("CRYOTRAIL_AUDIT_URL", url)
    with tables_of(url) as tables:
        tables.drop_guards()
        tables.execute("pragma writable_schema = on")
        tables.execute("update sqlite_master set sql = replace(sql, ') strict', ')')")
    assert verify(url).result == "intact"
    for column, kind in columns_of(url, table).items():
        if (table, column) == ("topic", "topic_id"):
            continue  # the rowid: an integer in every file
        with tables_of(url) as tables:
            tables.execute("pragma ignore_check_constraints = on")
            (key, before), *_ = tables.execute(f"select rowid, {column} from {table}")
            other = "text" if kind.startswith("blob") else b"\xff"
            tables.execute(f"update {table} set {column} = %s where rowid = {key}", [other])

        assert main(["audit", "verify", "--json"]) == 1, column
        assert json.loads(capsys.readouterr().out)["result"] == "broken", column

        with tables_of(url) as tables:
            tables.execute(f"update {table} set {column} = %s where rowid = {key}", [before])


def columns_of(url, table):
    with tables_of(url) as tables:
        return tables.columns(table)
