"""The documents say what the code says, and point at what is there: files, functions, and tests."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from synthmob.counts import STATISTICS
from synthmob.plan import Plan

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "geodata").glob("*.md")])
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
IN_PAGE = re.compile(r"\]\(#([^)\s]+)\)")
FUNCTION = re.compile(r"`(synthmob(?:\.\w+)+)`")
TEST = re.compile(r"`(tests/[\w/]+\.py::\w+(?:\[[^\]]+\])?)`")
PRIVACY = (ROOT / "docs" / "PRIVACY.md").read_text(encoding="utf-8")


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


def headings(text: str) -> set[str]:
    """The anchors that a page offers, as GitHub makes them."""
    found = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in found}


@pytest.mark.parametrize("path", DOCUMENTS, ids=names(DOCUMENTS))
def test_links_within_a_page_lead_to_a_heading(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert set(IN_PAGE.findall(text)) <= headings(text)


# ---------------------------------------------------------------- the proof stands next to the code


def missing_functions(text: str) -> list[str]:
    """The dotted names of a text that lead to nothing that can be called or read."""
    return [name for name in sorted(set(FUNCTION.findall(text))) if not leads_somewhere(name)]


def leads_somewhere(name: str) -> bool:
    parts = name.split(".")
    for k in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:k]))
        except ModuleNotFoundError:
            continue
        for part in parts[k:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


def collected(files: set[str]) -> set[str]:
    """The node ids that pytest finds in some test files, and their functions without a parameter."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-n", "0", "-p", "no:cacheprovider", *sorted(files)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    ids = {line.strip() for line in done.stdout.splitlines() if "::" in line}
    return ids | {node.split("[")[0] for node in ids}


def test_every_function_and_test_that_the_proof_names_is_there() -> None:
    functions, tests = set(FUNCTION.findall(PRIVACY)), set(TEST.findall(PRIVACY))
    assert len(functions) > 50 and len(tests) > 60, "the proof names functions and tests in a form that is not recognised"
    assert not missing_functions(PRIVACY)
    there = collected({test.split("::")[0] for test in tests})
    assert not tests - there


def test_a_function_that_is_gone_is_found() -> None:
    gone = "`synthmob.private.bounding.never_was`, `synthmob.no_such_module.thing`, `synthmob.plan.Plan.sigma_of`, `synthmob.plan.Plan.no`"
    assert missing_functions(gone) == ["synthmob.no_such_module.thing", "synthmob.plan.Plan.no", "synthmob.private.bounding.never_was"]
    said = "`tests/test_docs.py::test_x[a b]` and `tests/a/b.py::test_y`"
    assert TEST.findall(said) == ["tests/test_docs.py::test_x[a b]", "tests/a/b.py::test_y"]


def test_each_table_of_the_standard_plan_has_its_line_of_proof() -> None:
    block = PRIVACY.split("<!-- generated: proof -->")[1].split("<!-- end -->")[0]
    rows = [[cell.strip() for cell in line.strip("| \n").split(" | ")] for line in block.strip().splitlines()]
    heading, lines = rows[0], [dict(zip(rows[0], row, strict=True)) for row in rows[2:]]
    assert heading[0] == "table" and {line["table"].strip("`").split("@")[0] for line in lines} == set(STATISTICS)
    for line in lines:
        name = line["table"].strip("`")
        statistic = STATISTICS[name.split("@")[0]]
        module, _, function = line["counted by"].strip("`").rpartition(".")
        assert statistic.rows.__module__ == module and statistic.rows.__qualname__.split(".")[0] == function, name
        assert line["held by"].strip("`").endswith(f"[{statistic.name}]") and line["threshold delta"] == "0", name
        bound, steps = float(line["bound, persons"]), float(line["sensitivity, steps of 1/1024"].replace(",", ""))
        assert steps == pytest.approx(bound * 1024, abs=0.2) and line["what one subscriber adds"] and line["so at most"], name


def test_a_command_prints_what_is_generated() -> None:
    command = [sys.executable, ROOT / "docs" / "generate.py", "--print"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, check=True)
    blocks = re.findall(r"<!-- generated: \w+ -->\n(.*?)<!-- end -->", PRIVACY, re.DOTALL)
    assert len(blocks) == 2 and all(block in done.stdout for block in blocks)


def test_every_module_has_its_place_in_the_architecture() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    package = ROOT / "synthmob"
    modules = {p.stem for p in package.glob("*.py")} | {p.parent.name for p in package.glob("*/__init__.py")}
    for name in sorted(modules - {"__init__", "__main__"}):
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
