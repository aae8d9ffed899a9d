"""The verb `export`, like the others in `cli`: arguments in, one step, its result printed."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add(verbs: Any, epilog: str) -> None:
    """Add the verb to the parser's others."""
    p = verbs.add_parser("export", help="what generate wrote, as the files of another system", epilog=epilog)
    p.add_argument("out", type=Path, metavar="OUT")
    p.add_argument("--to", required=True, metavar="NAME", help="the format, one of those in docs/EXPORTS.md")
    p.add_argument("--timezone", metavar="NAME", help="time zone of the local clock (default that of the period)")
    p.add_argument("--weighted", action="store_true", help="flows in people, not in subscribers: persons need a column weight")
    p.add_argument("--net", type=Path, metavar="FILE", help="for sumo: a network of your own, .net.xml")
    p.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder to write")
    p.set_defaults(run=run)


def run(a: argparse.Namespace) -> None:
    """Write the files, and say what each holds."""
    from synthmob import terminal
    from synthmob.export.exporter import Options
    from synthmob.pipeline.exporting import export

    with terminal.persons_progress() as progress:
        written = export(a.out, a.output, a.to, options=Options(a.net), timezone=a.timezone, weighted=a.weighted, progress=progress)
    for name, rows in written.rows.items():
        print(f"{a.output / name}: {rows:,} rows")
