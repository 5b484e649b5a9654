"""Telemetry has a topic of its own; everything else shares one."""

from cryotrail_schemas import topics
from cryotrail_schemas.events import EVENT_CLASSES


def test_chunks_go_to_telemetry_and_all_else_to_procedure_events():
    telemetry = {name for name in EVENT_CLASSES if topics.topic_of(name) == topics.PROBE_TELEMETRY}

    assert telemetry == {"ProbeTelemetryChunk"}
    assert topics.topic_of("FreezeStarted") == "cryotrail.procedure-events"
    assert topics.PROBE_TELEMETRY == "cryotrail.probe-telemetry"


def test_the_topics_of_events_are_those_that_some_event_travels_by():
    assert {topics.topic_of(name) for name in EVENT_CLASSES} == set(topics.EVENT_TOPICS)
    assert len(topics.EVENT_TOPICS) == len(set(topics.EVENT_TOPICS))
