"""A model comes back as it was saved, and one that was tampered with is refused before anything of it is used."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from smallrun import Run

from synthmob import modelfile
from synthmob.errors import FormatError
from synthmob.synthesis.days import generate

Edit = Callable[[Path, dict[str, Any]], None]


@pytest.fixture
def copy(run: Run, tmp_path: Path) -> Path:
    return Path(shutil.copytree(run.model, tmp_path / "model"))


def edited(folder: Path, edit: Edit) -> Path:
    said = json.loads((folder / "model.json").read_text())
    edit(folder, said)
    (folder / "model.json").write_text(json.dumps(said))
    return folder


def put(folder: Path, said: dict[str, Any], name: str, array: np.ndarray[Any, Any]) -> None:
    """An array in the place of another, described as it is: what a stranger with a purpose would send."""
    path = folder / f"arrays/{name}.npy"
    np.save(path, array)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    said["arrays"][name] = {"dtype": array.dtype.str, "shape": list(array.shape), "sha256": sha256}


def changed(name: str, change: Callable[[np.ndarray[Any, Any]], Any]) -> Edit:
    def edit(folder: Path, said: dict[str, Any]) -> None:
        array = np.load(folder / f"arrays/{name}.npy")
        found = change(array)
        put(folder, said, name, array if found is None else found)

    return edit


def fill(value: float) -> Callable[[np.ndarray[Any, Any]], None]:
    def change(array: np.ndarray[Any, Any]) -> None:
        array.flat[-1] = value

    return change


def test_a_model_comes_back_as_it_was(run: Run, tmp_path: Path) -> None:
    model = modelfile.load(run.model)
    again = modelfile.load(modelfile.save(model, tmp_path / "again"))
    assert (again.domain, again.period, again.day_type_of, again.assumed, again.source) == (
        model.domain, model.period, model.day_type_of, model.assumed, model.source)  # fmt: skip
    assert again.zoning.ids == model.zoning.ids and [level.name for level in again.zoning.levels] == ["zone", "district"]
    files = sorted(p.relative_to(run.model) for p in run.model.rglob("*") if p.is_file() and p.name != "manifest.json")
    for file in files:
        assert (run.model / file).read_bytes() == (tmp_path / "again" / file).read_bytes(), file
    one, two = (generate(m, n_persons=300, days=2, seed=5).block(0).stays for m in (model, again))
    for name in ("person", "zone", "purpose", "start", "end", "lonlat"):
        assert np.array_equal(getattr(one, name), getattr(two, name), equal_nan=name == "lonlat")


def test_saving_replaces_a_model_and_nothing_else(run: Run, tmp_path: Path) -> None:
    model = modelfile.load(run.model)
    modelfile.save(model, tmp_path / "model")
    modelfile.save(replace(model, assumed=("changed",)), tmp_path / "model")
    assert modelfile.load(tmp_path / "model").assumed == ("changed",)
    (tmp_path / "model" / "notes.txt").write_text("mine")
    with pytest.raises(FormatError, match=r"notes\.txt"):
        modelfile.save(model, tmp_path / "model")
    with pytest.raises(FormatError, match="left alone"):
        modelfile.save(model, run.release)


@pytest.mark.parametrize("name", ["arrays/flows.attraction.npy", "arrays/routines.timings.1.schedules.npy", "zones.parquet"])
def test_a_damaged_or_missing_file_is_named(copy: Path, name: str) -> None:
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(FormatError, match=f"{Path(name).name} is not the file.*SHA-256"):
        modelfile.load(copy)
    (copy / name).unlink()
    with pytest.raises(FormatError, match=Path(name).name):
        modelfile.load(copy)


WRONG_TEXT: dict[str, tuple[Edit, str]] = {
    "format": (lambda f, s: s.update(format="other"), "format 'other'"),
    "version": (lambda f, s: s.update(format_version=99), "version 99"),
    "no arrays": (lambda f, s: s.pop("arrays"), "nothing of 'arrays'"),
    "arrays": (lambda f, s: s.update(arrays=[]), "cannot be"),
    "many day types": (lambda f, s: s.update(day_types=10**9), "cannot be"),
    "more day types": (lambda f, s: s.update(day_types=3), r"routines\.chains\.2"),
    "day type of": (lambda f, s: s.update(day_type_of=[0, 7, 0]), "day_type_of has an index"),
    "day type text": (lambda f, s: s.update(day_type_of=["0", 0, 0]), "cannot be"),
    "domain": (lambda f, s: s["domain"].update(purposes=["shop"]), "domain"),
    "domain list": (lambda f, s: s.update(domain=[]), "no domain"),
    "edges": (lambda f, s: s["domain"].update(distance_edges_km=[0, 1]), "shape"),
    "period": (lambda f, s: s["period"].update(days=-1), "period"),
    "no shape": (lambda f, s: s["arrays"]["flows.affinity"].pop("shape"), r"describe flows\.affinity"),
    "type": (lambda f, s: s["arrays"]["flows.affinity"].update(dtype="|O"), r"describe flows\.affinity"),
    "huge": (lambda f, s: s["arrays"]["flows.affinity"].update(shape=[2**40, 2**40]), "size"),
    "negative": (lambda f, s: s["arrays"]["flows.affinity"].update(shape=[-1, -1]), r"describe flows\.affinity"),
    "boolean": (lambda f, s: s["arrays"]["flows.affinity"].update(shape=[True, True]), r"describe flows\.affinity"),
}


@pytest.mark.parametrize("case", WRONG_TEXT)
def test_json_that_cannot_be_is_refused(copy: Path, case: str) -> None:
    edit, message = WRONG_TEXT[case]
    with pytest.raises(FormatError, match=message):
        modelfile.load(edited(copy, edit))


WRONG_ARRAYS: dict[str, tuple[Edit, str]] = {
    "row past the end": (changed("routines.timings.0.first", fill(10**9)), "index outside"),
    "row before the start": (changed("routines.timings.1.first", fill(-5)), "index outside"),
    "no schedule": (changed("routines.timings.1.first", lambda a: np.where(np.arange(len(a)) == 1, 0, a)), "without a schedule"),
    "bin past the end": (changed("routines.timings.0.schedules", fill(10**4)), "index outside"),
    "late duration": (changed("routines.timings.0.schedules", lambda a: np.where(a >= 0, 95, a)), "past the last bin"),
    "no duration": (changed("routines.timings.0.schedules", lambda a: np.full_like(a, -1)), "without an end"),
    "purpose": (changed("routines.chains.0.purposes", fill(99)), "index outside"),
    "long chain": (changed("routines.chains.0.lengths", lambda a: np.full_like(a, 20)), "longer or shorter"),
    "endless chain": (changed("routines.chains.0.lengths", fill(10**6)), "index outside"),
    "not a number": (changed("flows.attraction", fill(np.nan)), "not a number"),
    "negative weight": (changed("anchors.home_work", fill(-1.0)), "negative"),
    "infinite weight": (changed("flows.deterrence", fill(np.inf)), "not a number"),
    "short": (changed("flows.attraction", lambda a: a[:, :-1]), "shape"),
    "flat": (changed("flows.attraction", lambda a: a.ravel()), "shape"),
    "nobody": (changed("anchors.home_worker", lambda a: a * 0), "nobody"),
    "groups": (changed("anchors.groups", lambda a: np.repeat(a, 9, axis=2)), "groups"),
    "wrong type": (changed("flows.attraction", lambda a: a.astype(np.float32)), r"describe flows\.attraction"),
    "big-endian": (changed("flows.attraction", lambda a: a.astype(">f8")), r"describe flows\.attraction"),
}


@pytest.mark.parametrize("case", WRONG_ARRAYS)
def test_arrays_that_a_kernel_would_trust_are_refused(copy: Path, case: str) -> None:
    edit, message = WRONG_ARRAYS[case]
    with pytest.raises(FormatError, match=message):
        modelfile.load(edited(copy, edit))


def test_a_pickle_is_never_opened(copy: Path) -> None:
    opened = copy.parent / "opened"

    class Trap:
        def __reduce__(self) -> Any:
            return (Path.touch, (opened,))

    def edit(folder: Path, said: dict[str, Any]) -> None:
        array = np.array([[Trap()] * 34] * 34, dtype=object)
        put(folder, said, "flows.affinity", array)
        size = (folder / "arrays/flows.affinity.npy").stat().st_size
        # It claims to be numbers, and is as long as they would be.
        said["arrays"]["flows.affinity"].update(dtype="<f8", shape=[1, size // 8])

    with pytest.raises(FormatError, match=r"flows\.affinity"):
        modelfile.load(edited(copy, edit))
    assert not opened.exists()


def test_a_header_that_says_more_than_the_json_is_refused(copy: Path) -> None:
    def edit(folder: Path, said: dict[str, Any]) -> None:
        path = folder / "arrays/flows.affinity.npy"
        content = path.read_bytes()
        shape = re.search(rb"\(\d+, \d+\)", content[:128])
        assert shape is not None
        path.write_bytes(content.replace(shape[0], b"(9" + b"9" * (len(shape[0]) - 4) + b",)", 1))
        said["arrays"]["flows.affinity"]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()

    with pytest.raises(FormatError, match=r"flows\.affinity"):
        modelfile.load(edited(copy, edit))


def test_names_in_the_json_never_leave_the_folder(copy: Path) -> None:
    secret = copy.parent / "secret.npy"
    np.save(secret, np.zeros((34, 34)))

    def edit(folder: Path, said: dict[str, Any]) -> None:
        said["arrays"]["../../secret"] = said["arrays"].pop("flows.affinity")

    with pytest.raises(FormatError, match=r"describe flows\.affinity"):
        modelfile.load(edited(copy, edit))
    link = copy / "arrays/flows.attraction.npy"
    link.unlink()
    link.symlink_to(secret)
    with pytest.raises(FormatError, match=r"flows\.a"):
        modelfile.load(copy)
