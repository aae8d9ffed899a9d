"""The release against the synthetic population, anywhere: each released table beside the same synthetic count.

The noise of the release is known, so a table is not asked to be nearer than its noise allows. Cells that were
suppressed are 'below the cut', never zero: they are only checked for clearly more people than the cut. Every statistic
is the one of `counts`, with the contribution bound under which it was released.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from synthmob.counts import STATISTICS
from synthmob.domain import ChainAxis, Domain
from synthmob.fidelity.align import sums
from synthmob.fidelity.noisefloor import Noise, common_part_error, simulated
from synthmob.fidelity.pairs import Pair, paired, scale_of
from synthmob.fidelity.result import LONGEST_TEXT, Fidelity, Finding, TableFit
from synthmob.fidelity.sides import FloatArray, Tables
from synthmob.fidelity.uncertainty import Interval, interval
from synthmob.marginals import Marginal
from synthmob.period import Period
from synthmob.zones import Zoning

if TYPE_CHECKING:
    from synthmob.release import Release

DRAWS = 20
TOLERANCE = 0.01
VIOLATION_SIGMAS = 3.0


def compare_outside(
    release: Release,
    synthetic: Tables,
    zoning: Zoning,
    domain: Domain,
    period: Period,
    backend: Any,
    draws: int = DRAWS,
    seed: int = 0,
) -> Fidelity:
    """Each released table against the synthetic population, scaled to the persons that the release speaks of.

    The floor of a table is the error that a sample of the exact truth of the synthetic size would show against a
    release with this noise and this cut; the baseline is the product of the table's own released one-way marginals.
    """
    pairs, notes, n_persons = paired(release, synthetic, zoning, domain, period, backend)
    return _compared(pairs, notes, n_persons, scale_of(pairs), draws, seed)


def compare_published(
    release: Release, synthetic: Tables, zoning: Zoning, domain: Domain, period: Period, backend: Any
) -> tuple[Fidelity, dict[str, Interval]]:
    """As `compare_outside`, against a release that was made for it, and for every table where its score on exact counts lies."""
    pairs, notes, n_persons = paired(release, synthetic, zoning, domain, period, backend)
    scale = scale_of(pairs)
    intervals = {
        name: interval(np.maximum(p.released.values, 0.0), p.published * scale, p.released.sigma, p.released.cut, name)
        for name, p in pairs.items()
    }
    return _compared(pairs, notes, n_persons, scale, DRAWS, 0), intervals


def _compared(
    pairs: Mapping[str, Pair], notes: Sequence[str], n_persons: int, scale: float, draws: int, seed: int
) -> Fidelity:
    fits = {name: _fit(name, pair, scale, draws, seed) for name, pair in pairs.items()}
    findings = tuple(_finding(fit) for fit in fits.values())
    return Fidelity("outside", False, n_persons, findings, tuple(fits.values()), tuple(notes))


def _fit(name: str, pair: Pair, scale: float, draws: int, seed: int) -> TableFit:
    released = pair.released
    published, made = np.maximum(released.values, 0.0), pair.published * scale
    n_empty = 0 if any(isinstance(axis, ChainAxis) for axis in released.axes) else released.n_domain - len(pair.cells)
    noise = Noise(released.sigma, released.cut, scale, n_empty)
    error = common_part_error(published, made)
    expected = simulated(noise, pair.cells, pair.persons * scale, draws, f"{seed}/{name}")
    hidden = ~np.isin(pair.cells, released.flat, assume_unique=True)
    people = pair.persons[hidden] * scale
    over = people - VIOLATION_SIGMAS * np.sqrt(released.sigma**2 + scale * people) > released.cut
    naive, note = _naive(released)
    residuals = noise.residuals(published, made)
    worst = int(np.abs(residuals).argmax())
    return TableFit(
        name,
        len(published),
        float((residuals**2).mean()),
        expected.chi2,
        error,
        expected.error,
        expected.noise_error,
        common_part_error(published, naive),
        error / max(expected.error, TOLERANCE),
        int(hidden.sum()),
        int(over.sum()) if released.cut > 0 else 0,
        note,
        _cell(released, worst),
        float(residuals[worst]),
    ).shortened


def _cell(released: Marginal, row: int) -> str:
    """A published cell in words: every axis with its label."""
    words = (f"{axis.name} {axis.label(int(code))}" for axis, code in zip(released.axes, released.codes[row], strict=True))
    return ", ".join(words)[:LONGEST_TEXT]


def _naive(released: Marginal) -> tuple[FloatArray, str]:
    """The product of the table's one-way marginals in its published cells, or evenness where one axis alone varies."""
    values = np.maximum(released.values, 0.0)
    total = values.sum()
    varying = sum(len(np.unique(column)) > 1 for column in released.codes.T)
    if varying <= 1 or total <= 0:
        return np.full(len(values), total / len(values)), "baseline: all published cells alike"
    product = np.full(len(values), total)
    for column in range(len(released.axes)):
        codes = released.codes[:, column]
        found, inverse = np.unique(codes, return_inverse=True)
        product *= sums(inverse, values, len(found))[inverse] / total
    return product, ""


def _finding(fit: TableFit) -> Finding:
    statistic = STATISTICS[fit.table.partition("@")[0]]
    note = f"{fit.hidden_violations} suppressed cells clearly above the cut" if fit.hidden_violations else fit.note
    return Finding.of(
        name=fit.table,
        title=f"Released table {fit.table}",
        word=statistic.word,
        unit="share",
        value=fit.tvd,
        floor=fit.floor,
        baseline=fit.baseline,
        tolerance=TOLERANCE,
        best=0.0,
        direction="lower",
        note=note,
    )
