"""The configuration of the embedded Kafka: one KRaft node on loopback, and its log files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

NODE_ID = 1


def broker_properties(host: str, port: int, controller_port: int, data_dir: Path) -> str:
    """``server.properties`` of a node that is broker and controller at once.

    Topics are made by :mod:`cryotrail.embedded.topics` alone, hence no automatic creation. The
    internal topics have one replica, since there is one node, and few partitions, since there are
    few clients.
    """
    return _properties(
        {
            "process.roles": "broker,controller",
            "node.id": str(NODE_ID),
            "listeners": f"PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}",
            "advertised.listeners": f"PLAINTEXT://{host}:{port}",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "PLAINTEXT",
            "controller.quorum.voters": f"{NODE_ID}@{host}:{controller_port}",
            "log.dirs": str(data_dir),
            "auto.create.topics.enable": "false",
            "default.replication.factor": "1",
            "min.insync.replicas": "1",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "4",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "share.coordinator.state.topic.num.partitions": "4",
            # A lone consumer need not wait for others to join its group.
            "group.initial.rebalance.delay.ms": "0",
            # After a kill the broker's old registration must lapse before it is let in again.
            "broker.session.timeout.ms": "4000",
            "broker.heartbeat.interval.ms": "500",
            # Index files are allocated whole; the defaults would cost 10 MB a partition.
            "log.segment.bytes": str(16 * 1024 * 1024),
            "log.index.size.max.bytes": str(1024 * 1024),
        }
    )


def logging_properties(logs_dir: Path) -> str:
    """``log4j2.properties``: warnings and the broker's own milestones, in five files of 10 MB."""
    return _properties(
        {
            "name": "embedded-kafka",
            "status": "warn",
            # The broker shuts log4j down itself, as the last thing it does.
            "shutdownHook": "disable",
            "appender.file.type": "RollingFile",
            "appender.file.name": "file",
            "appender.file.fileName": str(logs_dir / "kafka.log"),
            "appender.file.filePattern": str(logs_dir / "kafka.log.%i"),
            "appender.file.layout.type": "PatternLayout",
            "appender.file.layout.pattern": "%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX} %p %m (%c)%n%ex",
            "appender.file.policies.type": "Policies",
            "appender.file.policies.size.type": "SizeBasedTriggeringPolicy",
            "appender.file.policies.size.size": "10MB",
            "appender.file.strategy.type": "DefaultRolloverStrategy",
            "appender.file.strategy.max": "5",
            "rootLogger.level": "info",
            "rootLogger.appenderRef.file.ref": "file",
            # Each prints its whole configuration at start, once a topic for the last.
            "logger.config.name": "org.apache.kafka.common.config.AbstractConfig",
            "logger.config.level": "warn",
            "logger.server_config.name": "kafka.server.KafkaConfig",
            "logger.server_config.level": "warn",
            "logger.log_config.name": "org.apache.kafka.storage.internals.log",
            "logger.log_config.level": "warn",
        }
    )


def _properties(values: Mapping[str, str]) -> str:
    """Java properties: a backslash in a value (as a folder may have) starts an escape."""
    return "".join(
        f"{name}={value.replace(chr(92), chr(92) * 2)}\n" for name, value in values.items()
    )
