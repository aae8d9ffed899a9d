"""The command line: verbs, one step each. No logic, and nothing heavy is imported before a verb asks for it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from synthmob import __version__
from synthmob.errors import InputError, SynthmobError

USAGE, INTERRUPTED = 2, 130
DESCRIPTION = (
    "Synthetic subscribers and their days, from differentially private aggregates of a mobile operator's records. "
    "The operator runs measure; everything after it works on the release alone.")
EXIT_CODES = "exit codes: 0 ok, 1 a check failed, 2 usage or bad input, 3 the privacy budget does not allow it"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit code; what goes wrong is one sentence on stderr."""
    _end_orderly()
    try:
        arguments = _parser().parse_args(argv)
        arguments.run(arguments)
        sys.stdout.flush()
    except SynthmobError as error:
        return _failed(str(error), error.exit_code)
    except KeyboardInterrupt:
        return _failed("Interrupted: nothing was left half-written.", INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has gone; Python would complain again when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return USAGE
    except OSError as error:
        where = f" at {error.filename}" if error.filename else ""
        said = error.strerror or str(error)
        return _failed(f"The system says '{said}'{where}: make room or give rights there, and run it again.", USAGE)
    return 0


def _end_orderly() -> None:
    """A request to end is an interruption too: folders that hold records are removed on the way out."""
    import signal
    import threading

    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, interrupt)


def _failed(sentence: str, code: int) -> int:
    print(f"synthmob: {sentence}", file=sys.stderr)
    return code


def _wrong_usage(parser: argparse.ArgumentParser, message: str) -> NoReturn:
    raise InputError(f"{message[:1].upper()}{message[1:]}: see {parser.prog} --help.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("synthmob", description=DESCRIPTION, epilog=EXIT_CODES)
    parser.add_argument("--version", action="version", version=f"synthmob {__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    for add in (_add_measure, _add_fit, _add_generate, _add_check, _add_report, _add_export, _add_demo):
        add(verbs)
    for each in (parser, *verbs.choices.values()):
        each.error = lambda message, each=each: _wrong_usage(each, message)
    return parser


def _add_measure(verbs: Any) -> None:
    p = verbs.add_parser("measure", help="records in, a private release out (the operator's side)", epilog=EXIT_CODES)
    p.add_argument("records", type=Path, nargs="?", metavar="RECORDS", help="folder with subscribers and stays or events")
    for name in ("subscribers", "stays", "events"):
        p.add_argument(f"--{name}", type=Path, metavar="PATH", help=f"{name}, where they do not lie in RECORDS")
    p.add_argument("--epsilon", type=float, required=True, help="privacy budget of all tables together, such as 1")
    p.add_argument("--delta", type=float, required=True, help="chance that is left out of epsilon's promise, such as 1e-6")
    p.add_argument("--plan", type=Path, metavar="TOML", help="changes to the standard plan: shares, bounds, categories")
    p.add_argument("--min-group", type=int, metavar="N", help="least people behind a published cell (default 50)")
    p.add_argument("--i-accept", action="store_true", help="allow a smaller group than 10: a study of the model, never a release")
    p.add_argument("--yes", action="store_true", help="do not ask before the budget is spent")
    p.add_argument("-o", "--output", type=Path, required=True, metavar="RELEASE", help="folder to write")
    _add_records(p)
    _add_zones(p)
    p.set_defaults(run=_measure)


def _add_fit(verbs: Any) -> None:
    p = verbs.add_parser("fit", help="a release in, a model out", epilog=EXIT_CODES)
    p.add_argument("release", type=Path, metavar="RELEASE")
    p.add_argument("-o", "--output", type=Path, required=True, metavar="MODEL", help="folder to write")
    _add_zones(p)
    p.set_defaults(run=_fit)


def _add_generate(verbs: Any) -> None:
    p = verbs.add_parser("generate", help="a model in, synthetic people and their days out", epilog=EXIT_CODES)
    p.add_argument("model", type=Path, metavar="MODEL")
    p.add_argument("--persons", type=int, required=True, help="how many people")
    p.add_argument("--days", type=int, default=1, help="how many days, from the period's first on (default 1)")
    p.add_argument("--seed", type=int, default=0, help="the same seed gives the same files (default 0)")
    p.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="threads (default: one a processor)")
    p.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help="folder to write")
    p.set_defaults(run=_generate)


def _add_check(verbs: Any) -> None:
    p = verbs.add_parser("check", help="how faithful: against the release, or --truth against the records", epilog=EXIT_CODES)
    p.add_argument("folders", type=Path, nargs="+", metavar="[RELEASE] OUT", help="RELEASE and OUT; with --truth OUT alone")
    p.add_argument("--truth", type=Path, metavar="RECORDS", help="compare with the records: CONFIDENTIAL, the owner's alone")
    p.add_argument("--max-ratio", type=float, metavar="R", help="exit with 1 where a metric's ratio is above R")
    p.add_argument("--json", action="store_true", help="print the result as JSON instead of a table")
    p.add_argument("-o", "--output", type=Path, metavar="JSON", help="file to write the result to")
    _add_records(p)
    _add_zones(p, required=False)
    p.set_defaults(run=_check)


def _add_report(verbs: Any) -> None:
    p = verbs.add_parser("report", help="one self-contained HTML page about an OUT folder", epilog=EXIT_CODES)
    p.add_argument("out", type=Path, metavar="OUT")
    p.add_argument("--release", type=Path, required=True, metavar="RELEASE")
    p.add_argument("--check", type=Path, metavar="JSON", help="result of check; one with --truth makes the page confidential")
    p.add_argument("--title", help="heading of the page")
    p.add_argument("-o", "--output", type=Path, default=Path("report.html"), metavar="HTML", help="file (default report.html)")
    p.set_defaults(run=_report)


def _add_export(verbs: Any) -> None:
    p = verbs.add_parser("export", help="an OUT folder as the files of another system", epilog=EXIT_CODES)
    p.add_argument("out", type=Path, metavar="OUT")
    p.add_argument("--to", required=True, metavar="NAME", help="format: see docs/EXPORTS.md")
    p.add_argument("--timezone", metavar="NAME", help="time zone of the local clock (default: that of the period)")
    p.add_argument("--weighted", action="store_true", help="flows in people, not in subscribers: OUT needs weights")
    p.add_argument("--network", type=Path, metavar="FILE", help="sumo: a network of your own")
    p.add_argument("--address", metavar="URL", help="postgis: the database to write to")
    p.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder to write")
    p.set_defaults(run=_export)


def _add_demo(verbs: Any) -> None:
    p = verbs.add_parser("demo", help="a made-up operator in London through all steps", epilog=EXIT_CODES)
    p.add_argument("--subscribers", type=int, default=50_000, metavar="N", help="how many (default 50000)")
    p.add_argument("-o", "--output", type=Path, default=Path("synthmob-demo"), metavar="DIR", help="folder to write")
    p.set_defaults(run=_demo)


def _add_records(p: argparse.ArgumentParser) -> None:
    p.add_argument("--from", dest="read_from", choices=("stays", "events"), default="stays", help="which to read of the two")
    p.add_argument("--first-day", metavar="DATE", help="first day of the period, where there is no period.toml")
    p.add_argument("--days", type=int, metavar="N", help="days of the period")
    p.add_argument("--timezone", metavar="NAME", help="time zone of the period, such as Europe/London (default UTC)")
    p.add_argument("--memory-limit-gb", type=float, metavar="GB", help="most memory for the records; beyond it they go to disk")


def _add_zones(p: argparse.ArgumentParser, *, required: bool = True) -> None:
    p.add_argument("--zones", type=Path, required=required, metavar="FILE", help="public zoning, any file of shapes")
    p.add_argument("--id-column", default="zone_id", metavar="NAME", help="column of zone ids (default zone_id)")
    p.add_argument("--district-column", default="district_id", metavar="NAME", help="column of districts (default district_id)")
    p.add_argument("--h3-resolution", type=int, metavar="R", help="use H3 cells of this resolution inside the shapes as zones")


def _zones(a: argparse.Namespace) -> Any:
    from synthmob.pipeline.places import ZoningFile

    return ZoningFile(a.zones, a.id_column, a.district_column, a.h3_resolution)


def _records(a: argparse.Namespace, folder: Path | None, *, paths: bool) -> Any:
    from synthmob.pipeline.records import RecordFiles

    named = (a.subscribers, a.stays, a.events) if paths else (None, None, None)
    return RecordFiles(folder, *named, a.first_day, a.days, a.timezone, a.read_from, a.memory_limit_gb)


def _measure(a: argparse.Namespace) -> None:
    from synthmob import terminal
    from synthmob.pipeline.measurement import Asked, Cost, measure
    from synthmob.plan import Plan

    def show(plan: Plan, costs: tuple[Cost, ...]) -> bool:
        terminal.show_plan(plan, costs)
        return a.yes or terminal.confirmed("Read the records and spend this budget?")

    asked = Asked(a.epsilon, a.delta, a.plan, a.min_group, a.i_accept)
    with terminal.table_progress() as progress:
        release = measure(_records(a, a.records, paths=True), _zones(a), a.output, asked, show=show, progress=progress)
    print(f"{a.output}: {len(release.marginals)} tables, rho {release.rho:.5f} spent")


def _fit(a: argparse.Namespace) -> None:
    from synthmob import terminal
    from synthmob.pipeline.modelling import fit

    with terminal.working("fitting"):
        model = fit(a.release, _zones(a), a.output)
    for statement in model.assumed:
        print(statement)
    print(f"{a.output}: a model of {model.zoning.n_zones} zones")


def _generate(a: argparse.Namespace) -> None:
    from synthmob import terminal
    from synthmob.pipeline.modelling import generate

    with terminal.persons_progress() as progress:
        people = generate(
            a.model, a.output, persons=a.persons, days=a.days, seed=a.seed, workers=a.workers, progress=progress)
    print(f"{a.output}: {people.n_persons:,} synthetic persons, {people.days} days, seed {people.seed}")


def _check(a: argparse.Namespace) -> None:
    import json

    from synthmob import terminal
    from synthmob.pipeline import checking

    wanted = 2 if a.truth is None else 1
    if len(a.folders) != wanted or (a.truth is not None and a.zones is None):
        raise InputError("A check compares RELEASE with OUT, or --truth RECORDS with OUT over --zones FILE: name those.")
    with terminal.working("comparing"):
        if a.truth is None:
            found = checking.check_outside(a.folders[0], a.folders[1], a.output)
        else:
            found = checking.check_inside(_records(a, a.truth, paths=False), _zones(a), a.folders[0], a.output)
    if a.json:
        print(json.dumps(found.as_json(), indent=1, allow_nan=False, ensure_ascii=False))
    else:
        terminal.show_fidelity(found.fidelity)
        terminal.show_scores(found)
    if a.max_ratio is not None:
        checking.refuse_above(found.fidelity, a.max_ratio)


def _report(a: argparse.Namespace) -> None:
    from synthmob import terminal
    from synthmob.pipeline.reporting import TITLE, report

    with terminal.working("drawing"):
        page = report(a.out, a.release, a.output, check=a.check, title=a.title or TITLE)
    print(f"{page}: open it in a browser, it needs no network")


def _export(a: argparse.Namespace) -> None:
    from synthmob import terminal
    from synthmob.export.exporter import Options
    from synthmob.pipeline.exporting import export

    options = Options(a.network, a.address)
    with terminal.persons_progress() as progress:
        written = export(a.out, a.output, a.to, options, timezone=a.timezone, weighted=a.weighted, progress=progress)
    for name, rows in written.rows.items():
        print(f"{a.output / name}: {rows:,} rows")


def _demo(a: argparse.Namespace) -> None:
    from synthmob import terminal
    from synthmob.pipeline.demonstration import demo

    shown = demo(a.output, subscribers=a.subscribers, workers=os.cpu_count() or 1, tell=terminal.say)
    terminal.show_fidelity(shown.inside.fidelity)
    print(f"report: {shown.report}")
