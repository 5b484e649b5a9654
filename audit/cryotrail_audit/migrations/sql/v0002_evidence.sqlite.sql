-- What makes the log evidence for somebody outside: tiles for proofs, signed checkpoints and
-- procedure heads.  Append-only like the rest.

-- 256 hashes of the Merkle tree side by side (C2SP tlog-tiles): of level 0 the leaf hashes of the
-- entries 256 * tile_no and on, of level n the roots of 256 full tiles of level n-1.  Full tiles
-- only, written in the transaction that fills them.  What no tile of level 0 holds yet is read
-- from entry; what none of level n does, from the root that each tile of level n-1 has beside it.
create table tile (
  log_id integer not null,
  level integer not null check (level >= 0),
  tile_no integer not null check (tile_no >= 0),
  root blob not null check (length(root) = 32),
  hashes blob not null check (length(hashes) = 8192),
  primary key (log_id, level, tile_no),
  check (rowid > 0)
) strict;

-- Signed notes over a size of the log: origin '<origin>', tree_size entries, their root; and over
-- the chain of batches: origin '<origin>/batches', tree_size batches, the batch_hash of the last.
create table checkpoint (
  log_id integer not null,
  checkpoint_no integer not null check (checkpoint_no >= 0),
  origin text not null,
  tree_size integer not null check (tree_size >= 0),
  root blob not null check (length(root) = 32),
  note blob not null,
  signed_us integer not null,
  primary key (log_id, checkpoint_no),
  check (rowid > 0)
) strict;
create index checkpoint_newest on checkpoint (origin, tree_size desc, checkpoint_no desc);

-- Signed notes that say how many entries a procedure has at a size of the log: what makes
-- "none left out" provable.
create table procedure_head (
  log_id integer not null,
  procedure_id blob not null check (length(procedure_id) = 16),
  tree_size integer not null check (tree_size >= 0),
  entry_count integer not null check (entry_count >= 0),
  leaves_hash blob not null check (length(leaves_hash) = 32),
  note blob not null,
  signed_us integer not null,
  primary key (log_id, procedure_id, tree_size, signed_us),
  check (rowid > 0)
) strict;

-- What the store itself said, by type: keys, holds, erasures, verifications.
create index entry_administrative on entry (event_type, seq) where kind = 3;

-- What became of a quarantined entry: the few that were replayed from one, by its seq.
create index entry_source on entry (source_seq) where source_seq is not null;

create trigger tile_update before update on tile
begin select raise(abort, 'tile is append-only: UPDATE refused'); end;
create trigger tile_delete before delete on tile
begin select raise(abort, 'tile is append-only: DELETE refused'); end;
create trigger tile_insert before insert on tile
when exists (select 1 from tile
             where log_id = new.log_id and level = new.level and tile_no = new.tile_no)
  or (new.rowid <> -1 and exists (select 1 from tile where rowid = new.rowid))
begin select raise(rollback, 'tile is append-only: a row with this key exists'); end;

create trigger checkpoint_update before update on checkpoint
begin select raise(abort, 'checkpoint is append-only: UPDATE refused'); end;
create trigger checkpoint_delete before delete on checkpoint
begin select raise(abort, 'checkpoint is append-only: DELETE refused'); end;
create trigger checkpoint_insert before insert on checkpoint
when exists (select 1 from checkpoint
             where log_id = new.log_id and checkpoint_no = new.checkpoint_no)
  or (new.rowid <> -1 and exists (select 1 from checkpoint where rowid = new.rowid))
begin select raise(rollback, 'checkpoint is append-only: a row with this key exists'); end;

create trigger procedure_head_update before update on procedure_head
begin select raise(abort, 'procedure_head is append-only: UPDATE refused'); end;
create trigger procedure_head_delete before delete on procedure_head
begin select raise(abort, 'procedure_head is append-only: DELETE refused'); end;
create trigger procedure_head_insert before insert on procedure_head
when exists (select 1 from procedure_head
             where log_id = new.log_id and procedure_id = new.procedure_id
               and tree_size = new.tree_size and signed_us = new.signed_us)
  or (new.rowid <> -1 and exists (select 1 from procedure_head where rowid = new.rowid))
begin select raise(rollback, 'procedure_head is append-only: a row with this key exists'); end;

-- A log that was restored from a backup goes on under a new name, in a row that says which log it
-- continues.  Nothing else may be put beside the first row: verification would not know of it.
-- seq begins at 0 in each log.  Where a row names another entry, it names the entry's place: the
-- sizes of the logs before its own, added up, plus its seq there.  So in redelivery.seq and in
-- entry.source_seq; with one log it is the seq.
-- A new log_id and a new origin leave no key whose row could be replaced.
drop trigger log_insert;
create trigger log_insert before insert on log
when new.log_id <> coalesce((select max(log_id) from log), 0) + 1
  or new.continues is not (select origin from log order by log_id desc limit 1)
  or exists (select 1 from log where origin = new.origin)
begin select raise(rollback, 'log is append-only: a further log continues the newest one'); end;
