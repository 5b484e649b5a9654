"""The recorder: its loop, what it owns, and what it waits for."""
