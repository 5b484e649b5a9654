"""After a restore and a continuation the recorder reads again from Kafka what the restore lost."""

from __future__ import annotations

from contextlib import closing

from backups import backup
from continued_log import signed
from kafka_fixtures import KafkaNode
from recorded_kafka import all_entries, message_of, publish, record_all
from replayed_cohort import of_procedure

from cryotrail_audit.checkpoints.keys import LogKey
from cryotrail_audit.continuing import continue_log
from cryotrail_audit.store import open_store
from cryotrail_audit.verification import verify


def test_what_the_restore_lost_is_recorded_in_the_new_log(
    fresh_topics: KafkaNode, store_url: str
) -> None:
    events = of_procedure("R01")
    messages = [message_of(event, number) for number, event in enumerate(events, start=1)]
    kept, lost = messages[:40], messages[40:]
    publish(fresh_topics.connection, kept)
    record_all(fresh_topics.connection, store_url)
    with backup(store_url) as taken:
        publish(fresh_topics.connection, lost)
        record_all(fresh_topics.connection, store_url)
        with closing(open_store(store_url)) as store:
            before = store.counts()
            last = signed(store, LogKey.create(store.origin()))
        taken.restore()
    # The outbox sends some of it once more, as it may after a failure of its own.
    publish(fresh_topics.connection, messages[38:42])

    continue_log(store_url, [last], "disk failed")
    tally = record_all(fresh_topics.connection, store_url)

    assert (tally.recorded, tally.redelivered, tally.alarms) == (len(lost), 4, 0)
    entries = all_entries(store_url, kinds=(0,))
    assert {entry.event_id for entry in entries} == {e.header.event_id.bytes for e in events}
    assert [entry.log_id for entry in entries] == [1] * len(kept) + [2] * len(lost)
    with closing(open_store(store_url)) as store:
        assert store.counts()[:3] == before[:3]
    assert verify(store_url).result == "intact"
