"""Whatever is wrong with what a user or a stranger gives: one sentence, exit code 2, nothing half-written."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from smallrun import Run, synthmob
from tinyrecords import DAYS, operator, wrong

Words = tuple[object, ...]


def rewritten(name: str, change: Callable[[pd.DataFrame], pd.DataFrame | None]) -> Callable[[Path], None]:
    """Breaks a CSV of the records."""

    def broken(folder: Path) -> None:
        table = pd.read_csv(folder / name)
        found = change(table)
        (table if found is None else found).to_csv(folder / name, index=False)

    return broken


def put(column: str, value: object, row: int = 4) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(table: pd.DataFrame) -> pd.DataFrame:
        table[column] = table[column].astype(object)
        table.loc[row, column] = value
        return table

    return change


def mixed_ids(folder: Path) -> None:
    people = pd.read_csv(folder / "subscribers.csv").assign(subscriber_id=range(20))
    people.to_parquet(folder / "subscribers.parquet")
    pd.read_csv(folder / "stays.csv").to_parquet(folder / "stays.parquet")
    for name in ("subscribers.csv", "stays.csv"):
        (folder / name).unlink()


def text(name: str, content: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_text(content) and None


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "unknown zone": (rewritten("stays.csv", put("zone_id", "z9")), r"stays\.csv, row 5: zone_id is not a zone"),
    "overlapping stays": (rewritten("stays.csv", put("start_min", 400)), r"stays\.csv, row 5: this stay overlaps"),
    "end before start": (rewritten("stays.csv", put("end_min", 505)), r"stays\.csv, row 5"),
    "time outside the day": (rewritten("stays.csv", put("end_min", 1500, 5)), r"stays\.csv, row 6"),
    "text for a number": (rewritten("stays.csv", put("day", "Monday")), r"stays\.csv, row 5"),
    "subscriber twice": (rewritten("subscribers.csv", put("subscriber_id", "s1", 7)), r"\.csv, row 8: the same subscriber_id"),
    "stay twice": (rewritten("stays.csv", put("seq", 0)), r"stays\.csv, row 5"),
    "unknown subscriber": (rewritten("stays.csv", put("subscriber_id", "nobody")), r"row 5: its subscriber_id is not"),
    "missing column": (rewritten("stays.csv", lambda t: t.drop(columns="purpose")), "no column 'purpose'"),
    "header alone": (rewritten("stays.csv", lambda t: t.head(0)), "a header but no row"),
    "empty file": (text("stays.csv", ""), "empty"),
    "no stays": (lambda folder: (folder / "stays.csv").unlink(), "neither stays nor events"),
    "no subscribers": (lambda folder: (folder / "subscribers.csv").unlink(), r"no subscribers\.parquet"),
    "no period": (lambda folder: (folder / "period.toml").unlink(), r"no readable period\.toml"),
    "endless period": (text("period.toml", DAYS.replace("days = 1", "days = 0")), "period's days is 0"),
    "mixed ids": (mixed_ids, "both as integers or both as text"),
    "two formats": (lambda folder: pd.read_csv(folder / "stays.csv").to_parquet(folder / "stays.parquet"), "keep one of them"),
    "ragged rows": (text("stays.csv", "subscriber_id,day,seq,purpose,zone_id,start_min,end_min\ns1,0\n"), r"stays\.csv"),
    "no shapes": (text("zones.geojson", "{}"), "cannot be read as zone shapes"),
    "zones in metres": (lambda folder: metres(folder / "zones.geojson"), "not degrees"),
}


def metres(path: Path) -> None:
    path.write_text(re.sub(r"51\.5", "5700051.5", path.read_text()))


@pytest.mark.parametrize("case", BROKEN)
def test_broken_records_are_one_sentence_and_leave_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str) -> None:
    breaks, message = BROKEN[case]
    records = operator(tmp_path / "in" / "records")
    breaks(records)
    words = ("measure", records, "--zones", records / "zones.geojson", "--epsilon", 1, "--delta", 1e-6)
    assert synthmob(*words, "-o", tmp_path / "release") == 2
    said = wrong(capsys)
    assert re.search(message, said), said
    assert [p.name for p in tmp_path.iterdir()] == ["in"]


MEASURE = ("measure", "records", "--zones", "records/zones.geojson", "--epsilon", "1", "--delta", "1e-6", "-o", "new")
WRONG: dict[str, tuple[Words, str]] = {
    "no verb": ((), "VERB"),
    "other verb": (("publish",), "publish"),
    "no epsilon": (("measure", "records", "--zones", "x", "--delta", "1e-6", "-o", "new"), "--epsilon"),
    "epsilon in words": ((*MEASURE, "--epsilon", "one"), "--epsilon"),
    "no epsilon left": ((*MEASURE, "--epsilon", "0"), "epsilon is 0"),
    "epsilon not a number": ((*MEASURE, "--epsilon", "nan"), "epsilon is nan"),
    "delta": ((*MEASURE, "--delta", "2"), "delta is 2"),
    "small group": ((*MEASURE, "--min-group", "5"), "--i-accept"),
    "no group": ((*MEASURE, "--min-group", "0", "--i-accept"), "smallest group is 0"),
    "no records": (("measure", *MEASURE[2:]), "No records are named"),
    "records not there": (("measure", "nowhere", *MEASURE[2:]), "no folder nowhere"),
    "half a period": ((*MEASURE, "--first-day", "2026-03-02"), "give --first-day and --days"),
    "no such day": ((*MEASURE, "--first-day", "2026-02-30", "--days", "1"), "first_day is '2026-02-30'"),
    "no such clock": ((*MEASURE, "--first-day", "2026-03-02", "--days", "1", "--timezone", "Moon"), "timezone 'Moon'"),
    "events not there": ((*MEASURE, "--from", "events"), "Events were asked for"),
    "from elsewhere": ((*MEASURE, "--from", "trips"), "--from"),
    "no memory": ((*MEASURE, "--memory-limit-gb", "-1"), "memory limit"),
    "no engine": ((*MEASURE, "--engine", "hive"), "There is no engine 'hive'"),
    "no plan": ((*MEASURE, "--plan", "nowhere.toml"), "no readable plan"),
    "plan of nonsense": ((*MEASURE, "--plan", "wrong.toml"), "not TOML"),
    "plan of another table": ((*MEASURE, "--plan", "other.toml"), "names a table 'secrets'"),
    "zones not there": ((*MEASURE, "--zones", "nowhere.geojson"), "no zoning at"),
    "zones by another column": ((*MEASURE, "--id-column", "postcode"), "no column 'postcode'"),
    "districts by another column": ((*MEASURE, "--district-column", "county"), "no column 'county'"),
    "cells too fine": ((*MEASURE, "--h3-resolution", "16"), "resolution 16"),
    "somebody's folder": ((*MEASURE[:-1], "mine"), "left alone"),
    "a file for a folder": ((*MEASURE[:-1], "wrong.toml"), "is a file"),
    "no release": (("fit", "records", "--zones", "records/zones.geojson", "-o", "new"), r"no release\.json"),
    "no engine of that name": (("generate", "model", "--persons", "5", "--engine", "duckdb", "-o", "new"), "There is no engine 'duckdb'"),
    "no model": (("generate", "records", "--persons", "5", "-o", "new"), r"no model\.json"),
    "check of one": (("check", "records"), "compares RELEASE with OUT"),
    "check of three": (("check", "a", "b", "c"), "compares RELEASE with OUT"),
    "truth without zones": (("check", "--truth", "records", "out"), "compares RELEASE with OUT"),
    "truth of no people": (("check", "--truth", "records", "mine", "--zones", "records/zones.geojson"), "no persons"),
    "report of no release": (("report", "mine", "--release", "records", "-o", "new"), r"no release\.json"),
    "demo of nobody": (("demo", "--subscribers", "0", "-o", "new"), "at least 1"),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("place")
    operator(top / "records")
    (top / "mine").mkdir()
    (top / "mine" / "thesis.txt").write_text("mine")
    (top / "wrong.toml").write_text("= nonsense")
    (top / "other.toml").write_text("[tables.secrets]\nshare = 1\n")
    return top


@pytest.mark.parametrize("case", WRONG)
def test_wrong_words_are_one_sentence_and_leave_nothing(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    monkeypatch.chdir(place)
    words, message = WRONG[case]
    before = sorted(place.rglob("*"))
    assert synthmob(*words) == 2
    said = wrong(capsys)
    assert re.search(message, said), said
    assert sorted(place.rglob("*")) == before


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x55
    path.write_bytes(content)


FIT, GENERATE = ("fit", "release", "--zones", "ZONES"), ("generate", "model", "--persons", 9)
REPORT = ("report", "out", "--release", "RELEASE", "--check")
DAMAGED: dict[str, tuple[str, Callable[[Path], object], Words, str]] = {
    "release table": ("release", lambda f: damage(f / "tables/chains.parquet"), FIT, "SHA-256"),
    "release text": ("release", lambda f: (f / "release.json").write_text("{"), FIT, "not JSON"),
    "model array": ("model", lambda f: damage(f / "arrays/flows.affinity.npy"), GENERATE, "SHA-256"),
    "model text": ("model", lambda f: (f / "model.json").write_text("[]"), GENERATE, "no JSON object"),
    "nobody": ("model", lambda f: None, ("generate", "model", "--persons", 0), "number of persons asked for is 0"),
    "no day": ("model", lambda f: None, (*GENERATE, "--days", 0), "number of days asked for is 0"),
    "seed": ("model", lambda f: None, (*GENERATE, "--seed", -1), "seed is -1"),
    "workers": ("model", lambda f: None, (*GENERATE, "--workers", 0), "number of workers is 0"),
    "no stays": ("out", lambda f: shutil.rmtree(f / "stays"), ("check", "RELEASE", "out"), "no stays"),
    "stays of text": ("out", lambda f: broken_parquet(f / "stays"), ("check", "RELEASE", "out"), "cannot be read as Parquet"),
    "column of another kind": ("out", lambda f: retyped(f / "persons.parquet"), ("check", "RELEASE", "out"), "keep home_zone as"),
    "no zones": ("out", lambda f: (f / "zones.parquet").unlink(), ("check", "RELEASE", "out"), "zones"),
    "no result": ("out", lambda f: None, (*REPORT, "nowhere.json"), r"no readable nowhere"),
    "result of nonsense": ("out", lambda f: (f.parent / "x.json").write_text("{}"),
                           (*REPORT, "x.json"), "damaged"),
}  # fmt: skip


def broken_parquet(folder: Path) -> None:
    (folder / "part-00000.parquet").write_text("no parquet")


def retyped(path: Path) -> None:
    table = pd.read_parquet(path)
    table.assign(home_zone=range(len(table))).to_parquet(path)


@pytest.mark.parametrize("case", DAMAGED)
def test_what_strangers_send_is_refused_in_one_sentence(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    kind, breaks, words, message = DAMAGED[case]
    monkeypatch.chdir(tmp_path)
    shutil.copytree(getattr(run, kind), tmp_path / kind)
    breaks(tmp_path / kind)
    before = sorted(tmp_path.rglob("*"))
    places: dict[object, object] = {"ZONES": run.zones, "RELEASE": run.release}
    assert synthmob(*(places.get(word, word) for word in words), "-o", tmp_path / "new") == 2
    said = wrong(capsys)
    assert re.search(message, said), said
    assert sorted(tmp_path.rglob("*")) == before


def test_another_zoning_does_not_fit_a_release(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    zones = operator(tmp_path / "records") / "zones.geojson"
    assert synthmob("fit", run.release, "--zones", zones, "-o", tmp_path / "model") == 2
    assert "use the zoning it was measured with" in wrong(capsys)
