"""Readers of text and footers, led by the code that an input reaches: `uv run --with atheris python tests/benchmarks/fuzz_atheris.py`.

Atheris (libFuzzer under Python) is no part of the project: the command above borrows it for one run. Arguments are libFuzzer's, such
as `-runs=200000` (the default) or `-max_total_time=600`. It starts from one right input of every kind; the first byte of an input
says which reader gets the rest. Any exception but a refusal in one sentence, a run over five seconds or two gigabytes ends it with a
traceback and the input in a file.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import atheris  # pyright: ignore[reportMissingImports]

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / part) for part in ("fuzz", ".")]

with atheris.instrument_imports(include=["synthmob"]):
    import fuzz_bases
    from fuzz_cases import one_sentence

    from synthmob import compactthrift, folders, parquetfiles, tablefiles
    from synthmob.errors import SynthmobError
    from synthmob.fidelity.result import Fidelity
    from synthmob.period import Period
    from synthmob.plan import Plan, domain_from
    from synthmob.release import Release
    from synthmob.zonefiles import read_zoning

RUNS = 200_000
LIMITS = ("-timeout=5", "-rss_limit_mb=2048", "-max_len=65536")
BOUNDS = parquetfiles.Bounds(columns=200, page_bytes=64 << 20, unpacked_bytes=512 << 20)
PLACE = "SYNTHMOB_ATHERIS"
"""Where the fuzzing process works: libFuzzer ends it at once, so that another one cleans up behind it."""
if PLACE not in os.environ:
    top = tempfile.mkdtemp(prefix="synthmob-atheris-")
    try:
        sys.exit(subprocess.call([sys.executable, *sys.argv], env={**os.environ, PLACE: top}))
    finally:
        shutil.rmtree(top, ignore_errors=True)
TOP = Path(os.environ[PLACE])
BASES = fuzz_bases.make(TOP / "bases")


def of_json(text: bytes) -> None:
    """Plain data, and what it may describe."""
    path = TOP / "text.json"
    path.write_bytes(text)
    said = folders.read_json(path, "text")
    describes: tuple[Callable[[Any], object], ...] = (
        lambda s: tablefiles.axis_from(s, "a text"), Period.from_json, Fidelity.from_json, lambda s: domain_from(s, "a text"))  # fmt: skip
    for describe in describes:
        refused(describe, said)


def of_release(text: bytes) -> None:
    """A release whose tables are right and whose text is not."""
    (BASES["release"] / "release.json").write_bytes(text)
    Release.load(BASES["release"])


def of_plan(text: bytes) -> None:
    """A plan, and a period in the same format."""
    path = TOP / "text.toml"
    path.write_bytes(text)
    refused(Period.read, path)
    Plan.read(path, 1.0, 1e-6)


def of_zoning(text: bytes) -> None:
    """GeoJSON, or whatever else the bytes are taken for."""
    path = TOP / "zones.geojson"
    path.write_bytes(text)
    read_zoning(path)


def of_footer(data: bytes) -> None:
    """A structure in Thrift's compact protocol, alone and as the footer of a Parquet file."""
    with contextlib.suppress(ValueError):
        compactthrift.structure(data)
    body = BODY + data + len(data).to_bytes(4, "little") + parquetfiles.MAGIC
    parquetfiles.opened(body, "x.parquet", BOUNDS)


READERS = (of_json, of_release, of_plan, of_zoning, of_footer)
WHOLE = (BASES["release"] / "tables" / "stays_per_day.parquet").read_bytes()
FOOTER = int.from_bytes(WHOLE[-8:-4], "little")
BODY = WHOLE[: -8 - FOOTER]


def refused(read: Callable[[Any], object], what: Any) -> None:
    """Read, and let pass what is refused in one sentence."""
    try:
        read(what)
    except SynthmobError as error:
        if not one_sentence(error):
            raise AssertionError(f"no sentence: {str(error)!r}") from error


def one_input(data: bytes) -> None:
    """The entry that libFuzzer calls."""
    if data:
        refused(READERS[data[0] % len(READERS)], data[1:])


def corpus() -> Path:
    """One right input for every reader."""
    folder = TOP / "corpus"
    folder.mkdir()
    texts = {
        0: [BASES["check"] / "check.json", BASES["release"] / "release.json"], 1: [BASES["release"] / "release.json"],
        2: [BASES["plan"] / "plan.toml", BASES["period"] / "period.toml"], 3: [BASES["geojson"] / "zones.geojson"]}  # fmt: skip
    for reader, paths in texts.items():
        for k, path in enumerate(paths):
            (folder / f"{reader}-{k}").write_bytes(bytes([reader]) + path.read_bytes())
    (folder / "4-0").write_bytes(bytes([4]) + WHOLE[-8 - FOOTER : -8])
    (folder / "0-axis").write_bytes(b'\0{"name": "sex", "labels": ["female", "male"]}')
    (folder / "0-chain").write_bytes(b'\0{"name": "chain", "chain_of": ["home", "work"], "max_stays": 3}')
    (folder / "0-period").write_bytes(b'\0{"first_day": "2026-03-02", "days": 7, "timezone": "UTC"}')
    return folder


def main() -> None:
    """Fuzz until the runs or the time are over."""
    asked = sys.argv[1:] or [f"-runs={RUNS}"]
    atheris.Setup([sys.argv[0], *LIMITS, *asked, str(corpus())], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
