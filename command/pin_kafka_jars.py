"""Print the pinned jar list of the embedded Kafka: ``python pin_kafka_jars.py 4.3.0 2.25.4``.

The arguments are the version of Apache Kafka and the version of log4j that it depends on. The
output replaces ``cryotrail/embedded/kafka-jars.txt``; compare it with the tree that Maven prints
(``mvn dependency:list`` on ``kafka_2.13``) and run the tests of the embedded Kafka before it is
committed, since from then on these hashes are what is trusted.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from pathlib import Path

from jgo.maven import MavenContext


def main() -> int:
    """Resolve, fetch and hash; print one line an artifact."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kafka_version")
    parser.add_argument("log4j_version")
    arguments = parser.parse_args()
    broker = f"org.apache.kafka:kafka_2.13:{arguments.kafka_version}"
    # The broker's own dependencies bring log4j without the binding that SLF4J finds it by.
    # It is added flat: resolved together, log4j's parent would choose another kafka-clients.
    binding = f"org.apache.logging.log4j:log4j-slf4j-impl:{arguments.log4j_version}"
    with tempfile.TemporaryDirectory() as folder:
        context = MavenContext(repo_cache=Path(folder), timeout=60)
        _, nodes = context.resolver.get_dependency_list([context.create_dependency(broker)])
        wanted = {f"{n.dep.groupId}:{n.dep.artifactId}:{n.dep.version}" for n in nodes}
        lines = []
        for coordinate in sorted(wanted | {broker, binding}):
            group, artifact, version = coordinate.split(":")
            jar = context.project(group, artifact).at_version(version).artifact().resolve()
            lines.append(f"{coordinate} {hashlib.sha256(Path(jar).read_bytes()).hexdigest()}")
    print(f"# The jars of the embedded Apache Kafka {arguments.kafka_version}.")
    print("# Made by command/pin_kafka_jars.py: group:artifact:version SHA-256.")
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
