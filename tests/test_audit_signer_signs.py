"""The signer signs what it hashed itself: the log, its batch chain, and the heads of procedures."""

from contextlib import closing
from hashlib import sha256
from uuid import UUID

import pytest
from audit_records import record
from signed_logs import ORIGIN, SignedLog
from store_tables import tables_of

from cryotrail_audit.checkpoints import checkpoint as checkpoints
from cryotrail_audit.checkpoints import head as heads
from cryotrail_audit.checkpoints import note as notes
from cryotrail_audit.checkpoints.errors import SigningRefused
from cryotrail_audit.checkpoints.keys import LogKey
from cryotrail_audit.checkpoints.log_reader import LogReader
from cryotrail_audit.checkpoints.memory import Memory
from cryotrail_audit.checkpoints.signer import Signer
from cryotrail_audit.store import open_store
from cryotrail_audit.verification import verify


@pytest.fixture
def log(store_url, tmp_path):
    signed_log = SignedLog(store_url, tmp_path)
    signed_log.append(5)
    return signed_log


def test_a_signed_checkpoint_has_the_size_and_root_of_the_store(log):
    signed = log.sign()

    with closing(open_store(log.url)) as store:
        head = store.head()
    assert signed.checkpoint == (ORIGIN, head.tree_size, head.root)
    with log.notes() as stored_notes:
        stored = stored_notes.newest_signed(ORIGIN, log.key.pinned)
    assert (stored.tree_size, stored.root, stored.note) == (
        head.tree_size,
        head.root,
        signed.note.to_bytes(),
    )
    assert checkpoints.parse(notes.parse(stored.note).text) == signed.checkpoint


def test_the_end_of_the_batch_chain_is_signed_beside_it(log):
    log.append(3)
    log.sign()

    with tables_of(log.url) as tables:
        ((batch_no, batch_hash),) = tables.execute(
            "select batch_no, batch_hash from batch order by batch_no desc limit 1"
        )
    with log.notes() as stored_notes:
        stored = stored_notes.newest_signed(f"{ORIGIN}/batches", log.key.pinned)
    assert (stored.tree_size, stored.root) == (batch_no + 1, bytes(batch_hash))


def test_new_rows_alone_are_read(log, monkeypatch):
    log.sign()
    log.append(7)
    read = []

    signed = log.sign(progress=read.append)

    assert sum(read) == 7
    assert signed.checkpoint.size == 1 + 5 + 7
    full = []
    assert log.sign(full=True, progress=full.append).checkpoint == signed.checkpoint
    assert sum(full) == signed.checkpoint.size


@pytest.mark.parametrize("end", ["ProcedureEnded", "ProcedureSealed"])
def test_a_procedure_that_ended_gets_its_head(log, end):
    log.append(1, event_type=end)
    procedure_id = UUID(bytes=record(5).procedure_id)

    signed = log.sign()

    (note,) = signed.heads
    head = heads.parse(note.text)
    with tables_of(log.url) as tables:
        leaves = tables.execute(
            "select leaf_hash from entry where procedure_entry_no is not null"
            " and event_type is not null order by procedure_id, procedure_entry_no"
        )
        own = tables.execute(
            "select procedure_id, leaf_hash from entry where procedure_id is not null"
            " order by procedure_entry_no"
        )
    assert len(leaves) == 6
    mine = [bytes(leaf) for owner, leaf in own if _bytes(owner) == procedure_id.bytes]
    assert (head.origin, head.procedure_id, head.tree_size) == (ORIGIN, procedure_id, 7)
    assert (head.entry_count, head.leaves_hash) == (len(mine), sha256(b"".join(mine)).digest())
    assert len(log.key.pinned.verify(note)) == 2
    with log.notes() as stored_notes:
        assert [stored.note for stored in stored_notes.heads_of(procedure_id)] == [note.to_bytes()]
        assert stored_notes.heads_of(UUID(int=1)) == []
    assert log.sign().heads == ()


def _bytes(uuid):
    return uuid.bytes if isinstance(uuid, UUID) else bytes(uuid)


def test_a_head_is_signed_when_it_is_asked_for(log):
    log.sign()
    log.append(3)
    procedure_id = UUID(bytes=record(0).procedure_id)

    with log.signer() as signer:
        head = heads.parse(signer.sign_head(procedure_id).text)
        again = heads.parse(signer.sign_head(procedure_id).text)
        with pytest.raises(SigningRefused, match="no entry of procedure"):
            signer.sign_head(UUID(int=1))

    assert (head.entry_count, head.tree_size) == (3, 9)
    assert again == head._replace(signed_s=again.signed_s) and again.signed_s > head.signed_s


def test_an_empty_log_is_not_signed(store_url, tmp_path):
    log = SignedLog(store_url, tmp_path)

    with pytest.raises(SigningRefused, match="empty"):
        log.sign()
    with log.signer() as signer:
        assert not signer.is_due(waited=True)


def test_what_is_new_is_due_after_a_while_and_an_end_at_once(log):
    with log.signer() as signer:
        assert signer.is_due(waited=True)
        signer.sign()
        assert not signer.is_due(waited=True)

        log.append(2)
        assert not signer.is_due(waited=False)
        assert signer.is_due(waited=True)
        signer.sign()

        log.append(1, event_type="ProcedureEnded")
        assert signer.is_due(waited=False)


def test_the_store_verifies_with_what_was_signed_in_it(log):
    log.sign()
    log.append(300, event_type="ProcedureEnded")
    log.sign()

    assert verify(log.url).result == "intact"


def test_a_memory_comes_back_from_its_file(log):
    log.append(4, event_type="ProcedureEnded")
    log.sign()
    memory = log.memory.load()

    assert (memory.size, len(memory.procedures), memory.heads_due) == (10, 3, ())
    assert Memory.from_json(memory.to_json()).to_json() == memory.to_json()
    assert log.memory.path.stat().st_mode & 0o777 == 0o600


def test_many_ranges_give_what_one_pass_gives(log):
    for _ in range(4):
        log.append(300)
    with closing(LogReader(log.url)) as reader:
        at_once = reader.grown(Memory(ORIGIN), lambda _count: None)
        memory = Memory(ORIGIN)
        for through in range(1, at_once.batch_count + 1):
            memory = reader.grown(memory, lambda _count: None, through_batches=through)

    assert memory.to_json() == at_once.to_json()


def test_a_key_of_another_log_or_of_a_witness_does_not_sign(log):
    for key, words in (
        (LogKey.create("tests.example/other"), "the log is named tests"),
        (LogKey.create(ORIGIN, witness=True), "witness"),
    ):
        with pytest.raises(SigningRefused, match=words):
            Signer(log.url, key, log.memory)


def test_the_signers_role_is_enough(postgres_url, tmp_path):
    from guarded_store import guarded_store

    guarded = guarded_store(postgres_url)
    log = SignedLog(guarded.url_of("signer"), tmp_path)

    signed = log.sign(heads=[UUID(bytes=record(0).procedure_id)])

    assert log.signed_sizes() == [signed.checkpoint.size]
    assert len(signed.heads) == 1
    assert log.sign(full=True).checkpoint == signed.checkpoint
