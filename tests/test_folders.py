"""A folder is written whole or not at all, and nobody's work is written over."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthmob.errors import FormatError
from synthmob.folders import read_json, written_aside


def write(target: Path, text: str, fail: bool = False) -> None:
    with written_aside(target, "model", "model.json", ("arrays",)) as work:
        (work / "model.json").write_text(text)
        if fail:
            raise RuntimeError("half way")


def test_new_empty_and_earlier_folders_are_replaced(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "model"
    write(target, "1")
    write(target, "2")
    assert (target / "model.json").read_text() == "2"
    (tmp_path / "empty").mkdir()
    write(tmp_path / "empty", "3")
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["deep", "empty", "model", "model.json", "model.json"]


def test_failing_changes_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        write(tmp_path / "model", "1", fail=True)
    assert list(tmp_path.iterdir()) == []
    write(tmp_path / "model", "1")
    with pytest.raises(RuntimeError):
        write(tmp_path / "model", "2", fail=True)
    assert (tmp_path / "model/model.json").read_text() == "1"
    assert [p.name for p in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize("found", ["thesis.txt", "arrays"])
def test_other_folders_are_left_alone(tmp_path: Path, found: str) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / found).write_text("x")
    with pytest.raises(FormatError, match=f"{found}.*left alone"):
        write(tmp_path / "mine", "1")
    with pytest.raises(FormatError, match="is a file"):
        write(tmp_path / "mine" / found, "1")
    assert (tmp_path / "mine" / found).read_text() == "x"


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"a": NaN}', '{"a": Infinity}', "[" * 50_000])
def test_what_is_no_json_object_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "model.json").write_text(text)
    with pytest.raises(FormatError, match="JSON"):
        read_json(tmp_path / "model.json", "model")
    with pytest.raises(FormatError, match=r"no readable other\.json"):
        read_json(tmp_path / "other.json", "model")
