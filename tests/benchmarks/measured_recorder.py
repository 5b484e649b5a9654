"""The process that ``bench_recorder.py`` measures: ``measured_recorder.py BOOTSTRAP URL``.

It records what Kafka holds into the store at the URL, as ``cryotrail record --until-caught-up``
does, and prints as one JSON object what that took and how much memory it held meanwhile.
"""

from __future__ import annotations

import json
import sys
from contextlib import closing

from process_costs import Mark, costs_between, memory_by_tenth, store_backend

from cryotrail_audit.store import open_store
from cryotrail_consumers.decoding.decoding import RecordDecoder
from cryotrail_consumers.decoding.known_schemas import KnownSchemas
from cryotrail_consumers.reading.kafka_source import KafkaSource, group_of
from cryotrail_consumers.recording.garbage import rare_collections
from cryotrail_consumers.recording.recorder import Recorder
from cryotrail_consumers.recording.tally import Tally
from cryotrail_producers.kafka_clients import KafkaConnection
from cryotrail_schemas.topics import EVENT_TOPICS


def record_and_measure(bootstrap: str, url: str) -> list[Mark]:
    """Record all that Kafka holds; what lies after the first transaction is counted."""
    marks: list[Mark] = []
    backend: int | None = None

    def mark(tally: Tally) -> None:
        nonlocal backend
        backend = backend or store_backend(url)
        marks.append(Mark.now(tally.records, backend))

    topics = EVENT_TOPICS
    share = url.startswith("postgresql")
    with closing(open_store(url)) as store, rare_collections():
        group = group_of(store.origin())
        Recorder(
            store,
            lambda: KafkaSource(KafkaConnection(bootstrap), topics, group, share=share),
            RecordDecoder(KnownSchemas(store)),
        ).run(until_caught_up=True, on_batch=mark)
    return marks


if __name__ == "__main__":
    measured = record_and_measure(*sys.argv[1:])
    print(json.dumps({"costs": costs_between(measured), "memory": memory_by_tenth(measured)}))
