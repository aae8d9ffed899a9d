"""The verb `audit`, like the others in `cli`: arguments in, one step, its result printed."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from synthmob import arguments
from synthmob.errors import InputError


def add(verbs: Any, epilog: str) -> None:
    """Add the verb to the parser's others."""
    p = verbs.add_parser("audit", help="attack a release of the records, and what is made from it: CONFIDENTIAL", epilog=epilog)
    p.add_argument("records", type=Path, nargs="?", metavar="RECORDS", help="folder with subscribers and stays or events")
    p.add_argument("--outside", type=Path, metavar="RELEASE", help="attack a made-up operator of this release's plan and size instead")
    p.add_argument("--epsilon", type=float, help="privacy budget that is attacked, such as 1")
    p.add_argument("--delta", type=float, help="chance that is left out of epsilon's promise, such as 1e-6")
    p.add_argument("--plan", type=Path, metavar="TOML", help="changes to the standard plan, as measure takes them")
    p.add_argument("--min-group", type=int, metavar="N", help="least people behind a published cell (default 50)")
    p.add_argument("--full", action="store_true", help="attack everybody, not a sample, with more canaries and trials: hours")
    p.add_argument("--json", action="store_true", help="print the result as JSON instead of a table")
    p.add_argument("--ledger", type=Path, metavar="FILE", help="ledger that the page shows (default ledger.jsonl beside RECORDS)")
    p.add_argument("--ledger-key", type=Path, metavar="FILE", help="its key, where that is not kept beside it")
    p.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder to write: audit.json and privacy.html")
    arguments.add_records(p)
    arguments.add_zones(p, required=False)
    p.set_defaults(run=run)


def run(a: argparse.Namespace) -> None:
    """Run the audit, print it, and fail where something did not pass."""
    import json

    from synthmob import terminal
    from synthmob.pipeline import auditing
    from synthmob.pipeline.measurement import Asked
    from synthmob.pipeline.spending import Account

    inside = (a.records, a.zones, a.epsilon, a.delta)
    if (a.outside is None) == (a.records is None) or (a.outside is None and None in inside):
        raise InputError("An audit attacks RECORDS over --zones FILE at --epsilon and --delta, or --outside RELEASE: name those.")
    with terminal.stages_progress() as progress:
        if a.outside is not None:
            found = auditing.audit_outside(a.outside, a.output, full=a.full, progress=progress, plan_file=a.plan)
        else:
            asked = Asked(a.epsilon, a.delta, a.plan, a.min_group, accepted=True)
            records, zones, account = arguments.records(a, a.records, paths=False), arguments.zones(a), Account(a.ledger, a.ledger_key)
            found = auditing.audit(records, zones, a.output, asked, full=a.full, progress=progress, account=account)
    if a.json:
        print(json.dumps(found.as_json(), indent=1, allow_nan=False, ensure_ascii=False))
    else:
        terminal.show_audit(found)
        print(f"{a.output / auditing.PAGE}: open it in a browser, it needs no network")
    auditing.refuse_failed(found)
