"""The proof file: one spelling for each proof, and nothing else is read."""

import pytest

from cryotrail_audit.checkpoints import note as notes
from cryotrail_audit.checkpoints.checkpoint import Checkpoint
from cryotrail_audit.checkpoints.errors import NoteRefused, SignatureRefused
from cryotrail_audit.checkpoints.keys import LogKey
from cryotrail_audit.proofs.errors import ProofFileRefused
from cryotrail_audit.proofs.tlog_proof import TlogProof, parse
from cryotrail_schemas.merkle import Frontier, leaf_hash, root
from cryotrail_schemas.merkle_proofs import ProofRefused, inclusion_proof

ORIGIN = "hospital.example/cryoablation"
LEAVES = [leaf_hash(b"entry %d" % number) for number in range(11)]
CHECKPOINT = Checkpoint(ORIGIN, len(LEAVES), root(LEAVES))
KEY = LogKey.create(ORIGIN)
NOTE = KEY.sign(CHECKPOINT.to_text(), 1_795_000_000).to_bytes()


def made(index):
    levels = Frontier().extend(LEAVES)
    hashes = inclusion_proof(index, len(LEAVES), lambda level, n: levels[level][n])
    return TlogProof(index, tuple(hashes), NOTE)


@pytest.mark.parametrize("index", range(11))
def test_what_is_written_is_read_and_proves_its_entry_alone(index):
    proof = parse(made(index).to_text().encode())

    assert proof == made(index)
    assert proof.verify(LEAVES[index]) == CHECKPOINT
    for other in {*range(11)} - {index}:
        with pytest.raises(ProofRefused):
            proof.verify(LEAVES[other])


def test_the_text_is_that_of_the_specification():
    lines = made(10).to_text().split("\n")

    assert lines[:2] == ["c2sp.org/tlog-proof@v1", "index 10"]
    assert [len(line) for line in lines[2:4]] == [44, 44]
    assert lines[4:8] == ["", ORIGIN, "11", lines[7]]
    assert "\n".join(lines[5:]).encode() == NOTE


def test_a_tree_of_one_entry_needs_no_hash():
    note = LogKey.create(ORIGIN).sign(Checkpoint(ORIGIN, 1, LEAVES[0]).to_text(), 0).to_bytes()
    written = TlogProof(0, (), note).to_text()

    assert written.startswith("c2sp.org/tlog-proof@v1\nindex 0\n\nhospital.example/")
    assert parse(written.encode()).verify(LEAVES[0]).size == 1


TEXT = made(5).to_text()
HASH_LINE = TEXT.split("\n")[2]


def with_unused_bits(line):
    """The same 32 bytes to a decoder that ignores the last bits."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = alphabet.index(line[-2])
    return f"{line[:-2]}{alphabet[last ^ 1]}="


@pytest.mark.parametrize(
    "text",
    [
        "",
        TEXT[1:],
        TEXT + "\n",
        TEXT[:-1],
        TEXT.replace("\n", "\r\n"),
        "\ufeff" + TEXT,
        TEXT.replace("@v1", "@v2"),
        TEXT.replace("index 5", "index 05"),
        TEXT.replace("index 5", "index +5"),
        TEXT.replace("index 5", "index ٥"),
        TEXT.replace("index 5", "index  5"),
        TEXT.replace("index 5", "Index 5"),
        TEXT.replace("index 5", "index -1"),
        TEXT.replace("index 5", f"index {2**63}"),
        TEXT.replace("index 5", "index 5\nindex 5"),
        TEXT.replace("index 5", "extra AAAA\nindex 5"),
        TEXT.replace("index 5\n", ""),
        TEXT.replace(HASH_LINE, HASH_LINE[:-1]),
        TEXT.replace(HASH_LINE, with_unused_bits(HASH_LINE)),
        TEXT.replace(HASH_LINE, HASH_LINE + " "),
        TEXT.replace(HASH_LINE, HASH_LINE[4:]),
        TEXT.replace(HASH_LINE, HASH_LINE.replace("+", "-").replace("/", "_")[:-1] + "\t"),
        TEXT.replace(HASH_LINE, "\n".join([HASH_LINE] * 64)),
        TEXT.replace("\n\n", "\n", 1),
        TEXT.replace("\n\n", "\n\n\n", 1),
        TEXT.replace("\n11\n", "\n011\n"),
        TEXT.partition("\n\n")[0] + "\n\n",
        TEXT.partition("\n\n— ")[0] + "\n",
    ],
)
def test_anything_but_the_one_spelling_is_refused(text):
    assert text != TEXT
    with pytest.raises(ProofFileRefused):
        parse(text.encode())


def test_bytes_that_are_no_text_are_refused():
    with pytest.raises(ProofFileRefused):
        parse(b"\xff" + TEXT.encode())


def test_every_changed_byte_is_refused_by_the_parser_the_proof_or_the_key():
    """No two files are one proof: a changed file is none, or one that proves nothing."""
    data, pinned = TEXT.encode(), KEY.pinned
    signatures = data.index(b"\n\n", data.index(b"\n\n") + 2)
    refused_by_proof = refused_by_key = 0

    for position in range(signatures):
        for bit in range(8):
            changed = bytearray(data)
            changed[position] ^= 1 << bit
            try:
                found = parse(bytes(changed))
            except ProofFileRefused:
                continue
            if found.checkpoint_note == NOTE:
                with pytest.raises(ProofRefused):
                    found.verify(LEAVES[5])
                refused_by_proof += 1
            else:
                with pytest.raises(SignatureRefused):
                    pinned.verify(notes.parse(found.checkpoint_note))
                refused_by_key += 1
    assert refused_by_proof > 100 and refused_by_key > 100


def test_a_proof_under_something_that_is_no_checkpoint_is_refused():
    head = LogKey.create(ORIGIN).sign(f"{ORIGIN}\nno size\n{HASH_LINE}\n", 0).to_bytes()

    with pytest.raises(NoteRefused):
        TlogProof(5, made(5).hashes, head).verify(LEAVES[5])
    with pytest.raises(ProofFileRefused):
        parse(TlogProof(5, made(5).hashes, head).to_text().encode())
