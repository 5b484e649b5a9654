-- What layout 2 adds to layout 1: signatures, and what a procedure's seal has to count. A new file
-- gets layout 1 and then this, an older file gets this when it is next opened: both end up the same.

-- Of an event that is signed singly; null of every other.
ALTER TABLE event ADD COLUMN signing_key_id BLOB;
ALTER TABLE event ADD COLUMN signature BLOB;

-- Which procedures were sealed here, so that what comes later is signed, and numbered under a
-- producer id that the seal does not name: those up to through_producer_no it may name. seal_id is
-- null while the seal is being made, and in the telemetry file until it is durable in the clinical.
CREATE TABLE sealed (
    procedure_id        BLOB    PRIMARY KEY,
    seal_id             BLOB,
    through_producer_no INTEGER NOT NULL
) WITHOUT ROWID;

-- The contents of events whose rows were cut, until their procedure is sealed: what is still in
-- event is not here, so that accepting an event costs nothing more.
CREATE TABLE content (
    procedure_id BLOB    NOT NULL,
    id           INTEGER NOT NULL,  -- as it was in event
    event_id     BLOB    NOT NULL,
    content_hash BLOB    NOT NULL,  -- SHA-256 of the body
    PRIMARY KEY (procedure_id, id)
) WITHOUT ROWID;

-- Of a procedure with contents: what the header of its seal says about it.
CREATE TABLE subject (
    procedure_id BLOB PRIMARY KEY,
    subject_id   BLOB NOT NULL,
    data_origin  TEXT NOT NULL
) WITHOUT ROWID;
