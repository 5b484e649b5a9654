"""The errors of the embedded Kafka.

EmbeddedKafkaError
├── JavaNotFound          no Java runtime that can run it
├── JarRefused            a jar whose bytes are not the pinned ones
├── JarsUnavailable       jars that are missing and cannot be fetched
├── DataFolderRefused     a data folder that is not this home's
├── BrokerFailed          the process ended, or was not ready in time
├── TopicsRefused         a cluster that refused to create or describe the topics
└── EmbeddedKafkaNotRunning
"""

from __future__ import annotations

from cryotrail_schemas.errors import CryotrailError


class EmbeddedKafkaError(CryotrailError):
    """Something about the Kafka node that cryotrail runs by itself."""


class JavaNotFound(EmbeddedKafkaError):
    """There is no Java runtime new enough, or the one that was asked for is unusable."""


class JarRefused(EmbeddedKafkaError):
    """A jar's SHA-256 differs from the pinned one; it was not, and must not be, run."""


class JarsUnavailable(EmbeddedKafkaError):
    """A jar is not in the cache and could not be fetched."""

    retriable = True


class DataFolderRefused(EmbeddedKafkaError):
    """The data folder holds something that this home did not put there; it was left untouched."""


class BrokerFailed(EmbeddedKafkaError):
    """The broker's process ended, or did not become ready or stop in time."""


class EmbeddedKafkaNotRunning(EmbeddedKafkaError):
    """No broker runs for this home."""


class TopicsRefused(EmbeddedKafkaError):
    """The cluster refused to create or describe the topics."""
