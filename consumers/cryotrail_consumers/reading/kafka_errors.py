"""The errors of kafka-python, translated in one place into those of the recorder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kafka.errors import (
    AuthorizationError,
    CorruptRecordError,
    FencedInstanceIdError,
    KafkaError,
    UnsupportedCodecError,
)

from cryotrail_consumers.errors import CodecMissing, LogDamaged, SourceInterrupted, TakenOver
from cryotrail_producers.kafka_clients import KafkaAccessRefused


@contextmanager
def translated(doing: str, bootstrap: str) -> Iterator[None]:
    """Turn what a Kafka client raises while ``doing`` something into our errors.

    Whatever is not known to be permanent is :class:`SourceInterrupted`: the source is then closed
    and opened anew, which also frees the partitions on which kafka-python gets stuck after an
    exception in the midst of a fetched batch.
    """
    try:
        yield
    except AuthorizationError as error:
        raise KafkaAccessRefused(
            f"the Kafka cluster at {bootstrap} refused {doing}: {error}",
            hint="the recorder needs READ and DESCRIBE on both topics and on its group",
        ) from error
    except UnsupportedCodecError as error:
        raise CodecMissing(
            f"{doing} from {bootstrap} failed: {error}",
            hint="a producer compresses with a codec whose library is missing here: "
            "pip install 'kafka-python[lz4,snappy,zstd]'",
        ) from error
    except CorruptRecordError as error:
        raise LogDamaged(f"{doing} from {bootstrap} failed: {error}") from error
    except FencedInstanceIdError as error:
        # To join again would displace the other one in turn, and so on for ever.
        raise TakenOver(
            "another recorder joined the group under this one's name",
            hint="give each running recorder a CRYOTRAIL_RECORDER_INSTANCE of its own, or none",
        ) from error
    except KafkaError as error:
        raise SourceInterrupted(
            f"{doing} from {bootstrap} failed: {type(error).__name__}: {error}"
        ) from error
