"""What is generated from the .avsc files is what the .avsc files say now."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def generate(schemas: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(schemas / "generate_events.py"), *arguments],
        env={**os.environ, "PYTHONPATH": str(schemas)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def copied(tmp_path):
    """A copy of the schemas folder whose sources a test may edit."""
    ignored = shutil.ignore_patterns("__pycache__")
    return Path(shutil.copytree(ROOT / "schemas", tmp_path / "schemas", ignore=ignored))


def edit(schemas, source, change):
    path = schemas / "cryotrail_schemas" / "avro" / source
    definition = json.loads(path.read_text())
    change(definition)
    path.write_text(json.dumps(definition))


def add_optional_field(definition):
    definition["fields"].append(
        {"name": "spare_no", "type": ["null", "int"], "default": None, "doc": "A spare number."}
    )


def add_required_field(definition):
    definition["fields"].append({"name": "spare_no", "type": "int", "doc": "A spare number."})


def test_nothing_in_the_tree_is_stale():
    checked = generate(ROOT / "schemas", "--check")

    assert (checked.returncode, checked.stdout) == (0, ""), checked.stdout + checked.stderr


def test_an_edited_source_makes_its_class_and_its_release_stale(copied):
    edit(copied, "probes/FreezeStarted.avsc", add_optional_field)

    checked = generate(copied, "--check")

    assert checked.returncode == 1
    assert checked.stdout.splitlines() == [
        "stale: events/probes.py",
        "stale: avro/released/FreezeStarted",
    ]


def test_an_edited_code_list_makes_every_type_that_uses_it_stale(copied):
    edit(copied, "enums/ThawMode.avsc", lambda definition: definition["symbols"].append("WARM"))

    checked = generate(copied, "--check")

    assert checked.stdout.splitlines() == [
        "stale: events/enums.py",
        "stale: avro/released/ThawStarted",
    ]


def test_a_release_keeps_the_older_version_and_nothing_is_stale_after_it(copied):
    released = copied / "cryotrail_schemas" / "avro" / "released"
    before = (released / "FreezeStarted.v1.avsc").read_bytes()
    edit(copied, "probes/FreezeStarted.avsc", add_optional_field)

    written = generate(copied, "--release")

    assert written.stdout == "released FreezeStarted.v2.avsc\n", written.stderr
    assert (released / "FreezeStarted.v1.avsc").read_bytes() == before
    assert "spare_no" in (released / "FreezeStarted.v2.avsc").read_text()
    assert generate(copied, "--check").returncode == 0


def test_an_incompatible_release_is_refused_and_writes_nothing(copied):
    released = copied / "cryotrail_schemas" / "avro" / "released"
    before = sorted(path.name for path in released.iterdir())
    edit(copied, "probes/FreezeStarted.avsc", add_required_field)

    refused = generate(copied, "--release")

    assert refused.returncode == 1
    assert "spare_no: a required field was added" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert sorted(path.name for path in released.iterdir()) == before


@pytest.mark.parametrize(
    ("source", "text"), [("probes/FreezeStarted.avsc", "{"), ("enums/Gas.avsc", '{"name": "Oil"}')]
)
def test_a_broken_source_is_named(copied, source, text):
    (copied / "cryotrail_schemas" / "avro" / source).write_text(text)

    checked = generate(copied, "--check")

    assert checked.returncode == 1
    assert source in checked.stderr
