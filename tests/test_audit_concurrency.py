"""Two writers take turns: numbers without a gap, every row once, and readers miss nothing."""

import threading
from contextlib import closing

import pytest
from audit_records import CLUSTER, TOPIC_NAME, TOPIC_UUID, Writer, batch, record
from store_tables import tables_of

from cryotrail_audit import databases
from cryotrail_audit.appending.append import append
from cryotrail_audit.appending.postgresql import PostgresqlAppends
from cryotrail_audit.appending.prepare import prepare
from cryotrail_audit.errors import StoreBusy
from cryotrail_audit.store import open_store
from cryotrail_audit.verification import verify

BATCHES = 12
ROWS = 20


def test_two_writers_leave_one_log_and_a_reader_beside_them_misses_nothing(store_url):
    with closing(open_store(store_url)) as store:
        topic_id = store.register_topic(CLUSTER, TOPIC_UUID, TOPIC_NAME)
    failures = []
    start = threading.Barrier(3)

    def write(part):
        try:
            with closing(open_store(store_url)) as store:
                owner = f"recorder-{part}"
                epoch = store.claim(owner, topic_id, [part])[part]
                start.wait(30)
                for first in range(0, BATCHES * ROWS, ROWS):
                    rows = [
                        record(first + row, part=part)._replace(
                            event_id=b"%08d%08d" % (part, first + row)
                        )
                        for row in range(ROWS)
                    ]
                    store.append(batch(rows, epoch, owner=owner))
        except BaseException as error:
            failures.append(error)
            raise

    writers = [threading.Thread(target=write, args=(part,)) for part in (0, 1)]
    for writer in writers:
        writer.start()
    seen = []
    with closing(open_store(store_url)) as reader:
        start.wait(30)
        while any(writer.is_alive() for writer in writers):
            after = seen[-1] if seen else -1
            seen += [entry.seq for rows in reader.entries(after_seq=after) for entry in rows]
        for writer in writers:
            writer.join(30)
        after = seen[-1] if seen else -1
        seen += [entry.seq for rows in reader.entries(after_seq=after) for entry in rows]
        parts = [entry.part for rows in reader.entries(kinds=(0,)) for entry in rows]

    assert not failures
    assert seen == list(range(1 + 2 * BATCHES * ROWS))
    assert sorted(parts) == [0] * BATCHES * ROWS + [1] * BATCHES * ROWS
    assert verify(store_url).result == "intact"


def test_one_store_may_be_shared_between_threads(audit_store):
    topic_id = audit_store.register_topic(CLUSTER, TOPIC_UUID, TOPIC_NAME)
    outcomes = []

    def write(part):
        epoch = audit_store.claim("shared", topic_id, [part])[part]
        rows = [record(part, part=part)._replace(kafka_offset=0)]
        outcomes.append(audit_store.append(batch(rows, epoch, owner="shared")))

    threads = [threading.Thread(target=write, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(outcome.first_seq for outcome in outcomes) == [1, 2, 3, 4]


def test_a_writer_that_waits_too_long_is_told_so_and_may_try_again(store_url, monkeypatch):
    monkeypatch.setattr(databases, "LOCK_WAIT_S", 1)
    with closing(open_store(store_url)) as store, tables_of(store_url) as other:
        writer = Writer(store)
        if store_url.startswith("sqlite"):
            other.execute("begin immediate")
        else:
            other.execute("begin")
            other.execute(f"select pg_advisory_xact_lock({databases.APPEND_LOCK})")

        with pytest.raises(StoreBusy) as busy:
            writer.append([record(0)])
        other.execute("rollback")

        assert busy.value.retriable
        assert writer.append([record(0)]).recorded == 1


@pytest.fixture
def appends(postgres_url):
    """Append transactions of their own, beside a store on the same database."""
    engine = databases.engine_of(databases.parse_url(postgres_url))
    yield PostgresqlAppends(engine)
    engine.dispose()


def test_whoever_waited_for_the_lock_sees_what_the_other_committed(postgres_url, appends):
    """A snapshot from before the wait would miss it, and the event would be recorded twice."""
    with closing(open_store(postgres_url)) as store:
        mine = Writer(store)
        epoch = store.claim("other", mine.topic_id, [1])[1]
        same_event = record(0, part=1)
        outcomes = []
        waiting = threading.Thread(
            target=lambda: outcomes.append(store.append(batch([same_event], epoch, owner="other")))
        )

        with appends.transaction() as transaction:
            waiting.start()
            _wait_for_a_waiting_session(postgres_url)
            prepared = prepare(batch([record(0)], mine.epoch))
            append(transaction, prepared, 0, lambda _digest: None)
        waiting.join(30)

    (outcome,) = outcomes
    assert (outcome.recorded, outcome.redelivered) == (0, 1)


def _wait_for_a_waiting_session(url):
    with tables_of(url) as tables:
        for _ in range(300):
            waiting = tables.execute(
                "select count(*) from pg_locks where locktype = 'advisory' and not granted"
            )
            if waiting[0][0]:
                return
            tables.execute("select pg_sleep(0.02)")
    raise AssertionError("nobody waits for the lock")


def test_an_append_reads_what_is_committed_whatever_the_servers_default(postgres_url, appends):
    with tables_of(postgres_url) as tables:
        ((name,),) = tables.execute("select current_database()")
        tables.execute(f"alter database {name} set default_transaction_isolation = 'serializable'")

    with appends.transaction() as transaction:
        level = transaction.connection.exec_driver_sql("show transaction_isolation").scalar()

    assert level == "read committed"
