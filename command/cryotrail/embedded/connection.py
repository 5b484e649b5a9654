"""Which Kafka a process talks to: the cluster that the settings name, else this home's own."""

from __future__ import annotations

from cryotrail.embedded.errors import EmbeddedKafkaNotRunning
from cryotrail.embedded.state import running_state
from cryotrail.settings import Settings
from cryotrail_producers.kafka_clients import KafkaConnection, KafkaSettingsRefused


def kafka_connection(settings: Settings) -> KafkaConnection:
    """The connection of a process.

    An address in the settings wins; without one it is the embedded Kafka of the home, which must
    be running. Nothing is contacted here.

    :raises EmbeddedKafkaNotRunning: neither is there.
    :raises KafkaSettingsRefused: the settings contradict each other.
    """
    if settings.kafka_bootstrap is not None:
        return KafkaConnection(
            bootstrap=settings.kafka_bootstrap,
            security_protocol=settings.kafka_security_protocol,
            sasl_mechanism=settings.kafka_sasl_mechanism,
            username=settings.kafka_username,
            password_file=settings.kafka_password_file,
            ca_file=settings.kafka_ca_file,
            cert_file=settings.kafka_cert_file,
            key_file=settings.kafka_key_file,
        )
    if settings.kafka_security_protocol != "PLAINTEXT":
        # Whoever asks for TLS means a cluster; loopback in its place would be a silent downgrade.
        raise KafkaSettingsRefused(
            f"CRYOTRAIL_KAFKA_SECURITY_PROTOCOL is {settings.kafka_security_protocol}, but no "
            "cluster is named",
            hint="set CRYOTRAIL_KAFKA_BOOTSTRAP",
        )
    state = running_state(settings.kafka_dir)
    if state is None:
        raise EmbeddedKafkaNotRunning(
            f"no Kafka is running for {settings.home}",
            hint="start one with `cryotrail kafka start`, or set CRYOTRAIL_KAFKA_BOOTSTRAP",
        )
    return KafkaConnection(bootstrap=state.bootstrap)
