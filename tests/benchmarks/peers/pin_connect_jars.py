"""Print the pinned jar list of Kafka Connect with the Debezium JDBC sink, for ``connect-jars.txt``.

``python pin_connect_jars.py 4.3.0 3.5.0.Final 42.7.14 2.25.4``: the versions of Apache Kafka, of
Debezium, of PostgreSQL's JDBC driver and of log4j. Each artifact's tree is resolved by itself;
where two trees want an artifact in two versions, the newer is taken. The drivers of other
databases, which Debezium brings too, are left out.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
import tempfile
from pathlib import Path

from jgo.maven import MavenContext

OTHER_DATABASES = {"mssql-jdbc", "mysql-connector-j", "ojdbc11", "mariadb-java-client"}


def main() -> int:
    """Resolve, fetch and hash; print one line an artifact."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("kafka", "debezium", "driver", "log4j"):
        parser.add_argument(f"{name}_version")
    given = parser.parse_args()
    roots = [
        f"org.apache.kafka:connect-runtime:{given.kafka_version}",
        f"org.apache.kafka:connect-json:{given.kafka_version}",
        f"org.apache.kafka:connect-transforms:{given.kafka_version}",
        f"io.debezium:debezium-connector-jdbc:{given.debezium_version}",
        f"org.postgresql:postgresql:{given.driver_version}",
        f"org.apache.logging.log4j:log4j-core:{given.log4j_version}",
    ]
    # Added flat, as in the list of the embedded Kafka: its parent would choose other versions.
    flat = f"org.apache.logging.log4j:log4j-slf4j-impl:{given.log4j_version}"
    with tempfile.TemporaryDirectory() as folder:
        context = MavenContext(repo_cache=Path(folder), timeout=60)
        newest: dict[tuple[str, str], str] = {}
        for coordinate in roots:
            _, nodes = context.resolver.get_dependency_list([context.create_dependency(coordinate)])
            found = [(n.dep.groupId, n.dep.artifactId, n.dep.version) for n in nodes]
            for group, artifact, version in [coordinate.split(":"), flat.split(":"), *found]:
                known = newest.get((group, artifact), "")
                newest[group, artifact] = max(known, version, key=version_order)
        lines = []
        for (group, artifact), version in sorted(newest.items()):
            if artifact in OTHER_DATABASES:
                continue
            jar = Path(context.project(group, artifact).at_version(version).artifact().resolve())
            sha256 = hashlib.sha256(jar.read_bytes()).hexdigest()
            lines.append(f"{group}:{artifact}:{version} {sha256}")
    print("# The jars of Kafka Connect with the Debezium JDBC sink, for `make bench-peers`.")
    print("# Made by pin_connect_jars.py: group:artifact:version SHA-256.")
    print("\n".join(lines))
    return 0


def version_order(version: str) -> list[int]:
    """What two versions of one artifact are compared by: the numbers in them."""
    return [int(number) for number in re.findall(r"\d+", version)]


if __name__ == "__main__":
    sys.exit(main())
