"""What the package says it exports is there, documented, and costs nothing until it is used."""

from __future__ import annotations

import subprocess
import sys
import types

import pytest

import synthmob

PUBLIC = ["MobilityModel", "Plan", "Population", "Release", "Zoning", "compare", "fit", "generate", "read_zoning", "worlds", "write"]


def test_all_is_the_truth() -> None:
    assert synthmob.__all__ == PUBLIC == sorted(PUBLIC)
    assert set(PUBLIC) <= set(dir(synthmob))
    with pytest.raises(AttributeError, match="no attribute 'Curator'"):
        _ = synthmob.Curator


@pytest.mark.parametrize("name", PUBLIC)
def test_every_name_is_there_and_says_what_it_is(name: str) -> None:
    found = getattr(synthmob, name)
    assert found.__doc__ and found.__doc__.strip()
    assert isinstance(found, types.ModuleType) == (name == "worlds")
    assert "private" not in found.__name__ and "private" not in getattr(found, "__module__", "")


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import sys, synthmob, synthmob.cli; print(*sorted(m.split('.')[0] for m in sys.modules))"
    loaded = set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())
    assert not loaded & {"numpy", "pandas", "pyarrow", "ibis", "duckdb", "numba", "geopandas", "opendp", "sdmetrics", "rich"}
