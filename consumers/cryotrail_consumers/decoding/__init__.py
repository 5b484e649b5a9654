"""From a Kafka record to what the store keeps of it."""
