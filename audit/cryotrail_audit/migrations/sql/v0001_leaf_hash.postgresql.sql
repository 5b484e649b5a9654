-- The database refuses a row whose leaf hash is not that of its columns: framing 1, written a
-- second time and in another language than the writer's.
--
-- The preimage is 00 (RFC 6962 leaf prefix), 01 (framing version), then every column but
-- leaf_hash in the order of the table, each as int4 length (-1 = null) and bytes, as COPY BINARY
-- sends them.  convert_to() and not textsend(): that follows client_encoding.  "is true": a null
-- operand would make the whole expression null, which a CHECK lets pass.
alter table audit.entry add constraint entry_leaf_hash check (
  (framing <> 1 or leaf_hash = sha256(
    bytea '\x0001'
    || '\x00000002' || int2send(log_id)
    || '\x00000002' || int2send(framing)
    || '\x00000002' || int2send(kind)
    || coalesce('\x00000004' || int4send(procedure_entry_no), '\xffffffff')
    || '\x00000008' || int8send(seq)
    || '\x00000008' || int8send(recorded_us)
    || '\x00000010' || uuid_send(event_id)
    || coalesce(
         int4send(octet_length(convert_to(event_type, 'UTF8')))
         || convert_to(event_type, 'UTF8'), '\xffffffff')
    || coalesce('\x00000010' || uuid_send(procedure_id), '\xffffffff')
    || coalesce('\x00000008' || int8send(occurred_us), '\xffffffff')
    || coalesce(
         int4send(octet_length(convert_to(producer_id, 'UTF8')))
         || convert_to(producer_id, 'UTF8'), '\xffffffff')
    || coalesce('\x00000008' || int8send(producer_seq), '\xffffffff')
    || coalesce('\x00000008' || int8send(procedure_seq), '\xffffffff')
    || coalesce('\x00000004' || int4send(topic_id), '\xffffffff')
    || coalesce('\x00000004' || int4send(part), '\xffffffff')
    || coalesce('\x00000002' || int2send(incarnation), '\xffffffff')
    || coalesce('\x00000008' || int8send(kafka_offset), '\xffffffff')
    || coalesce('\x00000008' || int8send(kafka_timestamp_ms), '\xffffffff')
    || coalesce(int4send(octet_length(kafka_key)) || kafka_key, '\xffffffff')
    || coalesce(int4send(octet_length(kafka_headers)) || kafka_headers, '\xffffffff')
    || coalesce(int4send(octet_length(schema_sha256)) || schema_sha256, '\xffffffff')
    || coalesce(int4send(octet_length(key_id)) || key_id, '\xffffffff')
    || coalesce(int4send(octet_length(signing_key_id)) || signing_key_id, '\xffffffff')
    || coalesce(int4send(octet_length(signature)) || signature, '\xffffffff')
    || coalesce(
         int4send(octet_length(convert_to(reason, 'UTF8')))
         || convert_to(reason, 'UTF8'), '\xffffffff')
    || coalesce('\x00000008' || int8send(source_seq), '\xffffffff')
    || coalesce(int4send(octet_length(raw)) || raw, '\xffffffff')
    || int4send(octet_length(content_hash)) || content_hash
  )) is true
);
