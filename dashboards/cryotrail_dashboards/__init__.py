"""Pages over the published marts and the store's own verifier: they show, and never decide."""
