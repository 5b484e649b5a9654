"""Fixtures shared by all tests: the real Kafka, the real PostgreSQL and the real browser."""

pytest_plugins = ["kafka_fixtures", "postgres_fixtures", "browser_fixtures", "cohort_fixtures"]
