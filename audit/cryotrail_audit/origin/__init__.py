"""Who said it, and is it all: what seals and signatures say about one procedure.

Verification tells whether the store was changed since; this tells whether what came into it is
what the producers published. The rules, exactly. All hashes are computed from the bytes (the body
in ``raw`` or in ``redelivery.raw``), never taken from a column.

**Rows.** Of one procedure (column ``procedure_id``): every entry of kind 0 or 1 whose frame can be
parsed, and every redelivery of such an entry. A row has event_id, type (event or telemetry chunk,
by the column ``event_type``), producer_id, occurred_us, and content = SHA-256(body). A redelivery
has its entry's event_id, type and occurred_us, and its own producer_id and body (its ``raw``, else
its entry's); where that body says something else than the entry's, its row is one of a conflict: who
may append may call any bytes a copy. Rows of type ``ProcedureSealed`` are seals and never counted.

**Withheld copies** are left out: entries of kind 1 whose body names a ``personal_key_id`` that an
``erasure`` entry lists, has no ``personal_ciphertext``, and says what the body of the entry of kind 0
with its event_id says, personal text in clear or encrypted apart. Such a copy is no row, displaces
nothing, and is counted.

**Seals.** Each entry of kind 0 and type ``ProcedureSealed`` that decodes, and whose body names
this procedure and this event_id; any other is reported as *unreadable* and covers nothing.

**Covered** by a seal: the rows whose producer_id is in ``sealed_producer_ids``; when that is empty,
the rows with occurred_us <= the seal's. Per event_id the contents of its covered rows are the
*choices*; with no covered row of its entry of kind 0 or of a redelivery of that, "not there" is one
more. The seal's time is that of its body.

**Verdict of a seal.** The *recorded* set: per event_id the first choice, in the order entry of kind
0, its redeliveries (by batch_no, then by coordinates), "not there", then the conflicts.

1. Its counts (discrete events, chunks) and its root (RFC 6962 over the contents, sorted by event_id)
   are the seal's: ``complete``.
2. Else, some other combination of choices fits counts and root: the events for which a content that
   only entries of kind 1 have must be chosen are ``displaced``; with none, ``complete``.
   At most 256 combinations are tried; with more, step 3.
3. Else by the recorded set's counts, events and chunks apart: ``missing`` n and ``extra`` n.
4. Both 0: ``content differs``.

**After the seal**: entries of kind 0 that are no seals and of whose event_id no row is covered by
any seal.
With no readable seal the procedure is ``not sealed``, and nothing is after a seal.

**Signed singly** must be: every seal, every ``EventAmended`` and ``EventVoided``, and everything
after the seal. Any other entry of kind 0 or 1 with a signature is judged too. The first that applies:

- ``unsigned``: both columns null and no ``malformed_signature`` or ``malformed_signing_key_id``
  among the flags in ``reason``. Origin not proved; no finding.
- ``malformed``: one column null, or such a flag; or the body cannot be decoded, or names another
  event_id or procedure than its entry.
- ``key unknown``: no ``registered`` statement names the key id.
- ``signature wrong``: Ed25519 over ``cryotrail-event-v1\\0`` + body does not verify.
- ``key revoked``: some ``revoked`` statement of the key has valid_from <= t.
- ``key not valid then``: no ``registered`` statement has valid_from <= t < valid_until.
- ``other device``: the newest of those has device_ids, and the body's header.device_id is not in it.
- ``valid``: signed by the holder whom that statement names.

t is the recorded_us of the signed entry, so a statement says with valid_from since when it holds,
which may be before it was made. Statements are entries of kind 3 and type ``key`` in order of seq;
one whose key_id is not that of its public_key counts for nothing.

**Displaced** is also an entry of kind 0 whose own signature is not ``valid`` while an entry of kind 1
with its event_id has one that is.

**Reported besides**: ``seal voided``, an ``EventVoided`` that names a seal of the procedure: it has no
effect. ``sequence reused``: a (producer_id, telemetry or not, procedure_seq) on rows, seals
included, of two event_ids.

**Origin proved**: there is a readable seal, every one is ``complete``, all that must be signed is
``valid``, and there is no finding. Findings are everything but ``complete``, ``unsigned``, ``valid``,
``not sealed``, ``after the seal`` and withheld copies. The words begin with how it stands: ``to be
looked at`` with a finding, ``all is well`` with a proved origin, else ``no finding``.
"""
