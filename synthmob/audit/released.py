"""Checks of releases against the exact counts behind them: the cut falls on noisy counts, the tables cost what is written down,
and no exact number stands anywhere."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from synthmob import accounting
from synthmob.accounting import FIXED_POINT
from synthmob.audit.canary import Totals, at_cells
from synthmob.audit.evidence import Evidence
from synthmob.audit.mechanism import ALARM, EQUAL_BY_CHANCE, worst_of
from synthmob.marginals import Marginal
from synthmob.release import Release

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

NEAR_SIGMAS, MOST_NEAR = 3.0, 3_000
"""Cells are near the cut within 3 sigma; so many are looked at on either side, the nearest."""
_CLOSE = 1e-9
_CROWDED = 4.0
"""Counts that are both over the cut lie closer together than any two: so many times as many are allowed to be equal."""
_NUMBER = re.compile(r"(?<![\w.])(?:\d{1,3}(?:[,_]\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d{1,3})?")
_DIGEST = re.compile(r"\b[0-9a-f]{32,}\b")
"""Digests begin with digits as often as not, and among many some happen to be a total: they say nothing of the records."""
_ROUNDED_FROM = 1_000
"""Exact numbers from here on are looked for rounded to whole ones, too."""


@dataclass(frozen=True, eq=False)
class Shown:
    """Cells of all tables and releases on one side of the cut: how likely each is to be published, and whether it was."""

    chance: FloatArray
    published: BoolArray


def cut(exact: Mapping[str, Totals], releases: Sequence[Release]) -> Evidence:
    """Whether cells are published as often as noise carries them over the cut: below it, above it, and where nobody is.

    `releases` are one or more of the same counts, each with noise of its own. A rule that looks at exact counts publishes too few
    cells below the cut and too many above it.
    """
    sides = [[_side(exact[name], table, above=above) for r in releases for name, table in r.marginals.items()] for above in (False, True)]
    chances = [chance for parts in sides for chance in _as_often(_joined(parts))]
    empty = [_empty(exact[name], table) for r in releases for name, table in r.marginals.items()]
    value = worst_of([*chances, *_as_rare(empty)])
    n = sum(len(part.chance) for parts in sides for part in parts)
    verdict = "as often as" if value >= ALARM else "NOT as often as"
    return Evidence(
        "mechanism.cut", "mechanism", "The cut looks at noisy counts alone", "release", "p", value, value, value, n,
        f"Of {n:,} cells whose exact count lies near the cut, those on either side are published {verdict} their noise carries them "
        f"over it, and so are empty ones (p {value:.2g}, alarm below {ALARM:g}).", limit=ALARM, passed=value >= ALARM)  # fmt: skip


def _side(counts: Totals, table: Marginal, *, above: bool) -> Shown:
    """The cells near the cut of one table, on one side of it."""
    cells, fixed = counts
    distance = fixed / FIXED_POINT - table.cut
    near = (distance >= 0 if above else distance < 0) & (np.abs(distance) <= NEAR_SIGMAS * table.sigma)
    return Shown(_chance(fixed[near], table), np.isin(cells[near], table.flat))


def _chance(fixed: npt.NDArray[np.int64], table: Marginal) -> FloatArray:
    """How likely counts in 1/1024 person are to be published: `accounting.probability_published`, cell by cell."""
    from scipy.special import erfc

    steps = math.ceil(table.cut * FIXED_POINT) - fixed
    return 0.5 * erfc((steps - 0.5) / (table.sigma * FIXED_POINT * math.sqrt(2.0)))


def _joined(parts: Sequence[Shown]) -> Shown:
    chance = np.concatenate([part.chance for part in parts]) if parts else np.empty(0)
    published = np.concatenate([part.published for part in parts]) if parts else np.empty(0, dtype=np.bool_)
    nearest = np.argsort(np.abs(chance - 0.5), kind="stable")[:MOST_NEAR]
    return Shown(chance[nearest], published[nearest])


def _as_often(shown: Shown) -> tuple[float, float]:
    """How likely so few, and so many, are published: the exact law of a sum of unequal coins."""
    law = np.ones(1)
    for chance in shown.chance:
        law = np.convolve(law, [1.0 - chance, chance])
    found = int(shown.published.sum())
    return float(law[: found + 1].sum()), float(law[found:].sum())


def _empty(counts: Totals, table: Marginal) -> tuple[int, int, float]:
    """How many cells of a table are empty, how many of them are published, and how likely each is to be."""
    empty = table.n_domain - len(counts[0])
    return empty, len(table.values) - int(np.isin(counts[0], table.flat).sum()), accounting.probability_published(0, table.sigma, table.cut)


def _as_rare(empty: Sequence[tuple[int, int, float]]) -> tuple[float, float]:
    """How likely so few, and so many, empty cells are published: rare events, so Poisson to within the square of the chance."""
    from scipy.stats import poisson

    expected, found = math.fsum(n * chance for n, _, chance in empty), sum(k for _, k, _ in empty)
    return float(poisson.cdf(found, expected)), float(poisson.sf(found - 1, expected))


def accounts(release: Release, spent: Mapping[str, float]) -> Evidence:
    """Whether every table of a release stands among what was `spent`, rho by name, at no less than its bound and noise cost."""
    cost = {name: accounting.rho_of(table.bound_l2, table.sigma) for name, table in release.marginals.items()}
    short = [name for name, rho in cost.items() if spent.get(name, 0.0) < rho * (1 - 1e-6)]
    claimed = release.info["privacy"]
    total = accounting.compose(cost.values())
    epsilon = accounting.epsilon_of(total, float(claimed["delta"])) if total > 0 else 0.0
    over = total > float(claimed["rho"]) * (1 + 1e-6)
    value = float(len(short) + over)
    missing = f"; not, or not in full: {', '.join(short[:5])}" if short else ""
    more = f", more than the {float(claimed['epsilon']):g} that is claimed" if over else ""
    return Evidence(
        "mechanism.accounts", "mechanism", "Every table is paid for", "release", "count", value, value, value, len(cost),
        f"The {len(cost)} tables cost epsilon {epsilon:.4g} together{more}, and {len(cost) - len(short)} of them stand in what was "
        f"spent{missing}.", limit=0.0, passed=value == 0.0)  # fmt: skip


def exact_numbers(
    documents: Sequence[Mapping[str, Any]], secrets: Mapping[str, float], public: Sequence[Mapping[str, Any]], release: Release
) -> Evidence:
    """Whether a number of the records stands in what is written beside the tables, as a number or within a text.

    `secrets` are exact numbers of the records: subscribers, stays, totals of tables. A number that stands in the `public`
    documents too, which must be of an empty set of records, owes nothing to anyone, and so does the number of cells published.
    """
    known = {number for document in public for number in _numbers(document)}
    known |= {float(len(table.values)) for table in release.marginals.values()}
    told = np.array(sorted({number for document in documents for number in _numbers(document)} - known))
    found = [name for name, secret in secrets.items() if _stands(secret, told)]
    return Evidence(
        "mechanism.exact", "mechanism", "No exact number leaves", "release", "count", float(len(found)), float(len(found)),
        float(len(found)), len(secrets),
        f"Of {len(secrets)} exact numbers of the records (subscribers, stays, totals of tables), {len(found) or 'none'} "
        f"stand{'s' if len(found) < 2 else ''} in what is written beside the tables.", limit=0.0, passed=not found)  # fmt: skip


def _stands(secret: float, told: FloatArray) -> bool:
    forms = [secret, float(round(secret))] if secret >= _ROUNDED_FROM else [secret]
    return any(bool((np.abs(told - form) <= _CLOSE * form).any()) for form in forms)


def _numbers(value: Any) -> Iterator[float]:
    """Every number in a document, those within texts too."""
    if isinstance(value, Mapping):
        for key, inner in cast(Mapping[str, Any], value).items():
            yield from _numbers(key)
            yield from _numbers(inner)
    elif isinstance(value, list | tuple):
        for inner in cast(list[Any], value):
            yield from _numbers(inner)
    elif isinstance(value, str):
        for text in _NUMBER.findall(_DIGEST.sub("", value)):
            yield float(text.replace(",", "").replace("_", ""))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield float(value)


def unnoised(exact: Mapping[str, Totals], release: Release) -> Evidence:
    """How many published counts equal the exact ones to the last digit, against how many would by chance."""
    from scipy.stats import poisson

    equal, expected, n = 0, 0.0, 0
    for name, table in release.marginals.items():
        fixed = np.rint(table.values * FIXED_POINT).astype(np.int64)
        equal += int((fixed == at_cells(table.flat, exact[name])).sum())
        expected += len(fixed) / (math.sqrt(2.0 * math.pi) * table.sigma * FIXED_POINT)
        n += len(fixed)
    value = float(poisson.sf(equal - 1, expected))
    return Evidence(
        "mechanism.unnoised", "mechanism", "No published count is exact", "release", "p", value, value, value, n,
        f"Of {n:,} published counts {equal or 'none'} equal{'s' if equal < 2 else ''} the exact one to the last digit, where "
        f"{expected:.1f} would by chance (p {value:.2g}, alarm below {ALARM:g}).", limit=ALARM, passed=value >= ALARM)  # fmt: skip


def repeated(first: Release, second: Release) -> Evidence:
    """How many counts two releases of the same records share to the last digit: none where each process draws its own noise."""
    from scipy.stats import poisson

    equal, expected, n = 0, 0.0, 0
    for name in sorted(set(first.marginals) & set(second.marginals)):
        a, b = first.marginals[name], second.marginals[name]
        cells, left, right = np.intersect1d(a.flat, b.flat, assume_unique=True, return_indices=True)
        equal += int((a.values[left] == b.values[right]).sum())
        expected += _CROWDED * len(cells) * EQUAL_BY_CHANCE / (a.sigma * FIXED_POINT)
        n += len(cells)
    value = float(poisson.sf(equal - 1, expected))
    return Evidence(
        "mechanism.repeated", "mechanism", "Two releases of the same records have nothing in common but the records", "release", "p",
        value, value, value, n,
        f"Of {n:,} counts that two releases of the same records, made by two processes, both publish, {equal or 'none'} "
        f"{'is' if equal < 2 else 'are'} equal to the last digit, where {expected:.1f} might be by chance (p {value:.2g}, alarm below "
        f"{ALARM:g}).", limit=ALARM, passed=value >= ALARM)  # fmt: skip
