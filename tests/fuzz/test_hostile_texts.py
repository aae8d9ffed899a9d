"""Plans, periods and check results from a stranger with a purpose."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fuzz_bases import Bases
from fuzz_cases import one_sentence

from synthmob import folders
from synthmob.errors import LONGEST_MESSAGE, FormatError, InputError, PlanError, RecordError, one_line
from synthmob.fidelity.result import Fidelity
from synthmob.period import Period
from synthmob.plan import Plan

TOML: dict[str, str] = {
    "nested lists": "min_group = " + "[" * 5_000 + "]" * 5_000,
    "nested tables": "a = " + "{b = " * 5_000,
    "a name of many dots": "a" + ".a" * 20_000 + " = 1",
    "tables of many dots": "\n".join(f"[{'a.' * 14}b{k}]" for k in range(2_000)),
    "a number of 60,000 digits": "min_group = " + "9" * 60_000,
    "a number in base sixteen": "min_group = 0x" + "F" * 5_000,
    "days in base sixteen": "first_day = 2026-03-02\ndays = 0x" + "F" * 500,
    "a megabyte": "# " + "x" * 1_000_000,
    "another encoding": "min_group = 20\n".encode("utf-16").decode("latin-1"),
    "NUL": "min_group = 1\0",
    "an endless day": f"first_day = '{'x' * 60_000}'\ndays = 1",
}


@pytest.mark.parametrize("name", TOML)
@pytest.mark.parametrize("read", [lambda path: Plan.read(path, 1.0, 1e-6), Period.read], ids=["plan", "period"])
def test_hostile_toml_is_refused_in_one_sentence(tmp_path: Path, name: str, read: Callable[[Path], object]) -> None:
    path = tmp_path / "text.toml"
    path.write_text(TOML[name], encoding="latin-1")
    with pytest.raises(InputError) as refused:
        read(path)
    assert one_sentence(refused.value), str(refused.value)


@pytest.mark.parametrize(("read", "error"), [(lambda path: Plan.read(path, 1.0, 1e-6), PlanError), (Period.read, RecordError)])
def test_what_is_no_file_is_not_waited_for(tmp_path: Path, read: Callable[[Path], object], error: type[Exception]) -> None:
    pipe = tmp_path / "pipe.toml"
    os.mkfifo(pipe)
    device, loop = tmp_path / "device.toml", tmp_path / "loop.toml"
    device.symlink_to("/dev/zero")
    loop.symlink_to(loop)
    for path in (pipe, device, loop, tmp_path, Path("a" * 5_000), Path("a\0b")):
        with pytest.raises(error, match="There is no readable"):
            read(path)
    (tmp_path / "real.toml").write_text("first_day = 2026-03-02\ndays = 1\n")
    (tmp_path / "linked.toml").symlink_to(tmp_path / "real.toml")
    assert Period.read(tmp_path / "linked.toml").days == 1  # a user's own link is followed


WRONG_PLANS = {
    "a share of all": ('[tables."home@district"]\nshare = 1e300', "at most 1e"),
    "a tiny share": ('[tables."home@district"]\nshare = 1e-300', "share of 1e-300"),
    "an endless bound": ('[tables."home@district"]\nbound_l2 = 1e300', "at most 1000"),
    "a bound of nothing": ('[tables."home@district"]\nbound_l2 = nan', "bound_l2 of nan"),
    "an endless group": ("min_group = 9000000000000000000", "at most 1000000000"),
    "a thousand categories": (f"[domain]\nsex = {[str(k) for k in range(1_000)]}", "list of categories"),
    "an endless category": (f'[domain]\nsex = ["{"x" * 500}"]', "list of categories"),
    "a category for a terminal": ('[domain]\nsex = ["\\u001b[2J"]', "list of categories"),
    "a thousand edges": (f"[domain]\nduration_edges_min = {list(range(1_000))}", "at most 500"),
    "more bands of distance than a zone pair has room for": (f"[domain]\ndistance_edges_km = {list(range(127))}", "at most 126"),
    "the other side of the globe": ("[domain]\ndistance_edges_km = [0, 1000000]", "bin edges"),
}


@pytest.mark.parametrize("name", WRONG_PLANS)
def test_a_plan_that_no_noise_can_follow_is_refused(tmp_path: Path, name: str) -> None:
    text, words = WRONG_PLANS[name]
    path = tmp_path / "plan.toml"
    path.write_text(text)
    with pytest.raises(PlanError, match=words):
        Plan.read(path, 1.0, 1e-6)


@pytest.mark.parametrize("day", ["0001-01-01", "0001-01-04", "9999-12-31", "9999-12-27"])
def test_a_period_needs_room_for_its_clocks(day: str) -> None:
    with pytest.raises(RecordError, match="calendar"):
        Period.of(day, 1, "Europe/London")


Change = Callable[[dict[str, Any]], object]
RESULTS: dict[str, Change] = {
    "a ratio below nothing": lambda s: s["metrics"][0].update(ratio=-1),
    "a value without end": lambda s: s["metrics"][0].update(value=1e300),
    "a metric twice": lambda s: s["metrics"].append(s["metrics"][0]),
    "a table twice": lambda s: s["tables"].append(s["tables"][0]),
    "fewer than no cells": lambda s: s["tables"][0].update(cells=-1),
    "an endless title": lambda s: s["metrics"][0].update(title="x" * 10_000),
    "an endless note": lambda s: s.update(notes=["x" * 10_000]),
    "a note of numbers": lambda s: s.update(notes=[3]),
    "a hundred thousand metrics": lambda s: s.update(metrics=[{**s["metrics"][0], "name": str(k)} for k in range(100_000)]),
    "more people than there are": lambda s: s.update(n_persons=10**18),
}


@pytest.mark.parametrize("name", RESULTS)
def test_a_hostile_check_result_is_refused(bases: Bases, name: str) -> None:
    said = json.loads((bases["check"] / "check.json").read_text())
    assert Fidelity.from_json(said).n_persons == 100
    RESULTS[name](said)
    with pytest.raises(FormatError):
        Fidelity.from_json(said)


def test_a_digit_more_than_a_float_has_is_no_traceback() -> None:
    with pytest.raises(FormatError, match="n_persons"):
        Fidelity.from_json({"kind": "outside", "confidential": False, "n_persons": 10**400, "metrics": [], "tables": [], "notes": []})


def test_a_message_is_one_line_whatever_it_quotes() -> None:
    assert one_line("a\nb\x1b[2J\u202e\ud800.") == "a\\nb\\x1b[2J\\u202e\\ud800."
    long = one_line("There is no " + "x" * 100_000 + ": give another one.")
    assert len(long) <= LONGEST_MESSAGE and long.startswith("There is no x") and long.endswith("x: give another one.")
    assert str(FormatError("a\nb")) == "a\\nb"


def test_files_of_a_stranger_are_bounded_and_not_followed(tmp_path: Path) -> None:
    real = tmp_path / "real.json"
    real.write_text('{"a": 1}')
    (tmp_path / "link.json").symlink_to(real)
    assert folders.read_json(tmp_path / "link.json", "check result", linked=True) == {"a": 1}
    with pytest.raises(FormatError, match="no readable"):
        folders.read_json(tmp_path / "link.json", "release")
    with pytest.raises(FormatError, match="larger than"):
        folders.read_json(real, "release", most=4)
    with pytest.raises(FormatError, match="lists and objects"):
        folders.read_json(real, "release", parts=0)
    os.truncate(real, 1 << 41)
    with pytest.raises(FormatError, match="larger than"):
        folders.read_json(real, "release")
    with pytest.raises(FormatError, match="no folder that can be read"):
        folders.check_holds(tmp_path / "nowhere", "release", ())
    (tmp_path / ".DS_Store").touch()
    with pytest.raises(FormatError, match=r"'link\.json' in .* is a link"):
        folders.check_holds(tmp_path, "release", ("link.json", "real.json"))
    (tmp_path / "link.json").unlink()
    folders.check_holds(tmp_path, "release", ("real.json",))
