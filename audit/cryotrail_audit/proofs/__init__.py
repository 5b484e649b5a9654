"""Proofs from the store: its tiles, the prover over them, and the file that a proof travels in."""
