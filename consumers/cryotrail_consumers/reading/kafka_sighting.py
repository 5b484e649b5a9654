"""What identifies the logs of topics at this moment, as an Apache Kafka cluster describes them."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from typing import Any
from uuid import UUID

from kafka.errors import KafkaError

from cryotrail_consumers.errors import SourceInterrupted, TopicMissing
from cryotrail_consumers.reading.kafka_errors import translated
from cryotrail_consumers.reading.source import TopicSighting
from cryotrail_producers.kafka_clients import KafkaConnection, admin

_REQUEST_TIMEOUT_MS = 15_000


class KafkaSighting:
    """Topics as they were at the first look, and whether they still are.

    :raises KafkaUnreachable: no broker answers; retriable.
    :raises TopicMissing: a topic does not exist; retriable.
    """

    def __init__(self, connection: KafkaConnection, topics: Collection[str]) -> None:
        self._bootstrap = connection.bootstrap
        self._names = tuple(topics)
        self._admin: Any = admin(connection, request_timeout_ms=_REQUEST_TIMEOUT_MS)
        try:
            with translated("describing the topics", self._bootstrap):
                self.cluster_id = str(self._admin.describe_cluster()["cluster_id"])
            self.topics = self._look()
        except BaseException:
            self.close()
            raise

    def confirm(self) -> None:
        """Return when the topics look as they did at first.

        :raises SourceInterrupted: one was re-created, or a log may have lost its tail.
        """
        if self._look() != self.topics:
            raise SourceInterrupted(
                "a topic was re-created, or the leader of a partition changed or restarted",
                hint="nothing to do: the positions are checked against the new logs",
            )

    def close(self) -> None:
        """Close the connection; a failure is of no consequence."""
        with suppress(KafkaError):
            self._admin.close()

    def _look(self) -> dict[str, TopicSighting]:
        with translated("describing the topics", self._bootstrap):
            described = {one["name"]: one for one in self._admin.describe_topics(self._names)}
        sightings = {}
        for name in self._names:
            topic = described.get(name)
            if topic is None or topic["error_code"] != 0:
                raise TopicMissing(
                    f"the cluster at {self._bootstrap} has no topic {name}",
                    hint="`cryotrail kafka start` creates the topics of an embedded Kafka, "
                    "`cryotrail kafka topics` those of another cluster",
                )
            epochs = {one["partition_index"]: one["leader_epoch"] for one in topic["partitions"]}
            sightings[name] = TopicSighting(UUID(topic["topic_id"]), epochs)
        return sightings
