-- The tables of the audit store on PostgreSQL.  Every one of them is append-only.
--
-- What the leaf hash binds is entry's columns from log_id to content_hash, in this order; what
-- batch_hash binds is batch's columns up to prev_hash with the rows of batch_partition and
-- redelivery of that batch.  No foreign keys: nothing is ever deleted that they could guard, and
-- they would cost a look-up a row.

-- The log's name for all time: one row.
create table audit.log (
  log_id smallint not null primary key,
  origin text not null unique,
  continues text,
  created_us bigint not null
);

-- A Kafka topic, told apart from a re-created one of the same name by Kafka's own id.
create table audit.topic (
  topic_id integer not null primary key,
  cluster_id text not null,
  topic_uuid uuid not null,
  name text not null,
  created_us bigint not null,
  unique (cluster_id, topic_uuid)
);

-- The published text of an Avro schema, whole.
create table audit.schema (
  sha256 bytea not null primary key check (octet_length(sha256) = 32),
  fingerprint bytea not null check (octet_length(fingerprint) = 8),
  event_type text not null,
  version integer,
  text text not null,
  created_us bigint not null
);
create index schema_fingerprint on audit.schema (fingerprint);

-- The log.  seq is the index of the leaf in the Merkle tree.
create table audit.entry (
  log_id smallint not null,
  framing smallint not null check (framing = 1),
  kind smallint not null check (kind between 0 and 3),
  procedure_entry_no integer,
  seq bigint not null check (seq >= 0),
  recorded_us bigint not null,
  event_id uuid not null,
  event_type text,
  procedure_id uuid,
  occurred_us bigint,
  producer_id text,
  producer_seq bigint,
  procedure_seq bigint,
  topic_id integer,
  part integer,
  incarnation smallint,
  kafka_offset bigint,
  kafka_timestamp_ms bigint,
  kafka_key bytea,
  kafka_headers bytea,
  schema_sha256 bytea,
  key_id bytea,
  signing_key_id bytea,
  signature bytea,
  reason text,
  source_seq bigint,
  raw bytea,
  content_hash bytea not null check (octet_length(content_hash) = 32),
  leaf_hash bytea not null check (octet_length(leaf_hash) = 32),
  primary key (log_id, seq),
  check (
    num_nulls(topic_id, part, incarnation, kafka_offset) = case kind when 3 then 4 else 0 end
  )
);
create unique index entry_event on audit.entry (event_id) where kind = 0;
create index entry_event_other on audit.entry (event_id) where kind > 0;
create unique index entry_procedure on audit.entry (procedure_id, procedure_entry_no)
  where procedure_entry_no is not null;
create unique index entry_coordinates on audit.entry (topic_id, part, incarnation, kafka_offset)
  where source_seq is null and kafka_offset is not null;

-- One row a transaction: the tree after it.  Chained by prev_hash.
create table audit.batch (
  log_id smallint not null,
  batch_no bigint not null check (batch_no >= 0),
  first_seq bigint not null,
  tree_size bigint not null check (tree_size >= first_seq),
  root bytea not null check (octet_length(root) = 32),
  frontier bytea not null,
  recorded_us bigint not null,
  prev_hash bytea not null check (octet_length(prev_hash) = 32),
  batch_hash bytea not null check (octet_length(batch_hash) = 32),
  primary key (log_id, batch_no)
);

-- How far each partition was read in a batch; the newest row is where to go on.
create table audit.batch_partition (
  log_id smallint not null,
  batch_no bigint not null,
  topic_id integer not null,
  part integer not null,
  incarnation smallint not null,
  first_offset bigint not null,
  next_offset bigint not null,
  record_count integer not null,
  last_record_hash bytea not null check (octet_length(last_record_hash) = 32),
  primary key (log_id, batch_no, topic_id, part, incarnation)
);
create index batch_partition_newest
  on audit.batch_partition (topic_id, part, log_id desc, batch_no desc);

-- Who may append to a partition; the highest epoch wins.
create table audit.claim (
  log_id smallint not null,
  topic_id integer not null,
  part integer not null,
  epoch bigint not null,
  owner text not null,
  claimed_us bigint not null,
  primary key (log_id, topic_id, part, epoch)
);

-- A further copy in Kafka of what entry seq holds; raw only where its bytes differ.
create table audit.redelivery (
  log_id smallint not null,
  batch_no bigint not null,
  topic_id integer not null,
  part integer not null,
  incarnation smallint not null,
  kafka_offset bigint not null,
  seq bigint not null,
  producer_id text,
  producer_seq bigint,
  procedure_seq bigint,
  content_hash bytea not null check (octet_length(content_hash) = 32),
  raw bytea,
  recorded_us bigint not null,
  primary key (topic_id, part, incarnation, kafka_offset)
);
create index redelivery_seq on audit.redelivery (log_id, seq);
