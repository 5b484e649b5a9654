"""A stranger checks the bundle of a procedure with one file, on a machine without cryotrail."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from importlib.util import find_spec
from pathlib import Path

import pytest
from bundle_fixtures import BundledCase
from exported_bundles import (
    VERIFIER,
    VERIFIER_FILE,
    copied,
    judge,
    judge_files,
    read,
    with_new_manifest,
)

import cryotrail_audit

NEEDED = ("cryptography", "cffi", "_cffi_backend", "pycparser")
COHORT_ENTRIES = 785


@pytest.fixture(scope="module")
def strangers_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new virtual environment in which there is ``cryptography`` and nothing else."""
    folder = tmp_path_factory.mktemp("stranger") / "environment"
    venv.create(folder, symlinks=True, with_pip=False)
    (packages,) = folder.glob("lib/python*/site-packages")
    for name in NEEDED:
        spec = find_spec(name)
        assert spec is not None and spec.origin is not None
        found = Path(spec.origin)
        found = found.parent if found.name.startswith("__init__.") else found
        (packages / found.name).symlink_to(found)
    return folder / "bin" / "python"


def run(python: Path, *arguments: str | Path, where: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-I", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=where,
    )


def test_a_strangers_machine_has_no_cryotrail(strangers_python: Path, tmp_path: Path) -> None:
    tried = "import cryptography, importlib.util as u; print(u.find_spec('cryotrail_audit'))"

    ran = run(strangers_python, "-c", tried, where=tmp_path)

    assert (ran.returncode, ran.stdout) == (0, "None\n"), ran.stderr
    assert Path(cryotrail_audit.__file__).exists()


def test_a_procedure_of_the_cohort_verifies_there_with_a_key_from_outside(
    strangers_python: Path, cohort_bundle: tuple[Path, bytes], tmp_path: Path
) -> None:
    folder, log_key = cohort_bundle
    key_file = tmp_path / "log.pub"
    key_file.write_bytes(log_key)

    ran = run(
        strangers_python, folder / "verify.py", "--log-key", key_file, "--json", where=tmp_path
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    found = json.loads(ran.stdout)
    assert found["result"] == "proved"
    assert found["words"].startswith(f"proved: complete up to size {found['tree_size']}, signed 2")
    assert found["entries"] == {"event": COHORT_ENTRIES, "conflict": 0, "quarantined": 0}
    assert found["data_origin"] == ["RECONSTRUCTED"]
    assert [seal["verdict"] for seal in found["seals"]] == ["sealed and complete"]


def test_without_a_key_from_outside_nothing_is_called_proved(
    strangers_python: Path, cohort_bundle: tuple[Path, bytes], tmp_path: Path
) -> None:
    folder, log_key = cohort_bundle

    ran = run(strangers_python, folder / "verify.py", where=tmp_path)

    fingerprint = VERIFIER.parse_log_key("key", log_key).fingerprint
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.splitlines()[-1].startswith(f"consistent with key {fingerprint}; complete")
    assert "no outside anchor" in ran.stdout
    assert "proved" not in ran.stdout.replace("not proved", "")
    assert "RECONSTRUCTED" in ran.stdout


def test_without_a_head_completeness_is_not_proved(small_bundle: BundledCase) -> None:
    files = read(small_bundle.folder)
    del files["head.note"]

    pinned = judge_files(with_new_manifest(files), small_bundle.public_key)
    alone = judge_files(with_new_manifest(files))

    assert pinned["words"] == "inclusion proved, completeness not proved"
    assert pinned["result"] == "inclusion proved"
    assert alone["words"].endswith("; completeness not proved")
    assert alone["result"] == "consistent"


def test_the_verifier_from_elsewhere_judges_the_same(
    small_bundle: BundledCase, tmp_path: Path
) -> None:
    folder = copied(small_bundle.folder, tmp_path / "without")
    (folder / "verify.py").unlink()
    (folder / "README.md").write_text("another text")

    ran = run(Path(sys.executable), VERIFIER_FILE, folder, where=tmp_path)

    assert ran.returncode == 0, ran.stdout
    assert judge(folder) == judge(small_bundle.folder)


def test_a_refusal_ends_with_1_and_wrong_usage_with_2(
    small_bundle: BundledCase, tmp_path: Path
) -> None:
    folder = copied(small_bundle.folder, tmp_path / "damaged")
    with (folder / "head.note").open("ab") as file:
        file.write(b"\n")

    refused = run(Path(sys.executable), folder / "verify.py", "--json", where=tmp_path)
    wrong = run(Path(sys.executable), folder / "verify.py", "--log-key", "none", where=tmp_path)

    assert (refused.returncode, json.loads(refused.stdout)["file"]) == (1, "head.note")
    assert wrong.returncode == 2


def test_the_verifier_stands_alone() -> None:
    text = VERIFIER_FILE.read_text(encoding="utf-8")

    imported = {
        line.split()[1].partition(".")[0]
        for line in text.splitlines()
        if line.lstrip().startswith(("import ", "from ")) and not line.startswith("    ")
    }

    assert imported <= sys.stdlib_module_names | {"cryptography", "__future__"}
    assert "cryotrail_" not in text


@pytest.mark.parametrize("spelled", ["log-key.pub", "schemas/../log-key.pub"])
def test_the_key_that_came_with_the_bundle_is_not_taken_for_one_from_outside(
    small_bundle: BundledCase, spelled: str
) -> None:
    key = small_bundle.folder / spelled
    ran = run(
        Path(sys.executable), VERIFIER_FILE, small_bundle.folder, "--log-key", key, where=key.parent
    )

    assert ran.returncode == 2
    assert "the bundle's own key" in ran.stderr and "proved" not in ran.stdout
