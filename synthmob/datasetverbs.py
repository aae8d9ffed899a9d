"""The verbs `pack` and `verify`, like the others in `cli`: arguments in, one step, its result printed."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthmob.dataset.licences import DEFAULT

if TYPE_CHECKING:
    from synthmob.dataset.seal import Fault

TITLE = "Synthetic mobility data"


def add(verbs: Any, epilog: str) -> None:
    """Add both verbs to the parser's others."""
    p = verbs.add_parser("pack", help="an OUT folder as a dataset that can be shipped: described, sealed, with its card", epilog=epilog)
    p.add_argument("out", type=Path, metavar="OUT")
    p.add_argument("--release", type=Path, required=True, metavar="RELEASE", help="the release that OUT was made from")
    p.add_argument("--licence", default=DEFAULT, metavar="SPDX", help=f"licence of the dataset (default {DEFAULT}), or LicenseRef-NAME")
    p.add_argument("--title", default=TITLE, help=f"its title (default '{TITLE}')")
    p.add_argument("--publisher", default="", metavar="NAME", help="who publishes it, for the citation")
    p.add_argument("--published", metavar="DATE", help="the day on which it is published, for the citation")
    p.add_argument("--zones-notice", default="", metavar="TEXT", help="source and licence of the public zoning, as its publisher wants it")
    p.add_argument("-o", "--output", type=Path, required=True, metavar="DATASET", help="folder to write")
    p.set_defaults(run=_pack)
    p = verbs.add_parser("verify", help="whether a dataset is what was packed; names what is not, and exits with 2", epilog=epilog)
    p.add_argument("dataset", type=Path, metavar="DATASET")
    p.add_argument("--sha256", metavar="HEX", help="the SHA-256 of its SHA256SUMS, as its publisher gave it")
    p.add_argument("--json", action="store_true", help="print the result as JSON; every fault is in it")
    p.set_defaults(run=_verify)


def _pack(a: argparse.Namespace) -> None:
    from synthmob import terminal
    from synthmob.dataset.facts import Said, day
    from synthmob.dataset.licences import licence
    from synthmob.pipeline.packing import pack

    said = Said(a.title, licence(a.licence), a.publisher, day(a.published) if a.published else None, a.zones_notice)
    with terminal.working("packing"):
        packed = pack(a.out, a.release, a.output, said)
    print(f"{a.output}: {packed.n_files} files, {packed.n_persons:,} synthetic persons; SHA-256 of its SHA256SUMS: {packed.sums}")


def _verify(a: argparse.Namespace) -> None:
    import json

    from synthmob import terminal
    from synthmob.pipeline.packing import verify

    with terminal.working("verifying"):
        packed = verify(a.dataset, sums=a.sha256, tell=_tell if a.json else None)
    if a.json:
        print(json.dumps(packed.as_json(), indent=1, ensure_ascii=False))
    else:
        said = f"{packed.n_files} files as packed, {packed.n_persons:,} synthetic persons"
        print(f"{a.dataset}: {said}; SHA-256 of its SHA256SUMS: {packed.sums}")


def _tell(faults: list[Fault]) -> None:
    import json

    told = {"verified": False, "faults": [{"file": fault.path, "what": fault.what} for fault in faults]}
    print(json.dumps(told, indent=1, ensure_ascii=False))
