"""How few points of space and time single out a person: unicity, and whether the points of real people find synthetic ones.

De Montjoye, Hidalgo, Verleysen, Blondel 2013, 'Unique in the Crowd' (doi:10.1038/srep01376): draw a few points (zone, hour) of
somebody's trace at random; the trace is unique where nobody else's has them all. Synthetic people should be about as unique as real
ones, or they are not faithful; that harms nobody as long as they are not the same people. So the other half of the attack: how often
do points of a person who is in the release fit a synthetic person, against those of people who are not in it?

We depart in the points: ours lie at half past whole hours, wherever the person stays then, instead of at phone calls; points of
different people are drawn alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthmob.audit import intervals
from synthmob.audit.advantage import most_excess
from synthmob.audit.evidence import Evidence
from synthmob.audit.subject import Subject, Trial
from synthmob.audit.whereabouts import IntArray, ZoneArray, stays_of

POINTS = (2, 3, 4)
TARGETS = 2_000
"""How many people are tried of each kind; the crowd that they stand in is always everybody."""
SOURCE = "de Montjoye et al. 2013, doi:10.1038/srep01376"


@dataclass(frozen=True, eq=False)
class Points:
    """Points of some people's traces, shape (people, points): hours since the first midnight of the period, and zones."""

    hours: IntArray
    zones: ZoneArray

    def first(self, n: int) -> Points:
        """The first so many points of everybody."""
        return Points(self.hours[:, :n], self.zones[:, :n])


def drawn(traces: ZoneArray, targets: IntArray, n_points: int, rng: np.random.Generator) -> Points:
    """Points at distinct hours of the traces (people, hours) of `targets`, drawn among the hours where they stay somewhere.

    People who stay anywhere at fewer hours are left out.
    """
    stays = traces[targets] >= 0
    enough = stays.sum(axis=1) >= n_points
    order = np.where(stays[enough], rng.random((int(enough.sum()), traces.shape[1])), 2.0)
    hours = np.argpartition(order, n_points - 1, axis=1)[:, :n_points] if n_points < traces.shape[1] else np.argsort(order, axis=1)
    return Points(hours.astype(np.int64), np.take_along_axis(traces[targets[enough]], hours, axis=1))


def fits(points: Points, crowd: ZoneArray) -> IntArray:
    """How many of a crowd (people, hours) have all points of each target, shape (targets,).

    >>> crowd = np.array([[1, 2], [1, 3], [1, 2]], dtype=np.int32)
    >>> fits(Points(np.array([[0, 1], [0, 1]]), np.array([[1, 2], [1, 3]], dtype=np.int32)), crowd).tolist()
    [2, 1]
    """
    by_hour = np.ascontiguousarray(crowd.T)
    found = np.empty(len(points.hours), dtype=np.int64)
    for target, (hours, zones) in enumerate(zip(points.hours, points.zones, strict=True)):
        found[target] = np.count_nonzero((by_hour[hours] == zones[:, None]).all(axis=0))
    return found


def attack(subject: Subject, trial: Trial, rng: np.random.Generator, progress: Callable[[str], None]) -> list[Evidence]:
    """Unicity of real and of synthetic people at 2, 3 and 4 points, and whether members' points fit synthetic people more often."""
    progress("uniqueness")
    days, domain, zoning = subject.period.days, subject.plan.domain, subject.zoning
    real = stays_of(subject.persons, subject.stays, zoning, domain).hourly(days)
    made = stays_of(trial.made_persons, trial.made_stays, zoning, domain).hourly(days)
    crowds = {"members": real[trial.members], "controls": real[~trial.members], "synthetic": made}
    points = {
        name: drawn(crowd, rng.permutation(len(crowd))[:TARGETS], max(POINTS), rng) for name, crowd in crowds.items()}
    rows: list[Evidence] = []
    for n in POINTS:
        unique = {name: fits(points[name].first(n), crowds[name]) == 1 for name in ("members", "synthetic")}
        rows += _unicity(n, unique["members"], unique["synthetic"])
    for n in POINTS:
        found = {name: fits(points[name].first(n), made) > 0 for name in ("members", "controls")}
        rows.append(_matching(subject, f"{n} points", f"{n}", found["members"], found["controls"]))
    whole = [_whole_traces(crowds[name], made) for name in ("members", "controls")]
    rows.append(_matching(subject, "the whole trace", "all", *whole))
    return rows


def _whole_traces(people: ZoneArray, crowd: ZoneArray) -> npt.NDArray[np.bool_]:
    """Whether somebody in the crowd is in the same zone at every hour."""
    seen = {trace.tobytes() for trace in crowd}
    return np.array([trace.tobytes() in seen for trace in people], dtype=np.bool_)


def _unicity(n: int, real: npt.NDArray[np.bool_], synthetic: npt.NDArray[np.bool_]) -> list[Evidence]:
    """A row each for real and synthetic people; the control of the second is the first."""
    shares = {"real": intervals.share(int(real.sum()), len(real)), "synthetic": intervals.share(int(synthetic.sum()), len(synthetic))}
    return [
        Evidence(
            f"unicity_{who}_{n}", "uniqueness", f"{who.capitalize()} people unique at {n} points", subject, "share",
            *shares[who], len(tried),
            f"{n} random points of place and hour single out {shares[who][0]:.0%} of {who} people in a crowd of as many.",
            control=shares["real"][0] if who == "synthetic" else None, source=SOURCE)
        for who, subject, tried in (("real", "records", real), ("synthetic", "synthetic", synthetic))]  # fmt: skip


def _matching(
    subject: Subject, what: str, name: str, members: npt.NDArray[np.bool_], controls: npt.NDArray[np.bool_]
) -> Evidence:
    """How much more often what is known of a member fits a synthetic person, against the limit of the plan's claim."""
    hits, misses = (int(found.sum()) for found in (members, controls))
    value, low, high = intervals.difference(hits, len(members), misses, len(controls))
    control, _, at_most = intervals.share(misses, len(controls))
    limit = most_excess(subject.plan, at_most)
    verb = "fits" if name == "all" else "fit"
    return Evidence(
        f"matched_{name}", "uniqueness", f"People found among synthetic ones by {what}, in the release beyond others", "synthetic", "share",
        value, low, high, len(members) + len(controls),
        f"{what[0].upper()}{what[1:]} of a person {verb} some synthetic person for {hits / max(len(members), 1):.1%} of the people in the "
        f"release and for {control:.1%} of people who are not in it: a difference of {value:+.1%} ({low:+.1%} to {high:+.1%}).",
        control=0.0, limit=limit, passed=low <= limit, source=SOURCE)  # fmt: skip
