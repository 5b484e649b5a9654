"""One SQLite file of an outbox: its layout, its numbers, who has it open."""
