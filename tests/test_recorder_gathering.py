"""While few records come, those of a tenth of a second share a transaction; a backlog never waits."""

from __future__ import annotations

from itertools import pairwise

from kafka_fixtures import KafkaNode
from recorded_kafka import all_entries, message_of, publish, recorder, running
from replayed_cohort import of_procedure
from waiting import until

from cryotrail_consumers.recording.gathering import GATHER_S, Gathering

MESSAGES = [message_of(event) for event in of_procedure("R01")[:400]]


def test_small_transactions_are_spaced_out(fresh_topics: KafkaNode, sqlite_url: str) -> None:
    with recorder(fresh_topics.connection, sqlite_url) as one, running(one):
        publish(fresh_topics.connection, MESSAGES, singly=True)
        until(lambda: one.tally.recorded == len(MESSAGES))

    times_us = sorted({entry.recorded_us for entry in all_entries(sqlite_url, kinds=(0,))})
    assert len(times_us) > 1
    spans_s = [(later - earlier) / 1e6 for earlier, later in pairwise(times_us)]
    assert min(spans_s) > 0.9 * GATHER_S, spans_s


def test_a_large_transaction_is_followed_at_once() -> None:
    gathering = Gathering(gather_s=3600.0)
    gathering.wait()
    gathering.recorded(5000)
    gathering.wait()
