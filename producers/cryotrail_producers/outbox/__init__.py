"""The durable outbox: what is accepted into its two files, and what waits in them."""
