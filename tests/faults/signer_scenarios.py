"""A signer that is killed while the log grows."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import killed_signer

from cryotrail_audit.checkpoints import key_files
from cryotrail_audit.checkpoints.keys import LogKey
from cryotrail_audit.checkpoints.memory import MemoryFile
from cryotrail_audit.checkpoints.signer import Signer
from cryotrail_audit.store import open_store
from cryotrail_audit.verification import verify
from faults.outcome import Outcome
from faults.run import Run
from faults.scenario import BOTH, Scenario
from faults.stage import Database, Stage

_POINTS = (*killed_signer.POINTS_BEFORE_THE_DATABASE, *killed_signer.POINTS_IN_THE_DATABASE)


def at_each_point(stage: Stage, database: Database, seed: int, kills: int) -> Outcome:
    """The signer dies at every point of a signing in turn, while the recorder records."""
    run = Run(stage, database, seed)
    run.warm_up()
    with closing(open_store(run.store_url)) as store:
        key = LogKey.create(store.origin())
    key_files.write_private(run.folder / "log.key", key.to_text())
    memory = MemoryFile(run.folder / "log.memory.json")
    memory.begin(key.name)
    with run.fault():
        for number in range(kills):
            _die(run, _POINTS[number % len(_POINTS)])
    outcome = run.finish()
    with closing(Signer(run.store_url, key, memory)) as signer:
        note = signer.sign().note
    proved = verify(run.store_url, checkpoint=note.to_bytes(), pinned_key=key.pinned)
    if proved.result != "proved":
        outcome.violations.append(f"the signed store is {proved.words}: {proved.reason}")
    return outcome


def _die(run: Run, point: str) -> None:
    script = Path(killed_signer.__file__)
    process = subprocess.Popen(
        [sys.executable, script, run.store_url, run.folder, point],
        stdout=subprocess.DEVNULL,
        cwd=script.parent,
    )
    if not run.go_on_until(lambda: process.poll() is not None, 60, f"the signer dies: {point}"):
        process.kill()
    if process.wait(30) == -9:
        run.count_kill()
    else:
        run.note(f"the signer ended with {process.returncode} before it died: {point}")


SCENARIOS = (
    Scenario("signer: kill -9 at each named point", at_each_point, kills=5, databases=BOTH),
)
