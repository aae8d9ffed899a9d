"""export: an OUT folder as the files of another system, in a folder of their own."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from synthmob import folders, manifest
from synthmob.errors import InputError
from synthmob.export import csvw
from synthmob.export.exporter import Options, Written
from synthmob.export.source import Progress, Source
from synthmob.synthesis.outfolder import check_out

NOTE = "export.json"
STEP = "export"


def _quiet(written: int, persons: int) -> None:
    del written, persons


def export(
    out: Path,
    target: Path,
    name: str,
    *,
    options: Options | None = None,
    timezone: str | None = None,
    weighted: bool = False,
    progress: Progress = _quiet,
) -> Written:
    """Write the files of a format, a note of their units, CRS and time zone, and a manifest; whole or not at all."""
    from synthmob.export.formats import EXPORTERS

    if name not in EXPORTERS:
        raise InputError(f"There is no format {name!r}: choose one of {', '.join(EXPORTERS)}.")
    options = options or Options()
    for option, value in vars(options).items():
        if value is not None and option not in EXPORTERS[name].takes:
            others = ", ".join(e.name for e in EXPORTERS.values() if option in e.takes)
            raise InputError(f"The format {name} takes no --{option}: leave it out, it is for {others}.")
    check_out(out)
    exporter, source = EXPORTERS[name], Source.open(out, timezone=timezone, weighted=weighted)
    holds = (*exporter.holds, *csvw.names(exporter.holds), NOTE)
    with folders.written_aside(target.resolve(), "export", manifest.FILE, holds) as work:
        written = exporter.write(source, work, options, progress)
        csvw.describe(work, written)
        said = {"format": name, "about": exporter.about, "readers": list(exporter.readers), "synthetic": True, **asdict(written)}
        (work / NOTE).write_text(folders.json_text(said), encoding="utf-8")
        parameters = {"format": name, "timezone": source.period.timezone, "weighted": weighted}
        manifest.write(manifest.compose(STEP, parameters, inputs={"out": out}, synthetic=True), work / manifest.FILE)
    return written
