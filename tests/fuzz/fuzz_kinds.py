"""What is fuzzed: for every kind how a copy of a right one is spoilt, how it is opened, and what must hold where it is accepted."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fuzz_parquet
import numpy as np
from fuzz_bases import SHORT_PLAN, Bases
from fuzz_folders import spoil_folder
from fuzz_texts import NASTY_NUMBERS, spoil_bytes, spoil_json, spoil_json_file, spoil_lines

from synthmob import folders, manifest, modelfile
from synthmob.dataset import seal
from synthmob.dataset.layout import SUMS, walk
from synthmob.engine import connect
from synthmob.fidelity.result import Fidelity
from synthmob.period import Period
from synthmob.pipeline.packing import verify
from synthmob.plan import Plan
from synthmob.private.curator import Curator
from synthmob.release import Release
from synthmob.report import tables as page_tables
from synthmob.synthesis.days import generate
from synthmob.synthesis.outfolder import open_out
from synthmob.zonefiles import read_zoning, write_zoning
from synthmob.zones import Zoning

Rng = random.Random


@dataclass(frozen=True)
class Kind:
    """`base` names the folder of the bases; `share` is how many of a thousand mixed cases are of this kind."""

    name: str
    base: str
    share: int
    spoil: Callable[[Rng, Path], None]
    use: Callable[[Path, Bases], None]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() and path.stat().st_size < 1 << 24 else ""


# Spoiling. A hash that fits lets what lies behind it be reached, so most changes mend the hashes.


def spoil_release(rng: Rng, folder: Path) -> None:
    """The text, a table, a file or the folder."""
    choice = rng.random()
    if choice < 0.4:
        return spoil_json_file(rng, folder / "release.json")
    if choice < 0.5:
        return spoil_folder(rng, folder)
    table = rng.choice(sorted((folder / "tables").iterdir()))
    fuzz_parquet.spoil_file(rng, table)
    if rng.random() < 0.9:
        said = json.loads((folder / "release.json").read_text(encoding="utf-8"))
        entry = said["tables"][table.stem]
        entry["sha256"] = _digest(table)
        entry["cells"] = _rows(table, entry["cells"])
        if rng.random() < 0.15:
            said, after = spoil_json(rng, said)
            (folder / "release.json").write_text(after(json.dumps(said)), encoding="utf-8")
            return None
        (folder / "release.json").write_text(json.dumps(said), encoding="utf-8")
    return None


def _rows(path: Path, otherwise: int) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_metadata(path).num_rows
    except (pa.ArrowException, OSError, ValueError):
        return otherwise


def spoil_model(rng: Rng, folder: Path) -> None:
    """The text, an array, the zones, a file or the folder."""
    choice = rng.random()
    if choice < 0.3:
        return spoil_json_file(rng, folder / "model.json")
    if choice < 0.4:
        return spoil_folder(rng, folder)
    said = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    if choice < 0.5:
        fuzz_parquet.spoil_file(rng, folder / "zones.parquet")
        said["zones_sha256"] = _digest(folder / "zones.parquet")
    else:
        for _ in range(rng.choice((1, 1, 2))):
            _spoil_array(rng, folder, said)
    (folder / "model.json").write_text(json.dumps(said), encoding="utf-8")
    return None


def _spoil_array(rng: Rng, folder: Path, said: dict[str, Any]) -> None:
    name = rng.choice(sorted(said["arrays"]))
    path = folder / "arrays" / f"{name}.npy"
    array = np.load(path)
    kind = rng.randrange(7)
    if kind < 4 and array.size:
        pool = (*NASTY_NUMBERS, float("nan"), float("inf"), -1, 99, -2)
        value = rng.choice(pool)
        spots = slice(None) if rng.random() < 0.2 else [rng.randrange(array.size)]
        with np.errstate(all="ignore"):
            array.flat[spots] = np.array(value).astype(array.dtype)
    elif kind == 4:
        array = rng.choice((array[:-1], array.ravel(), array[None], np.repeat(array, 2, axis=0), array[:0], array.T))
    elif kind == 5:
        array = array.astype(rng.choice((np.float32, np.int64, ">f8", np.int8, np.complex128, "U3")))
    np.save(path, array)
    if kind == 6:
        path.write_bytes(spoil_bytes(rng, path.read_bytes()))
    said["arrays"][name] = {"dtype": array.dtype.str, "shape": list(array.shape), "sha256": _digest(path)}


def spoil_out(rng: Rng, folder: Path) -> None:
    """A table, the manifest, the zones or the folder."""
    choice = rng.random()
    if choice < 0.15:
        return spoil_folder(rng, folder)
    if choice < 0.25:
        return spoil_json_file(rng, folder / "manifest.json")
    parts = [folder / "persons.parquet", *sorted((folder / "stays").iterdir()), *sorted((folder / "trips").iterdir())]
    return fuzz_parquet.spoil_file(rng, folder / "zones.parquet" if choice < 0.35 else rng.choice(parts))


def spoil_dataset(rng: Rng, folder: Path) -> None:
    """Any of its files, and then mostly its hashes, so that what lies behind them is reached; or the folder."""
    choice = rng.random()
    if choice < 0.1:
        return spoil_folder(rng, folder)
    path = rng.choice([path for path, _ in walk(folder)])
    spoil = {".json": spoil_json_file, ".parquet": fuzz_parquet.spoil_file}.get(Path(path).suffix, spoil_text)
    spoil(rng, folder / path)
    if choice < 0.8 and path not in (manifest.FILE, SUMS):
        said = json.loads((folder / manifest.FILE).read_text(encoding="utf-8"))
        del said["seal"]
        said["files"][path] = seal.entry(folder / path)
        described = json.loads((folder / "croissant.json").read_text(encoding="utf-8")) if path.endswith(".parquet") else {}
        for one in described.get("distribution", []):
            if one["@id"] == path:
                one["sha256"] = said["files"][path]["sha256"]
                (folder / "croissant.json").write_text(json.dumps(described), encoding="utf-8")
                said["files"]["croissant.json"] = seal.entry(folder / "croissant.json")
        seal.write(said, folder)
    elif path == manifest.FILE and choice < 0.9:
        with contextlib.suppress(ValueError, AttributeError, TypeError, KeyError, RecursionError, OSError):
            said = json.loads((folder / manifest.FILE).read_text(encoding="utf-8"))
            seal.write({key: value for key, value in said.items() if key != "seal"}, folder)
    return None


def spoil_records(rng: Rng, folder: Path) -> None:
    """One of the tables, the period or the folder."""
    choice = rng.random()
    if choice < 0.08:
        return spoil_folder(rng, folder)
    if choice < 0.14:
        return spoil_text(rng, folder / "period.toml")
    used = "events" if rng.random() < 0.1 else "stays"
    if used == "events":
        next(iter(folder.glob("stays.*"))).unlink()
    path = rng.choice(sorted((*folder.glob("subscribers.*"), *folder.glob(f"{used}.*"), *folder.glob(f"{used}.*"))))
    if path.suffix == ".parquet":
        return fuzz_parquet.spoil_file(rng, path)
    content = path.read_bytes()
    path.write_bytes(spoil_lines(rng, content) if rng.random() < 0.7 else spoil_bytes(rng, content))
    return None


def spoil_text(rng: Rng, path: Path) -> None:
    """Lines or bytes of a text."""
    content = path.read_bytes()
    path.write_bytes(spoil_lines(rng, content) if rng.random() < 0.4 else spoil_bytes(rng, content))


def _file(spoil: Callable[[Rng, Path], None], name: str) -> Callable[[Rng, Path], None]:
    """A spoiler of one file in a folder, or now and then of the folder."""
    return lambda rng, folder: spoil_folder(rng, folder) if rng.random() < 0.08 else spoil(rng, folder / name)


# Opening, and what must hold of what was accepted. These are laws, so they are asserted.


def use_release(folder: Path, bases: Bases) -> None:
    """Counts are finite, at or above the cut, on the grid and inside their axes; what was loaded can be written and read again."""
    release = Release.load(folder)
    for marginal in release.marginals.values():
        assert np.isfinite(marginal.values).all() and (marginal.values >= max(marginal.cut, 0.0)).all()
        assert (marginal.codes >= 0).all() and (marginal.codes < np.array(marginal.shape)).all()
        assert (np.diff(marginal.flat) > 0).all() and math.prod(marginal.shape) < 1 << 62
        assert not release.claims_privacy or (marginal.sigma > 0 and ((marginal.values * 1024) % 1 == 0).all())
    again = Release.load(release.save(folder.parent / "again"))
    assert set(again.marginals) == set(release.marginals) and again.info == release.info


def use_model(folder: Path, bases: Bases) -> None:
    """People can be generated, and their days are days."""
    model = modelfile.load(folder)
    stays = generate(model, n_persons=20, days=2, seed=1).block(0).stays
    assert (stays.end > stays.start).all() and stays.start.min() == 0 and stays.end.max() == 1440
    assert stays.zone.min() >= 0 and stays.zone.max() <= model.zoning.n_zones
    assert stays.purpose.min() >= 0 and stays.purpose.max() < len(model.domain.purposes)
    assert np.isfinite(stays.lonlat[stays.zone < model.zoning.n_zones]).all()


def use_out(folder: Path, bases: Bases) -> None:
    """Every row is a stay of somebody, on a day, in a zone."""
    backend = connect()
    try:
        out = open_out(folder, backend)
        persons, stays = (backend.to_pyarrow(table).to_pandas() for table in (out.persons, out.stays))
    finally:
        backend.disconnect()
    assert persons.person_id.is_unique and not persons.person_id.isna().any() and set(stays.person_id) <= set(persons.person_id)
    assert ((stays.start_min >= 0) & (stays.start_min <= stays.end_min) & (stays.end_min <= 1440) & (stays.day >= 0)).all()
    assert set(stays.zone_id.dropna()) <= set(out.zoning.labels)


def use_dataset(folder: Path, bases: Bases) -> None:
    """Its files are those that it lists, its rows are those of an OUT, and nothing in it was touched without its hashes."""
    found = verify(folder)
    assert found.n_files == len(list(walk(folder))) and found.n_persons > 0
    use_out(folder, bases)


def use_zoning(path: Path, bases: Bases) -> None:
    """Ids are distinct, areas finite, levels nested, and it can be written and read again."""
    zoning = read_zoning(path)
    check_zoning(zoning)
    write_zoning(zoning, path.parent.parent / "again.parquet")
    again = read_zoning(path.parent.parent / "again.parquet")
    assert again.ids == zoning.ids and [level.name for level in again.levels] == [level.name for level in zoning.levels]


def check_zoning(zoning: Zoning) -> None:
    """The laws of a zoning."""
    assert len(set(zoning.ids)) == zoning.n_zones >= 2 and (zoning.areas_km2 > 0).all()
    assert np.isfinite(zoning.centroids_km[:-1]).all() and np.isfinite(zoning.lonlat).all()
    assert not set(zoning.aliases) & set(zoning.ids) and set(zoning.aliases.values()) <= set(zoning.ids)
    for level in zoning.levels:
        assert len(level.of_zone) == zoning.n_zones and level.of_zone.min() >= 0 and level.of_zone.max() < len(level.labels)


def use_plan(folder: Path, bases: Bases) -> None:
    """It can be resolved, and every table has finite noise above 0."""
    plan = Plan.read(folder / "plan.toml", 1.0, 1e-6).resolve(bases.zoning, Period.of("2026-03-06", 2), attributes=("sex",), modes=False)
    told = json.dumps(plan.as_json(), allow_nan=False)
    assert all(math.isfinite(table["sigma"]) and table["sigma"] > 0 for table in json.loads(told)["tables"])


def use_period(folder: Path, bases: Bases) -> None:
    """It has days, and comes back from JSON."""
    period = Period.read(folder / "period.toml")
    assert Period.from_json(period.as_json()) == period and sum(len(period.days_of(k)) for k in range(3)) == period.days


def use_check(folder: Path, bases: Bases) -> None:
    """It is finite, and a page can show it."""
    found = Fidelity.from_json(folders.read_json(folder / "check.json", "check result"))
    for metric in found.metrics:
        numbers = [value for value in dataclasses.asdict(metric).values() if isinstance(value, int | float)]
        assert all(math.isfinite(value) for value in numbers)
    assert page_tables.metrics(found) and page_tables.summary(found)


def use_records(folder: Path, bases: Bases) -> None:
    """They are measured, and the release can be written and read."""
    release = Curator.of(folder, bases.zoning).measure(SHORT_PLAN)
    Release.load(release.save(folder.parent / "again"))


KINDS = {kind.name: kind for kind in (
    Kind("release", "release", 360, spoil_release, use_release),
    Kind("published release", "published", 80, spoil_release, use_release),
    Kind("model", "model", 180, spoil_model, use_model),
    Kind("out", "out", 60, spoil_out, use_out),
    Kind("dataset", "dataset", 60, spoil_dataset, use_dataset),
    Kind("zoning, GeoJSON", "geojson", 60, _file(spoil_json_file, "zones.geojson"), lambda f, b: use_zoning(f / "zones.geojson", b)),
    Kind("zoning, GeoParquet", "geoparquet", 50, _file(fuzz_parquet.spoil_file, "zones.parquet"),
         lambda f, b: use_zoning(f / "zones.parquet", b)),
    Kind("plan", "plan", 30, _file(spoil_text, "plan.toml"), use_plan),
    Kind("period", "period", 30, _file(spoil_text, "period.toml"), use_period),
    Kind("check result", "check", 30, _file(spoil_json_file, "check.json"), use_check),
    Kind("records, Parquet", "records.parquet", 30, spoil_records, use_records),
    Kind("records, CSV", "records.csv", 30, spoil_records, use_records),
)}  # fmt: skip
"""By name."""
