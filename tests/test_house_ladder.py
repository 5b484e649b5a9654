"""The tree is what the architecture says: one package a folder, imports down the ladder only."""

import ast
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("schemas", "producers", "audit", "consumers", "warehouse", "dashboards", "command")
SOURCES = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=root,
        check=False,
        env={"PYTHONPATH": ":".join(str(root / folder) for folder in FOLDERS), "PATH": ""},
    )


def test_the_ladder_breaks_when_a_lower_rung_imports_a_higher_one(tmp_path: Path) -> None:
    settings = (ROOT / "pyproject.toml").read_text()
    contracts = tomllib.loads(settings)["tool"]["importlinter"]["contracts"]
    named = {name for contract in contracts for name in contract.get("source_modules", ())}
    roots = {"cryotrail": "command"} | {f"cryotrail_{folder}": folder for folder in FOLDERS[:-1]}
    for module in sorted({*roots, *named}):
        package = tmp_path / roots[module.partition(".")[0]] / module.replace(".", "/")
        package.mkdir(parents=True)
        (package / "__init__.py").write_text('"""A stub."""\n')
    (tmp_path / "pyproject.toml").write_text(settings)
    assert lint_imports(tmp_path).returncode == 0

    intruder = tmp_path / "audit" / "cryotrail_audit" / "shortcut.py"
    intruder.write_text("def look() -> None:\n    import cryotrail_warehouse\n")

    broken = lint_imports(tmp_path)
    assert broken.returncode == 1
    assert "cryotrail_audit.shortcut -> cryotrail_warehouse" in broken.stdout


def test_no_file_imports_through_a_folder_name() -> None:
    found = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom) and not node.level
                else []
            )
            found += [f"{path}: {name}" for name in names if name.split(".")[0] in FOLDERS]

    assert found == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_is_a_room_with_a_readme_and_no_package_itself(folder: str) -> None:
    assert (ROOT / folder / "README.md").is_file()
    assert not (ROOT / folder / "__init__.py").exists()


def test_the_wheel_holds_every_file_of_every_package(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=120,
    )
    [wheel] = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())

    tracked = subprocess.run(
        ["git", "ls-files", *FOLDERS], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()
    packaged = {file.split("/", 1)[1] for file in tracked if "/cryotrail" in file}
    assert len(packaged) > 50
    assert packaged - held == set()
