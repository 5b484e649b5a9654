-- What makes the log evidence for somebody outside: tiles for proofs, signed checkpoints and
-- procedure heads.  Append-only like the rest.

-- 256 hashes of the Merkle tree side by side (C2SP tlog-tiles): of level 0 the leaf hashes of the
-- entries 256 * tile_no and on, of level n the roots of 256 full tiles of level n-1.  Full tiles
-- only, written in the transaction that fills them.  What no tile of level 0 holds yet is read
-- from entry; what none of level n does, from the root that each tile of level n-1 has beside it.
create table audit.tile (
  log_id smallint not null,
  level smallint not null check (level >= 0),
  tile_no bigint not null check (tile_no >= 0),
  root bytea not null check (octet_length(root) = 32),
  hashes bytea not null check (octet_length(hashes) = 8192),
  primary key (log_id, level, tile_no)
);

-- Hashes do not compress: say so, and the server does not try.
alter table audit.tile alter column hashes set storage external;

-- Signed notes over a size of the log: origin '<origin>', tree_size entries, their root; and over
-- the chain of batches: origin '<origin>/batches', tree_size batches, the batch_hash of the last.
create table audit.checkpoint (
  log_id smallint not null,
  checkpoint_no bigint not null check (checkpoint_no >= 0),
  origin text not null,
  tree_size bigint not null check (tree_size >= 0),
  root bytea not null check (octet_length(root) = 32),
  note bytea not null,
  signed_us bigint not null,
  primary key (log_id, checkpoint_no)
);
create index checkpoint_newest on audit.checkpoint (origin, tree_size desc, checkpoint_no desc);

-- Signed notes that say how many entries a procedure has at a size of the log: what makes
-- "none left out" provable.
create table audit.procedure_head (
  log_id smallint not null,
  procedure_id uuid not null,
  tree_size bigint not null check (tree_size >= 0),
  entry_count integer not null check (entry_count >= 0),
  leaves_hash bytea not null check (octet_length(leaves_hash) = 32),
  note bytea not null,
  signed_us bigint not null,
  primary key (log_id, procedure_id, tree_size, signed_us)
);

-- What the store itself said, by type: keys, holds, erasures, verifications.
create index entry_administrative on audit.entry (event_type, seq) where kind = 3;

-- What became of a quarantined entry: the few that were replayed from one, by its seq.
create index entry_source on audit.entry (source_seq) where source_seq is not null;

create trigger tile_statement before update or delete or truncate on audit.tile
  for each statement execute function audit.refuse_change();
create trigger tile_row before update or delete on audit.tile
  for each row execute function audit.refuse_change();
alter table audit.tile enable always trigger tile_statement;
alter table audit.tile enable always trigger tile_row;

create trigger checkpoint_statement before update or delete or truncate on audit.checkpoint
  for each statement execute function audit.refuse_change();
create trigger checkpoint_row before update or delete on audit.checkpoint
  for each row execute function audit.refuse_change();
alter table audit.checkpoint enable always trigger checkpoint_statement;
alter table audit.checkpoint enable always trigger checkpoint_row;

create trigger procedure_head_statement before update or delete or truncate on audit.procedure_head
  for each statement execute function audit.refuse_change();
create trigger procedure_head_row before update or delete on audit.procedure_head
  for each row execute function audit.refuse_change();
alter table audit.procedure_head enable always trigger procedure_head_statement;
alter table audit.procedure_head enable always trigger procedure_head_row;

-- A log that was restored from a backup goes on under a new name, in a row that says which log it
-- continues.  Nothing else may be put beside the first row: verification would not know of it.
-- seq begins at 0 in each log.  Where a row names another entry, it names the entry's place: the
-- sizes of the logs before its own, added up, plus its seq there.  So in redelivery.seq and in
-- entry.source_seq; with one log it is the seq.
drop trigger log_single on audit.log;
drop function audit.refuse_second_log();
create function audit.refuse_other_log() returns trigger language plpgsql
set search_path = pg_catalog as $$
begin
  if exists (
    select 1 from (
      select log_id, continues, row_number() over w as expected_id, lag(origin) over w as before
      from audit.log window w as (order by log_id)
    ) chained
    where log_id <> expected_id or continues is distinct from before
  ) then
    raise exception 'audit.log is append-only: a further log continues the newest one'
      using errcode = 'restrict_violation';
  end if;
  return null;
end $$;
create trigger log_chained after insert on audit.log
  for each statement execute function audit.refuse_other_log();
alter table audit.log enable always trigger log_chained;
