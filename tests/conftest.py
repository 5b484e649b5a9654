"""Fixtures shared by all tests: the real Kafka, PostgreSQL and browser, and a schema registry."""

pytest_plugins = [
    "scratch_folder",
    "own_main",
    "sharing_out",
    "kafka_fixtures",
    "postgres_fixtures",
    "browser_fixtures",
    "cohort_fixtures",
    "registry_fixtures",
    "bundle_fixtures",
    "faults.fixtures",
    "reset_positions",
    "outbox_room",
    "refused_connections",
]
