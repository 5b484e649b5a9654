"""Signed checkpoints of the log: formats, keys, the signer and the witness, and anchors outside.

The formats are those of https://c2sp.org: signed-note, tlog-checkpoint and tlog-cosignature.
"""
