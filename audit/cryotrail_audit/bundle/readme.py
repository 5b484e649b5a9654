"""The README of a bundle, for a stranger."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Final

from cryotrail_audit.bundle.contents import Contents

_TEXT: Final = """\
# Evidence of one procedure

This folder holds what one log of cryotrail recorded of one cryoablation procedure up to the
checkpoint named below, with what it takes to check that these are the recorded bytes, and whether
any was left out. You need no access to the database, no network and no cryotrail.

| | |
|---|---|
| procedure | `{procedure_id}`{labels} |
| entries | {entry_count}, recorded {first} to {last} |
| log | `{origin}`, {tree_size} entries at the checkpoint |
| SHA-256 of `log-key.pub` | `{fingerprint}` |
| completeness | {completeness} |
| **data origin** | **{data_origin}** |

{data_origin_words}
{since}
## How to check

1. Install Python 3.11 or newer and the package `cryptography` (50 or newer).
2. Get the log's public key **from somebody else** than whoever gave you this folder: the site's
   quality office, a printed report, an earlier bundle. `sha256sum log-key.pub` prints what to
   compare. The key in this folder comes from the same place as the folder: it proves nothing.
3. If you can, get `verify.py` from cryotrail too. It is one file; read it.
4. Run:

```
python verify.py . --log-key THE-KEY-FROM-OUTSIDE
```

## What each answer means

| answer | meaning |
|---|---|
| `proved: complete up to size N, signed TIME` | These are the recorded bytes, and all entries that the log had of this procedure when it had N entries. What was recorded later is not spoken of. |
| `inclusion proved, completeness not proved` | These are recorded bytes. Others of the procedure may have been left out: no signed head is here. |
| `consistent with key …` | As above, but the key came with the folder. Whoever made the folder may have made all of it, key included. `no outside anchor` says the same. |
| `refused: FILE: reason` | Something was changed, damaged, added or left out. Believe nothing in this folder. |
| `sealed and complete` | The events are those, in number and content, that the seal of the producer counts. |
| `missing n`, `n extra`, `content differs`, `n displaced` | The log holds something else than the seal counts: an event was lost, forged or exchanged before it was recorded. |
| `…; origin: FINDING …` | Stands at the end of the last line: these are the recorded bytes, and seals or signatures do not fit them, for the reasons named. The bundle is sound; what it shows is not as it should be. |
| `n copies without erased text` | The same events, published again after the text of the person was lawfully erased, and so without it. No finding: the log states the erasure, in `log.jsonl`. |
| `n after the seal` | Recorded, but later than the procedure day that the seal covers: after-care and corrections. |
| `not sealed` | No producer stated how much there is to be. |
| `signed by …` | The event's own signature verifies by a key that the log had registered and not revoked when the event was recorded. |
| `origin not proved (…)` | Nothing but the log itself says where the event came from; the reason stands in brackets. |

Exit code: 0 nothing wrong was found; 1 refused, or a finding about the origin (the last line says
which of them); 2 wrong usage.

## What is in it

| file | what it is |
|---|---|
| `events.jsonl` | what was recorded, one event a line, for reading; the verifier computes it again |
| `entries.jsonl` | each entry with all its columns, its raw bytes, and the proof that it is in the log |
| `log.jsonl` | the same for the log's entries on the schemas, topics and signing keys used here, and on erasures of text of this procedure |
| `schemas/` | the Avro schemas that the bytes are read by |
| `checkpoint.note` | size and root of the log, signed with Ed25519 and ML-DSA-44 |
| `head.note` | how many entries the procedure has, and the hash over all of them, signed |
| `manifest.json` | size and hash of each file, to name a damaged one; no evidence |
| `README.md`, `verify.py` | explain and check; no evidence, and not looked at by the verifier |

## What it cannot show

- Anything that never reached the log, or reached it after the head was signed.
- That the clocks were right: `occurred_at` is the producer's, `recorded_at` the log's.
- That a signing key's revocation was not left out of this bundle.
- Copies of an event that arrived again: they are no entries. A seal that only they would fill is
  called incomplete, which is then a finding: ask for `cryotrail audit origin` of the store itself.
- That whoever keeps the log's private key is honest. Copies of its checkpoints elsewhere show it.
- Personal text whose key was destroyed by an erasure: its ciphertext is here, and still proved.
"""

_DATA_ORIGINS: Final = {
    "RECONSTRUCTED": "RECONSTRUCTED: made from published figures. No such recording ever took"
    " place, and no patient stands behind it.",
    "SYNTHETIC": "SYNTHETIC: simulated. No patient stands behind it.",
    "BACKFILL": "BACKFILL: entered afterwards from real records, as the producers state.",
    "LIVE": "LIVE: a real procedure as it happened, as the producers state.",
}


def readme(contents: Contents, entries_since: int) -> str:
    """The text; figures and names are those of the bundle's own files."""
    key_line = contents.files["log-key.pub"].decode()
    lines = [json.loads(line) for line in contents.files["events.jsonl"].splitlines()]
    events = [line["event"] for line in lines if line["event"] is not None]
    labels = sorted({str(e["procedure_label"]) for e in events if "procedure_label" in e})
    origins = sorted({str(e["header"].get("data_origin")) for e in events if "header" in e})
    head = contents.head
    return _TEXT.format(
        procedure_id=contents.procedure_id,
        labels="".join(f", label `{_inline(label)}`" for label in labels),
        entry_count=len(contents.entries),
        first=lines[0]["recorded_at"],
        last=lines[-1]["recorded_at"],
        origin=key_line.partition("+")[0],
        tree_size=contents.checkpoint.tree_size,
        fingerprint=sha256(contents.files["log-key.pub"]).hexdigest(),
        completeness="not proved: no signed head"
        if head is None
        else f"{head.entry_count} entries up to size {head.tree_size}, by `head.note`",
        data_origin=", ".join(map(_inline, origins)) or "not stated",
        data_origin_words="\n".join(_DATA_ORIGINS.get(origin, "") for origin in origins),
        since=f"\nRecorded after the checkpoint, so not in this folder: {entries_since}.\n"
        if entries_since
        else "",
    )


def _inline(text: str) -> str:
    """A producer's text, which must not format this one."""
    return "".join(c if c.isprintable() and c not in "`|<>[]" else "·" for c in text)
