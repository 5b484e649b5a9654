"""Who may do what to the store's tables: PostgreSQL's roles, and the authorizer on SQLite.

The triggers in ``migrations/sql`` refuse change to whoever asks. What is here takes the right to
ask away: see ``README.md`` in this folder.
"""
