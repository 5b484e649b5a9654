"""The tree is that of RFC 6962: known vectors, its recursive definition, and another library."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from cryotrail_schemas.errors import SchemaError
from cryotrail_schemas.merkle import EMPTY_ROOT, Frontier, leaf_hash, node_hash, root

# Test vectors of the Certificate Transparency reference implementation (merkle_tree_test).
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def recursive_root(hashes):
    """RFC 6962 section 2.1, word for word."""
    if not hashes:
        return sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return node_hash(recursive_root(hashes[:split]), recursive_root(hashes[split:]))


@pytest.mark.parametrize("size", range(9))
def test_roots_are_the_known_vectors(size):
    hashes = [leaf_hash(leaf) for leaf in LEAVES[:size]]
    frontier = Frontier()
    for hash_ in hashes:
        frontier.append(hash_)

    assert root(hashes).hex() == ROOTS[size]
    assert frontier.root().hex() == ROOTS[size]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(sizes=st.lists(st.integers(0, 40), max_size=8))
def test_any_way_of_growing_gives_the_root_of_the_definition(sizes):
    hashes = [leaf_hash(b"%d" % number) for number in range(sum(sizes))]
    extended, appended, begin = Frontier(), Frontier(), 0

    for size in sizes:
        batch = hashes[begin : begin + size]
        begin += size
        extended.extend(iter(batch))
        for hash_ in batch:
            appended.append(hash_)
        restored = Frontier.from_bytes(extended.size, extended.to_bytes())

        assert extended.size == appended.size == begin
        assert extended.to_bytes() == appended.to_bytes()
        assert extended.root() == restored.root() == recursive_root(hashes[:begin])


def test_roots_equal_those_of_pymerkle():
    tree, frontier = InmemoryTree(algorithm="sha256"), Frontier()

    for number in range(200):
        data = b"entry %d" % number
        tree.append_entry(data)
        frontier.append(leaf_hash(data))
        assert frontier.root() == tree.get_root()


def test_no_leaves_give_the_hash_of_nothing():
    assert root([]) == Frontier().root() == EMPTY_ROOT == sha256(b"").digest()


def test_a_leaf_is_never_a_node():
    left, right = leaf_hash(b"a"), leaf_hash(b"b")

    assert leaf_hash(left + right) != node_hash(left, right)


@pytest.mark.parametrize(("size", "length"), [(0, 32), (1, 0), (2, 64), (3, 63), (-1, 0)])
def test_bytes_of_another_size_are_no_frontier(size, length):
    with pytest.raises(SchemaError, match="no frontier"):
        Frontier.from_bytes(size, b"\0" * length)
