"""What tables give away of small groups by subtraction: of tables without noise, bounds on what they hide; of noisy ones, precision.

Tables that print counts of so many and more, and exact margins, hide little: the bounds of every hidden cell follow by linear
programming (`published.ranges`). Noise makes an end of that, but tables that share sums still say more together than alone, so what
counts is the group of few people that the release says most about (`identities`).

There is a limit to that precision. Adding one person to a cell moves all tables, each measured in its own sigma, by at most
sqrt(2 rho) in the L2 norm, and moves an unbiased linear estimate of the cell by 1: so by Cauchy and Schwarz its standard deviation
is at least 1 / sqrt(2 rho), whatever tables and identities it uses.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from synthmob.accounting import FIXED_POINT
from synthmob.audit import intervals
from synthmob.audit.evidence import Evidence
from synthmob.audit.identities import FloatArray, Identities, IntArray, NoisyTable, identities
from synthmob.audit.subject import Subject, Trial
from synthmob.counts import Contributions
from synthmob.marginals import Marginal, unravel
from synthmob.published.margins import ZONE_AXES, System, Taken, systems
from synthmob.published.ranges import hidden_ranges
from synthmob.release import Release
from synthmob.zones import Zoning

BoolArray = npt.NDArray[np.bool_]

OF_PEOPLE = ("demographics", "home_by_group", "home", "work", "home_work", "commute_km", "commute_km_by_group")
"""Tables that others publish as well, each person counted once."""
MOST_CELLS = 20_000
"""Larger tables are left out of the comparison with suppressed counts."""
LP_SOURCE = "Fischetti, Salazar 2001, doi:10.1287/mnsc.47.7.1008.9805"
NOISE_SOURCE = "Hay et al. 2010, doi:10.14778/1920841.1920970"
_Z = 1.959963984540054


def attack(subject: Subject, trial: Trial) -> list[Evidence]:
    """What the members' exact tables would give away if small counts alone were hidden, and what the noisy ones do."""
    threshold = float(subject.plan.min_group)
    named = {n: t for n, t in subject.contributions.items() if n.partition("@")[0] in OF_PEOPLE and t.n_domain <= MOST_CELLS}
    exact = {name: _exact(table, trial.members) for name, table in named.items()}
    shown = {name: Taken(_without_small(table, threshold), name.partition("@")[2]) for name, table in exact.items()}
    rows: list[Evidence] = []
    if threshold > 1:
        found = systems(shown, dict.fromkeys(shown, "members"), subject.zoning, threshold, _occurring(exact))
        rows = _known(found, threshold, 0.0, f"counts of {threshold:g} and more")
    return [*rows, *_narrowest(subject, trial, threshold)]


def attack_published(release: Release, zoning: Zoning) -> list[Evidence]:
    """What the tables of a release made by `Release.from_tables` give away of the cells that their publisher hid."""
    said = release.info.get("source", {})
    tables = said.get("tables", {})
    taken = {name: Taken(table, name.partition("@")[2]) for name, table in release.marginals.items()}
    who = {name: str(tables.get(name, {}).get("universe", "")) for name in taken}
    threshold = float(said.get("threshold", max((table.cut for table in release.marginals.values()), default=0.0)))
    if threshold <= 1:
        return []
    return _known(systems(taken, who, zoning, threshold), threshold, float(said.get("rounding", 0.0)), "published tables")


def _exact(table: Contributions, members: BoolArray) -> Marginal:
    """The exact counts of the members."""
    cells, fixed = table.totals(members)
    return Marginal.of(table.name, table.axes, unravel(cells, table.axes), fixed / FIXED_POINT, confidential=True)


def _without_small(table: Marginal, threshold: float) -> Marginal:
    """A table as somebody would print it who leaves out counts under a threshold."""
    keep = table.values >= threshold
    return replace(table, codes=table.codes[keep], values=table.values[keep], cut=threshold)


def _occurring(tables: Mapping[str, Marginal]) -> dict[tuple[str, str], IntArray]:
    """The codes of each axis and level that somebody has: those that the printed tables are about."""
    found: dict[tuple[str, str], list[IntArray]] = {}
    for name, table in tables.items():
        for axis, codes in zip(table.axis_names, table.codes.T, strict=True):
            found.setdefault((axis, name.partition("@")[2] if axis in ZONE_AXES else ""), []).append(codes)
    return {key: np.unique(np.concatenate(codes)) for key, codes in found.items()}


def _known(found: Sequence[System], threshold: float, rounding: float, subject: str) -> list[Evidence]:
    """Two rows: the share of hidden cells that are known better than 'under the threshold', and of those known to the person."""
    ranges = [hidden_ranges(one.grids, one.margins, math.ceil(threshold) - 1.0, rounding) for one in found]
    hidden = sum(int(np.isnan(grid.values).sum()) for one in found for grid in one.grids)
    n = sum(len(one.low) for one in ranges)
    looked = f"Of {hidden:,} cells that {subject} hide" + (f", {n:,} looked at" if n < hidden else "")
    narrowed, exact = (sum(int(one.sum()) for one in kind) for kind in ([r.narrowed for r in ranges], [r.exact for r in ranges]))
    rows: list[Evidence] = []
    for name, title, words, hits in (
        ("narrowed", "Hidden cells that subtraction narrows", f"better than 'under {threshold:g}'", narrowed),
        ("exact", "Hidden cells that subtraction shows to the person", "to the person", exact),
    ):
        value, low, high = intervals.share(hits, n)
        rows.append(Evidence(
            f"differencing_{name}", "differencing", title, subject, "share", value, low, high, n,
            f"{looked}, subtraction gives {value:.0%} away {words}.", source=LP_SOURCE))  # fmt: skip
    return rows


def _narrowest(subject: Subject, trial: Trial, threshold: float) -> list[Evidence]:
    """The group of fewer people than the threshold that the released tables say most about, and how much that is."""
    tables: dict[str, NoisyTable] = {}
    candidates: list[tuple[float, str, int]] = []
    for name, marginal in trial.release.marginals.items():
        cells, fixed = subject.contributions[name].totals(trial.members)
        small = int(((fixed > 0) & (fixed < threshold * FIXED_POINT)).sum())
        if small:
            candidates.append((marginal.sigma, f"a cell of {name}", small))
        if marginal.n_domain <= MOST_CELLS:
            tables[name] = _noisy(marginal, cells, fixed / FIXED_POINT)
    candidates += _combined(identities(tables, subject.zoning), threshold)
    if not candidates:
        return []
    sigma, words, _ = min(candidates)
    n = sum(found for _, _, found in candidates)
    value, limit = _Z * sigma, _Z / math.sqrt(2.0 * subject.plan.rho)
    return [Evidence(
        "differencing_noisy", "differencing", f"Precision on the group under {threshold:g} people that is known best", "release",
        "persons", value, value, value, n,
        f"The group of fewer than {threshold:g} people that the release says most about, {words}, is known to plus or minus "
        f"{value:.0f} people at 95 % (the budget allows no better than {limit:.0f}).",
        limit=limit, passed=value >= limit * (1 - 1e-6), source=NOISE_SOURCE)]  # fmt: skip


def _noisy(marginal: Marginal, cells: IntArray, counts: FloatArray) -> NoisyTable:
    exact, published = np.zeros(marginal.n_domain), np.zeros(marginal.n_domain, dtype=np.bool_)
    exact[cells], published[marginal.flat] = counts, True
    return NoisyTable(marginal.name, marginal.axes, marginal.sigma, exact, published)


def _combined(known: Identities, threshold: float) -> list[tuple[float, str, int]]:
    """For cells of each table, for sums that tables share, and for what such sums hide: least sigma, words, how many groups.

    Only groups of some people, but fewer than the threshold.
    """
    found: list[tuple[float, str, int]] = []

    def note(words: str, members: Any, people: FloatArray, alike: IntArray) -> None:
        few = np.flatnonzero((people > 0) & (people < threshold))
        if len(few):
            _, one_of_each = np.unique(alike[few], return_index=True)
            found.append((float(known.sigmas(members[few[one_of_each]]).min()), words, len(few)))

    for number, table in enumerate(known.tables):
        every = np.arange(len(table.counts))
        note(f"a cell of {table.name}", known.summed(number, every), table.counts, known.alike(number))
    for pair in known.shared:
        sums = np.arange(len(pair.sums))
        for number, of in ((pair.first, pair.of_first), (pair.second, pair.of_second)):
            table = known.tables[number]
            if number == pair.first:  # the same people as in the other table
                note(f"a sum of cells of {table.name}", known.summed(number, of), pair.sums, sums)
            people = np.bincount(of, weights=np.where(table.published, 0.0, table.counts), minlength=len(sums)).astype(np.float64)
            note(f"the unpublished cells of {table.name}", known.summed(number, of, ~table.published), people, sums)
    return found
