-- The keys of personal data. Times are microseconds since 1970 in UTC.

-- One row: the key-encrypting key that the others are wrapped with, known by what it makes of
-- nothing (an authentication tag), so that another one is refused at once.
CREATE TABLE wrapping (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    check_tag BLOB NOT NULL
);

-- One row a scope, for ever. wrapped is null once the key is destroyed; created_us is null where a
-- scope was closed before it had a key.
CREATE TABLE data_key (
    scope        TEXT PRIMARY KEY,
    key_id       BLOB NOT NULL UNIQUE CHECK (length(key_id) = 16),
    wrapped      BLOB,
    created_us   INTEGER,
    destroyed_us INTEGER,
    CHECK ((wrapped IS NULL) = (destroyed_us IS NOT NULL))
);
