"""A release is whole or not there, says what it costs, holds nothing exact, and is refused where it is damaged."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthmob import accounting, folders, release
from synthmob.domain import SEX, Axis, ChainAxis
from synthmob.errors import ConfidentialError, FormatError
from synthmob.marginals import Marginal
from synthmob.release import Release

ZONES = Axis("home", ("a", "b", "c é", "outside", "unknown"))
AREAS = Axis("home", ("north", "outside", "unknown"))
CHAINS = ChainAxis("chain", ("home", "work", "other"), 5)
RHO = accounting.rho_from(1.0, 1e-6)


def noisy(name: str, axes: tuple[Any, ...], share: float, cells: int = 4, bound: float = 1.0) -> Marginal:
    sigma = accounting.sigma_for(bound, RHO * share)
    rng = np.random.default_rng(len(name))
    size = int(np.prod([a.size for a in axes]))
    flat = np.sort(rng.choice(size, size=min(cells, size), replace=False))
    cut = accounting.cut_for(sigma, 50, size)
    codes = np.column_stack(np.unravel_index(flat, [a.size for a in axes]))
    values = np.ceil((cut + rng.integers(0, 400_000, len(flat)) / 1024) * 1024) / 1024
    return Marginal.of(name, axes, codes, values, sigma=sigma, cut=cut, bound_l2=bound)


def example() -> Release:
    tables = (
        noisy("home@zone", (ZONES, Axis("worker", ("yes", "no"))), 0.3),
        noisy("home_by_group@district", (AREAS, Axis("sex", SEX)), 0.3),
        noisy("chains", (Axis("day_type", ("weekday", "sunday")), CHAINS), 0.4, 40, 3.0**0.5),
    )
    info = {"privacy": release.privacy(1.0, 1e-6, RHO), "plan": {"min_group": 50}, "versions": release.versions()}
    return Release({m.name: m for m in tables}, info)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return example().save(tmp_path / "release")


def same(a: Marginal, b: Marginal) -> bool:
    return (
        (a.name, a.axes, a.sigma, a.cut, a.bound_l2) == (b.name, b.axes, b.sigma, b.cut, b.bound_l2)
        and np.array_equal(a.codes, b.codes) and np.array_equal(a.values, b.values)
    )  # fmt: skip


def digests(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def test_what_is_saved_is_what_is_loaded(saved: Path) -> None:
    one, two = example(), Release.load(saved)
    assert set(one.marginals) == set(two.marginals) and one.info == two.info
    assert all(same(one.marginals[n], two.marginals[n]) for n in one.marginals)
    assert two.rho == pytest.approx(RHO, rel=1e-9) and two.claims_privacy
    again = two.save(saved.parent / "again")
    assert digests(again) == digests(saved)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 362), st.integers(0, 10**9)), max_size=30),
    st.floats(0.01, 5000.0),
)
def test_any_table_survives_the_disk(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, int, int]], sigma: float
) -> None:
    table = np.array(rows, dtype=np.int64).reshape(-1, 3)
    m = Marginal.of("x", (ZONES, CHAINS), table[:, :2], 100 + table[:, 2] / 1024, sigma=sigma, cut=100.0)
    rho = m.bound_l2**2 / (2 * sigma**2)
    info = {"privacy": release.privacy(accounting.epsilon_of(rho, 1e-6) + 1e-6, 1e-6, rho)}
    folder = tmp_path_factory.mktemp("r") / "out"
    assert same(m, Release.load(Release({"x": m}, info).save(folder)).marginals["x"])


def test_it_reads_without_us(saved: Path) -> None:
    said = json.loads((saved / "release.json").read_text(encoding="utf-8"))
    assert said["format"] == "synthmob release" and "not zero" in said["how_to_read"]
    assert said["privacy"]["unit"].startswith("one subscriber") and said["privacy"]["epsilon"] == 1.0
    assert said["rho_spent"] <= said["privacy"]["rho"]
    for name, entry in said["tables"].items():
        frame = pq.read_table(saved / entry["file"]).to_pandas()
        axes = [said["axes"][key] for key in entry["axes"]]
        assert list(frame.columns) == [axis["name"] for axis in axes] + ["count"]
        assert len(frame) == entry["cells"] and frame["count"].min() >= entry["cut"]
        assert ((frame["count"] * 1024) % 1 == 0).all()
        for axis in axes:
            assert frame[axis["name"]].map(type).eq(str).all()
            if "labels" in axis:
                assert set(frame[axis["name"]]) <= set(axis["labels"])
        chances = entry["probability_published_by_people"]
        assert 0 <= chances["0"] <= chances["10"] <= chances["49"] < 0.03, name
        assert entry["rho"] == pytest.approx(entry["bound_l2"] ** 2 / (2 * entry["sigma"] ** 2))
    assert {said["axes"][k]["name"] for k in ("home", "home#2")} == {"home"}


def test_nothing_exact_enters(saved: Path) -> None:
    one = example()
    exact = dataclasses.replace(one.marginals["chains"], confidential=True)
    with pytest.raises(ConfidentialError, match="exact counts"):
        Release({**one.marginals, "chains": exact}, one.info)
    with pytest.raises(FormatError, match="no noise"):
        Release({"chains": dataclasses.replace(exact, confidential=False, sigma=0.0)}, one.info)
    with pytest.raises(FormatError, match="'records'"):
        Release(one.marginals, {**one.info, "records": "subscribers.parquet"})
    assert set(json.loads((saved / "release.json").read_text())) == {
        "format", "format_version", "how_to_read", "privacy", "plan", "versions", "rho_spent", "tables", "axes",
    }  # fmt: skip


def test_a_budget_that_does_not_add_up_is_refused() -> None:
    one = example()
    for change, words in (
        ({"rho": RHO / 2}, "spend rho"),
        ({"epsilon": 0.9}, "more than epsilon"),
        ({"delta": 1e-7}, "more than epsilon"),
        ({"epsilon": None}, "number above 0"),
        ({"claim": "perfect privacy"}, "claim"),
    ):
        with pytest.raises(FormatError, match=words):
            Release(one.marginals, {"privacy": {**one.info["privacy"], **change}})
    with pytest.raises(FormatError, match="claim"):
        Release(one.marginals, {})
    with pytest.raises(FormatError, match="no table"):
        Release({}, one.info)
    for value in (float("nan"), np.int64(3), {1, 2}):
        with pytest.raises(FormatError, match="JSON"):
            Release(one.marginals, {**one.info, "plan": {"x": value}})


@pytest.mark.parametrize("name", ["../up", "a/b", "A", "a b", "", ".", "x" * 81])
def test_table_names_are_no_paths(name: str) -> None:
    one = example()
    m = dataclasses.replace(one.marginals["chains"], name=name)
    with pytest.raises(FormatError, match="a-z"):
        Release({name: m}, one.info)


def test_saving_replaces_a_release_and_nothing_else(saved: Path, tmp_path: Path) -> None:
    smaller = Release({"chains": example().marginals["chains"]}, example().info)
    smaller.save(saved)
    assert set(Release.load(saved).marginals) == {"chains"}
    assert [p.name for p in (saved / "tables").iterdir()] == ["chains.parquet"]
    (tmp_path / "empty").mkdir()
    smaller.save(tmp_path / "empty")
    (saved / "thesis.txt").write_text("years of work")
    with pytest.raises(FormatError, match="thesis"):
        smaller.save(saved)
    (tmp_path / "other" / "tables").mkdir(parents=True)
    with pytest.raises(FormatError, match="left alone"):
        smaller.save(tmp_path / "other")
    (tmp_path / "file").write_text("x")
    with pytest.raises(FormatError, match="is a file"):
        smaller.save(tmp_path / "file")
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_a_failure_half_way_leaves_the_earlier_release(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = digests(saved)
    bad = example()
    bad.info["plan"]["epsilon"] = float("nan")  # JSON has no such number: writing fails after the tables
    with pytest.raises(ValueError, match="JSON"):
        bad.save(saved)
    assert digests(saved) == before
    rename = Path.rename

    def fails(self: Path, target: Path) -> Path:
        if self.name.endswith(".new"):
            raise OSError("disk gone")
        return rename(self, target)

    monkeypatch.setattr(folders, "_exchanged", lambda one, other: False)  # as where a file system cannot
    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises(OSError, match="disk gone"):
        example().save(saved)
    assert digests(saved) == before
    assert [p.name for p in saved.parent.iterdir()] == ["release"]


def edit(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        path = folder / "release.json"
        said = json.loads(path.read_text(encoding="utf-8"))
        change(said)
        path.write_text(json.dumps(said), encoding="utf-8")

    return apply


def rewrite(change: Callable[[pa.Table], pa.Table]) -> Callable[[Path], None]:
    """Change the table `home@zone` and its hash, as a stranger who knows the format would."""

    def apply(folder: Path) -> None:
        path = folder / "tables/home@zone.parquet"
        pq.write_table(change(pq.read_table(path)), path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        rows = pq.read_metadata(path).num_rows
        edit(lambda said: said["tables"]["home@zone"].update(sha256=digest, cells=rows))(folder)

    return apply


def link(folder: Path) -> None:
    path = folder / "tables/chains.parquet"
    path.rename(folder.parent / "elsewhere.parquet")
    path.symlink_to(folder.parent / "elsewhere.parquet")


def column(table: pa.Table, name: str, values: Any) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, values)


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "no folder": (shutil.rmtree, "no readable release.json"),
    "no json": (lambda f: (f / "release.json").write_text("{"), "not JSON"),
    "deep json": (lambda f: (f / "release.json").write_text("[" * 100_000), "not JSON"),
    "list": (lambda f: (f / "release.json").write_text("[]"), "no JSON object"),
    "nan": (lambda f: (f / "release.json").write_text('{"format": NaN}'), "not JSON"),
    "binary": (lambda f: (f / "release.json").write_bytes(b"\xff\xfe\x00"), "not JSON"),
    "other format": (edit(lambda s: s.update(format="csv")), "has format 'csv'"),
    "newer": (edit(lambda s: s.update(format_version=2)), "version 2"),
    "no tables": (edit(lambda s: s.pop("tables")), "no tables"),
    "empty tables": (edit(lambda s: s.update(tables={})), "no table"),
    "path as name": (edit(lambda s: s["tables"].update({"../x": {}})), "a-z"),
    "entry no object": (edit(lambda s: s["tables"].update({"x": 3})), "no description"),
    "axes no list": (edit(lambda s: s["tables"]["chains"].update(axes="home")), "does not name its axes"),
    "axis unknown": (edit(lambda s: s["tables"]["chains"].update(axes=["nope"])), "not described"),
    "axis of numbers": (edit(lambda s: s["axes"]["home"].update(labels=[1, 2])), "not text"),
    "axis twice the label": (edit(lambda s: s["axes"]["home"].update(labels=["a", "a"])), "no label twice"),
    "chain too long": (edit(lambda s: s["axes"]["chain"].update(max_stays=10**9)), "chain axis"),
    "sigma text": (edit(lambda s: s["tables"]["chains"].update(sigma="20")), "sigma"),
    "sigma negative": (edit(lambda s: s["tables"]["chains"].update(sigma=-1)), "sigma"),
    "sigma infinite": (edit(lambda s: s["tables"]["chains"].update(sigma=1e999)), "sigma|not JSON"),
    "sigma understated": (edit(lambda s: s["tables"]["chains"].update(sigma=1.0)), "spend rho"),
    "cut over counts": (edit(lambda s: s["tables"]["chains"].update(cut=1e6)), "under its cut"),
    "no privacy": (edit(lambda s: s.pop("privacy")), "privacy"),
    "file gone": (lambda f: (f / "tables/chains.parquet").unlink(), "incomplete"),
    "file linked": (link, "incomplete"),
    "file cut": (lambda f: (f / "tables/chains.parquet").write_bytes(b"PAR1"), "SHA-256"),
    "garbage with hash": (
        lambda f: (
            (f / "tables/chains.parquet").write_bytes(b"x" * 99),
            edit(lambda s: s["tables"]["chains"].update(sha256=hashlib.sha256(b"x" * 99).hexdigest()))(f),
        ),
        "cannot be read as Parquet",
    ),
    "rows claimed": (edit(lambda s: s["tables"]["chains"].update(cells=3)), "rows"),
    "column more": (rewrite(lambda t: t.append_column("secret", t["count"])), "columns"),
    "column less": (rewrite(lambda t: t.drop_columns(["worker"])), "columns"),
    "integers": (rewrite(lambda t: column(t, "count", t["count"].cast("int64", safe=False))), "columns"),
    "label unknown": (rewrite(lambda t: column(t, "home", pa.array(["x"] * len(t)))), "label 'x'"),
    "label null": (rewrite(lambda t: column(t, "home", pa.array([None] * len(t), "string"))), "without a label"),
    "count null": (rewrite(lambda t: column(t, "count", pa.array([None] * len(t), "float64"))), "empty count"),
    "count nan": (rewrite(lambda t: column(t, "count", pa.array([float("nan")] * len(t)))), "finite"),
    "count infinite": (rewrite(lambda t: column(t, "count", pa.array([float("inf")] * len(t)))), "finite"),
    "count low": (rewrite(lambda t: column(t, "count", pa.array([1.0] * len(t)))), "under its cut"),
    "cell twice": (rewrite(lambda t: pa.concat_tables([t.slice(0, 1), t])), "twice"),
    "out of order": (rewrite(lambda t: t.take(list(range(len(t)))[::-1])), "out of order"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_release_is_refused_in_one_sentence(saved: Path, damage: str) -> None:
    harm, words = DAMAGE[damage]
    harm(saved)
    with pytest.raises(FormatError, match=words) as refusal:
        Release.load(saved)
    assert refusal.value.exit_code == 2 and "\n" not in str(refusal.value) and str(refusal.value).endswith(".")


def test_versions_are_those_installed() -> None:
    assert set(release.versions()) == {"python", "synthmob", "opendp", "numpy", "pyarrow"}
