"""The one sender of an outbox: from its files to Kafka, again after every failure."""
