"""Real processes, a real cluster and a real database, broken on purpose and counted afterwards."""
