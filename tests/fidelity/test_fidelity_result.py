"""The result as a value, as JSON, as a table and as text."""

from __future__ import annotations

import copy
import io
import json

import pytest
from rich.console import Console

from synthmob.errors import FormatError
from synthmob.fidelity.result import Fidelity, Finding, TableFit
from synthmob.fidelity.table import as_residuals, as_table, as_text


def _finding(name="sex_tvd", value=0.03, floor=0.02, baseline=0.5, **rest) -> Finding:
    settings = {
        "title": "Sex",
        "word": "anchors",
        "unit": "share",
        "tolerance": 0.01,
        "best": 0.0,
        "direction": "lower",
    } | rest
    return Finding.of(name=name, value=value, floor=floor, baseline=baseline, **settings)


FIT = TableFit("home@district", 8, 1.2, 1.0, 0.03, 0.02, 0.01, 0.2, 1.5, 2, 0, worst_cell="home [red]X, worker no", worst_sd=-2.25)
FLOWS = _finding("flows_cpc_zone", 0.91, 0.95, 0.4, title="Trips by zone", word="flows", best=1.0, direction="higher")
OUTSIDE = Fidelity("outside", False, 100, (_finding(), FLOWS), (FIT,), ("table x: left out",))
INSIDE = Fidelity("inside", True, 100, (_finding(),))


def test_ratios():
    assert (_finding().ratio, _finding().strict_ratio) == (1.5, 1.5)
    within = _finding(value=0.005, floor=0.001)
    assert (within.ratio, within.strict_ratio) == (0.5, 5.0)
    assert _finding(floor=0.0).strict_ratio is None
    assert FLOWS.ratio == pytest.approx(0.09 / 0.05)


@pytest.mark.parametrize(
    ("value", "baseline", "verdict"),
    [
        (0.02, 0.5, "as good"),
        (0.03, 0.5, "goal"),
        (0.031, 0.5, "near"),
        (0.06, 0.5, "near"),
        (0.061, 0.5, "far"),
        (0.061, 0.06, "no gain"),
        (0.03, 0.01, "goal"),
    ],
)
def test_verdicts(value, baseline, verdict):
    assert _finding(value=value, baseline=baseline).verdict == verdict


@pytest.mark.parametrize("fidelity", [OUTSIDE, INSIDE], ids=lambda f: f.kind)
def test_json_there_and_back(fidelity):
    said = json.loads(json.dumps(fidelity.as_json(), allow_nan=False))
    assert Fidelity.from_json(said) == fidelity
    assert set(said) >= {"kind", "confidential", "n_persons", "metrics", "tables"}
    assert set(said["metrics"][0]) >= {
        "name",
        "title",
        "word",
        "unit",
        "value",
        "floor",
        "baseline",
        "tolerance",
        "ratio",
        "best",
        "direction",
        "note",
    }


def _set(path, value):
    def change(said):
        *way, last = path
        for step in way:
            said = said[step]
        said[last] = value

    return change


GARBAGE = {
    "another kind": _set(["kind"], "beside"),
    "a flag that lies": _set(["confidential"], True),
    "a flag of text": _set(["confidential"], "no"),
    "nobody": _set(["n_persons"], 0),
    "a fraction of people": _set(["n_persons"], 1.5),
    "no list": _set(["metrics"], {}),
    "a metric that is none": _set(["metrics"], [3]),
    "a value of text": _set(["metrics", 0, "value"], "0.1"),
    "a value without end": _set(["metrics", 0, "value"], float("inf")),
    "a truth value": _set(["metrics", 0, "ratio"], True),
    "a name of numbers": _set(["metrics", 0, "name"], 7),
    "a stranger's word": _set(["metrics", 0, "word"], "weather"),
    "a third direction": _set(["metrics", 0, "direction"], "sideways"),
    "one field too many": _set(["metrics", 0, "records"], "s3://"),
    "half a cell": _set(["tables", 0, "cells"], 0.5),
    "notes of text": _set(["notes"], "none"),
}


@pytest.mark.parametrize("change", GARBAGE.values(), ids=GARBAGE)
def test_garbage_is_refused(change):
    said = copy.deepcopy(OUTSIDE.as_json())
    change(said)
    with pytest.raises(FormatError):
        Fidelity.from_json(said)


@pytest.mark.parametrize("said", [None, [], "text", 3, {}])
def test_what_is_no_object_is_refused(said):
    with pytest.raises(FormatError):
        Fidelity.from_json(said)


def test_a_field_that_is_missing_is_named():
    said = OUTSIDE.as_json()
    del said["metrics"][0]["floor"]
    with pytest.raises(FormatError, match="'floor'"):
        Fidelity.from_json(said)


def test_a_confidential_result_cannot_be_called_anything_else():
    with pytest.raises(FormatError):
        Fidelity("inside", False, 1, ())
    with pytest.raises(FormatError):
        Fidelity("outside", True, 1, ())


def test_a_metric_without_a_number_is_refused():
    with pytest.raises(FormatError, match="came out as inf"):
        _finding(value=float("inf"))


@pytest.mark.parametrize(
    ("fidelity", "first"),
    [
        (OUTSIDE, "OUTSIDE: computed against the release"),
        (INSIDE, "INSIDE, CONFIDENTIAL: computed from private records"),
    ],
)
def test_text_and_table_say_first_which_of_the_two_it_is(fidelity, first):
    assert as_text(fidelity).splitlines()[0] == first
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(as_table(fidelity))
    shown = console.export_text()
    assert shown.splitlines()[0].strip() == first
    for text in (shown, as_text(fidelity)):
        row = next(line for line in text.splitlines() if "Sex" in line)
        assert [word for word in ("0.0300", "0.0200", "0.5000", "1.50", "goal") if word not in row] == []


def test_every_released_table_has_its_residuals_told():
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(as_residuals(OUTSIDE))
    for text in (console.export_text(), as_text(OUTSIDE)):
        row = next(line for line in text.splitlines() if "home@district" in line)
        wanted = ("8", "1.20", "1.00", "home [red]X, worker no", "-2.2")
        assert [word for word in wanted if word not in row] == []
    assert as_residuals(INSIDE) is None
    assert "Residuals" not in as_text(INSIDE)


def test_text_names_what_was_left_out_and_which_way_is_better():
    assert "table x: left out" in as_text(OUTSIDE)
    assert "Trips by zone (higher is better)" in as_text(OUTSIDE)
