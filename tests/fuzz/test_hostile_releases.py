"""Releases from a stranger with a purpose: each ends in one sentence, at once, and without memory."""

from __future__ import annotations

import hashlib
import os
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import compact_thrift as thrift
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fuzz_bases import DOMAIN, Bases
from fuzz_cases import one_sentence
from hostile_files import copied, edited, elsewhere, endless, footed, mended, pipe, put, retabled

from synthmob.counts import Public
from synthmob.counts.declared import check_axes
from synthmob.domain import Axis
from synthmob.errors import FormatError
from synthmob.marginals import Marginal
from synthmob.model import mobility
from synthmob.period import Period
from synthmob.release import Release

Edit = Callable[[dict[str, Any]], object]
TABLE = "stays_per_day"
PLAN = "do not trust it"


def text(change: Edit) -> Callable[[Path], object]:
    return lambda folder: edited(folder, "release.json", change)


def raw(old: str, new: str) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        path = folder / "release.json"
        said = path.read_text(encoding="utf-8")
        assert old in said
        path.write_text(said.replace(old, new, 1), encoding="utf-8")

    return change


def many_rows(folder: Path) -> None:
    """A row of a few bytes, forty million times."""
    path = folder / f"tables/{TABLE}.parquet"
    table = pq.read_table(path)
    block = table.take(pa.array(np.zeros(1_000_000, dtype=np.int64)))
    with pq.ParquetWriter(path, table.schema, compression="zstd") as file:
        for _ in range(12):
            file.write_table(block)
    mended(folder, TABLE)


def lying_page(folder: Path) -> None:
    """A page that says that it unpacks to two gigabytes, in a file whose footer says nothing of it."""
    path = folder / f"tables/{TABLE}.parquet"
    body, said = thrift.footer(path.read_bytes())
    chunk = thrift.columns(said)[-1]
    at = chunk.get(11, chunk[9])[1]
    header, end = thrift.read(body, at)
    header[2] = (5, 2**31 - 1)
    new = thrift.write(header)
    chunk[7] = (6, chunk[7][1] + len(new) - (end - at))
    path.write_bytes(thrift.joined(body[:at] + new + body[end:], said))
    mended(folder, TABLE)


def long_label(folder: Path) -> None:
    retabled(folder, TABLE, lambda t: put(t, "day_type", pa.array(["x" * 70_000_000] + ["weekday"] * (len(t) - 1))))


def histogram(folder: Path) -> None:
    """Levels counted wrongly: Arrow ends the whole process where it is asked for this column."""
    path = folder / f"tables/{TABLE}.parquet"
    footed(path, lambda said: [chunk.__setitem__(16, (12, {2: (9, (6, [1] * 7))})) for chunk in thrift.columns(said)])
    mended(folder, TABLE)


def footer(change: Callable[[dict[int, Any]], object]) -> Callable[[Path], object]:
    def spoil(folder: Path) -> None:
        footed(folder / f"tables/{TABLE}.parquet", change)
        mended(folder, TABLE)

    return spoil


def first_group(said: dict[int, Any]) -> Any:
    return said[4][1][1][0]


def counts(*values: float) -> Callable[[Path], object]:
    return lambda folder: retabled(
        folder, TABLE, lambda t: put(t, "count", pa.array([*values, *t["count"].to_pylist()[len(values) :]], pa.float64())))


def tables(said: dict[str, Any], **changes: Any) -> None:
    said["tables"][TABLE].update(changes)


def planned(said: dict[str, Any], **changes: Any) -> None:
    next(table for table in said["plan"]["tables"] if table["name"] == TABLE).update(changes)


HOSTILE: dict[str, tuple[Callable[[Path], object], str]] = {
    "pipe for the text": (lambda f: pipe(f / "release.json"), "no readable release.json"),
    "device for the text": (lambda f: endless(f / "release.json"), "no readable release.json"),
    "link for the text": (lambda f: elsewhere(f / "release.json"), "no readable release.json"),
    "pipe for a table": (lambda f: pipe(f / f"tables/{TABLE}.parquet"), "incomplete"),
    "device for a table": (lambda f: endless(f / f"tables/{TABLE}.parquet"), "incomplete"),
    "link for the tables": (lambda f: elsewhere(f / "tables"), "is a link"),
    "one table more": (lambda f: (f / "tables/other.parquet").write_bytes(b"PAR1"), "nothing of a release"),
    "one file more": (lambda f: (f / "subscribers.csv").write_text("s1"), "nothing of a release"),
    "a name twice": (raw('"privacy": {', '"privacy": {}, "privacy": {'), "'privacy' stands twice"),
    "a number of 400 digits": (raw('"sigma": ', '"sigma": 1' + "0" * 400), "number is too large"),
    "a number of 5000 digits": (raw('"sigma": ', '"sigma": 1' + "0" * 5_000), "number is too large"),
    "an endless number": (raw('"epsilon": 200.0', '"epsilon": 1e999'), "number is too large"),
    "nested 900 deep": (text(lambda s: s.update(notes="@")), "notes"),
    "half a character": (raw('"z0"', '"z0\\ud800"'), "Unicode"),
    "escapes for a terminal": (raw('"z0"', '"\\u001b[2J"'), "cannot be printed"),
    "an endless label": (raw('"z0"', '"' + "z" * 501 + '"'), "endless"),
    "a million lists": (text(lambda s: s.update(notes=[[]] * 500_001)), "lists and objects"),
    "axes by lists": (text(lambda s: tables(s, axes=[["day_type"], "n_stays"])), "not described"),
    "axis filed elsewhere": (text(lambda s: s["axes"].update(n_stays=s["axes"]["day_type"])), "filed as"),
    "axis of more": (text(lambda s: s["axes"]["n_stays"].update(secret="x")), "not described"),
    "axis with a path": (text(lambda s: s["axes"]["n_stays"].update(name="../n")), "a-z"),
    "chain of hyphens": (text(lambda s: s["axes"]["chain"].update(chain_of=["a", "a-a"])), "chain axis"),
    "endless chains": (text(lambda s: s["axes"]["chain"].update(max_stays=16, chain_of=[f"p{k}" for k in range(64)])), "2\\^62"),
    "another file": (text(lambda s: tables(s, file="../../etc/passwd")), "not the file"),
    "tiny noise": (text(lambda s: tables(s, sigma=1e-200)), "sigma"),
    "huge noise": (text(lambda s: tables(s, sigma=1e18)), "sigma"),
    "huge cut": (text(lambda s: tables(s, cut=1e18)), "cut"),
    "many cells": (text(lambda s: tables(s, cells=10**15)), "60,000,000 numbers"),
    "cells in parts": (text(lambda s: tables(s, cells=1.5)), "rows"),
    "delta of five": (text(lambda s: s["privacy"].update(delta=5)), "below 1"),
    "cut of nothing": (text(lambda s: tables(s, cut=0)), "its plan makes it"),
    "less noise in the plan": (text(lambda s: planned(s, sigma=1e-3)), PLAN),
    "another bound in the plan": (text(lambda s: planned(s, bound_l2=9.0)), PLAN),
    "a table that the plan has not": (text(lambda s: s["plan"]["tables"].pop()), "own plan"),
    "a table twice in the plan": (text(lambda s: s["plan"]["tables"].append(s["plan"]["tables"][0])), "distinct names"),
    "another budget in the plan": (text(lambda s: s["plan"].update(epsilon=0.1)), PLAN),
    "no group in the plan": (text(lambda s: s["plan"].update(min_group="50")), "min_group"),
    "a plan of nothing": (text(lambda s: s.update(plan=[])), "plan is no JSON object"),
    "a level of another zoning": (text(lambda s: s["zoning"].update(levels=[{"name": "zone", "areas": 5}])), "level"),
    "fewer areas than labels": (text(lambda s: [lv.update(areas=1) for lv in s["zoning"]["levels"]]), "areas"),
    "a level twice": (text(lambda s: s["zoning"]["levels"].append(s["zoning"]["levels"][0])), "list of levels"),
    "rho that is not spent": (text(lambda s: s.update(rho_spent=0.0)), PLAN),
    "rho of a table": (text(lambda s: tables(s, rho=1e-9)), PLAN),
    "a smaller domain": (text(lambda s: tables(s, domain_cells=2)), PLAN),
    "better chances": (text(lambda s: tables(s, probability_published_by_people={"0": 0, "10": 0, "49": 0})), PLAN),
    "a period of nothing": (text(lambda s: s.update(period={"first_day": "x" * 10_000})), "The period reads"),
    "notes of no text": (text(lambda s: s.update(notes=[1])), "list of texts"),
    "infinite count": (counts(float("inf")), "finite"),
    "no count": (counts(float("nan")), "finite"),
    "negative count": (counts(-1.0), "under its cut"),
    "endless count": (counts(1e15), "more than"),
    "count off the grid": (counts(1000.00031), "multiple of 1/1024"),
    "twelve million rows": (many_rows, "rows in|numbers"),
    "page of two gigabytes": (lying_page, "unpacks to more"),
    "label of seventy megabytes": (long_label, "unpacks to more"),
    "levels counted wrongly": (histogram, "histogram|level"),
    "2^40 rows": (footer(lambda s: (s.update({3: (6, 1 << 40)}), first_group(s).update({3: (6, 1 << 40)}))), "numbers|rows"),
    "fewer than no rows": (footer(lambda s: (s.update({3: (6, -5)}), first_group(s).update({3: (6, -5)}))), "Parquet|rows"),
    "three thousand groups": (footer(lambda s: s.update({4: (9, (12, [first_group(s)] * 3_000))})), "Parquet"),
    "a column of another file": (footer(lambda s: first_group(s)[1][1][1][0].update({1: (8, b"/etc/passwd")})), "another file"),
    "a column outside": (footer(lambda s: (thrift.columns(s)[0].pop(11, 0), thrift.columns(s)[0].update({9: (6, 1 << 50)}))), "outside"),
    "nested columns": (footer(lambda s: s.update({2: (9, (12, [{4: (8, b"g"), 5: (5, 1)}] * 3_000))})), "Parquet"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_release_is_refused_in_one_sentence(bases: Bases, tmp_path: Path, name: str) -> None:
    spoil, words = HOSTILE[name]
    folder = copied(bases["release"], tmp_path)
    spoil(folder)
    with pytest.raises(FormatError, match=words) as refused:
        Release.load(folder)
    assert one_sentence(refused.value), str(refused.value)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 2 << 20


def test_nesting_is_bounded_wherever_it_stands(bases: Bases, tmp_path: Path) -> None:
    folder = copied(bases["release"], tmp_path)
    path = folder / "release.json"
    said = path.read_text(encoding="utf-8")
    path.write_text(said.replace('"privacy": {', f'"notes": [{"[" * 900}{"]" * 900}], "privacy": {{', 1), encoding="utf-8")
    with pytest.raises(FormatError, match="16 deep"):
        Release.load(folder)


def test_an_axis_is_made_once_however_many_tables_name_it(bases: Bases, tmp_path: Path) -> None:
    """Four hundred thousand labels for each of two hundred tables would take minutes."""
    folder = copied(bases["published"], tmp_path)
    path = folder / "tables/home_work@zone.parquet"
    empty = pa.table({"big": pa.array([], pa.string()), "count": pa.array([], pa.float64())})

    def change(said: dict[str, Any]) -> None:
        said["axes"]["big"] = {"name": "big", "labels": [f"l{k}" for k in range(400_000)]}
        entry = said["tables"].pop(path.stem)
        for k in range(200):
            other = folder / f"tables/t{k}.parquet"
            pq.write_table(empty, other)
            said["tables"][f"t{k}"] = {
                **entry, "axes": ["big"], "cells": 0, "domain_cells": 400_000, "file": f"tables/t{k}.parquet",
                "sha256": hashlib.sha256(other.read_bytes()).hexdigest()}

    path.unlink()
    edited(folder, "release.json", change)
    assert len(Release.load(folder).marginals) == 200


def test_names_that_no_file_system_has_are_one_sentence() -> None:
    for name in ("a" * 5_000, "a\0b", "\ud800", os.devnull):
        with pytest.raises(FormatError) as refused:
            Release.load(name)
        assert str(refused.value).isprintable()


def test_tables_must_have_the_axes_of_their_statistic(bases: Bases) -> None:
    """What is fitted trusts them: a table of other axes is refused before it is believed."""
    good = Release.load(bases["release"]).marginals
    public = Public(bases.zoning, DOMAIN, Period.of("2026-03-06", 2, "Europe/London"))
    check_axes(good, public, planned=True)
    lost = Marginal(TABLE, good[TABLE].axes[:1], np.empty((0, 1), dtype=np.int64), np.empty(0))
    other = Marginal(TABLE, (Axis("day_type", ("weekday", "sunday")), good[TABLE].axes[1]), np.empty((0, 2), dtype=np.int64), np.empty(0))
    for table in (lost, other):
        with pytest.raises(FormatError, match="other axes"):
            check_axes({TABLE: table}, public, planned=True)
    nowhere = Marginal("home", good["home@district"].axes, np.empty((0, 2), dtype=np.int64), np.empty(0))
    with pytest.raises(FormatError, match="about no level"):
        check_axes({"home": nowhere}, public, planned=True)
    with pytest.raises(FormatError, match="about areas"):
        check_axes({f"{TABLE}@zone": good[TABLE]}, public, planned=True)


def test_a_release_without_a_domain_is_not_fitted(bases: Bases, tmp_path: Path) -> None:
    release = Release.load(edited(copied(bases["release"], tmp_path), "release.json", lambda said: said["plan"].pop("domain")))
    with pytest.raises(Exception, match="has a domain None") as refused:
        mobility.fit(release, bases.zoning)
    assert refused.value.exit_code == 2  # pyright: ignore[reportAttributeAccessIssue]
