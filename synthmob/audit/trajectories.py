"""Whether the hourly presence of a release lets anybody's day be recovered: the attack of `recovery`, three times.

On the exact counts of a small group, to see that it works; on the tables that the mechanism would publish of the same small group;
and on the presence tables of the trial's release. Each time the recovered trajectories are compared with those of people who were
counted, and with those of as many people who were not: most of a day is like everybody's, and only the difference is a leak.

The difference has a limit. Replace the people compared one by one by people who were not counted. Each changes the sum of the best
matching by no more than 1, and a mechanism of advantage t (`advantage.most_advantage`) changes the chance of anything by no more
than t by the presence of that one person: so the means over the group differ by no more than t.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from synthmob.audit import recovery
from synthmob.audit.advantage import most_advantage
from synthmob.audit.evidence import Evidence
from synthmob.audit.intervals import Interval
from synthmob.audit.recovery import FloatArray
from synthmob.audit.subject import Subject, Trial
from synthmob.audit.whereabouts import HOURS, IntArray, stays_of
from synthmob.domain import DAY_TYPES
from synthmob.marginals import Marginal
from synthmob.period import Period
from synthmob.zones import Zoning

GROUP, GROUPS = 100, 5
"""How many people a small group has, and how many such groups are attacked."""
STAND_INS = 600
"""How many trajectories are recovered from a release about many people: its counts are scaled down to so many."""
SOURCE = "Xu et al. 2017, arXiv:1702.06270, doi:10.1145/3038912.3052620"
_Z = 1.959963984540054


@dataclass(frozen=True, eq=False)
class Found:
    """Shares of hours recovered, of people who were counted and of people who were not, shape (people,) each."""

    members: FloatArray
    controls: FloatArray


def attack(subject: Subject, trial: Trial, rng: np.random.Generator, progress: Callable[[str], None]) -> list[Evidence]:
    """How much of the hours of people is recovered from hourly presence, and how much of others': two rows for each attack.

    Nothing where the plan has no presence by zone, or where there are too few people.
    """
    if "presence@zone" not in trial.release.marginals or subject.n < 4 * GROUP:
        return []
    progress("trajectories")
    days = subject.period.days
    truth = stays_of(subject.persons, subject.stays, subject.zoning, subject.plan.domain).hourly(days, carried=True)
    truth[truth < 0] = subject.zoning.n_zones  # nothing is known of the day yet: neither inside
    members, others = (rng.permutation(np.flatnonzero(mask)) for mask in (trial.members, ~trial.members))
    places = recovery.places_km(subject.zoning)
    raw: list[Found] = []
    noisy: list[Found] = []
    for group in range(min(GROUPS, len(members) // GROUP, len(others) // GROUP)):
        here = slice(group * GROUP, (group + 1) * GROUP)
        inside, outside = truth[members[here]], truth[others[here]]
        raw.append(_compared(_exact(inside, len(places)), places, inside, outside))
        published = _published(subject, members[here])
        noisy.append(_compared(guessed(published, subject.zoning, subject.period, GROUP), places, inside, outside))
    size = min(STAND_INS, len(members), len(others))
    counts = guessed(trial.release.marginals, subject.zoning, subject.period, size)
    whole = [_compared(counts, places, truth[members[:size]], truth[others[:size]])]
    limit = most_advantage(subject.plan)
    return [
        *rows("raw", "raw counts", f"the exact hourly counts of {GROUP} people", raw, None, days),
        *rows("group", "release", f"the tables that would be published of {GROUP} people", noisy, limit, days),
        *rows("release", "release", "the presence tables of the release", whole, limit, days)]


def guessed(tables: Mapping[str, Marginal], zoning: Zoning, period: Period, people: int) -> IntArray:
    """What an attacker takes presence to have been, from released tables: whole people, shape (24 days, zones + 1).

    A zone that is not published gets an equal part of what its district counts beside its published zones; an hour of which
    nothing is known, everybody spread evenly. Every hour is scaled to so many `people`; every day is the mean of its type.
    """
    zones = tables["presence@zone"]
    seen = zones.dense(missing=np.nan)
    if "presence@district" in tables:
        parent = zoning.parent_of("district")
        whole = tables["presence@district"].dense()[..., parent]
        inside = (parent[:, None] == np.arange(int(parent.max()) + 1)).astype(np.float64)
        known, hidden = np.nan_to_num(seen) @ inside, np.isnan(seen) @ inside
        rest = np.maximum(whole - known[..., parent], 0.0) / np.maximum(hidden[..., parent], 1.0)
        seen = np.where(np.isnan(seen), rest, seen)
    seen = np.maximum(np.nan_to_num(seen), 0.0)
    order = [zones.axes[0].labels.index(DAY_TYPES[period.day_type(day)]) for day in range(period.days)]  # pyright: ignore[reportAttributeAccessIssue]
    return np.vstack([_whole(seen[day_type, hour], people) for day_type in order for hour in range(HOURS)])


def _whole(weights: FloatArray, people: int) -> IntArray:
    """So many whole people in proportion to weights, those of the largest remainders rounded up; evenly where all are zero."""
    total = float(weights.sum())
    exact = weights * (people / total) if total > 0 else np.full(len(weights), people / len(weights))
    down = np.floor(exact).astype(np.int64)
    missing = people - int(down.sum())
    down[np.argsort(down - exact, kind="stable")[:missing]] += 1
    return down


def _exact(truth: np.ndarray, n_places: int) -> IntArray:
    return np.stack([np.bincount(hour, minlength=n_places) for hour in truth.T])


def _published(subject: Subject, group: IntArray) -> dict[str, Marginal]:
    """The presence tables that the mechanism publishes of a group alone."""
    mask = np.zeros(subject.n, dtype=np.bool_)
    mask[group] = True
    return subject.publish({
        name: table.totals(mask) for name, table in subject.contributions.items() if name.startswith("presence@")})


def _compared(counts: IntArray, places: FloatArray, inside: np.ndarray, outside: np.ndarray) -> Found:
    paths = recovery.recover(counts, places)
    return Found(recovery.matched(paths, inside), recovery.matched(paths, outside))


def rows(name: str, subject: str, what: str, found: list[Found], limit: float | None, days: int) -> list[Evidence]:
    """Two rows on one attack: how much is recovered of people who were counted, and how much more that is than of others.

    `what` was attacked, in words; `limit` is that of the difference.
    """
    members = np.concatenate([one.members for one in found])
    controls = np.concatenate([one.controls for one in found])
    value, low, high = _mean(members)
    control = float(controls.mean())
    excess, least, most = _difference(members, controls)
    span = "one day" if days == 1 else f"{days} days"
    return [
        Evidence(
            f"trajectories_{name}", "trajectories", f"Hours of people recovered from {what}", subject, "share",
            value, low, high, len(members),
            f"From {what}, over {span}, the attack gets {value:.0%} of the hours of people right who were counted, and "
            f"{control:.0%} of the hours of people who were not.", control=control, source=SOURCE),
        Evidence(
            f"trajectories_{name}_excess", "trajectories", f"Hours recovered because a person was counted, from {what}", subject,
            "share", excess, least, most, len(members) + len(controls),
            f"Being counted in {what} changes the share of a person's hours that is recovered by {excess:+.1%} "
            f"({least:+.1%} to {most:+.1%}).", control=0.0, limit=limit, passed=None if limit is None else least <= limit,
            source=SOURCE)]  # fmt: skip


def _mean(values: FloatArray) -> Interval:
    mean, half = float(values.mean()), _Z * float(values.std(ddof=1)) / len(values) ** 0.5
    return mean, max(0.0, mean - half), min(1.0, mean + half)


def _difference(members: FloatArray, controls: FloatArray) -> Interval:
    """The difference of two means with Welch's normal interval."""
    value = float(members.mean() - controls.mean())
    half = _Z * float(np.sqrt(members.var(ddof=1) / len(members) + controls.var(ddof=1) / len(controls)))
    return value, max(-1.0, value - half), min(1.0, value + half)
