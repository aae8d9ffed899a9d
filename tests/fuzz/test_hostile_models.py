"""Models and OUT folders from a stranger with a purpose."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fuzz_bases import Bases
from fuzz_cases import one_sentence
from hostile_files import copied, edited, elsewhere, endless, pipe, put, swollen

from synthmob import modelfile
from synthmob.engine import connect
from synthmob.errors import FormatError
from synthmob.synthesis.days import generate
from synthmob.synthesis.outfolder import check_out, open_out

PAIRS, SMALL = "anchors.home_work", "flows.affinity"


def described(folder: Path, name: str, **changes: Any) -> None:
    edited(folder, "model.json", lambda said: said["arrays"][name].update(changes))


def header(text: bytes) -> Callable[[Path], object]:
    """An array whose header says something else than it is, and whose hash fits."""

    def spoil(folder: Path) -> None:
        path = folder / f"arrays/{SMALL}.npy"
        content = path.read_bytes()
        body = content[10 + int.from_bytes(content[8:10], "little") :]
        path.write_bytes(b"\x93NUMPY\x01\0" + len(text).to_bytes(2, "little") + text + body)
        described(folder, SMALL, sha256=hashlib.sha256(path.read_bytes()).hexdigest())

    return spoil


def values(name: str, change: Callable[[Any], Any]) -> Callable[[Path], object]:
    """An array with other values, whose hash fits."""

    def spoil(folder: Path) -> None:
        path = folder / f"arrays/{name}.npy"
        np.save(path, change(np.load(path)))
        described(folder, name, sha256=hashlib.sha256(path.read_bytes()).hexdigest())

    return spoil


def larger(folder: Path) -> None:
    """Four gigabytes of nothing, which take no room on the disk."""
    path = folder / f"arrays/{PAIRS}.npy"
    swollen(path, np.load(path), (500_000_000,))
    described(folder, PAIRS, shape=[500_000_000])


def text(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    return lambda folder: edited(folder, "model.json", change)


MODELS: dict[str, tuple[Callable[[Path], object], str]] = {
    "pipe for an array": (lambda f: pipe(f / f"arrays/{PAIRS}.npy"), "incomplete"),
    "device for an array": (lambda f: endless(f / f"arrays/{PAIRS}.npy"), "incomplete"),
    "pipe for the zones": (lambda f: pipe(f / "zones.parquet"), "zones.parquet is not the file"),
    "device for the zones": (lambda f: endless(f / "zones.parquet"), "is a link|not the file"),
    "link for the arrays": (lambda f: elsewhere(f / "arrays"), "is a link"),
    "one file more": (lambda f: (f / "run.py").write_text("print()"), "nothing of a model"),
    "one array more": (lambda f: np.save(f / "arrays/x.npy", np.zeros(3)), "nothing of a model"),
    "one array more in the text": (text(lambda s: s["arrays"].update({"../x": {}})), "no model has"),
    "four gigabytes": (larger, "1536 MB"),
    "shape of huge numbers": (text(lambda s: s["arrays"][SMALL].update(shape=[2**62] * 6)), "does not describe"),
    "shape of nothing": (text(lambda s: s["arrays"][SMALL].update(shape=[])), "does not describe"),
    "header of signs": (header(b"{'descr': " + b"-" * 3_900 + b"1}\n"), "no array of type"),
    "header of brackets": (header(b"(" * 4_000 + b"\n"), "no array of type"),
    "header of objects": (header(b"{'descr': '|O', 'fortran_order': False, 'shape': (3, 3), }\n"), "no array of type"),
    "header in columns": (header(b"{'descr': '<f8', 'fortran_order': True, 'shape': (2, 2), }\n"), "no array of type|size"),
    "long header": (header(b" " * 60_000), "size"),
    "overflow": (values(PAIRS, lambda a: np.full_like(a, 1e308)), "endless"),
    "hardly anybody": (values("anchors.home_worker", lambda a: np.full_like(a, 5e-324)), "nobody"),
    "shares above one": (values("routines.work_anchor", lambda a: a + 7), "above 1"),
    "day type of millions": (text(lambda s: s.update(day_type_of=[0] * 1_000_000)), "cannot be"),
    "endless statements": (text(lambda s: s.update(assumed=["x"] * 100_000)), "cannot be"),
    "three hundred thousand ages": (text(lambda s: s["domain"].update(age_band=[str(k) for k in range(300_000)])), "domain"),
    "a name twice": (lambda f: (f / "model.json").write_text('{"format": 1, "format": 2}'), "stands twice"),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_hostile_model_is_refused_in_one_sentence(bases: Bases, tmp_path: Path, name: str) -> None:
    spoil, words = MODELS[name]
    folder = copied(bases["model"], tmp_path)
    spoil(folder)
    with pytest.raises(FormatError, match=words) as refused:
        modelfile.load(folder)
    assert one_sentence(refused.value), str(refused.value)


def test_people_of_a_class_that_no_chain_knows_have_days_all_the_same(bases: Bases, tmp_path: Path) -> None:
    """Of two day types the one with fewer chains is padded: a row without weight must not be drawn from the padding."""
    folder = copied(bases["model"], tmp_path)
    for part, change in {"by_class": lambda a: a[:, :1] * 0, "codes": lambda a: a[:1], "lengths": lambda a: a[:1],
                         "purposes": lambda a: a[:1], "weights": lambda a: a[:1]}.items():  # fmt: skip
        shortened(folder, f"routines.chains.0.{part}", change)
    of_one = int(np.load(folder / "arrays/routines.timings.0.first.npy")[1])
    for part, n in {"schedules": of_one, "weights": of_one, "first": 2}.items():
        shortened(folder, f"routines.timings.0.{part}", lambda a, n=n: a[:n])
    stays = generate(modelfile.load(folder), n_persons=200, days=7, seed=1).block(0).stays
    assert stays.purpose.min() >= 0


def shortened(folder: Path, name: str, change: Callable[[Any], Any]) -> None:
    path = folder / f"arrays/{name}.npy"
    array = np.ascontiguousarray(change(np.load(path)))
    np.save(path, array)
    described(folder, name, sha256=hashlib.sha256(path.read_bytes()).hexdigest(), shape=list(array.shape))


def table(name: str, column: str, change: Callable[[Any], Any]) -> Callable[[Path], object]:
    """A table of OUT with another column."""

    def spoil(folder: Path) -> None:
        found = pq.read_table(folder / name)
        pq.write_table(put(found, column, change(found[column])), folder / name)

    return spoil


def all_of(value: Any, kind: pa.DataType) -> Callable[[Any], Any]:
    return lambda column: pa.array([value] * len(column), kind)


def one(value: Any) -> Callable[[Any], Any]:
    return lambda column: pa.array([value, *column.to_pylist()[1:]], column.type)


STAYS, TRIPS, PERSONS = "stays/part-00000.parquet", "trips/part-00000.parquet", "persons.parquet"
OUTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "pipe for persons": (lambda f: pipe(f / PERSONS), "no persons"),
    "device for stays": (lambda f: endless(f / STAYS), "no stays"),
    "link for the stays": (lambda f: elsewhere(f / "stays"), "no stays"),
    "pipe for the manifest": (lambda f: pipe(f / "manifest.json"), "no readable manifest.json"),
    "link for the zones": (lambda f: elsewhere(f / "zones.parquet"), "is a link"),
    "pipe for the zones": (lambda f: pipe(f / "zones.parquet"), "no zoning"),
    "nobody": (table(PERSONS, "person_id", one(None)), "without an id"),
    "somebody twice": (table(PERSONS, "person_id", all_of(1, pa.int64())), "twice"),
    "half a worker": (table(PERSONS, "worker", one("maybe")), "neither yes nor no"),
    "no home": (table(PERSONS, "home_zone", one(None)), "home that is no zone"),
    "home nowhere": (table(PERSONS, "home_zone", one("nowhere")), "home that is no zone"),
    "work nowhere": (table(PERSONS, "work_zone", one("nowhere")), "work place that is no zone"),
    "home off the globe": (table(PERSONS, "home_lon", one(1e9)), "globe"),
    "stay of a stranger": (table(STAYS, "person_id", one(10**12)), "stay of nobody"),
    "day before the first": (table(STAYS, "day", one(-1)), "no part of a day"),
    "day of another age": (table(STAYS, "day", one(2**31 - 1)), "no part of a day"),
    "end before start": (table(STAYS, "end_min", one(-1)), "no part of a day"),
    "after midnight": (table(STAYS, "end_min", all_of(1_441, pa.int32())), "no part of a day"),
    "no time": (table(STAYS, "start_min", one(None)), "no part of a day"),
    "endless seq": (table(STAYS, "seq", one(2**31 - 1)), "no part of a day"),
    "no purpose": (table(STAYS, "purpose", one(None)), "without a purpose"),
    "endless purpose": (table(STAYS, "purpose", one("x" * 5_000)), "without a purpose"),
    "stay nowhere": (table(STAYS, "zone_id", one("nowhere")), "stay in no zone"),
    "trip of a stranger": (table(TRIPS, "person_id", one(10**12)), "trip of nobody"),
    "trip nowhere": (table(TRIPS, "destination_zone", one("nowhere")), "trip from or to no zone"),
    "trip back in time": (table(TRIPS, "arrive_min", one(-1)), "no part of a day"),
    "trip around the globe": (table(TRIPS, "distance_km", one(-1.0)), "no distance"),
    "wide numbers": (table(STAYS, "day", all_of(2**64 - 1, pa.uint64())), "cannot be read to their end"),
    "days as text": (table(STAYS, "day", all_of("0", pa.string())), "keep day as string"),
    "a column twice": (lambda f: pq.write_table(doubled(pq.read_table(f / STAYS), "DAY"), f / STAYS), "'day' twice"),
    "no day at all": (lambda f: pq.write_table(pq.read_table(f / STAYS).drop_columns(["day"]), f / STAYS), "no column 'day'"),
    "another part": (lambda f: pq.write_table(pa.table({"a": [1]}), f / "stays/part-00001.parquet"), "no column 'person_id'"),
    "a period of text": (lambda f: edited(f, "manifest.json", lambda said: said.update(period="always")), "period reads"),
    "a domain of text": (lambda f: edited(f, "manifest.json", lambda said: said.update(domain="all")), "domain"),
}  # fmt: skip


def doubled(found: pa.Table, name: str) -> pa.Table:
    return found.append_column(name, found["day"])


@pytest.mark.parametrize("name", OUTS)
def test_a_hostile_out_is_refused_in_one_sentence(bases: Bases, tmp_path: Path, name: str) -> None:
    spoil, words = OUTS[name]
    folder = copied(bases["out"], tmp_path)
    spoil(folder)
    backend = connect()
    with pytest.raises(FormatError, match=words) as refused:
        open_out(folder, backend)
    backend.disconnect()
    assert one_sentence(refused.value), str(refused.value)


def test_an_out_may_lie_under_a_strange_name(bases: Bases, tmp_path: Path) -> None:
    """Stars and brackets are no pattern, quotes no end."""
    place = tmp_path / "o*u[t]? 'x' \"y\""
    copied(bases["out"], place.parent).rename(place)
    check_out(place)
