"""Writes the parts of the documents that are facts of the code: `uv run python docs/generate.py`.

With --check it compares instead, with --print it shows the parts of PRIVACY.md. SCHEMAS.md is written whole, from schema.py
and domain.py; of PRIVACY.md the tables between the marks: what the standard plan costs and shows, from plan.py and
accounting.py, and for each of its tables what one subscriber can add, which function counts it and which test holds it, from
reasons.py and synthmob/counts. tests/test_docs.py looks up every function and every test that is named.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable
from pathlib import Path

from reasons import REASONS

from synthmob import accounting, schema
from synthmob.counts import STATISTICS, Public, Statistic
from synthmob.dataset.dictionary import TIMES, categories_table, table_section
from synthmob.dataset.dictionary import markdown as table
from synthmob.domain import Domain
from synthmob.period import Period
from synthmob.plan import Plan
from synthmob.usageplan import USAGE_COLUMNS
from synthmob.zonefiles import read_zoning

DOCS = Path(__file__).resolve().parent
GEODATA = DOCS.parent / "geodata" / "london_boroughs.geojson"
EPSILON, DELTA = 1.0, 1e-6
HOLDS_EACH = "tests/private/test_bounding_tables.py::test_no_subscriber_moves_the_table_by_more_than_its_norm"


def percent(share: float) -> str:
    """A probability that is readable when it is tiny.

    >>> percent(0.0123), percent(1e-9), percent(0.0)
    ('1.2 %', '< 0.01 %', '< 0.01 %')
    """
    return "< 0.01 %" if share < 1e-4 else f"{100 * share:.2g} %"


def demonstration() -> tuple[Plan, Public]:
    """The standard plan at epsilon 1 over the demonstration's London and a week, with every column that records can have."""
    zoning, period = read_zoning(GEODATA, h3_resolution=7), Period.of("2026-03-02", 7, "Europe/London")
    plan = Plan.standard(EPSILON, DELTA).resolve(zoning, period, attributes=("sex", "age_band"), modes=True, usage=USAGE_COLUMNS)
    return plan, Public(zoning, plan.domain, period)


def plan_table() -> str:
    """What each table costs and shows."""
    plan, public = demonstration()
    rows: list[list[object]] = []
    for request in plan.requests:
        statistic = STATISTICS[request.statistic]
        cells = math.prod(axis.size for axis in statistic.axes(public, request.level))
        sigma = plan.sigma_of(request)
        cut = accounting.cut_for(sigma, plan.min_group, cells)
        chances = [percent(accounting.probability_published(people, sigma, cut)) for people in (0, 10, 49)]
        rows.append([
            f"`{request.name}`", statistic.word, f"{cells:,}", f"{request.bound_l2:.2f}", f"{100 * request.share:.1f} %",
            f"{sigma:.1f}", f"{cut:.1f}", *chances])
    levels = ", ".join(f"{len(level.labels):,} areas at level {level.name}" for level in public.zoning.levels)
    head = (
        f"Epsilon {plan.epsilon:g} at delta {plan.delta:g} is rho {plan.rho:.5f} in all. For a week and the zoning of the "
        f"demonstration ({levels}):\n\n")
    header = ["table", "word", "cells", "bound", "share", "sigma", "cut", "P(0)", "P(10)", "P(49)"]
    return head + table(header, rows, right=2)


def counted_by(statistic: Statistic) -> str:
    """The function that says what each person adds to which cell, importable as it stands."""
    return f"{statistic.rows.__module__}.{statistic.rows.__qualname__.split('.<locals>')[0]}"


def proof_table() -> str:
    """For each table what one subscriber can add and why, the noise that covers it, the function and the test."""
    plan, public = demonstration()
    types = len(public.period.day_types)
    standard = {r.statistic: r for r in Plan.standard().requests}
    rows: list[list[object]] = []
    for request in plan.requests:
        reason, by_type = REASONS[request.statistic], standard[request.statistic].per_day_type
        sigma = plan.sigma_of(request)
        cells = math.prod(axis.size for axis in STATISTICS[request.statistic].axes(public, request.level))
        rows.append([
            f"`{request.name}`", reason.words, reason.derived(public, request.bound_l2, types if by_type else 1),
            f"{request.bound_l2:.4f}", f"{request.bound_l2 * accounting.FIXED_POINT:,.1f}",
            f"{sigma:.2f}", f"{accounting.cut_for(sigma, plan.min_group, cells):.2f}", 0,
            f"`{counted_by(STATISTICS[request.statistic])}`", f"`{HOLDS_EACH}[{request.statistic}]`"])
    header = [
        "table", "what one subscriber adds", "so at most", "bound, persons", "sensitivity, steps of 1/1024", "sigma, persons",
        "cut, persons", "threshold delta", "counted by", "held by"]
    return table(header, rows, right=0)


def schemas() -> str:
    """The whole of SCHEMAS.md."""
    groups = (
        ("What an owner gives", (schema.SUBSCRIBERS, schema.EVENTS, schema.RECORD_STAYS)),
        ("What anyone gets", schema.SYNTHETIC),
        ("What phones do, where events are asked for", (schema.SYNTHETIC_EVENTS, schema.SITES)),
        ("What is public and lies beside it", (schema.ZONES, schema.CALENDAR)),
    )
    parts = [
        "# Tables\n\n<!-- Generated by docs/generate.py from synthmob/schema.py and synthmob/domain.py: change those. -->\n\n"
        f"Files are Parquet (records may be CSV). {TIMES} Columns that are not named here are not read.\n"]
    for title, tables in groups:
        parts.append(f"\n## {title}\n")
        parts.extend(f"\n{table_section(one, 3)}" for one in tables)
    parts.append(
        "\n## Categories\n\nThey are public, never learnt from the records; a value that is not among them counts as the last.\n"
        "A plan may change them ([PRIVACY.md](PRIVACY.md)).\n\n")
    parts.append(categories_table(Domain(), modes=True))
    return "".join(parts)


GENERATED: dict[str, Callable[[], str]] = {"plan": plan_table, "proof": proof_table}
"""The parts of PRIVACY.md by the name in their mark."""


def documents() -> dict[Path, str]:
    """What each document should hold."""
    privacy = DOCS / "PRIVACY.md"
    text = privacy.read_text(encoding="utf-8")
    for name, written in GENERATED.items():
        block = re.compile(rf"(?<=<!-- generated: {name} -->\n).*?(?=<!-- end -->)", re.DOTALL)
        text, found = block.subn(lambda _, written=written: written(), text, count=1)
        if not found:
            raise SystemExit(f"{privacy.name} has no place for its generated part: put '<!-- generated: {name} -->' back.")
    return {DOCS / "SCHEMAS.md": schemas(), privacy: text}


def main(arguments: list[str]) -> None:
    if "--print" in arguments:
        print("\n".join(written() for written in GENERATED.values()), end="")
        return
    wanted = documents()
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if "--check" in arguments and stale:
        raise SystemExit(f"{stale[0].name} is not what the code says: run docs/generate.py.")
    for path in stale:
        path.write_text(wanted[path], encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
