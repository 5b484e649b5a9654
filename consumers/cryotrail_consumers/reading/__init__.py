"""Kafka as the recorder sees it: a port, and its one implementation."""
