-- Every table of the store refuses UPDATE and DELETE, and every way in which an INSERT could take
-- a row's place.  INSERT OR REPLACE fires no DELETE trigger, so the triggers on INSERT look for
-- every unique key, and for the rowid, which is a key too.  An automatic rowid reads as -1 here.
--
-- On insert they roll the whole transaction back, and entry's calls no function: raise(abort) and
-- function calls oblige SQLite to copy every page that a row touches into a statement journal
-- first, which doubled the cost of a row.  (The writer says "insert or rollback" for the same
-- reason.)
--
-- These guard against programs, not against whoever can write the file: verification finds that.

create trigger log_update before update on log
begin select raise(abort, 'log is append-only: UPDATE refused'); end;
create trigger log_delete before delete on log
begin select raise(abort, 'log is append-only: DELETE refused'); end;
-- Verification reads one log: what stands behind a second one would go unread.  So there is one,
-- and no key needs a look.
create trigger log_insert before insert on log
when exists (select 1 from log)
begin select raise(rollback, 'log is append-only: a store has one log'); end;

create trigger topic_update before update on topic
begin select raise(abort, 'topic is append-only: UPDATE refused'); end;
create trigger topic_delete before delete on topic
begin select raise(abort, 'topic is append-only: DELETE refused'); end;
create trigger topic_insert before insert on topic
when exists (select 1 from topic where topic_id = new.topic_id)
  or exists (select 1 from topic
             where cluster_id = new.cluster_id and topic_uuid = new.topic_uuid)
begin select raise(rollback, 'topic is append-only: a row with this key exists'); end;

create trigger schema_update before update on schema
begin select raise(abort, 'schema is append-only: UPDATE refused'); end;
create trigger schema_delete before delete on schema
begin select raise(abort, 'schema is append-only: DELETE refused'); end;
create trigger schema_insert before insert on schema
when exists (select 1 from schema where sha256 = new.sha256)
  or (new.rowid <> -1 and exists (select 1 from schema where rowid = new.rowid))
begin select raise(rollback, 'schema is append-only: a row with this key exists'); end;

create trigger entry_update before update on entry
begin select raise(abort, 'entry is append-only: UPDATE refused'); end;
create trigger entry_delete before delete on entry
begin select raise(abort, 'entry is append-only: DELETE refused'); end;
create trigger entry_insert before insert on entry
when new.seq <> case
    when exists (select 1 from entry where log_id = new.log_id)
    then (select seq + 1 from entry where log_id = new.log_id order by seq desc limit 1)
    else 0 end
  or (new.kind = 0
      and exists (select 1 from entry where event_id = new.event_id and kind = 0))
  or (new.procedure_entry_no is not null
      and exists (select 1 from entry
                  where procedure_id = new.procedure_id
                    and procedure_entry_no = new.procedure_entry_no))
  or (new.source_seq is null and new.kafka_offset is not null
      and exists (select 1 from entry
                  where topic_id = new.topic_id and part = new.part
                    and incarnation = new.incarnation and kafka_offset = new.kafka_offset
                    and source_seq is null))
  or (new.rowid <> -1 and exists (select 1 from entry where rowid = new.rowid))
begin select raise(rollback, 'entry is append-only: the next seq and new keys only'); end;

create trigger batch_update before update on batch
begin select raise(abort, 'batch is append-only: UPDATE refused'); end;
create trigger batch_delete before delete on batch
begin select raise(abort, 'batch is append-only: DELETE refused'); end;
create trigger batch_insert before insert on batch
when new.batch_no <> coalesce((select max(batch_no) from batch where log_id = new.log_id), -1) + 1
  or new.first_seq <> coalesce(
    (select tree_size from batch where log_id = new.log_id order by batch_no desc limit 1), 0)
  or new.tree_size <> coalesce((select max(seq) from entry where log_id = new.log_id), -1) + 1
  or (new.rowid <> -1 and exists (select 1 from batch where rowid = new.rowid))
begin select raise(rollback, 'batch is append-only: the next batch_no, over all entries'); end;
create trigger batch_lengths before insert on batch
when exists (
  select 1 from entry
  where log_id = new.log_id and seq >= new.first_seq
    and (length(event_id) <> 16 or length(procedure_id) <> 16
         or length(content_hash) <> 32 or length(leaf_hash) <> 32))
begin select raise(rollback, 'entry: a UUID has 16 bytes, a hash 32'); end;

create trigger batch_partition_update before update on batch_partition
begin select raise(abort, 'batch_partition is append-only: UPDATE refused'); end;
create trigger batch_partition_delete before delete on batch_partition
begin select raise(abort, 'batch_partition is append-only: DELETE refused'); end;
create trigger batch_partition_insert before insert on batch_partition
when exists (select 1 from batch_partition
             where log_id = new.log_id and batch_no = new.batch_no
               and topic_id = new.topic_id and part = new.part
               and incarnation = new.incarnation)
  or (new.rowid <> -1 and exists (select 1 from batch_partition where rowid = new.rowid))
begin select raise(rollback, 'batch_partition is append-only: a row with this key exists'); end;

create trigger claim_update before update on claim
begin select raise(abort, 'claim is append-only: UPDATE refused'); end;
create trigger claim_delete before delete on claim
begin select raise(abort, 'claim is append-only: DELETE refused'); end;
create trigger claim_insert before insert on claim
when exists (select 1 from claim
             where log_id = new.log_id and topic_id = new.topic_id
               and part = new.part and epoch = new.epoch)
  or (new.rowid <> -1 and exists (select 1 from claim where rowid = new.rowid))
begin select raise(rollback, 'claim is append-only: a row with this key exists'); end;

create trigger redelivery_update before update on redelivery
begin select raise(abort, 'redelivery is append-only: UPDATE refused'); end;
create trigger redelivery_delete before delete on redelivery
begin select raise(abort, 'redelivery is append-only: DELETE refused'); end;
create trigger redelivery_insert before insert on redelivery
when exists (select 1 from redelivery
             where topic_id = new.topic_id and part = new.part
               and incarnation = new.incarnation and kafka_offset = new.kafka_offset)
  or (new.rowid <> -1 and exists (select 1 from redelivery where rowid = new.rowid))
begin select raise(rollback, 'redelivery is append-only: a row with this key exists'); end;
