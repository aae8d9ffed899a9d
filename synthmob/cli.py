"""The command line: verbs, one step each. No logic, and nothing heavy is imported before a verb asks for it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from synthmob import __version__, arguments, auditverb, datasetverbs, exportverb, generateverb, intervalsverb, replayverb
from synthmob.errors import InputError, SynthmobError

if TYPE_CHECKING:
    from synthmob.pipeline.measurement import Asked

USAGE, INTERRUPTED = 2, 130
DESCRIPTION = (
    "Synthetic subscribers and their days, from differentially private aggregates of a mobile operator's records. "
    "The operator runs measure; everything after it works on the release alone.")
_INTERRUPTED = {
    False: "Interrupted: nothing was left half-written.",
    True: "Interrupted: the parts that are whole wait beside the output, the same command goes on with them."}  # fmt: skip
EXIT_CODES = "exit codes: 0 ok, 1 a check failed, 2 usage or bad input, 3 the privacy budget does not allow it"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit code; what goes wrong is one sentence on stderr."""
    _end_orderly()
    asked = argparse.Namespace()
    try:
        asked = _parser().parse_args(argv)
        asked.run(asked)
        sys.stdout.flush()
    except SynthmobError as error:
        return _failed(str(error), error.exit_code)
    except KeyboardInterrupt:
        return _failed(_INTERRUPTED[getattr(asked, "resume", False)], INTERRUPTED)
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
    for add in (_add_measure, _add_ledger, _add_fit, _add_check, _add_report, _add_demo):
        add(verbs)
    generateverb.add(verbs, EXIT_CODES)
    auditverb.add(verbs, EXIT_CODES)
    intervalsverb.add(verbs, EXIT_CODES)
    exportverb.add(verbs, EXIT_CODES)
    datasetverbs.add(verbs, EXIT_CODES)
    replayverb.add(verbs, EXIT_CODES)
    for each in (parser, *verbs.choices.values()):
        each.error = lambda message, each=each: _wrong_usage(each, message)
    return parser


def _add_measure(verbs: Any) -> None:
    p = verbs.add_parser("measure", help="records in, a private release out (the operator's side)", epilog=EXIT_CODES)
    p.add_argument("records", type=arguments.place, nargs="?", metavar="RECORDS",
                   help="folder with subscribers and stays or events, or postgresql://USER@HOST/DATABASE?schema=NAME")  # fmt: skip
    for name in ("subscribers", "stays", "events"):
        p.add_argument(f"--{name}", type=arguments.place, metavar="PATH",
                       help=f"{name}, where they do not lie in RECORDS: a path, or postgresql://USER@HOST/DATABASE?table=NAME")  # fmt: skip
    p.add_argument("--engine", default="duckdb", metavar="NAME",
                   help="what counts: duckdb (default), local[*] for Spark on this machine, spark://HOST:PORT for a cluster")  # fmt: skip
    p.add_argument("--epsilon", type=float, required=True, help="privacy budget of all tables together, such as 1")
    p.add_argument("--delta", type=float, required=True, help="chance that is left out of epsilon's promise, such as 1e-6")
    p.add_argument("--plan", type=Path, metavar="TOML", help="changes to the standard plan: shares, bounds, categories")
    p.add_argument("--min-group", type=int, metavar="N", help="least people behind a published cell (default 50)")
    p.add_argument("--i-accept", action="store_true", help="allow a smaller group than 10: a study of the model, never a release")
    p.add_argument("--yes", action="store_true", help="do not ask before the budget is spent")
    p.add_argument("--explain", action="store_true", help="say what the plan would show: no record is read, nothing spent")
    p.add_argument("--expected-subscribers", type=int, metavar="N", help="for --explain: about how many there are")
    p.add_argument("--json", action="store_true", help="for --explain: print it as JSON instead of a table")
    p.add_argument("-o", "--output", type=Path, metavar="RELEASE", help="folder to write")
    arguments.add_account(p)
    arguments.add_records(p)
    arguments.add_zones(p)
    p.set_defaults(run=_measure)


def _add_ledger(verbs: Any) -> None:
    p = verbs.add_parser("ledger", help="what has been spent about a customer base; exits with 2 where it was tampered with",
                         epilog=EXIT_CODES)  # fmt: skip
    p.add_argument("ledger", type=Path, metavar="FILE", help="ledger.jsonl, as measure keeps it")
    p.add_argument("--release", type=Path, nargs="+", action="extend", default=[], metavar="RELEASE", help="releases to verify it against")
    p.add_argument("--key", type=Path, metavar="FILE", help="its key, where that is not kept beside it")
    p.add_argument("--json", action="store_true", help="print it as JSON instead of a table")
    p.set_defaults(run=_ledger)


def _add_fit(verbs: Any) -> None:
    p = verbs.add_parser("fit", help="a release in, a model out", epilog=EXIT_CODES)
    p.add_argument("release", type=Path, metavar="RELEASE")
    p.add_argument("-o", "--output", type=Path, required=True, metavar="MODEL", help="folder to write")
    arguments.add_zones(p)
    p.set_defaults(run=_fit)


def _add_check(verbs: Any) -> None:
    p = verbs.add_parser("check", help="how faithful: against the release, or --truth against the records", epilog=EXIT_CODES)
    p.add_argument("folders", type=Path, nargs="+", metavar="[RELEASE] OUT", help="RELEASE and OUT; with --truth OUT alone")
    p.add_argument("--truth", type=Path, metavar="RECORDS", help="compare with the records: CONFIDENTIAL, the owner's alone")
    p.add_argument("--publish", action="store_true", help="with --truth: spend --epsilon and --delta, so that it may be shown to anyone")
    p.add_argument("--epsilon", type=float, help="privacy budget of --publish")
    p.add_argument("--delta", type=float, help="chance that is left out of it")
    p.add_argument("--yes", action="store_true", help="do not ask before the budget is spent")
    p.add_argument("--max-ratio", type=float, metavar="R", help="exit with 1 where a metric's ratio is above R")
    p.add_argument("--json", action="store_true", help="print the result as JSON instead of a table")
    p.add_argument("-o", "--output", type=Path, metavar="JSON", help="file to write the result to")
    arguments.add_account(p)
    arguments.add_records(p)
    arguments.add_zones(p, required=False)
    p.set_defaults(run=_check)


def _add_report(verbs: Any) -> None:
    p = verbs.add_parser("report", help="one self-contained HTML page about an OUT folder", epilog=EXIT_CODES)
    p.add_argument("out", type=Path, metavar="OUT")
    p.add_argument("--release", type=Path, required=True, metavar="RELEASE")
    p.add_argument("--check", type=Path, metavar="JSON", help="result of check; one with --truth makes the page confidential")
    p.add_argument("--title", help="heading of the page")
    p.add_argument("-o", "--output", type=Path, default=Path("report.html"), metavar="HTML", help="file (default report.html)")
    p.set_defaults(run=_report)


def _add_demo(verbs: Any) -> None:
    p = verbs.add_parser("demo", help="a made-up operator in London through all steps", epilog=EXIT_CODES)
    p.add_argument("--subscribers", type=int, default=50_000, metavar="N", help="how many (default 50000)")
    p.add_argument("-o", "--output", type=Path, default=Path("synthmob-demo"), metavar="DIR", help="folder to write")
    p.set_defaults(run=_demo)


def _measure(a: argparse.Namespace) -> None:
    from synthmob import terminal
    from synthmob.pipeline.measurement import Asked, measure

    asked, said = Asked(a.epsilon, a.delta, a.plan, a.min_group, a.i_accept), terminal.Said()
    if a.explain:
        _explain(a, asked)
        return
    if a.output is None or a.expected_subscribers is not None or a.json:
        raise InputError("A measure writes to -o RELEASE; --expected-subscribers and --json are for --explain: see measure --help.")
    with said, terminal.table_progress() as progress:
        release = measure(
            arguments.records(a, a.records, paths=True), arguments.zones(a), a.output, asked,
            show=terminal.agreement(yes=a.yes), progress=progress, account=arguments.account(a), tell=said.later)  # fmt: skip
    print(f"{a.output}: {len(release.marginals)} tables, rho {release.rho:.5f} spent")


def _explain(a: argparse.Namespace, asked: Asked) -> None:
    from synthmob import terminal
    from synthmob.pipeline.explaining import explain

    found = explain(arguments.records(a, a.records, paths=True), arguments.zones(a), asked, a.expected_subscribers)
    terminal.show_explained(found, as_json=a.json)


def _ledger(a: argparse.Namespace) -> None:
    import json

    from synthmob import terminal
    from synthmob.pipeline.spending import inspect

    state, lines = inspect(a.ledger, a.key, a.release)
    if a.json:
        print(json.dumps({**state.as_json(), "releases": lines}, indent=1, allow_nan=False, ensure_ascii=False))
    else:
        terminal.show_ledger(state, lines)


def _fit(a: argparse.Namespace) -> None:
    from synthmob import terminal
    from synthmob.pipeline.modelling import fit

    with terminal.working("fitting"):
        model = fit(a.release, arguments.zones(a), a.output)
    for statement in model.assumed:
        print(statement)
    print(f"{a.output}: a model of {model.zoning.n_zones} zones")


def _check(a: argparse.Namespace) -> None:
    import json

    from synthmob import terminal
    from synthmob.pipeline import checking

    wanted = 2 if a.truth is None else 1
    if len(a.folders) != wanted or (a.truth is not None and a.zones is None):
        raise InputError("A check compares RELEASE with OUT, or --truth RECORDS with OUT over --zones FILE: name those.")
    found = _published(a) if _publishes(a) else _checked(a)
    if a.json:
        print(json.dumps(found.as_json(), indent=1, allow_nan=False, ensure_ascii=False))
    elif found.published:
        terminal.show_published(found.fidelity, found.published)
    else:
        terminal.show_fidelity(found.fidelity)
        terminal.show_scores(found)
    if a.max_ratio is not None:
        checking.refuse_above(found.fidelity, a.max_ratio)


def _publishes(a: argparse.Namespace) -> bool:
    """Whether a check spends; what says how is refused where it does not."""
    spends = (a.epsilon, a.delta, a.ledger, a.ledger_key, a.customers, a.total_epsilon, a.total_delta)
    if a.publish and (a.truth is None or a.epsilon is None or a.delta is None):
        raise InputError("To publish a check with the records it has to spend: give --truth RECORDS, --epsilon and --delta.")
    if not a.publish and any(value is not None for value in spends):
        raise InputError("A check spends nothing unless --publish is given: give that too, or leave out the budget and the ledger.")
    return a.publish


def _checked(a: argparse.Namespace) -> Any:
    from synthmob import terminal
    from synthmob.pipeline import checking

    with terminal.working("comparing"):
        if a.truth is None:
            return checking.check_outside(a.folders[0], a.folders[1], a.output)
        return checking.check_inside(arguments.records(a, a.truth, paths=False), arguments.zones(a), a.folders[0], a.output)


def _published(a: argparse.Namespace) -> Any:
    from synthmob import terminal
    from synthmob.pipeline.checking import check_published
    from synthmob.pipeline.measurement import Asked

    said = terminal.Said()
    with said, terminal.table_progress() as progress:
        return check_published(
            arguments.records(a, a.truth, paths=False), arguments.zones(a), a.folders[0], Asked(a.epsilon, a.delta), a.output,
            show=terminal.agreement(yes=a.yes), progress=progress, account=arguments.account(a), tell=said.later)  # fmt: skip


def _report(a: argparse.Namespace) -> None:
    from synthmob import terminal
    from synthmob.pipeline.reporting import TITLE, report

    with terminal.working("drawing"):
        page = report(a.out, a.release, a.output, check=a.check, title=a.title or TITLE)
    print(f"{page}: open it in a browser, it needs no network")


def _demo(a: argparse.Namespace) -> None:
    from synthmob import terminal
    from synthmob.pipeline.demonstration import demo

    shown = demo(a.output, subscribers=a.subscribers, workers=os.cpu_count() or 1, tell=terminal.say)
    terminal.show_fidelity(shown.inside.fidelity)
    print(f"report: {shown.report}")
