"""The prover: right for every size that the log had, from a few rows, and of one moment."""

import random
from contextlib import closing

import pytest
from audit_records import Writer, record
from sqlalchemy import event
from store_tables import tables_of
from synthetic_log import synthetic_leaf, synthetic_log

from cryotrail_audit.proofs.errors import ProofNotMade
from cryotrail_audit.proofs.prover import Prover
from cryotrail_audit.snapshot import snapshot
from cryotrail_audit.store import open_store
from cryotrail_schemas.merkle import EMPTY_ROOT, Frontier, root
from cryotrail_schemas.merkle_proofs import (
    ProofRefused,
    verify_consistency,
    verify_inclusion,
)


@pytest.fixture
def filled_url(store_url):
    """700 entries: two full tiles and a part of one."""
    with closing(open_store(store_url)) as store:
        writer = Writer(store)
        writer.append(record(offset) for offset in range(90))
        writer.append(record(offset) for offset in range(90, 699))
    return store_url


def leaves_of(url):
    with tables_of(url) as tables:
        return [leaf for (leaf,) in tables.execute("select leaf_hash from entry order by seq")]


def test_roots_of_all_sizes_are_those_of_the_leaves(filled_url):
    leaves, frontier = leaves_of(filled_url), Frontier()

    with snapshot(filled_url) as connection:
        prover = Prover(connection)
        assert prover.size == len(leaves) == 700
        assert prover.root(0) == EMPTY_ROOT
        for size, leaf in enumerate(leaves, 1):
            frontier.append(leaf)
            assert prover.root(size) == frontier.root()


def test_every_entry_is_proved_in_trees_of_many_sizes(filled_url):
    leaves = leaves_of(filled_url)

    with snapshot(filled_url) as connection:
        prover = Prover(connection)
        for size in (1, 2, 255, 256, 257, 300, 511, 512, 513, 699, 700):
            expected = root(leaves[:size])
            for seq in range(size):
                verify_inclusion(leaves[seq], seq, size, prover.inclusion(seq, size), expected)


def test_growth_is_proved_between_many_sizes(filled_url):
    leaves = leaves_of(filled_url)
    sizes = [1, 2, 3, 91, 128, 255, 256, 257, 400, 511, 512, 513, 600, 699, 700]
    roots = {size: root(leaves[:size]) for size in sizes}

    with snapshot(filled_url) as connection:
        prover = Prover(connection)
        for old in sizes:
            for size in sizes[sizes.index(old) :]:
                proof = prover.consistency(old, size)
                verify_consistency(old, roots[old], size, roots[size], proof)


@pytest.fixture
def large_url(store_url):
    """70,000 entries: a full tile on the second level, and parts of tiles on both."""
    synthetic_log(store_url, 69_888)
    with closing(open_store(store_url)) as store:
        Writer(store).append(record(offset) for offset in range(111))
    return store_url


def test_in_a_large_tree_too_and_from_a_few_rows(large_url):
    leaves = [synthetic_leaf(number) for number in range(69_888)] + leaves_of(large_url)
    assert len(leaves) == 70_000
    rng = random.Random(9162)
    pairs = [(0, 70_000), (69_999, 70_000), (65_535, 70_000), (65_536, 70_000), (69_887, 69_888)]
    pairs += [(rng.randrange(size), size) for size in rng.sample(range(1, 70_001), 12)]

    for seq, size in pairs:
        with snapshot(large_url) as connection:
            prover, statements = Prover(connection), []
            event.listen(
                connection, "before_cursor_execute", lambda *_, said=statements: said.append(1)
            )
            proof, grown = prover.inclusion(seq, size), prover.consistency(seq + 1, size)

        expected = root(leaves[:size])
        verify_inclusion(leaves[seq], seq, size, proof, expected)
        verify_consistency(seq + 1, root(leaves[: seq + 1]), size, expected, grown)
        assert len(proof) <= 17
        # Two rows a level of tiles at most, of which this tree has three; both proofs share them.
        assert 0 < len(statements) <= 6


def test_what_is_appended_later_is_not_seen(filled_url):
    with snapshot(filled_url) as connection:
        prover = Prover(connection)
        before = prover.root(700)
        with closing(open_store(filled_url)) as store:
            Writer(store, owner="another").append(record(offset) for offset in range(699, 1100))

        assert prover.size == 700
        with pytest.raises(ProofNotMade, match="the log has 700 entries, not 701"):
            prover.root(701)
        leaves = leaves_of(filled_url)
        verify_inclusion(leaves[699], 699, 700, prover.inclusion(699, 700), before)
        assert Prover(connection).size == 700

    with snapshot(filled_url) as connection:
        prover = Prover(connection)
        assert prover.size == len(leaves) == 1101
        grown = prover.consistency(700, 1101)
        verify_consistency(700, before, 1101, root(leaves), grown)


@pytest.mark.parametrize("size", [-1, 701])
def test_what_the_log_never_was_is_not_proved(filled_url, size):
    with snapshot(filled_url) as connection:
        prover = Prover(connection)
        for use in (
            prover.root,
            lambda n: prover.inclusion(0, n),
            lambda n: prover.consistency(1, n),
        ):
            with pytest.raises(ProofNotMade, match=f"the log has 700 entries, not {size}"):
                use(size)


def test_an_entry_outside_the_tree_is_not_proved(filled_url):
    with snapshot(filled_url) as connection:
        prover = Prover(connection)
        for use in (
            lambda: prover.inclusion(300, 300),
            lambda: prover.inclusion(-1, 300),
            lambda: prover.consistency(301, 300),
            lambda: prover.consistency(0, 300),
        ):
            with pytest.raises(ProofRefused):
                use()


@pytest.mark.parametrize(
    "removed",
    ["delete from tile where tile_no = 1", "delete from entry where seq = 600"],
)
def test_missing_hashes_are_named(filled_url, removed):
    with tables_of(filled_url) as tables:
        tables.drop_guards()
        tables.execute(removed)

    with snapshot(filled_url) as connection:
        with pytest.raises(ProofNotMade, match="missing in the store") as refused:
            Prover(connection).root(700)
        assert refused.value.hint == "something was removed: cryotrail audit verify"


def test_a_changed_tile_gives_a_proof_that_is_refused(filled_url):
    leaves = leaves_of(filled_url)
    with tables_of(filled_url) as tables:
        tables.drop_guards()
        (hashes,) = tables.execute("select hashes from tile where tile_no = 0")[0]
        tables.execute("update tile set hashes = %s where tile_no = 0", (hashes[:-1] + b"\0",))

    with snapshot(filled_url) as connection:
        proof = Prover(connection).inclusion(3, 700)
    with pytest.raises(ProofRefused):
        verify_inclusion(leaves[3], 3, 700, proof, root(leaves))


def test_an_empty_log_has_the_empty_root(store_url):
    with snapshot(store_url) as connection:
        prover = Prover(connection)
        assert (prover.size, prover.root(0)) == (0, EMPTY_ROOT)
        with pytest.raises(ProofNotMade):
            prover.inclusion(0, 1)
