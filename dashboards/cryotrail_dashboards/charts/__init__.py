"""Chart specifications: pure functions from frames, a view and tokens to Altair charts."""
