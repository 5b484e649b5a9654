-- The file of one outbox. Times are microseconds since 1970 in UTC; uuids are their 16 bytes.

-- Under which names events were numbered here. The newest row numbers what is appended now; a new
-- one is made for a new file and after an unclean end, because a file that was cut or restored
-- could give a number a second time.
CREATE TABLE producer (
    producer_no INTEGER PRIMARY KEY,
    producer_id TEXT    NOT NULL UNIQUE,
    last_seq    INTEGER NOT NULL,
    minted_us   INTEGER NOT NULL
);

-- The last number given per producer, procedure and topic. It outlives the rows it counted.
CREATE TABLE procedure_number (
    producer_no  INTEGER NOT NULL REFERENCES producer,
    procedure_id BLOB    NOT NULL,
    topic        TEXT    NOT NULL,
    last_seq     INTEGER NOT NULL,
    PRIMARY KEY (producer_no, procedure_id, topic)
) WITHOUT ROWID;

-- AUTOINCREMENT: an id is never used twice, so the order of ids is the order of appending even
-- after rows were deleted, and the highest id ever given counts everything that was accepted.
CREATE TABLE event (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id        BLOB    NOT NULL,
    event_type      TEXT    NOT NULL,
    procedure_id    BLOB    NOT NULL,
    occurred_us     INTEGER NOT NULL,
    topic           TEXT    NOT NULL,
    source          TEXT    NOT NULL,
    producer_no     INTEGER NOT NULL REFERENCES producer,
    producer_seq    INTEGER NOT NULL,
    procedure_seq   INTEGER NOT NULL,
    value           BLOB    NOT NULL,
    appended_us     INTEGER NOT NULL,
    acknowledged_us INTEGER,
    part            INTEGER,
    kafka_offset    INTEGER,
    refusal         TEXT     -- why Kafka does not take it, until it does
);
CREATE INDEX event_waiting ON event (id) WHERE acknowledged_us IS NULL;
CREATE INDEX event_kept ON event (acknowledged_us) WHERE acknowledged_us IS NOT NULL;
CREATE INDEX event_refused ON event (id) WHERE refusal IS NOT NULL;

-- One row. clean_mark is set by the last process that closes the file and cleared by the first
-- that opens it; it names the file's inode, so that a restored copy is not taken for the original.
-- Rows up to synced_id are known to survive a power cut. topic_id is Kafka's id of the topic in which
-- the acknowledged rows lie.
CREATE TABLE outbox (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    clean_mark TEXT,
    synced_id  INTEGER NOT NULL,
    refused    INTEGER NOT NULL,
    topic_id   TEXT
);
INSERT INTO outbox VALUES (1, NULL, 0, 0, NULL);
