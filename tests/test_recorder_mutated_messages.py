"""Ten thousand messages that went wrong, among good ones: each is accounted for by its place."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import NamedTuple, get_args

import pytest
from kafka_fixtures import KafkaNode
from many_messages import many_messages
from mutated_messages import CERTAIN, MUTATIONS, Mutant, mutants, produce
from recorded_kafka import Place, record_all
from sqlalchemy import Engine, Row, create_engine, text

from cryotrail_audit.databases import parse_url
from cryotrail_audit.verification import verify
from cryotrail_schemas.errors import QuarantineCode
from cryotrail_schemas.topics import EVENT_TOPICS

MUTANTS = 10_000
MUTANTS_A_MESSAGE = 5
SEED = 20261122


class Kept(NamedTuple):
    """What a store says of one record."""

    outcome: str
    reason: str | None
    raw: bytes | None
    key: bytes | None


def kept_by_place(url: str) -> dict[Place, Kept]:
    """Every entry and every redelivery that comes from Kafka; no place has two."""
    engine: Engine = create_engine(parse_url(url))
    schema = "audit." if engine.dialect.name == "postgresql" else ""
    with engine.connect() as connection:

        def rows(sql: str) -> list[Row[tuple[object, ...]]]:
            return list(connection.execute(text(sql.replace("audit.", schema))))

        entries = rows(
            "select t.name, e.part, e.kafka_offset, e.kind, e.reason, e.raw, e.kafka_key"
            " from audit.entry e join audit.topic t using (topic_id)"
        )
        again = rows(
            "select t.name, r.part, r.kafka_offset, coalesce(r.raw, e.raw)"
            " from audit.redelivery r join audit.topic t using (topic_id)"
            " join audit.entry e on e.log_id = r.log_id and e.seq = r.seq"
        )
    engine.dispose()
    kinds = ("event", "conflict", "quarantined")
    found = [(Place(*row[:3]), Kept(kinds[row[3]], *row[4:])) for row in entries]
    found += [(Place(*row[:3]), Kept("redelivery", None, row[3], None)) for row in again]
    by_place = dict(found)
    assert len(by_place) == len(found), "a place is recorded twice"
    return by_place


@pytest.fixture(scope="module")
def good_and_bad() -> tuple[list[Mutant], list[Mutant]]:
    """Good messages, and mutants of others, so that no mutant can take the place of a good one."""
    wanted = MUTANTS // MUTANTS_A_MESSAGE
    messages = iter(many_messages(10 * wanted))
    good = [Mutant("good", message) for message in islice(messages, wanted)]
    donors = {
        topic: [message for message in messages if message.topic == topic][:300]
        for topic in EVENT_TOPICS
    }
    return good, list(mutants([m for of in donors.values() for m in of], MUTANTS, SEED))


def test_every_mutated_message_is_accounted_for_by_its_place_and_every_good_one_recorded(
    fresh_topics: KafkaNode, store_url: str, good_and_bad: tuple[list[Mutant], list[Mutant]]
) -> None:
    good, bad = good_and_bad
    sent = [
        one
        for number, message in enumerate(good)
        for one in (message, *bad[number * MUTANTS_A_MESSAGE :][:MUTANTS_A_MESSAGE])
    ]
    places = produce(fresh_topics.bootstrap, [one.message for one in sent])

    tally = record_all(fresh_topics.connection, store_url)

    kept = kept_by_place(store_url)
    assert kept.keys() == set(places)
    outcomes: dict[str, Counter[str]] = {name: Counter() for name in ("good", *MUTATIONS)}
    for (mutation, message), place in zip(sent, places, strict=True):
        outcome, reason, raw, key = kept[place]
        assert raw == message.value, (mutation, place)
        assert outcome == "redelivery" or key == message.key
        if outcome == "quarantined":
            assert reason in get_args(QuarantineCode)
            assert reason in CERTAIN.get(mutation, {reason}), (mutation, place)
        else:
            assert mutation not in CERTAIN, (mutation, outcome, place)
        outcomes[mutation][outcome] += 1
    assert outcomes["good"] == {"event": len(good)}
    assert outcomes["sent again"]["redelivery"] > 0
    assert sum(count["conflict"] for count in outcomes.values()) > 100
    total = sum(outcomes.values(), Counter[str]())
    assert total == {
        "event": tally.recorded,
        "redelivery": tally.redelivered,
        "conflict": tally.conflicts,
        "quarantined": tally.quarantined,
    }
    assert tally.held_up == 0
    assert verify(store_url).result == "intact"
