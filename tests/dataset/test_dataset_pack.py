"""What pack writes, and what it refuses to pack."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from packed_run import DAYS, PERSONS, WORDS, copy, edited
from smallrun import Run, synthmob
from tinyrecords import wrong

from synthmob import Release, manifest
from synthmob.dataset import licences, privacy
from synthmob.dataset.card import card
from synthmob.dataset.facts import Facts, Said, day
from synthmob.dataset.layout import HOLDS, is_ours, table_of, walk
from synthmob.dataset.starts import STARTS, R
from synthmob.errors import FormatError, InputError
from synthmob.fidelity.result import Fidelity
from synthmob.pipeline import packing
from synthmob.synthesis.outfolder import check_out


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path: (folder / path).read_bytes() for path, _ in walk(folder)}


# ---------------------------------------------------------------- what is there


def test_a_dataset_holds_the_rows_of_out_and_what_describes_them(out: Path, dataset: Path) -> None:
    rows, shipped = bytes_of(out), bytes_of(dataset)
    assert {path.partition("/")[0] for path in shipped} == set(HOLDS) and all(map(is_ours, shipped))
    for path, content in rows.items():
        assert path == manifest.FILE or shipped[path] == content, path
    for path in shipped:
        if path.endswith(".parquet"):
            assert pq.read_schema(dataset / path).metadata[b"synthetic"] == b"true", path
            table = table_of(path)
            assert table is not None and set(table.required) <= set(pq.read_schema(dataset / path).names)
    calendar = pq.read_table(dataset / "calendar.parquet").to_pylist()
    assert [(row["day"], str(row["date"]), row["weekday"], row["day_type"]) for row in calendar] == [
        (0, "2026-03-06", "Friday", "weekday"), (1, "2026-03-07", "Saturday", "saturday")]  # fmt: skip


def test_sha256sum_agrees(dataset: Path) -> None:
    done = subprocess.run(["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=dataset, capture_output=True, text=True, check=True)
    listed = [line.partition(":")[0] for line in done.stdout.splitlines()]
    assert listed == sorted(set(bytes_of(dataset)) - {"SHA256SUMS"})


def test_the_manifest_says_from_what_it_was_made(run: Run, out: Path, dataset: Path) -> None:
    said = manifest.read(dataset)
    assert said["inputs"]["release"]["sha256"] == manifest.digest(run.release) == said["origin"]["release"]["sha256"]
    assert said["inputs"]["out"]["sha256"] == manifest.digest(out) and said["seed"] == 5 and said["synthetic"] is True
    assert str(run.release.parent) not in json.dumps(said)
    check_out(dataset)  # a dataset is an OUT for whoever wants to check or draw it again


def test_packing_again_gives_the_same_bytes(run: Run, out: Path, dataset: Path, tmp_path: Path) -> None:
    again = copy(dataset, tmp_path / "again")
    (again / "README.md").write_text("An earlier dataset in its place is replaced.")
    assert synthmob("pack", out, "--release", run.release, "-o", again, *WORDS) == 0
    assert bytes_of(again) == bytes_of(dataset)


def test_every_file_is_hashed_once(run: Run, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digest, hashed = manifest.digest, Counter[str]()

    def counted(path: Path) -> str:
        hashed[str(path)] += path.is_file()
        return digest(path)

    monkeypatch.setattr(manifest, "digest", counted)
    assert synthmob("pack", out, "--release", run.release, "-o", tmp_path / "dataset", *WORDS) == 0
    assert len(hashed) > 16 + len(bytes_of(out)) and max(hashed.values()) == 1
    hashed.clear()
    assert synthmob("verify", tmp_path / "dataset", "--json") == 0
    assert len(hashed) == 16 and set(hashed.values()) == {1}


# ---------------------------------------------------------------- the card


def test_the_card_tells_what_must_be_told(run: Run, dataset: Path) -> None:
    text = (dataset / "README.md").read_text()
    found = Fidelity.from_json(json.loads((dataset / "fidelity.json").read_text()))
    assert found.kind == "outside" and len(found.metrics) > 20
    table = text.split("## How faithful")[1].split("\n## ")[0]
    assert all(f"| {metric.title}" in table and f"| {metric.ratio:.2f} |" in table for metric in found.metrics)
    release = Release.load(run.release)
    cuts = sorted(m.cut for m in release.marginals.values())
    told = (
        "# Synthetic London\n", f"{PERSONS} synthetic persons", "2 days", "epsilon 200, delta 1e-06",
        f"{cuts[0]:.1f} to", f"{cuts[-1]:.1f}",
        "one subscriber with all their records", "Europe/London", "with the seed 5", "No sunday was measured", "CC-BY-4.0",
        "Open Government Licence", "@misc{synthmob-", "year = {2026}", "A made-up operator", "must not be used for",
        manifest.digest(run.release), "sha256sum -c", "at least 10 people")  # fmt: skip
    assert [words for words in told if words not in text] == []
    for heading in ("What it holds", "Start", "How it was made", "Privacy", "How faithful", "Licence", "Citation", "Check it"):
        assert f"\n## {heading}\n" in text
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", text):
        assert (dataset / link).is_file(), link


def test_the_dictionary_has_every_column_that_there_is(dataset: Path) -> None:
    text = (dataset / "DICTIONARY.md").read_text()
    for path, _ in walk(dataset):
        if (table := table_of(path)) is not None:
            section = text.split(f"## {table.name.upper()}\n")[1].split("\n## ")[0]
            assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(pq.read_schema(dataset / path).names)


@pytest.mark.parametrize("start", [start for start in STARTS if start is not R], ids=lambda start: start.tool)
def test_the_first_five_lines_work_as_they_stand(dataset: Path, start: Any) -> None:
    text = (dataset / "README.md").read_text()
    code = text.split(f"\n{start.tool}: ")[1].split(f"```{start.language}\n")[1].split("```")[0]
    assert code == start.code and len(code.splitlines()) == 5
    before = bytes_of(dataset)
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=dataset, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and len(done.stdout.splitlines()) >= 5, done.stderr
    assert bytes_of(dataset) == before


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed (Debian: apt-get install r-base-core)")
def test_the_lines_of_r_work_as_they_stand(dataset: Path, tmp_path: Path) -> None:
    """With DuckDB's command from its package; the reader arrow, which the words before them name, is not in Debian."""
    text = (dataset / "README.md").read_text()
    code = text.split("\nR: ")[1].split("```r\n")[1].split("```")[0]
    assert code == R.code and len(code.splitlines()) == 5
    (tmp_path / "start.R").write_text(code + "cat(nrow(trips), sum(counts))\n")
    command = ["uv", "run", "-q", "--no-project", "--with", "duckdb-cli", "Rscript", str(tmp_path / "start.R")]
    done = subprocess.run(command, cwd=dataset, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    n = pq.ParquetDataset(dataset / "trips").read(columns=[]).num_rows
    assert done.stdout.splitlines()[-1] == f"{n} {n}" and len(done.stdout.splitlines()) > 5


def test_a_title_cannot_write_the_card(run: Run, out: Path, dataset: Path, tmp_path: Path) -> None:
    title = "<script>x</script> [a](http://b) `c` | {d}\\"
    words = ("--title", title, "--publisher", "P {x} % \"y\"", "--licence", "LicenseRef-ours")
    assert synthmob("pack", out, "--release", run.release, "-o", tmp_path / "odd", *words) == 0
    text = (tmp_path / "odd" / "README.md").read_text()
    first = text.splitlines()[0]
    assert "<script>" not in text.replace("\\<script\\>", "") and first.startswith("# \\<script")
    assert "(http" not in first.replace("\\](", "")
    entry = text.split("```bibtex\n")[1].split("```")[0]
    assert entry.count("{") == entry.count("}") and "terms of its owner, `LicenseRef-ours`" in text
    assert synthmob("verify", tmp_path / "odd") == 0


def test_a_release_that_claims_nothing_is_not_said_to_be_private(run: Run, dataset: Path) -> None:
    release = Release.load(run.release)
    theirs = Release(
        {"home@zone": replace(release.marginals["home@zone"], sigma=0.0, bound_l2=0.0)},
        {"privacy": {"claim": "none claimed"}, "source": {"publisher": "A census", "licence": "OGL"}})  # fmt: skip
    said = privacy.statement(theirs)
    text = " ".join(privacy.sentences(said))
    assert "No privacy is claimed" in text and "A census" in text and "epsilon" not in text
    other = Release(release.marginals, {**release.info, "privacy": {**release.info["privacy"], "unit": "one call"}})
    with pytest.raises(FormatError, match="another unit"):
        privacy.statement(other)


def test_the_card_of_no_release_with_privacy(run: Run, out: Path, dataset: Path) -> None:
    fidelity = Fidelity.from_json(json.loads((dataset / "fidelity.json").read_text()))
    made = manifest.read(out)
    facts = packing._facts(shutil.copytree(out, dataset.parent / "again"), Said("A | b", licences.licence("CC0-1.0")), made,
                           Release.load(run.release), "0" * 64, "1" * 64)  # fmt: skip
    told = replace(facts, privacy={"claim": "none claimed", "tables": 3, "smallest_cut": 11.0, "source": {"publisher": "", "licence": ""}})
    text = card(told, fidelity)
    assert "No privacy is claimed" in text and "tables published by others" in text and "differential" not in text.lower()
    assert "# A \\| b" in text and "not stated: ask who gave you" in text and isinstance(told, Facts)


# ---------------------------------------------------------------- what is refused


def refuse_release(run: Run, out: Path, tmp_path: Path) -> tuple[Path, Path]:
    release = copy(run.release, tmp_path / "release")
    with (release / "manifest.json").open("a") as file:
        file.write("\n")
    return out, release


def spoilt(change: Callable[[Path], object]) -> Callable[[Run, Path, Path], tuple[Path, Path]]:
    def make(run: Run, out: Path, tmp_path: Path) -> tuple[Path, Path]:
        other = copy(out, tmp_path / "spoilt")
        change(other)
        return other, run.release

    return make


REFUSED: dict[str, tuple[Callable[[Run, Path, Path], tuple[Path, Path]], str]] = {
    "another release": (refuse_release, "was not made from"),
    "a model without a release": (
        spoilt(lambda f: edited(f / manifest.FILE, lambda s: s.update(origin={}))), "does not say from which release"),
    "no origin at all": (spoilt(lambda f: edited(f / manifest.FILE, lambda s: s.pop("origin"))), "does not name its inputs"),
    "a hash that is none": (
        spoilt(lambda f: edited(f / manifest.FILE, lambda s: s["origin"]["release"].update(sha256="x"))),
        "no file and SHA-256 for 'release'"),
    "another step": (spoilt(lambda f: edited(f / manifest.FILE, lambda s: s.update(step="pack"))), "not by 'generate'"),
    "no seed": (spoilt(lambda f: edited(f / manifest.FILE, lambda s: s.pop("seed"))), "names no seed"),
    "no calendar": (spoilt(lambda f: edited(f / manifest.FILE, lambda s: s.pop("period"))), "period reads"),
    "events without sites": (spoilt(lambda f: (f / "sites.parquet").unlink()), "events without antenna sites"),
    "sites without events": (spoilt(lambda f: shutil.rmtree(f / "events")), "sites without events"),
    "events at other sites": (
        spoilt(lambda f: pq.write_table(pq.read_table(f / "sites.parquet").slice(40), f / "sites.parquet")), "an event at no site"),
    "a file of somebody": (spoilt(lambda f: (f / "thesis.txt").write_text("mine")), "'thesis.txt', which generate does not write"),
    "a part of another name": (spoilt(lambda f: (f / "stays" / "more.parquet").write_text("x")), "'stays/more.parquet'"),
    "a folder": (spoilt(lambda f: (f / "more").mkdir()), "'more'"),
    "a link": (spoilt(lambda f: ((f / "zones.parquet").rename(f / ".z"), (f / "zones.parquet").symlink_to(f / ".z"))), "'zones.parquet'"),
    "a pipe": (spoilt(lambda f: ((f / "metadata.json").unlink(), os.mkfifo(f / "metadata.json"))), "'metadata.json'"),
    "no metadata": (spoilt(lambda f: (f / "metadata.json").unlink()), "no metadata.json"),
    "other metadata": (spoilt(lambda f: edited(f / "metadata.json", lambda s: s["tables"].pop("trips"))), "describes other tables"),
    "persons without the mark": (
        spoilt(lambda f: pq.write_table(pq.read_table(f / "persons.parquet").replace_schema_metadata(), f / "persons.parquet")),
        "does not say that it is synthetic"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_packed(case: str, run: Run, out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make, sentence = REFUSED[case]
    given, release = make(run, out, tmp_path)
    assert synthmob("pack", given, "--release", release, "-o", tmp_path / "dataset") == 2
    assert sentence in wrong(capsys)
    assert not (tmp_path / "dataset").exists() and not [p for p in tmp_path.iterdir() if p.name.startswith(".dataset")]


@pytest.mark.parametrize(("words", "sentence"), [
    (("--licence", "CC-BY-4"), "none that is known: give one of CC-BY-4.0"), (("--licence", "LicenseRef-a b"), "none that is known"),
    (("--title", " "), "no title"), (("--title", "a\nb"), "no line of at most 200"),
    (("--zones-notice", "x" * 2001), "no line of at most 2000"),
    (("--published", "yesterday"), "published on 'yesterday'"), (("--published", "1999-01-01"), "published on 1999-01-01")])  # fmt: skip
def test_words_that_cannot_be_said(
    words: tuple[str, ...], sentence: str, run: Run, out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert synthmob("pack", out, "--release", run.release, "-o", tmp_path / "dataset", *words) == 2
    assert sentence in wrong(capsys) and not (tmp_path / "dataset").exists()


def test_somebodys_folder_is_left_alone(run: Run, out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for place in (out, run.release, run.model):
        before = manifest.digest(place)
        assert synthmob("pack", out, "--release", run.release, "-o", place) == 2
        assert manifest.digest(place) == before and "left alone" in wrong(capsys)


def test_every_licence_can_be_given() -> None:
    assert licences.licence(licences.DEFAULT).url.startswith("https://")
    assert {licences.licence(spdx).spdx for spdx in licences.KNOWN} == set(licences.KNOWN)
    assert str(day("2026-03-20")) == "2026-03-20"
    with pytest.raises(InputError):
        day("20th of March")
    assert DAYS == 2
