"""A recorder whose machine's clock is set waits, and goes on once an operator confirms it."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from kafka_fixtures import KafkaNode
from recorded_kafka import all_entries, message_of, publish
from replayed_cohort import of_procedure
from waiting import until

from cryotrail_audit.store import open_store
from cryotrail_audit.verification import verify

MESSAGES = [message_of(event) for event in of_procedure("R01")[:60]]

STEPPED = """
import sys, time
from pathlib import Path

right, step_file = time.time_ns, Path(sys.argv.pop(1))
time.time_ns = lambda: right() + int(step_file.read_text()) * 10**9

from cryotrail.main import main
sys.exit(main())
"""
"""The command on a machine whose clock stands as many seconds off as a file says."""


def test_a_running_recorder_waits_and_goes_on_by_itself_once_the_clock_is_confirmed(
    fresh_topics: KafkaNode, sqlite_url: str, tmp_path: Path
) -> None:
    step_file = tmp_path / "step"
    step_file.write_text("0")
    environment = os.environ | {
        "CRYOTRAIL_HOME": str(tmp_path),
        "CRYOTRAIL_KAFKA_BOOTSTRAP": fresh_topics.bootstrap,
        "CRYOTRAIL_AUDIT_URL": sqlite_url,
    }
    command = [sys.executable, "-c", STEPPED, str(step_file)]

    def recorded() -> int:
        return len(all_entries(sqlite_url, kinds=(0,)))

    publish(fresh_topics.connection, MESSAGES[:30])
    said = tmp_path / "stderr"
    with (
        said.open("w") as stderr,
        subprocess.Popen([*command, "record"], env=environment, stderr=stderr) as process,
    ):
        try:
            until(lambda: recorded() == 30)
            step_file.write_text(str(3 * 3600))
            publish(fresh_topics.connection, MESSAGES[30:])
            until(lambda: "the clock of this machine was moved by +10800 s" in said.read_text())
            assert "confirm-clock" in said.read_text()
            assert recorded() == 30

            confirmed = subprocess.run(
                [*command, "audit", "confirm-clock", "--reason", "summer time"],
                env=environment, capture_output=True, text=True, check=True,
            )  # fmt: skip

            until(lambda: recorded() == len(MESSAGES))
            assert process.poll() is None
        finally:
            process.kill()
    assert confirmed.stdout.startswith("the clock is confirmed: ")
    with closing(open_store(sqlite_url)) as store:
        assert store.counts().redeliveries == 0
    assert verify(sqlite_url).result == "intact"
