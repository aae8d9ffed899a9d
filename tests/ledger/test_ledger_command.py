"""measure and check --publish spend from one ledger, refuse before a record is read, and `synthmob ledger` shows what they did."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from smallrun import Run, synthmob
from tinyrecords import DAYS, operator, wrong

from synthmob import Release, manifest
from synthmob.errors import BudgetError, FormatError
from synthmob.ledger import Ledger, State, Total
from synthmob.pipeline import spending
from synthmob.pipeline.measurement import Asked, measure
from synthmob.pipeline.places import ZoningFile
from synthmob.pipeline.records import RecordFiles
from synthmob.pipeline.spending import Account
from synthmob.plan import Plan

BUDGET = ("--epsilon", 0.6, "--delta", 1e-6)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two months of one operator in a folder, a plan of one table, and a home of its own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for month in ("june", "july"):
        operator(tmp_path / "Example Mobile" / month)
    (tmp_path / "Example Mobile" / "july" / "period.toml").write_text(DAYS.replace("03-02", "03-03"))
    (tmp_path / "plan.toml").write_text("".join(
        f'[tables."{r.name}"]\nshare = 0\n' for r in Plan.standard().requests if r.name != "demographics"))  # fmt: skip
    return tmp_path


def words(place: Path, month: str = "june", release: str = "release") -> tuple[object, ...]:
    records = place / "Example Mobile" / month
    return ("measure", records, "--zones", records / "zones.geojson", *BUDGET, "--plan", place / "plan.toml", "--yes",
            "-o", place / release)  # fmt: skip


def broken(place: Path, month: str) -> None:
    """Rows that are found wrong by reading them."""
    stays = place / "Example Mobile" / month / "stays.csv"
    table = pd.read_csv(stays)
    table.assign(end_min=1500).to_csv(stays, index=False)


def ledger_of(place: Path) -> State:
    return Ledger.open(place / "Example Mobile" / "ledger.jsonl").verify()


def test_sibling_months_share_a_total_and_the_third_is_refused_unread(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert synthmob(*words(place), "--total-epsilon", 1, "--total-delta", 1e-6) == 0
    told = capsys.readouterr()
    assert "ledger of Example Mobile: epsilon 0 spent before, 0.6 this release, then 0.6 in all, total 1 (at delta 1e-06)" in told.out
    assert told.err == ""
    assert synthmob(*words(place, "july", "second")) == 0
    assert "epsilon 0.6 spent before, 0.6 this release, then 0.868 in all, total 1" in capsys.readouterr().out
    before = ledger_of(place)
    broken(place, "june")
    assert synthmob(*words(place, "june", "third")) == 3
    said = wrong(capsys)
    assert "epsilon 0.868 is spent and 0.6 asked for" in said and "total of 1 " in said
    assert ledger_of(place) == before and not (place / "third").exists()
    for name, spent in zip(("release", "second"), before.spends, strict=True):
        release = Release.load(place / name)
        assert release.head is not None and release.head.as_json() == {"customers": "Example Mobile", "line": spent.line, "mac": spent.mac}
        assert manifest.read(place / name)["ledger"] == release.info["ledger"]
        assert release.rho <= spent.rho and set(release.marginals) == set(spent.tables) == {"demographics"}
    assert len({s.fingerprint for s in before.spends}) == 2 and {s.step for s in before.spends} == {"measure"}
    text = (place / "Example Mobile" / "ledger.jsonl").read_text()
    assert not [fact for fact in ("june", "july", "stays", str(place), "2026-03-02") if fact in text]


def test_broken_records_cost_nothing_and_what_is_counted_is_paid_before(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = (place / "Example Mobile" / "june" / "stays.csv").read_bytes()
    broken(place, "june")
    assert synthmob(*words(place)) == 2
    wrong(capsys)
    assert not (place / "Example Mobile" / "ledger.jsonl").exists()
    (place / "Example Mobile" / "june" / "stays.csv").write_bytes(good)
    seen: list[int] = []

    def look(what: str, _tables: int) -> None:
        ledger = Ledger.open(place / "Example Mobile" / "ledger.jsonl").state()
        seen.append(len(ledger.spends))
        if what == "demographics":
            raise KeyboardInterrupt

    june = place / "Example Mobile" / "june"
    with pytest.raises(KeyboardInterrupt):
        measure(RecordFiles(june), ZoningFile(june / "zones.geojson"), place / "release", Asked(0.6, 1e-6, place / "plan.toml"),
                show=lambda _p, _c, _o: True, progress=look)  # fmt: skip
    assert seen == [0, 1] and len(ledger_of(place).spends) == 1 and not (place / "release").exists()


def test_without_a_total_all_is_recorded_and_one_line_says_so(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for count, sum_ in ((1, "0.6"), (2, "0.868")):
        assert synthmob(*words(place)) == 0
        told = capsys.readouterr()
        assert "no total is set (at delta 1e-06)" in told.out
        assert told.err == (
            f"Spent so far about 'Example Mobile': epsilon {sum_} at delta 1e-06, spends {count}; no total is set, so nothing is refused: "
            "--total-epsilon sets one.\n")  # fmt: skip
    assert synthmob(*words(place), "--total-epsilon", 0.7) == 3
    assert ledger_of(place).total == Total(0.7, 1e-6)
    assert synthmob(*words(place), "--total-epsilon", 2) == 2
    assert "can be lowered but never raised" in capsys.readouterr().err


def test_the_verb_shows_and_verifies(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger, key = place / "books" / "b.jsonl", place / "safe" / "key"
    more = ("--ledger", ledger, "--ledger-key", key, "--customers", "them", "--total-epsilon", 2)
    assert synthmob(*words(place), *more) == 0 and synthmob(*words(place, "july", "second"), *more) == 0
    assert not (place / "Example Mobile" / "ledger.jsonl").exists() and not ledger.with_suffix(".key").exists()
    capsys.readouterr()
    show = ("ledger", ledger, "--key", key, "--release", place / "release", place / "second")
    assert synthmob(*show) == 0
    told = capsys.readouterr().out
    assert told.startswith("Ledger of them") and "0.868" in told and "second: line 4" in told
    assert "total: epsilon 2 at delta 1e-06" in told and "verified: 4 lines" in told
    assert synthmob(*show, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert [line["kind"] for line in said["lines"]] == ["opened", "total", "spend", "spend"]
    assert said["lines"][3]["epsilon_so_far"] == said["spent"]["epsilon"] == pytest.approx(0.8684, abs=1e-4)
    assert said["releases"] == {str(place / "release"): 3, str(place / "second"): 4}
    assert said["lines"][3]["tables"] == {"demographics": said["lines"][3]["rho"]}
    for other in (("ledger", ledger), ("ledger", place / "nothing.jsonl"), ("ledger", ledger, "--key", place / "plan.toml")):
        assert synthmob(*other) == 2
        wrong(capsys)


def test_a_tampered_ledger_is_found_by_every_use(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = place / "Example Mobile" / "ledger.jsonl"
    assert synthmob(*words(place), "--total-epsilon", 2) == 0
    kept = {p.name: p.read_bytes() for p in ledger.parent.iterdir() if p.is_file()}
    assert synthmob(*words(place, release="second")) == 0
    ledger.write_bytes(kept["ledger.jsonl"])
    for use in (words(place, release="third"), ("ledger", ledger)):
        capsys.readouterr()
        assert synthmob(*use) == 2
        assert "was shortened or is an older copy" in wrong(capsys)
    ledger.with_suffix(".head").write_bytes(kept["ledger.head"])
    assert synthmob("ledger", ledger) == 0  # both from one backup: only a later release tells
    capsys.readouterr()
    assert synthmob("ledger", ledger, "--release", place / "second") == 2
    assert "second was entered as line 4" in wrong(capsys)


def test_a_release_that_costs_more_than_its_line_or_names_none_is_found(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert synthmob(*words(place)) == 0
    loud = tuple(2.0 if word == 0.6 else word for word in words(place, release="loud"))
    assert synthmob(*loud, "--ledger", place / "elsewhere" / "ledger.jsonl") == 0
    capsys.readouterr()
    said = json.loads((place / "loud" / "release.json").read_text())
    said["ledger"] = json.loads((place / "release" / "release.json").read_text())["ledger"]
    (place / "loud" / "release.json").write_text(json.dumps(said))
    ledger = place / "Example Mobile" / "ledger.jsonl"
    assert synthmob("ledger", ledger, "--release", place / "loud") == 2
    assert "costs more than line 2" in wrong(capsys)
    del said["ledger"]
    (place / "loud" / "release.json").write_text(json.dumps(said))
    assert synthmob("ledger", ledger, "--release", place / "loud") == 2
    assert "names no line of a ledger" in wrong(capsys)


LINE = {"customers": "them", "line": 1, "mac": "0" * 64}


@pytest.mark.parametrize("ledger", [7, {}, {**LINE, "line": 0}, {**LINE, "line": True}, {**LINE, "customers": ""}, {**LINE, "mac": "xyz"},
                                    {**LINE, "path": "/"}])  # fmt: skip
def test_a_release_with_a_strange_line_is_damaged(run: Run, tmp_path: Path, ledger: object) -> None:
    folder = Path(shutil.copytree(run.release, tmp_path / "release"))
    said = json.loads((folder / "release.json").read_text())
    (folder / "release.json").write_text(json.dumps({**said, "ledger": ledger}))
    with pytest.raises(FormatError, match="damaged"):
        Release.load(folder)


def test_a_table_that_was_not_paid_for_is_never_written(run: Run) -> None:
    release = Release.load(run.release)
    paid = {name: request["rho"] for name, request in ((r["name"], r) for r in release.info["plan"]["tables"])}
    spending.check_paid(release, paid)
    for change in ({"home@zone": paid["home@zone"] * 0.99}, {"home@zone": 0.0}):
        with pytest.raises(BudgetError, match=r"Table 'home@zone' costs rho .* nothing was written"):
            spending.check_paid(release, {**paid, **change})
    with pytest.raises(BudgetError, match="has paid 0:"):
        spending.check_paid(release, {name: rho for name, rho in paid.items() if name != "chains"})
    with pytest.raises(BudgetError):
        spending.check_paid(release, {})


def test_where_nothing_can_be_written_the_ledger_lies_in_the_users_state(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = place / "Example Mobile"
    folder.chmod(0o555)
    try:
        assert synthmob(*words(place), "--total-epsilon", 1) == 0
        said = capsys.readouterr().err
        found = list((place / "state" / "synthmob" / "ledgers").iterdir())
        assert len(found) == 1 and len(found[0].name) == 16 and said.count("\n") == 1 and str(found[0] / "ledger.jsonl") in said
        assert synthmob(*words(place, "july", "second")) == 0 and synthmob(*words(place, "july", "third")) == 3
        assert Ledger.open(found[0] / "ledger.jsonl").verify().customers == "Example Mobile"
    finally:
        folder.chmod(0o755)
    assert synthmob(*words(place, "july", "third")) == 3  # it goes on where it was begun
    Ledger.open(folder / "ledger.jsonl").spend(spending.Spend("measure", 0.1, 1e-6, 1e-4, {"a": 1e-4}))
    capsys.readouterr()
    assert synthmob(*words(place, "july", "third")) == 2
    assert "say with --ledger FILE which one pays" in wrong(capsys)


def test_a_ledger_that_is_named_must_be_writable_and_stay_with_its_owner(run: Run, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "file").write_text("x")
    cases: tuple[tuple[object, str], ...] = (
        (place, "cannot be written"), (place / "file" / "ledger.jsonl", "cannot be written"),
        (run.release / "ledger.jsonl", "made to be shipped"), (run.out / "a" / "ledger.jsonl", "made to be shipped"),
        (place / "release" / "ledger.jsonl", "made to be shipped"))  # fmt: skip
    for ledger, match in cases:
        assert synthmob(*words(place), "--ledger", ledger) == 2
        assert match in wrong(capsys)
    assert synthmob(*words(place), "--ledger-key", run.model / "ledger.key") == 2
    assert "made to be shipped" in wrong(capsys)
    assert not (place / "release").exists() and not (run.out / "a").exists()


def test_records_in_a_database_need_a_ledger_to_be_named(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    zones = place / "Example Mobile" / "june" / "zones.geojson"
    asked = ("--zones", zones, *BUDGET, "-o", place / "release")
    assert synthmob("measure", "postgresql://someone@host/records", *asked) == 2
    assert "--ledger FILE" in wrong(capsys)
    assert synthmob("measure", "postgresql://someone:secret@host/records", *asked) == 2
    assert "secret" not in wrong(capsys)


def test_single_paths_have_their_ledger_beside_the_folder_of_the_subscribers(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    june = place / "Example Mobile" / "june"
    named = ("--subscribers", june / "subscribers.csv", "--stays", june / "stays.csv", "--first-day", "2026-03-02", "--days", 1)
    assert synthmob("measure", *words(place)[2:], *named) == 0
    assert synthmob(*words(place, "july", "second")) == 0
    assert len(ledger_of(place).spends) == 2 and "epsilon 0.868" in capsys.readouterr().err


def test_checks_that_are_published_spend_and_are_not_confidential(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger, target, out = tmp_path / "ledger.jsonl", tmp_path / "published.json", tmp_path / "out"
    assert synthmob("generate", run.model, "--persons", 3000, "--days", 2, "-o", out) == 0
    capsys.readouterr()
    asked = ("check", out, "--truth", run.records, "--zones", run.zones, "--publish", "--delta", 1e-6, "--ledger", ledger, "-o", target)
    assert synthmob(*asked, "--epsilon", 50, "--total-epsilon", 51) == 0
    told = capsys.readouterr()
    assert "PUBLISHABLE: computed from noisy marginals of the records, which cost epsilon 50 at delta 1e-06" in told.out
    assert "epsilon 0 spent before, 50 this release, then 50 in all, total 51" in told.out and "demographics" in told.out and told.err == ""
    said = json.loads(target.read_text())
    assert said["confidential"] is False and said["kind"] == "outside" and said["sdmetrics"] is None
    assert said["headline"].startswith("PUBLISHABLE")
    paid, state = said["published"], Ledger.open(ledger).verify()
    assert (paid["epsilon"], paid["delta"], paid["level"]) == (50, 1e-6, 0.9) and state.spends[0].step == "check"
    assert paid["ledger"] == state.head.as_json() and paid["rho"] <= state.rho
    values = {m["name"]: m["value"] for m in said["metrics"]}
    assert set(paid["intervals"]) == set(values) and len(values) > 20
    assert all(0 <= low <= values[name] <= high <= 1 for name, (low, high) in paid["intervals"].items())
    about = json.loads(manifest.beside(target).read_text())
    assert about["ledger"] == paid["ledger"] and set(about["inputs"]) == {"out", "zones"} and not about.get("confidential")
    assert synthmob(*asked, "--epsilon", 50) == 3
    assert "epsilon 50 is spent and 50 asked for" in wrong(capsys)


SPENDS, NOTHING = "To publish a check", "spends nothing unless --publish"


@pytest.mark.parametrize(("more", "said"), [(("--publish",), SPENDS), (("--publish", "--epsilon", 1), SPENDS), (("--epsilon", 1), NOTHING),
                                            (("--ledger", "x.jsonl"), NOTHING), (("--total-epsilon", 2), NOTHING)])  # fmt: skip
def test_a_check_spends_where_it_is_told_to_and_nowhere_else(
    run: Run, capsys: pytest.CaptureFixture[str], more: tuple[object, ...], said: str
) -> None:
    assert synthmob("check", run.out, "--truth", run.records, "--zones", run.zones, *more) == 2
    assert said in wrong(capsys)


def test_the_default_place_needs_no_home(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(place / "home"))
    june = RecordFiles(place / "Example Mobile" / "june")
    plan = Plan.standard(1.0, 1e-6)
    assert Account().purse(june, "measure", plan).ledger.files.ledger == (place / "Example Mobile" / "ledger.jsonl").resolve()
    (place / "link").symlink_to(place / "Example Mobile" / "june")
    assert Account().purse(RecordFiles(place / "link"), "measure", plan).ledger.files.ledger.parent.name == "Example Mobile"
    monkeypatch.chdir(place / "Example Mobile" / "june")
    here = RecordFiles(subscribers=Path("subscribers.csv"), stays=Path("stays.csv"), first_day="2026-03-02", days=1)
    assert Account().purse(here, "measure", plan).ledger.files.ledger.parent.name == "Example Mobile"
    assert not (place / "home").exists()
