"""demo: a made-up operator in London through every step, for anyone who has just cloned the repository."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from synthmob import folders, manifest
from synthmob.errors import FormatError, InputError
from synthmob.pipeline import checking, measurement, modelling, reporting
from synthmob.pipeline.checking import Checked
from synthmob.pipeline.measurement import Asked
from synthmob.pipeline.places import ZoningFile
from synthmob.pipeline.records import RecordFiles
from synthmob.pipeline.spending import NAME, Account

STEP = "demo"
SUBSCRIBERS, DAYS, SEED = 50_000, 7, 1
EPSILON, DELTA, TOTAL = 1.0, 1e-6, 2.0
CUSTOMERS = "a made-up operator in London"
REPORT, OUTSIDE, INSIDE = "report.html", "check-outside.json", "check-inside.json"
HOLDS = (
    "records", "release", "model", "out", REPORT, OUTSIDE, INSIDE, NAME, "ledger.head", "ledger.key", f"{NAME}.lock",
    *(manifest.beside(Path(name)).name for name in (REPORT, OUTSIDE, INSIDE)))  # fmt: skip

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Shown:
    """What the demonstration ends with: its folder, its report and both comparisons."""

    folder: Path
    report: Path
    outside: Checked
    inside: Checked


def demo(target: Path, *, subscribers: int = SUBSCRIBERS, workers: int = 1, tell: Tell) -> Shown:
    """Make a world, measure it, fit, generate, check both ways and report; `tell` gets one line when a step begins."""
    if subscribers < 1:
        raise InputError(f"A demonstration with {subscribers} subscribers shows nothing: ask for at least 1.")
    place = target.resolve()
    if (place / manifest.FILE).exists() and manifest.read(place)["step"] != STEP:
        raise FormatError(f"{place} was left by {manifest.read(place)['step']!r}, not by {STEP!r}: name another folder with -o.")
    with folders.written_aside(place, "demonstration", manifest.FILE, HOLDS) as work:
        shown = _steps(work, subscribers, workers, tell)
        said = manifest.compose(STEP, {"subscribers": subscribers, "days": DAYS, "epsilon": EPSILON, "delta": DELTA}, seed=SEED)
        manifest.write(said, work / manifest.FILE)
    return Shown(place, place / REPORT, *shown)


def _steps(work: Path, subscribers: int, workers: int, tell: Tell) -> tuple[Checked, Checked]:
    from synthmob import worlds

    tell(f"world     a made-up operator in London: {subscribers:,} subscribers, {DAYS} days, stays and events")
    worlds.london(subscribers, DAYS, SEED).write(work / "records")
    records, zones = RecordFiles(work / "records"), ZoningFile(work / "records" / "zones.geojson")
    tell(f"measure   noisy tables of its records at epsilon {EPSILON:g}, delta {DELTA:g}: all that leaves the operator")
    asked = Asked(EPSILON, DELTA)
    account = Account(work / NAME, customers=CUSTOMERS, total_epsilon=TOTAL)
    measurement.measure(
        records, zones, work / "release", asked, show=lambda _p, _c, _o: True, progress=lambda _t, _n: None, account=account)
    tell("fit       a model of the release over the public zones")
    modelling.fit(work / "release", zones, work / "model")
    tell(f"generate  {subscribers:,} synthetic persons for {DAYS} days")
    modelling.generate(work / "model", work / "out", persons=subscribers, days=DAYS, seed=SEED, workers=workers)
    tell("check     outside, against the release: what anyone can do")
    outside = checking.check_outside(work / "release", work / "out", work / OUTSIDE)
    tell("check     inside, against the records: the owner's alone, shown here because this operator is made up")
    inside = checking.check_inside(records, zones, work / "out", work / INSIDE, second_opinion=False)
    tell("report    one page: what was released at what privacy, and how faithful the synthetic people are")
    reporting.report(
        work / "out", work / "release", work / REPORT, check=work / OUTSIDE, title="Synthetic London: a demonstration")
    return outside, inside
