"""A data folder that this home did not fill is reported, and never touched."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from kafka_fixtures import home_settings

from cryotrail.embedded import broker
from cryotrail.embedded.data_folder import new_cluster_id, require_own
from cryotrail.embedded.errors import DataFolderRefused
from cryotrail.embedded.state import BrokerState, read_state, write_state

OURS = "WBj4M5mvS96CPKKyP5ICwQ"
THEIRS = "efZmHpPRS9ijRoF6u139qQ"


@pytest.fixture
def kafka_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "home" / "kafka"
    (folder / "data").mkdir(parents=True)
    return folder


def fill(kafka_dir: Path, cluster_id: str, node_id: int = 1) -> None:
    meta = f"#\n#Sun Nov 22\ncluster.id={cluster_id}\nversion=1\nnode.id={node_id}\n"
    (kafka_dir / "data" / "meta.properties").write_text(meta)
    (kafka_dir / "data" / ".lock").touch()


def content(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def own(kafka_dir: Path) -> BrokerState:
    state = BrokerState(OURS, "4.3.0", "127.0.0.1", port=41000, controller_port=41001, pid=None)
    write_state(kafka_dir, state)
    return state


def test_the_data_of_another_cluster_is_refused_and_left_as_it_was(kafka_dir: Path) -> None:
    own(kafka_dir)
    fill(kafka_dir, THEIRS)
    before = content(kafka_dir / "data")

    with pytest.raises(DataFolderRefused, match=f"cluster.id {THEIRS}, this home's {OURS}"):
        broker.start(home_settings(kafka_dir.parent))

    assert content(kafka_dir / "data") == before


def test_data_without_a_state_of_this_home_is_refused(kafka_dir: Path) -> None:
    fill(kafka_dir, THEIRS)
    before = content(kafka_dir / "data")

    with pytest.raises(DataFolderRefused, match="has none yet"):
        broker.start(home_settings(kafka_dir.parent))

    assert content(kafka_dir / "data") == before


def test_files_that_are_no_kafka_data_are_refused(kafka_dir: Path) -> None:
    (kafka_dir / "data" / "thesis.txt").write_text("mine")

    with pytest.raises(DataFolderRefused, match=r"no meta\.properties"):
        broker.start(home_settings(kafka_dir.parent))

    assert (kafka_dir / "data" / "thesis.txt").read_text() == "mine"


def test_the_data_of_another_node_of_the_same_cluster_are_refused(kafka_dir: Path) -> None:
    fill(kafka_dir, OURS, node_id=2)
    with pytest.raises(DataFolderRefused, match=r"node\.id 2, this home's 1"):
        require_own(kafka_dir / "data", OURS)


def test_a_folder_that_another_process_has_open_is_refused(kafka_dir: Path) -> None:
    fill(kafka_dir, OURS)
    lock = kafka_dir / "data" / ".lock"
    hold = "import fcntl,sys; f=open(sys.argv[1],'r+b'); fcntl.lockf(f,fcntl.LOCK_EX); print('held'); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(lock)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(DataFolderRefused, match="another Kafka process"):
            require_own(kafka_dir / "data", OURS)
        holder.communicate("done\n")
    require_own(kafka_dir / "data", OURS)


def test_a_stale_process_id_is_forgotten_and_its_number_left_alone(kafka_dir: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        state = own(kafka_dir)
        write_state(kafka_dir, BrokerState(**{**state_fields(state), "pid": stranger.pid}))

        assert broker.stop(home_settings(kafka_dir.parent)) is False

        assert stranger.poll() is None, "the process that now has the number still runs"
        stranger.communicate(b"done\n")
    assert read_state(kafka_dir) == state


def test_a_state_file_that_is_not_one_is_refused_by_name(kafka_dir: Path) -> None:
    (kafka_dir / "broker.json").write_text('{"port": 1}')
    with pytest.raises(DataFolderRefused, match=r"broker\.json is not the state"):
        broker.start(home_settings(kafka_dir.parent))


def test_a_cluster_id_is_one_that_kafkas_tools_accept() -> None:
    ids = {new_cluster_id() for _ in range(2000)}
    assert len(ids) == 2000
    assert all(len(cluster_id) == 22 and cluster_id[0] != "-" for cluster_id in ids)


def state_fields(state: BrokerState) -> dict[str, object]:
    return {name: getattr(state, name) for name in BrokerState.__slots__}
