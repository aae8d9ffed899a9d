"""The noise is the stated one and not a near-lie: sigma off by 5 %, the cut off by one step, a rounded normal, a biased sampler.

Each verdict is a likelihood ratio of two fully stated laws, the most powerful test that there is of one against the other (Neyman,
Pearson 1933, doi:10.1098/rsta.1933.0009). So many draws are made that the ratio lands on the wrong side less than once in
10^10 runs, which is computed and held in every test; and the same judge, given draws of the lie, says that it is one.

A law is written down for one empty cell: the probability of every value that can be published, and of not being published.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from synthmob.private import noise

Int64Array = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
SURE = 6.4
"""Standard deviations between the ratio and the wrong side: a chance of 10^-10."""


@dataclass(frozen=True)
class Law:
    """Published values `first`, `first` + 1, ... of a cell with these probabilities; the rest is not published."""

    first: int
    published: FloatArray

    @property
    def hidden(self) -> float:
        rest = 1.0 - float(self.published.sum())
        return rest if rest > 1e-12 else 0.0  # what always publishes misses 1 by rounding alone

    def of(self, values: Int64Array) -> FloatArray:
        index = values - self.first
        inside = (index >= 0) & (index < len(self.published))
        return np.where(inside, self.published[np.clip(index, 0, len(self.published) - 1)], 0.0)


def log(x: FloatArray | float) -> FloatArray:
    with np.errstate(divide="ignore"):
        return np.log(np.asarray(x, dtype=np.float64))


def favours(truth: Law, lie: Law, values: Int64Array, cells: int) -> float:
    """The log-likelihood ratio of what was published of so many cells: above 0 speaks for the first law."""
    ratio = float((log(truth.of(values)) - log(lie.of(values))).sum())
    unseen = cells - len(values)
    return ratio + (unseen * float(log(truth.hidden) - log(lie.hidden)) if unseen else 0.0)


def certainty(truth: Law, lie: Law, cells: int) -> float:
    """By how many of its standard deviations the ratio is expected above 0 if the first law holds; inf if they exclude each other."""
    values = np.arange(truth.first, truth.first + len(truth.published))
    p, q = truth.published, lie.of(values)
    if float(p[q <= 0].sum()) * cells > 30:  # a value that the lie never has: missing it has a chance of exp(-30)
        return math.inf
    seen = (p > 0) & (q > 0)
    steps, weights = log(p[seen]) - log(q[seen]), p[seen]
    if truth.hidden:
        steps, weights = np.append(steps, log(truth.hidden) - log(lie.hidden)), np.append(weights, truth.hidden)
    mean = float((weights * steps).sum())
    spread = math.sqrt(max(float((weights * steps**2).sum()) - mean**2, 1e-300))
    return mean * math.sqrt(cells) / spread


# ---------------------------------------------------------------- laws, true and not


def gaussian(scale: float, least: int | None) -> Law:
    """The discrete Gaussian, published from `least` on, or always."""
    reach = math.ceil(39 * scale) + 2
    k = np.arange(-reach, reach + 1)
    p = np.exp(-0.5 * (k / scale) ** 2)
    p /= p.sum()
    return Law(-reach, p) if least is None else Law(least, p[k >= least])


def rounded_normal(scale: float, least: int | None, shift: float = 0.5) -> Law:
    """A normal of floating point rounded to the grid (shift 0.5), or cut off to it (shift 1)."""
    k = np.arange(-math.ceil(39 * scale), math.ceil(39 * scale) + 1) if least is None else np.arange(least, math.ceil(39 * scale) + 1)
    above: FloatArray = np.array(stats.norm.sf((np.append(k, k[-1] + 1) - shift) / scale), dtype=np.float64)
    return Law(int(k[0]), -np.diff(above))


def never_refused(scale: float, least: int) -> Law:
    """Candidates that are all published: the geometric law without its acceptance step."""
    ratio = math.exp(-least / scale**2)
    excess = np.arange(math.ceil(45 * scale**2 / least))
    top = math.exp(-0.5 * (least / scale) ** 2) / float(np.exp(-0.5 * (np.arange(-60 * 40, 2401) / scale) ** 2).sum())
    return Law(least, np.array(top * ratio**excess, dtype=np.float64))


def bad_division(scale: int, reach: int = 60) -> Law:
    """The discrete Gaussian of OpenDP before its pull request 2639: (b // g) * k where b * (k // g) was meant (opendp#2638)."""

    def exp1(x: Fraction) -> float:
        reached, total, k = 1.0, 0.0, 1
        while reached > 1e-18:
            common = math.gcd(x.numerator, k)
            below = (x.denominator // common) * k
            chance = min(x.numerator // common / below, 1.0) if below else 1.0
            total, reached, k = total + (reached * (1 - chance) if k % 2 else 0.0), reached * chance, k + 1
        return total

    def exp(x: Fraction) -> float:
        whole = math.ceil(x) - 1 if x > 1 else 0
        return exp1(Fraction(1)) ** whole * exp1(x - whole)

    wide = scale + 1
    fine = [exp(Fraction(u, wide)) for u in range(wide)]
    laplace = [fine[k % wide] * exp1(Fraction(1)) ** (k // wide) for k in range(reach + 1)]
    bias = [exp((k - Fraction(scale * scale, wide)) ** 2 / (2 * scale * scale)) for k in range(reach + 1)]
    half = [a * b for a, b in zip(laplace, bias, strict=True)]
    p = np.array([*half[:0:-1], *half])
    return Law(-reach, p / p.sum())


Lie = Callable[[float, int | None], Law]
WIDE: Lie = lambda scale, least: gaussian(scale * 1.05, least)  # noqa: E731
NARROW: Lie = lambda scale, least: gaussian(scale * 0.95, least)  # noqa: E731
ONE_LATE: Lie = lambda scale, least: gaussian(scale, least + 1 if least else least)  # noqa: E731
ONE_EARLY: Lie = lambda scale, least: gaussian(scale, least - 1 if least else least)  # noqa: E731
CUT_OFF: Lie = lambda scale, least: rounded_normal(scale, least, 1.0)  # noqa: E731

IN_BULK = [
    *((f"sigma {name}", lie, scale, least, 250_000) for name, lie in (("+5 %", WIDE), ("-5 %", NARROW))
      for scale, least in ((0.8, 2), (2.0, 4), (37.5, 80), (3072.37, 6145))),
    *((f"cut {name}", lie, scale, least, 250_000) for name, lie in (("one late", ONE_LATE), ("one early", ONE_EARLY))
      for scale, least in ((0.8, 2), (2.0, 4), (37.5, 80))),
    ("a rounded normal", rounded_normal, 0.8, 2, 250_000),
    ("a rounded normal", rounded_normal, 1.3, 3, 1_000_000),
    ("a normal cut off to the grid", CUT_OFF, 2.0, 4, 250_000),
    ("a normal cut off to the grid", CUT_OFF, 3.7, 8, 250_000),
    ("nothing refused", never_refused, 2.0, 4, 250_000),
    ("nothing refused", never_refused, 37.5, 80, 250_000),
]  # fmt: skip


def bulk(scale: float, least: int, cells: int) -> Int64Array:
    return noise.empty_cells_published(cells, Fraction(scale), least)[1]


@pytest.mark.parametrize(("name", "lie", "scale", "least", "cells"), IN_BULK, ids=[f"{c[0]} at {c[2]}" for c in IN_BULK])
def test_empty_cells_in_bulk_follow_the_stated_law_and_no_near_lie(name: str, lie: Lie, scale: float, least: int, cells: int) -> None:
    truth, other = gaussian(scale, least), lie(scale, least)
    assert certainty(truth, other, cells) > SURE and certainty(other, truth, cells) > SURE, "too few draws to tell"
    assert favours(truth, other, bulk(scale, least, cells), cells) > 0
    fakes = np.random.default_rng(5).multinomial(cells, [*other.published, other.hidden])[:-1]
    assert favours(truth, other, np.repeat(np.arange(len(fakes)) + other.first, fakes), cells) < 0


@pytest.mark.parametrize(("made", "least"), [(1.05, 80), (0.95, 80), (1.0, 81), (1.0, 79)])
def test_the_sampler_itself_given_the_wrong_numbers_is_caught(made: float, least: int) -> None:
    """The planted bug runs through the shipped code: a scale 5 % off, a cut one step off."""
    cells, truth = 250_000, gaussian(37.5, 80)
    drawn = noise.empty_cells_published(cells, Fraction(37.5 * made), least)[1]
    assert favours(truth, gaussian(37.5 * made, least), drawn, cells) < 0
    assert (drawn.min() < 80) == (least < 80)


# ---------------------------------------------------------------- the dense draw


@pytest.fixture(scope="module")
def drawn() -> dict[float, Int64Array]:
    """OpenDP's noise on empty tables, by scale in grid steps."""
    none = np.empty(0, dtype=np.int64)
    return {s: noise.noisy_domain(none, none, n, s / 1024)[1] for s, n in ((0.8, 60_000), (2.0, 60_000), (37.5, 60_000))}


DENSE = [
    *((f"sigma {name}", lie, scale) for name, lie in (("+5 %", WIDE), ("-5 %", NARROW)) for scale in (0.8, 2.0, 37.5)),
    ("a rounded normal", rounded_normal, 0.8),
    ("a normal cut off to the grid", CUT_OFF, 2.0),
    ("the sampler of opendp#2638", lambda scale, least: bad_division(int(scale)), 2.0),
]  # fmt: skip


@pytest.mark.parametrize(("name", "lie", "scale"), DENSE, ids=[f"{c[0]} at {c[2]}" for c in DENSE])
def test_the_dense_draw_follows_the_stated_law_and_no_near_lie(
    drawn: dict[float, Int64Array], name: str, lie: Lie, scale: float
) -> None:
    truth, other, cells = gaussian(scale, None), lie(scale, None), len(drawn[scale])
    assert certainty(truth, other, cells) > SURE and certainty(other, truth, cells) > SURE, "too few draws to tell"
    assert favours(truth, other, drawn[scale], cells) > 0
    weights = other.published / other.published.sum()
    fakes = np.random.default_rng(6).choice(np.arange(len(weights)) + other.first, cells, p=weights)
    assert favours(truth, other, fakes, cells) < 0


def test_the_law_of_the_bad_sampler_is_the_good_one_where_its_division_is_right() -> None:
    """A check of the lie: at a scale where no denominator is cut, it is no lie."""
    assert bad_division(1).of(np.arange(-9, 10)) == pytest.approx(gaussian(1.0, None).of(np.arange(-9, 10)), rel=1e-9)


# ---------------------------------------------------------------- the two ways, end to end


def published(scale_off: float, n_domain: int, rounds: int) -> tuple[list[int], list[int], int]:
    """What add_noise publishes of a table with a few people in every tenth cell: occupied cells, values above the cut, empties."""
    cells = np.arange(0, n_domain, 10, dtype=np.int64)
    counts = (1 + np.arange(len(cells), dtype=np.int64) % 4) * 1024
    occupied, values, empty = [0] * 4, list[int](), 0
    for _ in range(rounds):
        at, noisy = noise.add_noise(cells, counts, n_domain, 2.0 * scale_off, 4.0)
        of_group = np.where(at % 10 == 0, counts[np.minimum(at // 10, len(counts) - 1)] // 1024 - 1, -1)
        occupied = [o + int((of_group == g).sum()) for g, o in enumerate(occupied)]
        empty += int((of_group < 0).sum())
        values += noisy[of_group < 0].tolist()
    return occupied, values, empty


def alike(a: tuple[list[int], list[int], int], b: tuple[list[int], list[int], int]) -> float:
    """p-value that two runs have one law: how many of each kind are published, and with what values where nobody is."""
    edges = [4096, 4396, 4796, 5296, 5896, 6696, 7896, 2**62]
    rows = [[*side[0], *np.histogram(side[1], edges)[0].tolist()] for side in (a, b)]
    return float(stats.chi2_contingency(np.array(rows)).pvalue)  # pyright: ignore[reportAttributeAccessIssue]


def test_a_table_drawn_in_bulk_is_the_table_drawn_densely(monkeypatch: pytest.MonkeyPatch) -> None:
    n_domain, rounds = 25_000, 8
    assert noise.drawn_in_bulk(n_domain, 2.0, 4.0)
    in_bulk, off = published(1.0, n_domain, rounds), published(1.1, n_domain, rounds)
    monkeypatch.setattr(noise, "DENSE_CELLS", n_domain)
    assert not noise.drawn_in_bulk(n_domain, 2.0, 4.0)
    dense = published(1.0, n_domain, rounds)
    assert alike(in_bulk, dense) > 1e-12
    assert alike(off, dense) < 1e-20
