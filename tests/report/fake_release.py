"""A release of a fake world's counts, with noise of a fixed seed instead of the system's: nothing in it is private."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from fake_out import World

from synthmob import accounting, counts
from synthmob.engine import connect
from synthmob.fidelity.result import Fidelity, Finding, TableFit
from synthmob.marginals import Marginal
from synthmob.plan import Plan
from synthmob.release import Release, privacy, versions

TABLES = (
    "demographics",
    "home@district",
    "home@zone",
    "work@zone",
    "home_work@district",
    "commute_km",
    "distances",
    "od_hour@district",
    "presence@district",
    "chains",
    "episodes",
)


def release(world: World, *, epsilon: float = 30.0, min_group: int = 5, tables: tuple[str, ...] = TABLES) -> Release:
    """Some tables of the standard plan, counted over the world's own days, noised and cut."""
    plan = Plan.standard(epsilon, 1e-6, min_group=min_group).resolve(
        world.zoning, world.period, attributes=("sex", "age_band"), modes=False
    )
    backend = connect()
    persons = backend.read_parquet(str(world.out / "persons.parquet"), table_name="fake_persons_in")
    stays = backend.read_parquet(str(world.out / "stays" / "*.parquet"), table_name="fake_stays_in")
    coded = counts.coded(backend, persons, stays, world.zoning, plan.domain, world.period, name="fake")
    rng = np.random.default_rng(5)
    marginals: dict[str, Marginal] = {}
    for request in plan.requests:
        if request.name not in tables:
            continue
        exact = counts.count(
            counts.STATISTICS[request.statistic], coded, request.level, bound_l2=request.bound_l2, confidential=False
        )
        sigma = plan.sigma_of(request)
        cut = accounting.cut_for(sigma, min_group, exact.n_domain)
        noisy = exact.values + rng.normal(0, sigma, len(exact.values))
        kept = noisy >= cut
        marginals[request.name] = replace(exact, codes=exact.codes[kept], values=noisy[kept], sigma=sigma, cut=cut)
    backend.disconnect()
    return Release(marginals, info(plan, world))


def info(plan: Plan, world: World) -> dict[str, Any]:
    """What release.json would say."""
    return {
        "privacy": privacy(plan.epsilon, plan.delta, plan.rho),
        "plan": plan.as_json(),
        "period": world.period.as_json(),
        "versions": versions(),
    }


def fidelity(kind: str = "outside", seed: int = 3) -> dict[str, Any]:
    """A check's JSON with a metric for each shape of verdict."""
    rng = np.random.default_rng(seed)
    titles = (
        ("anchors", "Sex", "share", 0.0),
        ("anchors", "Age band", "share", 0.0),
        ("anchors", "Home by district", "share", 0.0),
        ("anchors", "Home and work by zone, between zones only", "share", 1.0),
        ("anchors", "Home-work distance", "km", 0.0),
        ("flows", "Flows by zone", "share", 1.0),
        ("flows", "Trip length", "km", 0.0),
        ("flows", "Presence by zone and hour", "share", 0.0),
        ("flows", "Destinations by purpose", "share", 0.0),
        ("routines", "Activity chains", "share", 0.0),
        ("routines", "Departures", "min", 0.0),
        ("routines", "Dwell by purpose", "min", 0.0),
        ("routines", "Trips a day", "trips", 0.0),
    )
    scale = {"share": 0.02, "km": 0.2, "min": 4.0, "trips": 0.03}
    metrics: list[Finding] = []
    for k, (word, title, unit, best) in enumerate(titles):
        floor, ratio = scale[unit] * (0.5 + rng.random()), float(rng.gamma(2.5, 0.5)) + (5 if k == 11 else 0)
        sign = -1 if best else 1
        metrics.append(
            Finding.of(
                name=title.lower().replace(" ", "_"),
                title=title,
                word=word,
                unit=unit,
                value=best + sign * floor * ratio,
                floor=best + sign * floor,
                baseline=best + sign * floor * (0.5 if k == 9 else 9),
                tolerance=scale[unit] / 4,
                best=best,
                direction="higher" if best else "lower",
                note="worst for leisure: 9.2 min" if k == 11 else "",
            )
        )
    fits = (TableFit("demographics", 25, 1.1, 1.0, 0.01, 0.012, 0.008, 0.2, 0.83, 3, 0, "", "sex male", -2.1),) if kind == "outside" else ()
    return Fidelity(
        kind, kind == "inside", 3000, tuple(metrics), fits, ("Weekdays count five sevenths of an average day.",)
    ).as_json()
