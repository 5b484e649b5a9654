-- What layout 3 adds to layout 2: budgets, what was shed to keep them, and trace context.

-- W3C Trace Context of the span that published the event; null when there was none.
ALTER TABLE event ADD COLUMN traceparent TEXT;

-- What waits for Kafka, so that nobody has to count it: 256 bytes a row stand for its other columns
-- and its places in the indexes. Who accepts events adds to both, once a transaction; what becomes
-- of a row later, triggers see to.
ALTER TABLE outbox ADD COLUMN waiting_rows INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN waiting_bytes INTEGER NOT NULL DEFAULT 0;
UPDATE outbox SET (waiting_rows, waiting_bytes) = (
    SELECT count(*), coalesce(sum(length(value) + 256), 0) FROM event WHERE acknowledged_us IS NULL
);
CREATE TRIGGER event_waits_again AFTER UPDATE OF acknowledged_us ON event
WHEN OLD.acknowledged_us IS NOT NULL AND NEW.acknowledged_us IS NULL BEGIN
    UPDATE outbox SET waiting_rows = waiting_rows + 1,
        waiting_bytes = waiting_bytes + length(NEW.value) + 256;
END;
CREATE TRIGGER event_waits_no_more AFTER UPDATE OF acknowledged_us ON event
WHEN OLD.acknowledged_us IS NULL AND NEW.acknowledged_us IS NOT NULL BEGIN
    UPDATE outbox SET waiting_rows = waiting_rows - 1,
        waiting_bytes = waiting_bytes - length(NEW.value) - 256;
END;
CREATE TRIGGER event_is_gone AFTER DELETE ON event WHEN OLD.acknowledged_us IS NULL BEGIN
    UPDATE outbox SET waiting_rows = waiting_rows - 1,
        waiting_bytes = waiting_bytes - length(OLD.value) - 256;
END;

-- In the telemetry file: samples are being shed, until there is room again.
ALTER TABLE outbox ADD COLUMN shedding INTEGER NOT NULL DEFAULT 0;

-- In the clinical file: what of the telemetry was shed since it was made ...
ALTER TABLE outbox ADD COLUMN shed_chunks INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN shed_samples INTEGER NOT NULL DEFAULT 0;

-- ... and what of that no event reports yet, a row a curve. It becomes a TelemetryGapReported in the
-- transaction that deletes it. The columns after begun_us are that event's header.
CREATE TABLE gap (
    event_id        BLOB    PRIMARY KEY,
    procedure_id    BLOB    NOT NULL,
    channel         TEXT    NOT NULL,
    probe_id        TEXT,
    sensor_id       TEXT,
    from_us         INTEGER NOT NULL,
    to_us           INTEGER NOT NULL,
    samples         INTEGER NOT NULL,
    begun_us        INTEGER NOT NULL,
    lesion_id       BLOB,
    subject_id      BLOB    NOT NULL,
    device_id       TEXT,
    time_basis      TEXT    NOT NULL,
    clock_offset_ms INTEGER,
    data_origin     TEXT    NOT NULL
) WITHOUT ROWID;
CREATE INDEX gap_of_curve ON gap (procedure_id, channel, probe_id, sensor_id);

-- Over what is written once of an event, so that a byte that the disk changed is noticed before Kafka
-- gets it. Null of events that an earlier layout accepted.
ALTER TABLE event ADD COLUMN checksum BLOB;

-- What was lost with a damaged file. It stays when an event has reported it, so that no seal counts
-- short. What is null was not to be read any more: what is published next tells it.
CREATE TABLE loss (
    event_id         BLOB    PRIMARY KEY,  -- that the report will have
    lost_producer_id TEXT    NOT NULL,
    found_us         INTEGER NOT NULL,
    procedure_id     BLOB,
    subject_id       BLOB,
    data_origin      TEXT,
    salvaged_count   INTEGER NOT NULL,
    lost_count       INTEGER,
    reported         INTEGER NOT NULL
) WITHOUT ROWID;
