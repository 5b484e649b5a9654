"""From the audit store to DuckDB marts: decode once, refresh what changed, publish a file.

``refresh`` is the way in, ``models/`` holds the SQL, ``models/**/schema.yml`` the columns that
analysts rely on.
"""
