"""Tiles: written by the append that fills them, the same however the entries came."""

import random
from contextlib import closing

import pytest
from alembic import command
from alembic.config import Config
from audit_records import Writer, record
from store_tables import tables_of
from synthetic_log import synthetic_leaf, synthetic_log

import cryotrail_audit.appending.append
import cryotrail_audit.migrations
from cryotrail_audit import databases, migration
from cryotrail_audit.errors import StoreNotReady
from cryotrail_audit.proofs.growing_tree import GrowingTree
from cryotrail_audit.proofs.tiles import Tile, filled_tiles
from cryotrail_audit.store import migrate, open_store
from cryotrail_audit.verification import verify
from cryotrail_schemas.merkle import Frontier, root


def stored_tiles(url):
    with tables_of(url) as tables:
        rows = tables.execute(
            "select level, tile_no, root, hashes from tile where log_id = 1 order by 1, 2"
        )
    return [Tile(*row) for row in rows]


def stored_leaves(url):
    with tables_of(url) as tables:
        return [leaf for (leaf,) in tables.execute("select leaf_hash from entry order by seq")]


def naive_tiles(leaves):
    """By the definition of C2SP tlog-tiles: level by level, full tiles only."""
    tiles, level, row = [], 0, leaves
    while len(row) >= 256:
        full = [row[n : n + 256] for n in range(0, len(row) // 256 * 256, 256)]
        roots = [root(hashes) for hashes in full]
        tiles += [Tile(level, n, roots[n], b"".join(full[n])) for n in range(len(full))]
        level, row = level + 1, roots
    return tiles


@pytest.mark.parametrize("sizes", [[255, 1, 1], [256, 255], [1000], [3, 600, 40, 1, 257, 130]])
def test_tiles_of_any_batches_are_those_recomputed_from_the_leaves(audit_store, store_url, sizes):
    writer, offset = Writer(audit_store), 0

    for size in sizes:
        writer.append(record(offset + row) for row in range(size))
        offset += size
        assert stored_tiles(store_url) == naive_tiles(stored_leaves(store_url))


def test_tiles_of_random_batches_are_those_recomputed_on_every_level():
    leaves = [synthetic_leaf(number) for number in range(2 * 65536 + 700)]
    rng = random.Random(6962)
    expected = naive_tiles(leaves)
    assert [tile.tile_no for tile in expected if tile.level == 1] == [0, 1]

    for largest in (300, 5000, 70_000):
        tree, built, first = GrowingTree(), [], 0
        while first < len(leaves):
            batch = leaves[first : first + rng.randint(1, largest)]
            built += tree.extend(batch)
            first += len(batch)
        assert sorted(built) == expected


def test_a_tile_of_tiles_is_filled_by_the_append_that_fills_its_last_one(store_url):
    size = 65536 - 256
    synthetic_log(store_url, size)

    with closing(open_store(store_url)) as store:
        writer = Writer(store)
        writer.append(record(offset) for offset in range(200))
        writer.append(record(offset) for offset in range(200, 300))

    leaves = [synthetic_leaf(number) for number in range(size)] + stored_leaves(store_url)
    assert stored_tiles(store_url) == naive_tiles(leaves)
    assert [tile.tile_no for tile in stored_tiles(store_url) if tile.level == 1] == [0]


def test_an_append_that_is_rolled_back_leaves_no_tile(audit_store, store_url, monkeypatch):
    writer = Writer(audit_store)

    def fail(*_arguments):
        raise RuntimeError("on the way")

    monkeypatch.setattr(cryotrail_audit.appending.append, "batch_hash", fail)
    with pytest.raises(RuntimeError, match="on the way"):
        writer.append(record(offset) for offset in range(300))
    monkeypatch.undo()

    assert stored_tiles(store_url) == []
    writer.append(record(offset) for offset in range(300))
    assert stored_tiles(store_url) == naive_tiles(stored_leaves(store_url))


def test_where_a_leaf_was_removed_recording_goes_on_without_its_tile(store_url, caplog):
    with closing(open_store(store_url)) as store:
        writer = Writer(store)
        writer.append(record(offset) for offset in range(200))
        with tables_of(store_url) as tables:
            tables.drop_guards()
            tables.execute("delete from entry where seq = 100")

        writer.append(record(offset) for offset in range(200, 300))
        writer.append(record(offset) for offset in range(300, 600))

    assert [tile.tile_no for tile in stored_tiles(store_url)] == [1]
    assert "tile 0 of level 0 is not written: of the hashes 0 to 200 below it 1 are" in caplog.text
    found = verify(store_url)
    assert (found.result, found.first_broken_seq) == ("broken", 100)


def test_where_a_tile_was_removed_recording_goes_on_without_the_tile_above(store_url):
    synthetic_log(store_url, 65536 - 256)
    with closing(open_store(store_url)) as store:
        with tables_of(store_url) as tables:
            tables.drop_guards()
            tables.execute("delete from tile where tile_no = 7")

        Writer(store).append(record(offset) for offset in range(300))

    levels = [tile.level for tile in stored_tiles(store_url)]
    assert (levels.count(0), levels.count(1)) == (255, 0)


def test_only_new_full_tiles_are_asked_for_what_stood_before():
    asked = []

    def earlier(level, first, end):
        asked.append((level, first, end))
        return [synthetic_leaf(number) for number in range(first, end)]

    frontier = Frontier()
    for size, batch in ((0, 100), (100, 155), (255, 1), (256, 10), (266, 600)):
        leaves = [synthetic_leaf(number) for number in range(size, size + batch)]
        filled_tiles(size, frontier.extend(leaves), earlier)

    assert asked == [(0, 0, 255), (0, 256, 266)]


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request, tmp_path):
    if request.param == "sqlite":
        (tmp_path / "audit.sqlite3").touch()
        return f"sqlite:///{tmp_path / 'audit.sqlite3'}"
    return request.getfixturevalue("empty_postgres_url")


def create_at_first_revision(url):
    """A store as the first release made it."""
    config = Config()
    config.set_main_option("script_location", cryotrail_audit.migrations.__path__[0])
    config.set_main_option("path_separator", "os")
    engine = databases.engine_of(databases.parse_url(url), changes_tables=True)
    try:
        with engine.execution_options(**databases.IMMEDIATE).begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "0001")
            first_log = {"log_id": 1, "origin": "tests.example/old", "created_us": 1}
            connection.execute(migration.LOG.insert().values(first_log))
    finally:
        engine.dispose()


@pytest.mark.parametrize("rows", [0, 100, 255, 700])
def test_a_store_of_the_first_revision_gets_the_tiles_of_what_it_holds(new_url, monkeypatch, rows):
    create_at_first_revision(new_url)
    with monkeypatch.context() as first_release:
        first_release.setattr(migration, "HEAD_REVISION", "0001")
        first_release.setattr(migration, "_EARLIER_REVISIONS", (None,))
        first_release.setattr(cryotrail_audit.appending.append, "filled_tiles", lambda *_: [])
        with closing(open_store(new_url)) as store:
            writer = Writer(store)
            if rows:
                writer.append(record(offset) for offset in range(rows))
    with pytest.raises(StoreNotReady, match="revision 0001, this program needs 0002"):
        open_store(new_url)

    assert migrate(new_url) == "tests.example/old"

    assert stored_tiles(new_url) == naive_tiles(stored_leaves(new_url))
    with closing(open_store(new_url)) as store:
        Writer(store).append(record(rows + row) for row in range(300))
    assert stored_tiles(new_url) == naive_tiles(stored_leaves(new_url))
    assert verify(new_url).result == "intact"
