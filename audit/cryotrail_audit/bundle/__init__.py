"""Evidence bundles: one procedure, handed to a stranger who has neither this database nor cryotrail.

=====================  ========================================================================
``entries.jsonl``      every entry of the procedure in order: all columns with the raw bytes, and
                       the proof that it is in the log
``log.jsonl``          the same for the entries that say what these mean: schemas, topics, keys
``events.jsonl``       what the bytes say, for people
``schemas/*.avsc``     the text of each schema, named by its SHA-256
``checkpoint.note``    size and root of the log, signed; every proof leads to it
``head.note``          how many entries the procedure has and the hash of all, signed; may be absent
``log-key.pub``        the log's public key; from the same place, so it proves nothing by itself
``manifest.json``      size and SHA-256 of each file, to name a damaged one
``README.md``          for the stranger
``verify.py``          the verifier, one file; it shares no code with what writes the bundle
=====================  ========================================================================
"""
