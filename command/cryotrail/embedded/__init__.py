"""The embedded stack: one real Apache Kafka node on loopback, run for a home."""
