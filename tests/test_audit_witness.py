"""A witness hashes for itself, cosigns what the log's own key signed, and sees a log only once."""

from contextlib import closing

import pytest
from audit_records import Writer, record
from signed_logs import ORIGIN, SignedLog
from store_tables import TABLES, tables_of
from tampering import rechain

from cryotrail_audit.checkpoints import note as notes
from cryotrail_audit.checkpoints.checkpoint import Checkpoint
from cryotrail_audit.checkpoints.errors import SigningRefused
from cryotrail_audit.checkpoints.keys import LogKey
from cryotrail_audit.checkpoints.memory import MemoryFile
from cryotrail_audit.checkpoints.witness import Witness, witnesses_of
from cryotrail_audit.store import open_store
from cryotrail_audit.verification import verify

WITNESSES = [LogKey.create(f"witness.example/{name}", witness=True) for name in "abc"]


@pytest.fixture
def log(store_url, tmp_path):
    signed_log = SignedLog(store_url, tmp_path)
    signed_log.append(5)
    signed_log.sign()
    return signed_log


def cosign(log, key, **options):
    with log.witness(key) as witness:
        return witness.cosign(**options)


def test_a_witness_adds_its_lines_to_the_checkpoint_of_the_log(log):
    key = WITNESSES[0]

    cosigned = cosign(log, key)

    with log.notes() as stored_notes:
        kept = stored_notes.newest_kept(log.key.pinned)
    note, batches = notes.parse(kept.note), notes.parse(kept.batches_note)
    assert (note, batches) == (cosigned.note, cosigned.batches_note)
    for each in (note, batches):
        assert len(log.key.pinned.verify(each)) == 2
        (ed25519, ml_dsa) = key.pinned.verify(each)
        assert (ed25519.algorithm, ml_dsa.algorithm) == ("Ed25519", "ML-DSA-44")
        assert ed25519.time_s == ml_dsa.time_s == cosigned.signed_s
    assert verify(log.url).result == "intact"


def test_a_quorum_of_witnesses_stands_in_one_note(log):
    for key in WITNESSES:
        cosigned = cosign(log, key)
    stranger = LogKey.create("witness.example/a", witness=True)

    pinned = [key.pinned for key in WITNESSES]
    names = [key.name for key in WITNESSES]
    assert witnesses_of(cosigned.note, pinned) == names
    assert witnesses_of(cosigned.note, [*pinned, *pinned]) == names
    assert witnesses_of(cosigned.note, [stranger.pinned, pinned[2]]) == names[2:]
    assert witnesses_of(cosigned.note, [log.key.pinned]) == []


def test_a_witness_that_signs_again_leaves_one_pair_of_lines(log):
    cosign(log, WITNESSES[0])
    cosign(log, WITNESSES[1])
    cosigned = cosign(log, WITNESSES[0])

    by_name = [line.name for line in cosigned.note.signatures]
    assert {name: by_name.count(name) for name in by_name} == {
        ORIGIN: 2, "witness.example/a": 2, "witness.example/b": 2,
    }  # fmt: skip


def test_a_witness_is_due_when_the_log_has_signed_more(log):
    with log.witness(WITNESSES[0]) as witness:
        assert witness.is_due(False)
        witness.cosign()
        assert not witness.is_due(False)

        log.append(3)
        assert not witness.is_due(False)
        log.sign()
        assert witness.is_due(False)
        assert witness.cosign().checkpoint.size == 9


def test_entries_that_are_not_signed_yet_are_no_matter_of_the_witness(log):
    log.append(3)

    assert cosign(log, WITNESSES[0]).checkpoint.size == 6


def refused(log, words, **options):
    rows = log.signed_sizes()
    with pytest.raises(SigningRefused, match=words):
        cosign(log, WITNESSES[0], **options)
    assert log.signed_sizes() == rows


def sign_anew(log, first_offset, batches):
    """The database's owner has the log's key too: rebuild everything, and sign it."""
    with tables_of(log.url) as tables:
        tables.drop_guards()
        for table in TABLES:
            if table != "log":
                tables.execute(f"delete from {table}")
    with closing(open_store(log.url)) as store:
        writer = Writer(store)
        for number in range(batches):
            first = first_offset + 5 * number
            writer.append([record(first + row) for row in range(5)])
    log.memory.path.unlink()
    log.memory.begin(ORIGIN)
    log.sign()


@pytest.mark.parametrize("batches", [1, 3])
def test_a_fork_that_the_log_signed_is_not_cosigned(log, batches):
    cosign(log, WITNESSES[0])
    sign_anew(log, 1000, batches)

    refused(log, "forked or rebuilt")
    refused(log, "another root at size 6", full=True)


def test_another_chain_of_batches_that_the_log_signed_is_not_cosigned(log):
    """The same entries, another position: only the chain over the batches tells."""
    cosign(log, WITNESSES[0])
    with tables_of(log.url) as tables:
        tables.drop_guards()
        tables.execute("update batch_partition set next_offset = 99")
        rechain(tables)
        tables.execute("delete from checkpoint")
    log.memory.path.unlink()
    log.memory.begin(ORIGIN)
    log.sign()

    refused(log, "forked or rebuilt")
    refused(log, "the chain over the batches is another one", full=True)


def test_a_smaller_log_that_was_signed_is_not_cosigned(log):
    log.append(5)
    log.sign()
    cosign(log, WITNESSES[0])
    sign_anew(log, 0, 1)

    refused(log, "rolled back")


def test_a_root_that_the_entries_do_not_give_is_not_cosigned(log):
    """The log's key signed what the log does not hold: a split view."""
    note = log.key.sign(Checkpoint(ORIGIN, 6, bytes(32)).to_text(), 1)
    with log.notes() as stored_notes:
        stored_notes.add([note], 1)

    refused(log, "another root than its 6 entries give")


def test_a_checkpoint_that_the_pinned_key_did_not_sign_is_not_cosigned(log, tmp_path):
    other = LogKey.create(ORIGIN)
    memory = MemoryFile(tmp_path / "other.json")
    memory.begin(ORIGIN)

    with (
        closing(Witness(log.url, WITNESSES[0], other.pinned, memory)) as witness,
        pytest.raises(SigningRefused, match=r"no checkpoint of .* that the pinned key signed"),
    ):
        witness.cosign()


def test_the_key_of_a_log_is_no_witness(log, tmp_path):
    with pytest.raises(SigningRefused, match="a witness has its own"):
        Witness(log.url, log.key, log.key.pinned, MemoryFile(tmp_path / "w"))
    with pytest.raises(SigningRefused, match="the pinned key tests"):
        Witness(
            log.url,
            WITNESSES[0],
            LogKey.create("tests.example/other").pinned,
            MemoryFile(tmp_path / "w"),
        )
