-- The tables of the audit store on SQLite.  Every one of them is append-only.
--
-- What the leaf hash binds is entry's columns from log_id to content_hash, in this order; what
-- batch_hash binds is batch's columns up to prev_hash with the rows of batch_partition and
-- redelivery of that batch.  There is no hash CHECK here as there is on PostgreSQL: SQLite has no
-- SHA-256, and one registered by us would make the file unreadable to other programs.
--
-- check (rowid > 0): in a BEFORE INSERT trigger an automatic rowid reads as -1, so a row stored
-- at rowid -1 could be replaced unseen.

-- The log's name for all time: one row.
create table log (
  log_id integer not null primary key,
  origin text not null unique,
  continues text,
  created_us integer not null
) strict;

-- A Kafka topic, told apart from a re-created one of the same name by Kafka's own id.
create table topic (
  topic_id integer not null primary key,
  cluster_id text not null,
  topic_uuid blob not null check (length(topic_uuid) = 16),
  name text not null,
  created_us integer not null,
  unique (cluster_id, topic_uuid)
) strict;

-- The published text of an Avro schema, whole.
create table schema (
  sha256 blob not null primary key check (length(sha256) = 32),
  fingerprint blob not null check (length(fingerprint) = 8),
  event_type text not null,
  version integer,
  text text not null,
  created_us integer not null,
  check (rowid > 0)
) strict;
create index schema_fingerprint on schema (fingerprint);

-- The log.  seq is the index of the leaf in the Merkle tree.
--
-- No check of this table calls a function: with a trigger beside it that would make SQLite copy
-- every page that an insert touches into a statement journal, which doubled the cost of a row.
-- The lengths of UUIDs and hashes are checked when the batch row is written.
create table entry (
  log_id integer not null,
  framing integer not null check (framing = 1),
  kind integer not null check (kind between 0 and 3),
  procedure_entry_no integer,
  seq integer not null check (seq >= 0),
  recorded_us integer not null,
  event_id blob not null,
  event_type text,
  procedure_id blob,
  occurred_us integer,
  producer_id text,
  producer_seq integer,
  procedure_seq integer,
  topic_id integer,
  part integer,
  incarnation integer,
  kafka_offset integer,
  kafka_timestamp_ms integer,
  kafka_key blob,
  kafka_headers blob,
  schema_sha256 blob,
  key_id blob,
  signing_key_id blob,
  signature blob,
  reason text,
  source_seq integer,
  raw blob,
  content_hash blob not null,
  leaf_hash blob not null,
  primary key (log_id, seq),
  check (
    (topic_id is null) + (part is null) + (incarnation is null) + (kafka_offset is null)
    = case kind when 3 then 4 else 0 end
  ),
  check (rowid > 0)
) strict;
create unique index entry_event on entry (event_id) where kind = 0;
create index entry_event_other on entry (event_id) where kind > 0;
create unique index entry_procedure on entry (procedure_id, procedure_entry_no)
  where procedure_entry_no is not null;
create unique index entry_coordinates on entry (topic_id, part, incarnation, kafka_offset)
  where source_seq is null and kafka_offset is not null;

-- One row a transaction: the tree after it.  Chained by prev_hash.
create table batch (
  log_id integer not null,
  batch_no integer not null check (batch_no >= 0),
  first_seq integer not null,
  tree_size integer not null check (tree_size >= first_seq),
  root blob not null check (length(root) = 32),
  frontier blob not null,
  recorded_us integer not null,
  prev_hash blob not null check (length(prev_hash) = 32),
  batch_hash blob not null check (length(batch_hash) = 32),
  primary key (log_id, batch_no),
  check (rowid > 0)
) strict;

-- How far each partition was read in a batch; the newest row is where to go on.
create table batch_partition (
  log_id integer not null,
  batch_no integer not null,
  topic_id integer not null,
  part integer not null,
  incarnation integer not null,
  first_offset integer not null,
  next_offset integer not null,
  record_count integer not null,
  last_record_hash blob not null check (length(last_record_hash) = 32),
  primary key (log_id, batch_no, topic_id, part, incarnation),
  check (rowid > 0)
) strict;
create index batch_partition_newest
  on batch_partition (topic_id, part, log_id desc, batch_no desc);

-- Who may append to a partition; the highest epoch wins.
create table claim (
  log_id integer not null,
  topic_id integer not null,
  part integer not null,
  epoch integer not null,
  owner text not null,
  claimed_us integer not null,
  primary key (log_id, topic_id, part, epoch),
  check (rowid > 0)
) strict;

-- A further copy in Kafka of what entry seq holds; raw only where its bytes differ.
create table redelivery (
  log_id integer not null,
  batch_no integer not null,
  topic_id integer not null,
  part integer not null,
  incarnation integer not null,
  kafka_offset integer not null,
  seq integer not null,
  producer_id text,
  producer_seq integer,
  procedure_seq integer,
  content_hash blob not null check (length(content_hash) = 32),
  raw blob,
  recorded_us integer not null,
  primary key (topic_id, part, incarnation, kafka_offset),
  check (rowid > 0)
) strict;
create index redelivery_seq on redelivery (log_id, seq);
