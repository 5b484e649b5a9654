"""Inclusion and consistency proofs of the Merkle tree of RFC 6962, made and verified.

A proof of inclusion shows that a leaf stands at an index of a tree of known root; a proof of
consistency, that a tree only grew from an older one. Proofs are made from the hashes of perfect
subtrees (:data:`Node`), whoever keeps them, in the order of RFC 9162 sections 2.1.3.1 and 2.1.4.1,
and verified by the loops of 2.1.3.2 and 2.1.4.2, which follow the index and never recurse.

A proof says something about hashes. It says something about *data* only to a verifier who made
the leaf hash from the data's own bytes, and who holds a size and a root that were signed together:
the hashes of a proof fit every size in which they stand on the same sides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cryotrail_schemas.errors import ProofRefused
from cryotrail_schemas.merkle import EMPTY_ROOT, HASH_BYTES, node_hash

__all__ = [
    "Node",
    "ProofRefused",
    "consistency_proof",
    "inclusion_proof",
    "root_at",
    "root_from_inclusion",
    "verify_consistency",
    "verify_inclusion",
]

Node = Callable[[int, int], bytes]
"""``node(level, index)``: the root over the 2**level leaves from ``index * 2**level`` on."""


def root_at(size: int, node: Node) -> bytes:
    """The root over the first ``size`` leaves."""
    return _subtree(0, size, node) if size > 0 else EMPTY_ROOT


def inclusion_proof(index: int, size: int, node: Node) -> list[bytes]:
    """The hashes that lead from leaf ``index`` to the root over ``size`` leaves, bottom first.

    :raises ProofRefused: there is no such leaf in a tree of this size.
    """
    _check_index(index, size)
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = _split(start, end)
        if index < middle:
            proof.append(_subtree(middle, end, node))
            end = middle
        else:
            proof.append(_subtree(start, middle, node))
            start = middle
    return proof[::-1]


def consistency_proof(old_size: int, size: int, node: Node) -> list[bytes]:
    """The hashes that show how the tree of ``size`` grew from that of ``old_size``.

    Empty when both are the same size.

    :raises ProofRefused: the older tree is empty (every tree extends it) or the larger one.
    """
    _check_sizes(old_size, size)
    proof: list[bytes] = []
    start, end = 0, size
    while end != old_size:
        middle = _split(start, end)
        if old_size <= middle:
            proof.append(_subtree(middle, end, node))
            end = middle
        else:
            proof.append(_subtree(start, middle, node))
            start = middle
    if start > 0:  # else the verifier holds this hash already: it is the older root
        proof.append(_subtree(start, end, node))
    return proof[::-1]


def root_from_inclusion(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """The root of the only tree of ``size`` in which the proof puts the leaf at ``index``.

    :raises ProofRefused: it has too many or too few hashes, or there is no such leaf.
    """
    _check_index(index, size)
    _check_hashes(leaf_hash, *proof)
    here, last, root = index, size - 1, leaf_hash
    for sibling in proof:
        if last == 0:
            raise ProofRefused("the proof has hashes to spare")
        if here & 1 or here == last:
            root = node_hash(sibling, root)
            # On the ragged right edge, the levels on which there is no sibling are passed over.
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        here, last = here >> 1, last >> 1
    if last:
        raise ProofRefused("the proof ends below the root")
    return root


def verify_inclusion(
    leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that a leaf is at ``index`` of the tree with this size and root.

    :raises ProofRefused: that is not proved.
    """
    if root_from_inclusion(leaf_hash, index, size, proof) != root:
        raise ProofRefused(f"the leaf is not proved to be entry {index} of this tree")


def verify_consistency(
    old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that a tree holds all leaves of an older one, unchanged and in their places.

    :raises ProofRefused: that is not proved.
    """
    _check_sizes(old_size, size)
    _check_hashes(old_root, root, *proof)
    if old_size == size:
        proved = old_root == root and not proof
    else:
        proved = _roots_from_consistency(old_size, old_root, size, proof) == (old_root, root)
    if not proved:
        raise ProofRefused(
            f"the tree of {size} entries is not proved to extend the one of {old_size}"
        )


def _roots_from_consistency(
    old_size: int, old_root: bytes, size: int, proof: Sequence[bytes]
) -> tuple[bytes, bytes]:
    here, last = old_size - 1, size - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    if here == 0:  # the older tree is perfect: its root is a node of the newer one, and not sent
        proof = [old_root, *proof]
    if not proof:
        raise ProofRefused("the proof is empty")
    old = new = proof[0]
    for sibling in proof[1:]:
        if last == 0:
            raise ProofRefused("the proof has hashes to spare")
        if here & 1 or here == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        here, last = here >> 1, last >> 1
    if last:
        raise ProofRefused("the proof ends below the root")
    return old, new


def _split(start: int, end: int) -> int:
    """Where the tree over these leaves falls in two: left of it, the largest power of two."""
    return start + (1 << (end - start - 1).bit_length() - 1)


def _subtree(start: int, end: int, node: Node) -> bytes:
    """The root over leaves ``start`` to ``end``, one of the tree's own subtrees."""
    level = (end - start).bit_length() - 1
    left = node(level, start >> level)
    middle = start + (1 << level)
    return left if middle == end else node_hash(left, _subtree(middle, end, node))


def _check_index(index: int, size: int) -> None:
    if not 0 <= index < size:
        raise ProofRefused(f"a tree of {size} entries has no entry {index}")


def _check_sizes(old_size: int, size: int) -> None:
    if not 0 < old_size <= size:
        raise ProofRefused(f"a tree of {size} entries cannot extend one of {old_size}")


def _check_hashes(*hashes: bytes) -> None:
    if any(len(each) != HASH_BYTES for each in hashes):
        raise ProofRefused(f"a hash of the proof is not {HASH_BYTES} bytes long")
