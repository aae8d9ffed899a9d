"""The documents say what the code says, and point at what is there."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from synthmob.plan import Plan

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "geodata").glob("*.md")])
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")


def names(paths: list[Path]) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in paths]


def test_what_is_generated_is_up_to_date() -> None:
    command = [sys.executable, ROOT / "docs" / "generate.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", DOCUMENTS, ids=names(DOCUMENTS))
def test_links_lead_somewhere(path: Path) -> None:
    for target in LINK.findall(path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), f"{path.name} points at {target}"


def test_every_module_has_its_place_in_the_architecture() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    package = ROOT / "synthmob"
    modules = {p.stem for p in package.glob("*.py")} | {p.parent.name for p in package.glob("*/__init__.py")}
    for name in sorted(modules - {"__init__"}):
        assert re.search(rf"^.*\b{name}\b", text, re.MULTILINE), f"ARCHITECTURE.md says nothing of {name}"


def test_the_plan_in_the_privacy_document_is_one(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "PRIVACY.md").read_text(encoding="utf-8")
    example = text.split("```toml\n")[1].split("```")[0]
    assert set(tomllib.loads(example)) == {"min_group", "domain", "tables"}
    (tmp_path / "plan.toml").write_text(example, encoding="utf-8")
    plan = Plan.read(tmp_path / "plan.toml", 1.0, 1e-6)
    assert plan.domain.max_chain_stays == 6 and {r.name: r.share for r in plan.requests}["participation"] == 0.0


def test_the_readme_gives_the_commands_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    from synthmob.cli import main

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```\n(.*?)```", text, re.DOTALL)
    verbs = {line.split()[1] for block in blocks for line in block.splitlines() if line.startswith("synthmob ")}
    for verb in sorted(verbs):
        with pytest.raises(SystemExit) as stopped:
            main([verb, "--help"])
        assert stopped.value.code == 0
        options = set(re.findall(r"(?<!\S)-{1,2}[a-z][a-z0-9-]*", capsys.readouterr().out))
        for line in (one for block in blocks for one in block.splitlines() if one.startswith(f"synthmob {verb} ")):
            assert set(re.findall(r"(?<!\S)-{1,2}[a-z][a-z0-9-]*", line)) <= options, line
