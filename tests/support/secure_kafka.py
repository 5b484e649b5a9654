"""An Apache Kafka that wants TLS and a SCRAM password, for the tests of the clients' security."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from kafka_fixtures import home_settings

from cryotrail.embedded.data_folder import new_cluster_id
from cryotrail.embedded.jars import pinned_jars, require_jars
from cryotrail.embedded.java import find_java
from cryotrail.embedded.ports import free_port
from cryotrail.embedded.process import spawn, terminate
from cryotrail.embedded.properties import broker_properties, logging_properties
from cryotrail.embedded.readiness import await_ready
from cryotrail.embedded.state import BrokerState, properties_path

USER = "room-3"
PASSWORD = "correct horse battery staple"


class SecureKafka:
    """One node: a plain listener for its administrator, and a SASL_SSL one for clients."""

    def __init__(self, home: Path) -> None:
        self.settings = home_settings(home)
        self._kafka_dir = self.settings.kafka_dir
        self._kafka_dir.mkdir(parents=True)
        self.settings.logs_dir.mkdir()
        self._java = find_java(self.settings.java_home)
        self.ca_file = self._certificate("server")
        self.other_ca_file = self._certificate("stranger")
        port = free_port(None)
        self.plain_port = free_port(None, taken=port)
        self.bootstrap = f"127.0.0.1:{port}"
        self._start(port, new_cluster_id())

    def stop(self) -> None:
        assert terminate(self._pid, str(properties_path(self._kafka_dir)), timeout_s=30)

    def _certificate(self, name: str) -> Path:
        """A self-signed certificate for 127.0.0.1; returns it as PEM, the key stays in its store."""
        keytool = self._java.executable.resolve().with_name("keytool")
        store = ["-alias", name, "-keystore", str(self._store(name)), "-storepass", "changeit"]
        generate = ["-genkeypair", "-keyalg", "EC", "-dname", f"CN={name}"]
        subprocess.run(
            [keytool, *generate, "-validity", "2", "-ext", "san=ip:127.0.0.1", *store],
            check=True,
            capture_output=True,
        )
        exported = subprocess.run(
            [keytool, "-exportcert", "-rfc", *store], check=True, capture_output=True
        )
        pem = self._kafka_dir / f"{name}.pem"
        pem.write_bytes(exported.stdout)
        return pem

    def _store(self, name: str) -> Path:
        return self._kafka_dir / f"{name}.p12"

    def _start(self, port: int, cluster_id: str) -> None:
        controller_port = free_port(None, taken=port)
        plain = broker_properties(
            "127.0.0.1", self.plain_port, controller_port, self._kafka_dir / "data"
        )
        secured = {
            "listeners=": f"SECURE://{self.bootstrap},",
            "advertised.listeners=": f"SECURE://{self.bootstrap},",
            "listener.security.protocol.map=": "SECURE:SASL_SSL,",
        }
        for name, added in secured.items():
            plain = plain.replace(f"\n{name}", f"\n{name}{added}")
        scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        own = f"""\
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.secure.scram-sha-512.sasl.jaas.config={scram}
ssl.keystore.location={self._store("server")}
ssl.keystore.password=changeit
ssl.key.password=changeit
"""
        properties = properties_path(self._kafka_dir)
        properties.write_text(plain + own)
        logging = self._kafka_dir / "log4j2.properties"
        logging.write_text(logging_properties(self.settings.logs_dir))
        jars = require_jars(self.settings.cache_dir, pinned_jars())
        java = [
            str(self._java.executable),
            *self._java.options(),
            f"-Dlog4j2.configurationFile={logging}",
            "-cp",
            os.pathsep.join(map(str, jars)),
        ]
        user = f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]"
        tool = ["kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(properties)]
        subprocess.run([*java, *tool, "--add-scram", user], check=True, capture_output=True)
        console = self.settings.logs_dir / "kafka-console.log"
        self._pid = spawn([*java, "kafka.Kafka", str(properties)], console, os.environ)
        state = BrokerState(
            cluster_id, "", "127.0.0.1", self.plain_port, controller_port, self._pid
        )
        await_ready(state, self.settings, timeout_s=60)
