"""Holds, erasure, and what remains: forgetting a person's text without touching the evidence.

``holds`` says who must not be erased, ``trace`` what the log holds of a subject, ``erase``
destroys keys and says so in the log, ``personal`` reads text back while its key is there.
"""
