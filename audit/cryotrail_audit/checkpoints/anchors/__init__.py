"""Places outside the database where signed checkpoints are kept: plug-ins behind one protocol."""
