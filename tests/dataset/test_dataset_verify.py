"""verify: whatever was done to a dataset after it was packed is found, and the file is named."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packed_run import copy, edited
from smallrun import synthmob
from tinyrecords import wrong

from synthmob import manifest
from synthmob.dataset import seal
from synthmob.dataset.layout import SUMS, walk
from synthmob.dataset.seal import CHANGED, EXTRA, LINK, MISSING, Fault
from synthmob.errors import FormatError
from synthmob.pipeline.packing import faults, verify
from synthmob.synthesis.tables import SYNTHETIC


@pytest.fixture(scope="module")
def flipped(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy in which bits are flipped and put back."""
    return copy(dataset, tmp_path_factory.mktemp("flipped") / "dataset")


def flip(path: Path, bit: int) -> None:
    """Flip one bit of a file; once more puts it back."""
    with path.open("r+b") as file:
        file.seek(bit // 8)
        byte = file.read(1)[0]
        file.seek(bit // 8)
        file.write(bytes([byte ^ 1 << bit % 8]))


def rewritten(folder: Path) -> Path:
    """What somebody does who changes a dataset and its hashes too."""
    said = json.loads((folder / manifest.FILE).read_text())
    del said["seal"]
    said["files"] = {path: seal.entry(folder / path) for path, _ in walk(folder) if path not in (manifest.FILE, SUMS)}
    seal.write(said, folder)
    return folder


# ---------------------------------------------------------------- what was packed


def test_what_was_packed_is_verified(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert synthmob("verify", dataset) == 0
    assert "16 files as packed, 300 synthetic persons" in capsys.readouterr().out
    assert synthmob("verify", dataset, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"verified": True, "files": 16, "persons": 300, "sha256sums": manifest.digest(dataset / SUMS), "faults": []}
    assert synthmob("verify", dataset, "--sha256", told["sha256sums"].upper()) == 0
    assert synthmob("verify", dataset, "--sha256", "0" * 64) == 2
    assert "not the one given" in wrong(capsys)


def test_verify_leaves_no_trace(dataset: Path) -> None:
    before = {path: (dataset / path).stat().st_mtime_ns for path, _ in walk(dataset)}
    verify(dataset)
    assert {path: (dataset / path).stat().st_mtime_ns for path, _ in walk(dataset)} == before


# ---------------------------------------------------------------- one bit


@settings(max_examples=150)
@given(st.data())
def test_one_flipped_bit_is_found_and_named(flipped: Path, data: st.DataObject) -> None:
    paths = [path for path, _ in walk(flipped)]
    path = data.draw(st.sampled_from(paths), label="file")
    bit = data.draw(st.integers(0, 8 * (flipped / path).stat().st_size - 1), label="bit")
    flip(flipped / path, bit)
    try:
        assert faults(flipped) == [Fault(path, CHANGED)]
        with pytest.raises(FormatError, match="is not what was packed") as told:
            verify(flipped)
        assert f" {path} (changed); ask for it again" in str(told.value) and told.value.exit_code == 2
    finally:
        flip(flipped / path, bit)
    assert faults(flipped) == []


@pytest.mark.parametrize("path", ["README.md", SUMS, manifest.FILE, "stays/part-00001.parquet"])
def test_bytes_too_few_or_too_many_are_found(path: str, dataset: Path, tmp_path: Path) -> None:
    content = (dataset / path).read_bytes()
    for number, other in enumerate((content[:-1], content + b"\n", b"", content[:10] + b"\x00" + content[10:])):
        spoilt = copy(dataset, tmp_path / str(number))
        (spoilt / path).write_bytes(other)
        assert faults(spoilt) == [Fault(path, CHANGED)]


# ---------------------------------------------------------------- files


def swap(folder: Path, one: str, other: str) -> None:
    (folder / one).rename(folder / "aside")
    (folder / other).rename(folder / one)
    (folder / "aside").rename(folder / other)


def link(folder: Path, path: str) -> None:
    (folder / path).rename(folder.parent / "outside")
    (folder / path).symlink_to(folder.parent / "outside")


def pipe(folder: Path, path: str) -> None:
    (folder / path).unlink()
    os.mkfifo(folder / path)


FILES: dict[str, tuple[Callable[[Path], object], list[Fault]]] = {
    "one too many": (lambda f: (f / "notes.txt").write_text("x"), [Fault("notes.txt", EXTRA)]),
    "one hidden": (lambda f: (f / ".git").mkdir(), [Fault(".git", EXTRA)]),
    "one of bytes that are no text": (
        lambda f: Path(os.fsdecode(os.fsencode(f) + b"/n\xff")).write_text("x"), [Fault("n\\xff", EXTRA)]),
    "one part too many": (
        lambda f: (f / "stays" / "part-00002.parquet").write_bytes((f / "stays" / "part-00000.parquet").read_bytes()),
        [Fault("stays/part-00002.parquet", EXTRA)]),
    "one missing": (lambda f: (f / "README.md").unlink(), [Fault("README.md", MISSING)]),
    "one part missing": (lambda f: (f / "trips" / "part-00000.parquet").unlink(), [Fault("trips/part-00000.parquet", MISSING)]),
    "no sums": (lambda f: (f / SUMS).unlink(), [Fault(SUMS, MISSING)]),
    "a link": (lambda f: link(f, "zones.parquet"), [Fault("zones.parquet", LINK)]),
    "a pipe": (lambda f: pipe(f, "croissant.json"), [Fault("croissant.json", LINK)]),
    "sums that are a pipe": (lambda f: pipe(f, SUMS), [Fault(SUMS, LINK)]),
    "a folder of parts that is a link": (
        lambda f: link(f, "stays"),
        [Fault("stays", LINK), Fault("stays/part-00000.parquet", MISSING), Fault("stays/part-00001.parquet", MISSING)]),
    "two swapped": (
        lambda f: swap(f, "stays/part-00000.parquet", "stays/part-00001.parquet"),
        [Fault("stays/part-00000.parquet", CHANGED), Fault("stays/part-00001.parquet", CHANGED)]),
    "several": (
        lambda f: ((f / "a\nb").write_text("x"), (f / "DICTIONARY.md").unlink(), flip(f / "persons.parquet", 99)),
        [Fault("DICTIONARY.md", MISSING), Fault("a\nb", EXTRA), Fault("persons.parquet", CHANGED)]),
}  # fmt: skip


@pytest.mark.parametrize("case", FILES)
def test_files_too_many_missing_or_not_files_are_named(
    case: str, dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil, wanted = FILES[case]
    spoilt = copy(dataset, tmp_path / "dataset")
    spoil(spoilt)
    assert faults(spoilt) == wanted
    assert synthmob("verify", spoilt) == 2
    sentence = wrong(capsys)
    assert all(f"{fault.path} ({fault.what})".replace("\n", "\\n") in sentence for fault in wanted)
    assert synthmob("verify", spoilt, "--json") == 2
    told = json.loads(capsys.readouterr().out)
    assert told == {"verified": False, "faults": [{"file": fault.path, "what": fault.what} for fault in wanted]}


def test_only_the_first_of_many_are_named(dataset: Path, tmp_path: Path) -> None:
    spoilt = copy(dataset, tmp_path / "dataset")
    for number in range(40):
        (spoilt / f"n{number:02d}").write_text("")
    with pytest.raises(FormatError, match=r"n00 \(too many\), .* and 35 more; ask for it again"):
        verify(spoilt)


@pytest.mark.parametrize(("spoil", "sentence"), [
    (lambda f: (f / manifest.FILE).unlink(), "There is no manifest.json"), (lambda f: link(f, manifest.FILE), "There is no manifest.json"),
    (lambda f: (f / manifest.FILE).write_text("{"), "manifest.json (changed)"),
    (lambda f: (f / manifest.FILE).write_text("[" * 600_000), "manifest.json (changed)")])  # fmt: skip
def test_a_folder_without_a_manifest_is_none(
    spoil: Callable[[Path], object], sentence: str, dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoilt = copy(dataset, tmp_path / "dataset")
    spoil(spoilt)
    assert synthmob("verify", spoilt) == 2
    assert sentence in wrong(capsys)


def test_what_is_no_dataset(out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in (out, tmp_path, tmp_path / "nowhere"):
        assert synthmob("verify", folder) == 2
        assert "manifest.json" in wrong(capsys)


# ---------------------------------------------------------------- hashes mended too


def without_mark(folder: Path) -> None:
    rows = pq.read_table(folder / "trips" / "part-00000.parquet")
    pq.write_table(rows.replace_schema_metadata(), folder / "trips" / "part-00000.parquet")


def shorter(folder: Path) -> None:
    path = folder / "persons.parquet"
    rows = pq.read_table(path)
    pq.write_table(rows.slice(1).replace_schema_metadata(SYNTHETIC), path)
    digest = manifest.digest(path)
    edited(folder / "croissant.json", lambda s: [o.update(sha256=digest) for o in s["distribution"] if o["@id"] == path.name])


def narrower(folder: Path) -> None:
    path = folder / "stays" / "part-00001.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["lon", "lat"]).replace_schema_metadata(SYNTHETIC), path)


MENDED: dict[str, tuple[Callable[[Path], object], str]] = {
    "a file without the mark": (without_mark, "trips/part-00000.parquet does not say that it is synthetic"),
    "a person less": (shorter, "a stay of nobody"),
    "columns in one part alone": (narrower, "other columns than the other stays"),
    "a hash in croissant.json": (
        lambda f: edited(f / "croissant.json", lambda s: s["distribution"][0].update(sha256="0" * 64)), "croissant.json says of"),
    "an address in croissant.json": (
        lambda f: edited(f / "croissant.json", lambda s: s["distribution"][0].update(contentUrl="http://x/y")), "croissant.json says of"),
    "a field less in croissant.json": (
        lambda f: edited(f / "croissant.json", lambda s: s["recordSet"][1]["field"].pop()), "croissant.json says of 'stays'"),
    "croissant.json of lists": (
        lambda f: edited(f / "croissant.json", lambda s: s.update(distribution=[1])), "croissant.json does not describe"),
    "a path in datapackage.json": (
        lambda f: edited(f / "datapackage.json", lambda s: s["resources"][0].update(path="/etc/passwd")), "says of '/etc/passwd'"),
    "a field in datapackage.json": (
        lambda f: edited(f / "datapackage.json", lambda s: s["resources"][0]["schema"]["fields"].pop()), "says of 'persons.parquet'"),
    "datapackage.json of text": (
        lambda f: edited(f / "datapackage.json", lambda s: s.update(resources="x")), "datapackage.json does not describe"),
    "a key in metadata.json": (
        lambda f: edited(f / "metadata.json", lambda s: s["tables"]["stays"].pop("primary_key")), "describes other tables"),
    "scores against records": (
        lambda f: edited(f / "fidelity.json", lambda s: s.update(kind="inside", confidential=True)), "should not have left its owner"),
    "scores of nothing": (lambda f: (f / "fidelity.json").write_text("{}"), "no n_persons"),
    "another period": (
        lambda f: edited(f / manifest.FILE, lambda s: s["period"].update(first_day="2026-03-05")), "other days than manifest.json states"),
    "a calendar that is longer": (
        lambda f: pq.write_table(
            pa.concat_tables([pq.read_table(f / "calendar.parquet")] * 2).replace_schema_metadata(SYNTHETIC), f / "calendar.parquet"),
        "other days than manifest.json states"),
    "an address that is a number": (
        lambda f: edited(f / "croissant.json", lambda s: s["distribution"][0].update(contentUrl=1)), "croissant.json says of '1'"),
    "no calendar": (lambda f: (f / "calendar.parquet").unlink(), "has no calendar"),
    "another step": (lambda f: edited(f / manifest.FILE, lambda s: s.update(step="generate")), "was not left by 'pack'"),
    "not synthetic": (lambda f: edited(f / manifest.FILE, lambda s: s.update(synthetic=1)), "was not left by 'pack'"),
    "a list of no files": (lambda f: edited(f / manifest.FILE, lambda s: s.update(files={})), ""),
}  # fmt: skip


@pytest.mark.parametrize("case", MENDED)
def test_who_mends_the_hashes_too_is_found_where_it_does_not_agree(
    case: str, dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil, sentence = MENDED[case]
    spoilt = copy(dataset, tmp_path / "dataset")
    spoil(spoilt)
    rewritten(spoilt)
    if not sentence:
        said = json.loads((spoilt / manifest.FILE).read_text())
        del said["seal"]
        manifest.write(seal.sealed({**said, "files": {}}), spoilt / manifest.FILE)
        sentence = "manifest.json (changed)"
    assert synthmob("verify", spoilt) == 2
    assert sentence in wrong(capsys)


def test_who_rewrites_everything_is_found_by_the_digest_alone(dataset: Path, tmp_path: Path) -> None:
    """What is not promised: there is no key."""
    spoilt = copy(dataset, tmp_path / "dataset")
    text = (spoilt / "README.md").read_text()
    (spoilt / "README.md").write_text(text.replace("epsilon 200", "epsilon 1"))
    assert verify(rewritten(spoilt)).n_persons == 300
    with pytest.raises(FormatError, match="all of it was rewritten"):
        verify(spoilt, sums=manifest.digest(dataset / SUMS))


@pytest.mark.parametrize("files", [
    {"../x": {"sha256": "0" * 64, "bytes": 1}}, {"README.md": {"sha256": "0" * 63, "bytes": 1}}, {"README.md": {"sha256": 1, "bytes": 1}},
    {"README.md": {"sha256": "0" * 64, "bytes": -1}}, {"README.md": {"sha256": "0" * 64, "bytes": True}}, {"README.md": "0" * 64},
    {SUMS: {"sha256": "0" * 64, "bytes": 1}}, ["README.md"], None])  # fmt: skip
def test_a_manifest_that_lists_files_as_ours_do_not_is_broken(files: object, tmp_path: Path) -> None:
    manifest.write(seal.sealed({**manifest.compose("pack", {}), "files": files}), tmp_path / manifest.FILE)
    assert faults(tmp_path) == [Fault(manifest.FILE, CHANGED)]
