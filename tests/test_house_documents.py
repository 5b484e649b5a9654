"""What the documents point at is there, and they are finished."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
    cwd=ROOT,
    check=True,
    capture_output=True,
    text=True,
).stdout.split()
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]+)")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_relative_link_leads_somewhere(document: str) -> None:
    path = ROOT / document
    links = LINK.findall(path.read_text(encoding="utf-8"))

    assert [link for link in links if not (path.parent / link).exists()] == []


def test_the_readme_links_every_room() -> None:
    links = set(LINK.findall((ROOT / "README.md").read_text(encoding="utf-8")))

    assert {"ARCHITECTURE.md", "docs/decisions/README.md", "audit/README.md"} <= links


@pytest.mark.parametrize("document", DOCUMENTS)
def test_no_place_holder_is_left(document: str) -> None:
    assert "@@" not in (ROOT / document).read_text(encoding="utf-8")
