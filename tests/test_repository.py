"""Rules of the house that no linter knows: sizes, what a file may never hold, what every public thing must say."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import synthmob

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "synthmob").rglob("*.py"))
TEXTS = sorted(
    path for path in ROOT.rglob("*")
    if path.is_file() and path.suffix in {".py", ".md", ".toml", ".ini", ".html", ".css", ".js", ".json", ".ipynb", ""}
    and not any(part.startswith(".") and part != ".ci" for part in path.relative_to(ROOT).parts[:-1])
    and path.relative_to(ROOT).parts[0] not in {"synthmob-demo", "out", "build", "dist"} and path.stat().st_size < 1_000_000
)  # fmt: skip
MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:home|root|Users|work|tmp|opt|mnt)/\w")


def ids(paths: list[Path]) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in paths]


def public(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    """The functions and classes of a module, and the methods of its classes, whose names begin with no underscore."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from (n for n in node.body if isinstance(n, ast.FunctionDef) and not n.name.startswith("_"))


@pytest.mark.parametrize("path", SOURCES, ids=ids(SOURCES))
def test_a_file_is_one_concept(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert len(text.splitlines()) <= 300
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            assert (node.end_lineno or 0) - node.lineno < 200, f"{node.name} is too long"
    assert not text.strip() or ast.get_docstring(tree) or path.name == "__init__.py"
    for node in public(tree):
        assert ast.get_docstring(node), f"{node.name} says nothing of itself"


@pytest.mark.parametrize("path", SOURCES, ids=ids(SOURCES))
def test_input_is_never_asserted(path: Path) -> None:
    assert not [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Assert)]


@pytest.mark.parametrize("path", SOURCES, ids=ids(SOURCES))
def test_classes_inherit_from_nothing_but_errors(path: Path) -> None:
    if path.name == "errors.py":
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            assert {ast.unparse(base) for base in node.bases} <= {"Protocol", "NamedTuple", "TypedDict"}, node.name


@pytest.mark.parametrize("path", TEXTS, ids=ids(TEXTS))
def test_no_file_names_a_place_on_somebodys_machine(path: Path) -> None:
    found = MACHINE_PATHS.search(path.read_text(encoding="utf-8"))
    assert found is None, f"{path.name} holds {found.group() if found else ''}"


def test_private_names_no_module_but_its_own_and_what_is_below() -> None:
    """The word `private` stands in an import of the pipeline and of the private package alone."""
    importing = re.compile(r"^\s*(?:from|import)\s+synthmob\.private|from synthmob import .*\bprivate\b", re.MULTILINE)
    for path in SOURCES:
        if importing.search(path.read_text(encoding="utf-8")):
            assert path.relative_to(ROOT / "synthmob").parts[0] in {"private", "pipeline"}, path.name


def test_the_version_is_said_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == synthmob.__version__
    assert f"## {synthmob.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_version_is_pinned_and_torch_is_left_out() -> None:
    uv = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["uv"]
    pins = uv["constraint-dependencies"]
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", pin) for pin in pins)
    names = [pin.split("==")[0] for pin in pins]
    assert names == sorted(set(names))
    assert "torch" in uv["exclude-dependencies"]
    assert not [name for name in names if name.startswith(("torch", "nvidia", "triton"))]
