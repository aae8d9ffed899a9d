"""What numba keeps on disk counts for as long as the functions and constants of other files are what they were."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import numba
import numpy as np
import pytest

from synthmob.compilation import prefetch

PACKAGE = Path(__file__).parent.parent / "synthmob"
BELOW = """
import numpy as np
from synthmob.compilation import inlined
STEP, SHIFT, WIDTHS = 3, np.uint64(5), (1.0, 2.0)
@inlined
def scaled(x):
    return 2 * x
"""
ABOVE = """
import numba, below
from below import STEP, scaled
from synthmob.compilation import compiled
@compiled
def with_us(x):
    return scaled(x) + STEP + below.SHIFT + below.WIDTHS[1]
@numba.njit(cache=True)
def alone(x):
    return scaled(x) + STEP
"""
Program = Callable[[str], ModuleType]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """A program of two files, imported anew for every way that the file below is written, as by so many runs of it."""

    def run(below: str) -> ModuleType:
        made = ModuleType("above")
        for name, source in (("below", below), ("above", ABOVE)):
            path, made = tmp_path / f"{name}.py", ModuleType(name)
            path.write_text(source)
            monkeypatch.setitem(sys.modules, name, made)
            exec(compile(source, path, "exec"), made.__dict__)  # no .pyc in between, whose times are whole seconds
        return made

    return run


def answer(function: Any) -> tuple[float, bool]:
    """What a function makes of 10, and whether it came from the disk."""
    return function(10), bool(function.stats.cache_hits)


def test_what_has_not_changed_is_kept_and_what_has_is_compiled_anew(program: Program) -> None:
    assert answer(program(BELOW).with_us) == (30.0, False)
    assert answer(program(BELOW).with_us) == (30.0, True)
    for before, after, expected in (("= 3,", "= 4,", 31.0), ("(5)", "(6)", 31.0), ("2.0)", "2.5)", 30.5), ("2 * x", "3 * x", 40.0)):
        assert answer(program(BELOW.replace(before, after)).with_us) == (expected, False), after


def test_numba_by_itself_goes_on_with_what_others_were(program: Program) -> None:
    assert answer(program(BELOW).alone) == (23, False)
    assert answer(program(BELOW.replace("= 3,", "= 4,").replace("2 * x", "3 * x")).alone) == (23, True)  # which is what all this is for


def test_what_is_asked_for_ahead_is_an_instruction_and_changes_nothing() -> None:
    @numba.njit  # not kept, or there would be nothing to look at
    def total(numbers: Any) -> Any:
        out = 0
        for k in range(len(numbers)):
            if k + 1 < len(numbers):
                prefetch(numbers, (k + 1, 0))
            out += numbers[k, 0]
        return out

    assert total(np.arange(6).reshape(3, 2)) == 6
    (code,) = cast(Any, total).inspect_llvm().values()
    assert "call void @llvm.prefetch" in code


@pytest.mark.parametrize("line", ["WIDTHS = [1.0, 2.0]", "WIDTHS = {}", "BELOW_IT = 1"])
def test_what_could_change_unseen_is_not_compiled(program: Program, line: str) -> None:
    with pytest.raises(TypeError, match="wide is to be compiled and names WIDTHS, of which nobody could say whether it has changed"):
        program(f"from synthmob.compilation import compiled\n{line}\n@compiled\ndef wide():\n    return WIDTHS\nWIDTHS = 3\n")


def test_nothing_in_the_package_is_compiled_in_another_way() -> None:
    asking = [path.name for path in PACKAGE.rglob("*.py") if re.search(r"^\s*(import|from) numba", path.read_text(), re.MULTILINE)]
    assert asking == ["compilation.py"]


def test_where_references_are_not_counted_nothing_can_be_made(program: Program) -> None:
    making = "@uncounted\ndef making(n):\n    return np.zeros(n)\n@uncounted\ndef filled(out):\n    out[:] = scaled(21.0)\n"
    program(f"{BELOW}from synthmob.compilation import uncounted\n{making}")
    below, out = cast(Any, sys.modules["below"]), np.zeros(2)
    below.filled(out)
    assert out.tolist() == [42.0, 42.0]
    with pytest.raises(numba.core.errors.NumbaError, match="Only accept returning of array passed into the function"):
        below.making(3)
