"""A damaged outbox file: found out, set aside, read as far as it goes."""
