"""Inclusion and consistency proofs: the definition, known vectors, and a prover that lies."""

from functools import cache
from hashlib import sha256
from itertools import permutations

import pytest
from pymerkle import InmemoryTree
from pymerkle import verify_consistency as pymerkle_consistency
from pymerkle import verify_inclusion as pymerkle_inclusion

from cryotrail_schemas.errors import CryotrailError
from cryotrail_schemas.merkle import EMPTY_ROOT, leaf_hash
from cryotrail_schemas.merkle_proofs import (
    ProofRefused,
    consistency_proof,
    inclusion_proof,
    root_at,
    root_from_inclusion,
    verify_consistency,
    verify_inclusion,
)

LARGEST = 130
LEAVES = [leaf_hash(b"entry %d" % number) for number in range(LARGEST)]


@cache
def naive_root(first, end):
    """RFC 6962 section 2.1, as it is written there."""
    if end - first == 1:
        return LEAVES[first]
    split = 1
    while split * 2 < end - first:
        split *= 2
    left, right = naive_root(first, first + split), naive_root(first + split, end)
    return sha256(b"\x01" + left + right).digest()


def naive_path(index, first, end):
    """RFC 6962 section 2.1.1, as it is written there."""
    if end - first == 1:
        return []
    split = 1
    while split * 2 < end - first:
        split *= 2
    middle = first + split
    if index < middle:
        return [*naive_path(index, first, middle), naive_root(middle, end)]
    return [*naive_path(index, middle, end), naive_root(first, middle)]


def naive_subproof(old, first, end, is_root_known):
    """RFC 6962 section 2.1.2, as it is written there."""
    if old == end:
        return [] if is_root_known else [naive_root(first, end)]
    split = 1
    while split * 2 < end - first:
        split *= 2
    middle = first + split
    if old <= middle:
        return [*naive_subproof(old, first, middle, is_root_known), naive_root(middle, end)]
    return [*naive_subproof(old, middle, end, False), naive_root(first, middle)]


def node(level, index):
    """The hashes that a prover keeps; only perfect subtrees exist."""
    assert (index + 1) << level <= LARGEST
    return naive_root(index << level, (index + 1) << level)


def test_every_entry_of_every_tree_is_proved():
    for size in range(1, LARGEST + 1):
        root = naive_root(0, size)
        assert root_at(size, node) == root
        for index in range(size):
            proof = inclusion_proof(index, size, node)
            assert proof == naive_path(index, 0, size)
            assert root_from_inclusion(LEAVES[index], index, size, proof) == root
            verify_inclusion(LEAVES[index], index, size, proof, root)


def test_every_growth_of_every_tree_is_proved():
    for size in range(1, LARGEST + 1):
        for old in range(1, size + 1):
            proof = consistency_proof(old, size, node)
            assert proof == naive_subproof(old, 0, size, True)
            verify_consistency(old, naive_root(0, old), size, naive_root(0, size), proof)


def test_the_empty_tree_has_the_hash_of_nothing():
    assert root_at(0, node) == EMPTY_ROOT


def test_another_library_finds_the_same_roots_and_proves_the_same():
    tree = InmemoryTree(algorithm="sha256")
    for number in range(LARGEST):
        assert tree.append_entry(b"entry %d" % number) == number + 1
    for size in range(1, LARGEST + 1):
        assert tree.get_root(size) == naive_root(0, size)
    for size in (1, 2, 3, 7, 8, 63, 64, 65, 100, LARGEST):
        for index in range(size):
            theirs = tree.prove_inclusion(index + 1, size)
            pymerkle_inclusion(LEAVES[index], naive_root(0, size), theirs)
            # Their path begins with the leaf itself.
            assert theirs.path[1:] == inclusion_proof(index, size, node)
        for old in range(1, size + 1):
            pymerkle_consistency(
                naive_root(0, old), naive_root(0, size), tree.prove_consistency(old, size)
            )


# The eight leaves of the Certificate Transparency reference implementation with their nodes;
# proofs as in its merkle_tree_test.cc (kSHA256Paths, kSHA256Proofs), indices from zero.
KNOWN_LEAVES = [
    leaf_hash(bytes.fromhex(text))
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
KNOWN_ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    6: "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}
KNOWN_INCLUSION = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
KNOWN_CONSISTENCY = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
    (6, 7): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}


def known_node(level, index):
    if level == 0:
        return KNOWN_LEAVES[index]
    left, right = known_node(level - 1, 2 * index), known_node(level - 1, 2 * index + 1)
    return sha256(b"\x01" + left + right).digest()


@pytest.mark.parametrize(("index", "size"), KNOWN_INCLUSION)
def test_known_inclusion_proofs_are_made_and_verified(index, size):
    known = [bytes.fromhex(text) for text in KNOWN_INCLUSION[index, size]]

    assert inclusion_proof(index, size, known_node) == known
    verify_inclusion(KNOWN_LEAVES[index], index, size, known, bytes.fromhex(KNOWN_ROOTS[size]))


@pytest.mark.parametrize(("old", "size"), KNOWN_CONSISTENCY)
def test_known_consistency_proofs_are_made_and_verified(old, size):
    known = [bytes.fromhex(text) for text in KNOWN_CONSISTENCY[old, size]]
    old_root, root = bytes.fromhex(KNOWN_ROOTS[old]), bytes.fromhex(KNOWN_ROOTS[size])

    assert consistency_proof(old, size, known_node) == known
    verify_consistency(old, old_root, size, root, known)


def flips(hash_):
    """One bit flipped: in the first and the last byte, and in one that depends on the hash."""
    for position in {0, hash_[0] % 32, 31}:
        changed = bytearray(hash_)
        changed[position] ^= 1 << hash_[1] % 8
        yield bytes(changed)


def forged_proofs(proof, others):
    """Every way here of changing a list of hashes; what is equal to it is left out by the caller."""
    for i, hash_ in enumerate(proof):
        for changed in flips(hash_):
            yield [*proof[:i], changed, *proof[i + 1 :]]
        yield [*proof[:i], *proof[i + 1 :]]
        yield [*proof[:i], hash_, *proof[i:]]
        for length in (0, 31, 33):
            yield [*proof[:i], (hash_ + b"\0")[:length], *proof[i + 1 :]]
        for other in others:
            yield [*proof[:i], other, *proof[i + 1 :]]
    for i in range(len(proof) + 1):
        for other in others:
            yield [*proof[:i], other, *proof[i:]]
    if len(proof) <= 4:
        yield from map(list, permutations(proof))
    else:
        yield proof[::-1]
        yield from (
            [*proof[:i], proof[j], *proof[i + 1 : j], proof[i], *proof[j + 1 :]]
            for i in range(len(proof))
            for j in range(i + 1, len(proof))
        )
    yield [*proof, *proof]
    yield []


@cache
def inclusion_shape(index, size):
    """On which side each sibling stands, from the leaf up: all that a path says of the size."""
    if size == 1:
        return ()
    split = 1 << (size - 1).bit_length() - 1
    if index < split:
        return (*inclusion_shape(index, split), "right")
    return (*inclusion_shape(index - split, size - split), "left")


@cache
def consistency_shape(old, size, is_root_known=True):
    """The same for a proof of consistency, with how it begins."""
    if old == size:
        return ("root known" if is_root_known else "root sent",)
    split = 1 << (size - 1).bit_length() - 1
    if old <= split:
        return (*consistency_shape(old, split, is_root_known), "right")
    return (*consistency_shape(old - split, size - split, False), "left")


def accepted_of(verify, claims):
    """The claims that are not refused."""
    accepted = set()
    for claim in claims:
        try:
            verify(*claim)
        except ProofRefused:
            continue
        accepted.add(claim)
    return accepted


SIZES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 100, 127, 128, 129, LARGEST)


def test_a_forged_inclusion_is_refused_always():
    """Every changed hash, leaf, root or index. Of changed sizes, see the test after the next."""
    tried = 0
    for size in SIZES:
        root = naive_root(0, size)
        for index in range(size):
            leaf, proof = LEAVES[index], tuple(inclusion_proof(index, size, node))
            others = (leaf, root, LEAVES[(index + 1) % LARGEST], EMPTY_ROOT)
            paths = map(tuple, forged_proofs(list(proof), others))
            claims = {(leaf, index, size, path, root) for path in paths}
            claims |= {(leaf, i, size, proof, root) for i in range(-2, size + 2)}
            claims |= {(other, index, size, proof, root) for other in [*flips(leaf), *LEAVES, b""]}
            claims |= {(leaf, index, size, proof, other) for other in [*flips(root), b"", leaf]}
            claims |= {(leaf, index, other, proof, root) for other in (0, -1, index)}
            true = (leaf, index, size, proof, root)

            assert accepted_of(verify_inclusion, {true, *claims}) == {true}
            tried += len(claims - {true})
    assert tried > 250_000


def test_a_forged_consistency_is_refused_always():
    """Every changed hash or root. Of changed sizes, see the next test."""
    tried = 0
    for size in SIZES:
        root = naive_root(0, size)
        for old in range(1, size + 1):
            old_root, proof = naive_root(0, old), tuple(consistency_proof(old, size, node))
            others = (old_root, root, LEAVES[0], EMPTY_ROOT)
            paths = map(tuple, forged_proofs(list(proof), others))
            claims = {(old, old_root, size, root, path) for path in paths}
            roots = [naive_root(0, n) for n in (*SIZES, old - 1, old + 1) if 0 < n <= LARGEST]
            claims |= {(old, other, size, root, proof) for other in [*flips(old_root), *roots, b""]}
            claims |= {(old, old_root, size, other, proof) for other in [*flips(root), *roots, b""]}
            claims |= {(other, old_root, size, root, proof) for other in (0, -1, size + 1)}
            claims |= {(old, old_root, other, root, proof) for other in (0, -1, old - 1)}
            true = (old, old_root, size, root, proof)

            assert accepted_of(verify_consistency, {true, *claims}) == {true}
            tried += len(claims - {true})
    assert tried > 150_000


def test_a_wrong_size_is_refused_wherever_it_gives_the_path_another_shape():
    """So a size is to be believed only as it was signed, together with its root.

    A path says on which sides its siblings stand and no more: where that is the same for another
    size, the same hashes lead to the same root. Exactly those claims are accepted.
    """
    refused = same_shape = 0
    for size in range(1, 34):
        root = naive_root(0, size)
        for index in range(size):
            proof, shape = tuple(inclusion_proof(index, size, node)), inclusion_shape(index, size)
            claims = {
                (LEAVES[index], other_index, other, proof, root)
                for other in range(-2, 70)
                for other_index in {-1, 0, index - 1, index, index + 1, other - 1, other}
            }
            alike = {
                claim
                for claim in claims
                if 0 <= claim[1] < claim[2] and inclusion_shape(claim[1], claim[2]) == shape
            }
            assert accepted_of(verify_inclusion, claims) == alike
            refused += len(claims - alike)
            same_shape += len(alike) - 1
    for size in (1, 2, 3, 4, 5, 6, 7, 8, 15, 17, 33):
        root = naive_root(0, size)
        for old in range(1, size + 1):
            old_root, proof = naive_root(0, old), tuple(consistency_proof(old, size, node))
            claims = {
                (other_old, old_root, other, root, proof)
                for other in range(-2, 40)
                for other_old in range(-2, 40)
            }
            true = (old, old_root, size, root, proof)
            if old < size:
                shape = consistency_shape(old, size)
                alike = {
                    claim
                    for claim in claims
                    if 0 < claim[0] < claim[2] and consistency_shape(claim[0], claim[2]) == shape
                }
            else:  # no hash, and one root: the same tree, whatever its size
                alike = {claim for claim in claims if 0 < claim[0] == claim[2]}
            assert true in alike
            assert accepted_of(verify_consistency, claims) == alike
            refused += len(claims - alike)
            same_shape += len(alike) - 1
    assert refused > 300_000
    assert 0 < same_shape < refused / 10


def test_a_node_passes_for_a_leaf_only_with_who_does_not_hash_the_data():
    proof, root = inclusion_proof(4, 8, node), naive_root(0, 8)
    inner = naive_root(4, 6)

    verify_inclusion(inner, 2, 4, proof[1:], root)  # "entry 2 of a tree of 4": no data gives it

    assert leaf_hash(LEAVES[4] + LEAVES[5]) != inner
    with pytest.raises(ProofRefused):
        verify_inclusion(leaf_hash(LEAVES[4] + LEAVES[5]), 2, 4, proof[1:], root)


@pytest.mark.parametrize("moved", [-32, -1, 1, 32])
def test_a_border_between_two_hashes_cannot_be_moved(moved):
    """The bytes that are hashed stay the same, so only the lengths tell."""
    left, right = LEAVES[0], LEAVES[1]
    both, root = left + right, naive_root(0, 2)
    forged_left, forged_right = both[: 32 + moved], both[32 + moved :]

    assert sha256(b"\x01" + forged_left + forged_right).digest() == root
    with pytest.raises(ProofRefused, match="not 32 bytes"):
        verify_inclusion(forged_left, 0, 2, [forged_right], root)
    with pytest.raises(ProofRefused, match="not 32 bytes"):
        verify_inclusion(forged_right, 1, 2, [forged_left], root)
    with pytest.raises(ProofRefused, match="not 32 bytes"):
        verify_consistency(1, forged_left, 2, root, [forged_right])


@pytest.mark.parametrize("nothing", [b"", LEAVES[0][:31], LEAVES[0] * 2])
def test_equal_bytes_that_are_no_hash_prove_nothing(nothing):
    with pytest.raises(ProofRefused, match="not 32 bytes"):
        verify_inclusion(nothing, 0, 1, [], nothing)
    with pytest.raises(ProofRefused, match="not 32 bytes"):
        verify_consistency(3, nothing, 3, nothing, [])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 4), (4, 4), (5, 4), (0, -1)])
def test_an_index_outside_the_tree_is_refused(index, size):
    for use in (
        lambda: inclusion_proof(index, size, node),
        lambda: root_from_inclusion(LEAVES[0], index, size, []),
        lambda: verify_inclusion(LEAVES[0], index, size, [], LEAVES[0]),
    ):
        with pytest.raises(ProofRefused, match=f"{size} entries has no entry {index}"):
            use()


@pytest.mark.parametrize(("old", "size"), [(0, 0), (0, 1), (2, 1), (-1, 1), (1, 0), (1, -1)])
def test_sizes_that_no_growth_leads_through_are_refused(old, size):
    for use in (
        lambda: consistency_proof(old, size, node),
        lambda: verify_consistency(old, LEAVES[0], size, LEAVES[0], []),
    ):
        with pytest.raises(ProofRefused, match="cannot extend"):
            use()


def test_a_refusal_says_what_is_wrong():
    proof, root = inclusion_proof(2, 5, node), naive_root(0, 5)

    for changed, words in (
        ([*proof, root], "hashes to spare"),
        (proof[:-1], "ends below the root"),
        ([proof[0][:31], *proof[1:]], "not 32 bytes"),
        (proof[::-1], "not proved to be entry 2"),
    ):
        with pytest.raises(CryotrailError, match=words):
            verify_inclusion(LEAVES[2], 2, 5, changed, root)


def test_the_largest_tree_needs_63_hashes_and_no_recursion():
    size, path = 2**63 - 1, [b"%032d" % level for level in range(63)]

    root = root_from_inclusion(LEAVES[0], 0, size, path)

    verify_inclusion(LEAVES[0], 0, size, path, root)
    assert len(inclusion_proof(0, size, lambda level, index: LEAVES[0])) == 63
