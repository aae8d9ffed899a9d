"""A manifest is a function of what was asked and read."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from synthmob import manifest
from synthmob.errors import FormatError


def test_a_digest_is_what_sha256sum_says(tmp_path: Path) -> None:
    (tmp_path / "in" / "b").mkdir(parents=True)
    (tmp_path / "in" / "a.txt").write_text("one")
    (tmp_path / "in" / "b" / "c.bin").write_bytes(b"\x00" * 100_000)
    assert manifest.digest(tmp_path / "in" / "a.txt") == hashlib.sha256(b"one").hexdigest()
    listing = subprocess.run(["sha256sum", "a.txt", "b/c.bin"], cwd=tmp_path / "in", capture_output=True, check=True).stdout
    assert manifest.digest(tmp_path / "in") == hashlib.sha256(listing).hexdigest()
    with pytest.raises(FormatError, match="no readable nothing"):
        manifest.digest(tmp_path / "nothing")


def test_the_same_step_on_the_same_bytes_says_the_same_anywhere(tmp_path: Path) -> None:
    texts: list[str] = []
    for place in ("here", "there"):
        folder = tmp_path / place / "model"
        folder.mkdir(parents=True)
        (folder / "model.json").write_text("{}")
        said = manifest.compose("generate", {"persons": 5}, inputs={"model": folder}, seed=0, packages=("pytest", "not-there"))
        manifest.write(said, folder / manifest.FILE)
        texts.append((folder / manifest.FILE).read_text())
    assert texts[0] == texts[1] and str(tmp_path) not in texts[0]
    said = manifest.read(tmp_path / "here" / "model")
    assert said["inputs"]["model"]["name"] == "model" and said["seed"] == 0
    assert {"python", "numpy", "pytest"} <= set(said["versions"]) and "not-there" not in said["versions"]


@pytest.mark.parametrize("change", [{"format": "x"}, {"format_version": 2}, {"step": 3}, {"parameters": []}])
def test_what_is_no_manifest_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    (tmp_path / manifest.FILE).write_text(json.dumps({**manifest.compose("fit", {}), **change}))
    with pytest.raises(FormatError, match=r"manifest\.json"):
        manifest.read(tmp_path)
