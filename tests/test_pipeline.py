"""The whole run on a small world: every step leaves what it promises, says nothing that it must not, and can be repeated."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import smallrun
from hasty import hasty
from smallrun import BUDGET, DAYS, PERSONS, Run, synthmob

from synthmob import Plan, Release, compare, generate, manifest, modelfile, terminal
from synthmob.errors import CheckFailed
from synthmob.fidelity.result import Fidelity
from synthmob.ledger import Outlook
from synthmob.pipeline import checking, measurement
from synthmob.pipeline.places import ZoningFile
from synthmob.pipeline.records import RecordFiles


@pytest.fixture(scope="module")
def inside(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The result of an inside check."""
    target = tmp_path_factory.mktemp("owner") / "truth.json"
    assert synthmob("check", "--truth", run.records, run.out, "--zones", run.zones, "-o", target) == 0
    return target


@pytest.fixture(scope="module")
def outside(run: Run, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The result of an outside check, and what was printed."""
    target, told = tmp_path_factory.mktemp("anyone") / "check.json", io.StringIO()
    with contextlib.redirect_stdout(told):
        assert synthmob("check", run.release, run.out, "--json", "-o", target) == 0
    return target, told.getvalue()


def texts(folder: Path) -> str:
    return "".join(p.read_text() for p in sorted(folder.rglob("*.json")))


def test_every_step_leaves_a_manifest_without_a_path(run: Run) -> None:
    for folder, step, inputs in ((run.release, "measure", {"zones"}), (run.model, "fit", {"release", "zones"}),
                                 (run.out, "generate", {"model"})):  # fmt: skip
        said = manifest.read(folder)
        assert (said["step"], set(said["inputs"])) == (step, inputs)
        assert str(run.records.parent) not in texts(folder)
    said = manifest.read(run.out)
    assert said["inputs"]["model"] == {"name": "model", "sha256": manifest.digest(run.model)}
    assert (said["seed"], said["parameters"]) == (1, {"persons": PERSONS, "days": DAYS})


def test_a_release_says_nothing_exact_about_a_record_file(run: Run) -> None:
    said = texts(run.release)
    files = [p for p in run.records.rglob("*") if p.is_file() and p.name not in ("zones.geojson", "period.toml")]
    assert len(files) >= 3
    for file in files:
        rows = pq.ParquetFile(file).metadata.num_rows
        for fact in (manifest.digest(file), file.name, f" {file.stat().st_size},", f" {rows},", f" {rows}.0"):
            assert fact not in said, (file.name, fact)
    assert manifest.digest(run.records) not in said and "records" not in manifest.read(run.release)["inputs"]
    release = Release.load(run.release)
    assert manifest.read(run.release)["rho_spent"] == release.rho <= release.info["privacy"]["rho"] * (1 + 1e-9)
    assert all(not m.confidential and m.sigma > 0 for m in release.marginals.values())


def test_fit_and_generate_repeat_to_the_byte(run: Run, tmp_path: Path) -> None:
    with hasty():
        assert synthmob("fit", run.release, "--zones", run.zones, "-o", tmp_path / "model") == 0
    assert manifest.digest(tmp_path / "model") == manifest.digest(run.model)
    words = ("generate", tmp_path / "model", "--persons", PERSONS, "--days", DAYS, "--seed", 1, "--workers", 1)
    assert synthmob(*words, "-o", tmp_path / "out") == 0
    assert manifest.digest(tmp_path / "out") == manifest.digest(run.out)
    assert synthmob(*words, "-o", tmp_path / "out") == 0  # an OUT of ours is replaced
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from synthmob.cli import main; sys.exit(main())", *map(str, words), "-o", "again"],
        cwd=tmp_path, capture_output=True, text=True, check=False)  # fmt: skip
    assert (done.returncode, done.stdout) == (0, f"again: {PERSONS:,} synthetic persons, {DAYS} days, seed 1\n"), done.stderr
    assert manifest.digest(tmp_path / "again") == manifest.digest(run.out)


def test_outside_check_is_printed_written_and_repeated(run: Run, outside: tuple[Path, str]) -> None:
    target, told = outside
    said = json.loads(target.read_text())
    assert json.loads(told) == said
    found = Fidelity.from_json(said)
    assert found.kind == "outside" and not found.confidential and len(found.tables) > 20 and said["sdmetrics"] is None
    about = manifest.beside(target).read_text()
    assert set(json.loads(about)["inputs"]) == {"release", "out"} and str(target.parent) not in about
    people = generate(modelfile.load(run.model), n_persons=PERSONS, days=DAYS, seed=1)
    again = compare(Release.load(run.release), people)
    # The last digits of a sum depend on the order in which the backend's threads add.
    for one, two in zip(again.metrics + again.tables, found.metrics + found.tables, strict=True):
        for name, value in asdict(one).items():
            other = asdict(two)[name]
            assert value == (pytest.approx(other, rel=1e-8) if isinstance(other, float) else other), (one, two)


def test_a_result_as_a_table_and_as_a_verdict(outside: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    found = Fidelity.from_json(json.loads(outside[0].read_text()))
    terminal.show_fidelity(found)
    told = capsys.readouterr().out
    assert told.startswith("OUTSIDE") and "home_work@district" in told and "baseline" in told
    checking.refuse_above(found, 1e9)
    with pytest.raises(CheckFailed, match=r"have a ratio above 0\.0001, the worst is") as failed:
        checking.refuse_above(found, 0.0001)
    assert failed.value.exit_code == 1


def test_a_report_of_an_outside_check_may_be_shipped(run: Run, outside: tuple[Path, str], tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    assert synthmob("report", run.out, "--release", run.release, "--check", outside[0], "-o", page) == 0
    html = page.read_text()
    assert "<title>CONFIDENTIAL" not in html and "<svg" in html
    assert json.loads(manifest.beside(page).read_text())["confidential"] is False


def test_inside_check_is_confidential_and_kept_from_what_is_shipped(run: Run, inside: Path, tmp_path: Path) -> None:
    said = json.loads(inside.read_text())
    assert said["headline"].startswith("INSIDE, CONFIDENTIAL") and said["confidential"] is True
    found = Fidelity.from_json(said)
    assert found.metric("sex_tvd").ratio < 20
    assert said["sdmetrics"] is None or 0.5 < said["sdmetrics"]["overall"] <= 1
    about = json.loads(manifest.beside(inside).read_text())
    assert about["confidential"] is True and set(about["inputs"]) == {"out", "zones"}
    for folder in (run.release, run.model, run.out, run.out / "stays"):
        before = sorted(folder.iterdir())
        target = folder / "truth.json"
        assert synthmob("check", "--truth", run.records, run.out, "--zones", run.zones, "-o", target) == 2
        page = folder / "truth.html"
        assert synthmob("report", run.out, "--release", run.release, "--check", inside, "-o", page) == 2
        assert sorted(folder.iterdir()) == before
    link = tmp_path / "elsewhere"
    link.symlink_to(run.out)
    assert synthmob("report", run.out, "--release", run.release, "--check", inside, "-o", link / "truth.html") == 2


def test_a_report_with_an_inside_check_says_so_first(run: Run, inside: Path) -> None:
    page = inside.parent / "report.html"
    assert synthmob("report", run.out, "--release", run.release, "--check", inside, "-o", page) == 0
    assert "<title>CONFIDENTIAL" in page.read_text()
    assert json.loads(manifest.beside(page).read_text())["confidential"] is True


def test_events_and_a_smaller_plan(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = {"demographics", "home_by_group", "home"}
    plan, names = tmp_path / "plan.toml", {r.name for r in Plan.standard().requests}
    shares = {name: float(name.partition("@")[0] in kept) for name in sorted(names)}
    plan.write_text("".join(f'[tables."{name}"]\nshare = {share}\n' for name, share in shares.items()))
    words = ("measure", run.records, "--zones", run.zones, *BUDGET, "--plan", plan, "--from", "events")
    assert synthmob(*words, "-o", tmp_path / "release") == 0
    told = capsys.readouterr().out
    release = Release.load(tmp_path / "release")
    assert {name.split("@")[0] for name in release.marginals} == kept
    for name, marginal in release.marginals.items():
        assert f"{name} " in told and f"{marginal.cut:.1f}" in told
    assert "left out: chains" in told and "table" in told.splitlines()[2]
    assert manifest.read(tmp_path / "release")["parameters"]["read_from"] == "events"
    assert set(manifest.read(tmp_path / "release")["inputs"]) == {"zones", "plan"}


def test_the_plan_is_shown_before_a_record_is_read(run: Run, tmp_path: Path) -> None:
    """Broken rows are found by reading them: whoever says no has not read them."""
    records = Path(shutil.copytree(run.records, tmp_path / "records"))
    rows = pq.read_table(records / "stays.parquet")
    pq.write_table(rows.set_column(rows.column_names.index("end_min"), "end_min", rows["start_min"]), records / "stays.parquet")
    shown: list[Any] = []

    def refuse(plan: Any, costs: tuple[measurement.Cost, ...], outlook: Outlook) -> bool:
        assert (outlook.before, outlook.total) == (0.0, None) and outlook.after == pytest.approx(1.0)
        shown.extend(costs)
        return False

    zones, asked = ZoningFile(run.zones), measurement.Asked(1.0, 1e-6)
    with pytest.raises(measurement.InputError, match="not accepted"):
        measurement.measure(
            RecordFiles(records), zones, tmp_path / "release", asked, show=refuse, progress=lambda table, tables: None)
    assert {p.name for p in tmp_path.iterdir()} == {"records"} and len(shown) > 25
    assert sum(cost.share for cost in shown) == pytest.approx(1)
    assert all(0 < cost.published_49 < 0.03 and cost.cut >= 50 + 2 * cost.sigma - 0.01 for cost in shown)


def test_another_zoning_of_the_same_place_is_refused(run: Run, tmp_path: Path) -> None:
    with pytest.raises(checking.ZoningError, match="other zones"):
        checking.check_inside(RecordFiles(run.records), ZoningFile(run.zones, h3_resolution=7), run.out)


@pytest.mark.slow
def test_the_demonstration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "demo"
    assert synthmob("demo", "--subscribers", 4000, "-o", folder) == 0
    told = capsys.readouterr()
    assert [line.split()[0] for line in told.err.splitlines()] == [
        "world", "measure", "fit", "generate", "check", "check", "report"]  # fmt: skip
    assert "INSIDE" in told.out and str(folder / "report.html") in told.out
    assert manifest.read(folder)["parameters"]["subscribers"] == 4000
    assert {p.name for p in folder.iterdir()} >= {"records", "release", "model", "out", "report.html", "check-inside.json"}
    assert "<title>CONFIDENTIAL" not in (folder / "report.html").read_text()


def test_a_demonstration_overwrites_nobodys_work(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    assert synthmob("demo", "--subscribers", 10, "-o", tmp_path / "out") == 2
    (tmp_path / "out" / "thesis.txt").unlink()
    manifest.write(manifest.compose("generate", {}), tmp_path / "out" / manifest.FILE)
    assert synthmob("demo", "--subscribers", 10, "-o", tmp_path / "out") == 2
    assert [p.name for p in tmp_path.rglob("*")] == ["out", "manifest.json"] and smallrun.DAYS == 2
