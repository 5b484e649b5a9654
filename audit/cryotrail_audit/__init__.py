"""Evidence: the append-only audit store, its Merkle log, and its verification.

Start at :mod:`cryotrail_audit.store` (the port), :mod:`cryotrail_audit.records` (what goes in and
comes out) and :mod:`cryotrail_audit.verification`.
"""
