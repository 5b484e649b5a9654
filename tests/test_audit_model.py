"""Any history of appends, corrections and failures leaves the log that a simple model expects."""

import shutil
from contextlib import closing
from dataclasses import replace
from hashlib import sha256
from itertools import count
from unittest.mock import patch
from uuid import UUID

import pytest
from audit_records import CLUSTER, TOPIC_NAME, progress, record
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from key_stores import key_store
from pymerkle import InmemoryTree
from room_events import freeze, header
from signed_logs import SignedLog

from cryotrail_audit import databases
from cryotrail_audit.erasure.erase import ERASURE, erase_subject
from cryotrail_audit.erasure.trace import trace
from cryotrail_audit.errors import Fenced
from cryotrail_audit.framing import pack_head, pack_tail
from cryotrail_audit.proofs.prover import Prover
from cryotrail_audit.records import (
    ADMINISTRATIVE,
    CONFLICT,
    EVENT,
    Administrative,
    IncomingBatch,
    IncomingRecord,
)
from cryotrail_audit.store import open_store
from cryotrail_audit.verification import verify
from cryotrail_schemas.catalog import catalog
from cryotrail_schemas.codec import encode, frame_single_object
from cryotrail_schemas.events import CorrectionReason, EventAmended, EventVoided, FieldChange
from cryotrail_schemas.merkle_proofs import verify_consistency
from cryotrail_schemas.personal import subject_scope

PROCEDURES = [UUID(int=number) for number in range(1, 4)]


class Died(Exception):
    """Stands for the death of a process in the middle of an append."""


class StoreMachine(RuleBasedStateMachine):
    """One store, the recorders that write it, and a list that says what it must hold."""

    new_url = None
    new_folder = None

    def __init__(self):
        super().__init__()
        self.url = type(self).new_url()
        self.folder = type(self).new_folder()
        self.log = SignedLog(self.url, self.folder)
        self.keys = key_store(self.folder)
        self.keys.data_key(subject_scope(header(PROCEDURES[0]).subject_id))
        self.events = []
        self.expected = []  # (kind, event_id, raw) of every entry that is not administrative
        self.said = []  # types of administrative entries
        self.checkpoints = []
        self.redelivered = 0
        self.cycles = count(1)
        self.owners = count(1)
        self.store = open_store(self.url)
        self.generation = 0
        self.take_over()

    def teardown(self):
        self.store.close()
        found = verify(self.url)
        assert (found.result, found.size) == ("intact", len(self.expected) + len(self.said))

    def take_over(self):
        """Register the topic and claim its partition under a new name."""
        self.owner = f"recorder-{next(self.owners)}"
        before = len(self.store.topics())
        uuid = UUID(int=0x5EED + self.generation)
        self.topic_id = self.store.register_topic(CLUSTER, uuid, TOPIC_NAME)
        self.said += ["topic"] * (len(self.store.topics()) - before)
        self.epoch = self.store.claim(self.owner, self.topic_id, [0])[0]
        position = self.store.position(TOPIC_NAME, 0)
        is_same = position is not None and position.topic_id == self.topic_id
        self.offset = position.next_offset if is_same else 0

    def incoming(self, events):
        """The records of events, at the next offsets of the partition."""
        records = []
        for number, event in enumerate(events):
            kind = catalog().current(event.TYPE)
            known = kind.sha256 in self.store.schemas()
            self.store.register_schema(kind.text, kind.fingerprint, kind.name, kind.version)
            self.said += [] if known else ["schema"]
            body = encode(event)
            records.append(
                record(
                    self.offset + number,
                    event_id=event.header.event_id.bytes,
                    event_type=event.TYPE,
                    procedure_id=event.header.procedure_id.bytes,
                    topic_id=self.topic_id,
                    schema_sha256=kind.sha256,
                    raw=frame_single_object(kind, body),
                    content_hash=sha256(body).digest(),
                )
            )
        return records

    def append(self, events, store=None):
        """Append, and note in the model what has to become of each."""
        records = self.incoming(events)
        batch = IncomingBatch(
            [(EVENT, item) for item in records], [progress(records, self.epoch)], (), self.owner
        )
        outcome = (store or self.store).append(batch)
        self.offset += len(records)
        before = len(self.expected)
        for item in records:
            same_id = [raw for _, event_id, raw in self.expected if event_id == item.event_id]
            if item.raw in same_id:
                self.redelivered += 1
                continue
            self.expected.append((CONFLICT if same_id else EVENT, item.event_id, item.raw))
        kinds = [kind for kind, _, _ in self.expected[before:]]
        assert outcome.recorded == kinds.count(EVENT)
        assert outcome.conflicts == kinds.count(CONFLICT)
        return outcome

    def known_event(self, data):
        """An event that was recorded."""
        return data.draw(st.sampled_from(self.events))

    def fresh(self, procedure):
        event = freeze(procedure, next(self.cycles))
        self.events.append(event)
        return event

    @rule(procedures=st.lists(st.sampled_from(PROCEDURES), min_size=1, max_size=6))
    def append_new(self, procedures):
        self.append([self.fresh(procedure) for procedure in procedures])

    @precondition(lambda self: self.events)
    @rule(data=st.data(), further=st.booleans())
    def redeliver(self, data, further):
        again = [self.known_event(data)]
        self.append(again + ([self.fresh(PROCEDURES[0])] if further else []))

    @precondition(lambda self: self.events)
    @rule(data=st.data())
    def same_id_other_content(self, data):
        event = self.known_event(data)
        if hasattr(event, "cycle_no"):
            self.append([replace(event, cycle_no=event.cycle_no + 1000)])

    @precondition(lambda self: self.events)
    @rule(data=st.data(), value=st.integers(1, 9))
    def amend(self, data, value):
        target = self.known_event(data)
        amendment = EventAmended(
            header=header(target.header.procedure_id),
            target_event_id=target.header.event_id,
            target_content_hash=sha256(encode(target)).digest(),
            changes=(FieldChange(path="/cycle_no", value_json=str(value), old_value_json="1"),),
            reason=CorrectionReason.OTHER,
        )
        self.events.append(amendment)
        self.append([amendment])

    @precondition(lambda self: self.events)
    @rule(data=st.data())
    def void(self, data):
        target = self.known_event(data)
        voiding = EventVoided(
            header=header(target.header.procedure_id),
            target_event_id=target.header.event_id,
            target_content_hash=sha256(encode(target)).digest(),
            reason=CorrectionReason.OTHER,
        )
        self.events.append(voiding)
        self.append([voiding])

    @rule()
    def say(self):
        self.store.append(IncomingBatch((), (), [Administrative("loss_alarm", {"part": 0})], ""))
        self.said.append("loss_alarm")

    @precondition(lambda self: self.expected)
    @rule()
    def sign_a_checkpoint(self):
        signed = self.log.sign().checkpoint
        head = self.store.head()
        assert (signed.size, signed.root) == (head.tree_size, head.root)
        self.checkpoints.append((signed.size, signed.root))

    @precondition(lambda self: self.expected)
    @rule()
    def erase_the_subject(self):
        subject_id = header(PROCEDURES[0]).subject_id
        found = trace(self.store, subject_id)
        erased = erase_subject(self.store, self.keys, subject_id, found, "Art. 17", "the test")
        self.said += [] if erased.stated_before else [ERASURE]

    @rule()
    def die_before_the_batch_row_and_reopen(self):
        dying = patch("cryotrail_audit.appending.append._close", side_effect=Died)
        records = self.incoming([freeze(PROCEDURES[0])])
        with dying, pytest.raises(Died):
            self.store.append(
                IncomingBatch(
                    [(EVENT, records[0])], [progress(records, self.epoch)], (), self.owner
                )
            )
        self.store.close()
        self.store = open_store(self.url)
        self.take_over()

    @rule()
    def a_second_writer_takes_over(self):
        older = (self.owner, self.epoch)
        with closing(open_store(self.url)) as second:
            self.take_over()
            self.append([self.fresh(PROCEDURES[1])], second)
        records = self.incoming([freeze(PROCEDURES[1])])
        stale = IncomingBatch([(EVENT, records[0])], [progress(records, older[1])], (), older[0])
        with pytest.raises(Fenced):
            self.store.append(stale)

    @precondition(lambda self: self.generation < 3)
    @rule()
    def the_topic_is_made_anew(self):
        self.generation += 1
        self.take_over()

    @invariant()
    def the_log_is_what_was_appended(self):
        entries = [entry for rows in self.store.entries() for entry in rows]
        assert [entry.seq for entry in entries] == list(range(len(entries)))
        events = [entry for entry in entries if entry.kind != ADMINISTRATIVE]
        assert [(entry.kind, entry.event_id, entry.raw) for entry in events] == self.expected
        said = [entry.event_type for entry in entries if entry.kind == ADMINISTRATIVE]
        assert sorted(said) == sorted(self.said)
        assert self.store.counts().redeliveries == self.redelivered
        for procedure in PROCEDURES:
            numbers = [e.procedure_entry_no for e in events if e.procedure_id == procedure.bytes]
            assert numbers == list(range(1, len(numbers) + 1))

    @invariant()
    def the_root_is_that_of_an_independent_tree(self):
        tree = InmemoryTree(algorithm="sha256")
        for rows in self.store.entries():
            for entry in rows:
                stamp = (entry.log_id, entry.kind, entry.procedure_entry_no)
                head = pack_head(*stamp, entry.seq, entry.recorded_us)
                columns = {name: getattr(entry, name) for name in IncomingRecord._fields}
                # pymerkle puts RFC 6962's prefix of a leaf before it; the framing's version follows.
                tree.append_entry(b"\x01" + head + pack_tail(IncomingRecord(**columns)))
        head = self.store.head()
        assert tree.get_size() == head.tree_size
        assert head.tree_size == 0 or tree.get_root() == head.root

    @invariant()
    def what_was_a_checkpoint_once_is_still_the_past(self):
        if not any(size for size, _ in self.checkpoints):
            return
        engine = databases.engine_of(databases.parse_url(self.url))
        with engine.connect() as connection:
            prover = Prover(connection)
            for size, root in set(self.checkpoints):
                if size:
                    proof = prover.consistency(size, prover.size)
                    verify_consistency(size, root, prover.size, self.store.head().root, proof)
        engine.dispose()


def run(new_url, folder, examples):
    numbers = count()

    def new_folder():
        made = folder / f"signer-{next(numbers)}"
        made.mkdir()
        return made

    made = {"new_url": staticmethod(new_url), "new_folder": staticmethod(new_folder)}
    run_state_machine_as_test(
        type("Machine", (StoreMachine,), made),
        settings=settings(
            max_examples=examples,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_any_history_gives_the_log_of_the_model_on_sqlite(_sqlite_template, tmp_path):
    numbers = count()

    def new_url():
        file = tmp_path / f"{next(numbers)}.sqlite3"
        shutil.copyfile(_sqlite_template, file)
        return f"sqlite:///{file}"

    run(new_url, tmp_path, examples=12)


def test_any_history_gives_the_log_of_the_model_on_postgresql(
    postgres_server, _new_postgres_database, tmp_path
):
    run(lambda: postgres_server.url(_new_postgres_database(True)), tmp_path, examples=5)
