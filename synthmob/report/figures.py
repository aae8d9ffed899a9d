"""The charts that lay the release and the synthetic days side by side: grey bars are released, blue dots synthetic."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from synthmob.report.charts import (
    INK_2,
    RELEASED,
    SYNTHETIC,
    Figure,
    dashed,
    figure,
    fitted,
    hour_axis,
    percent,
    percent_axis,
    values,
)
from synthmob.report.pairs import FloatArray, Pair
from synthmob.report.panels import dwell, presence

TABLES = ("demographics", "od_hour@district", "distances", "presence@district", "chains", "episodes")
"""The released tables that the charts are drawn from, in the order of `FIGURES`."""
CHAINS_SHOWN = 12


def figures(pairs: Mapping[str, Pair]) -> tuple[Figure, ...]:
    """One figure for each table of `TABLES` that there is and that has something to show."""
    made = (make(pairs[name]) for name, make in zip(TABLES, FIGURES, strict=True) if name in pairs)
    return tuple(found for found in made if found is not None)


def pyramid(pair: Pair) -> Figure | None:
    """Age bands by sex, as shares of all persons."""
    import altair as alt

    if "age_band" not in pair.marginal.axis_names:
        return None
    by_sex = "sex" in pair.marginal.axis_names
    sexes = pair.labels("sex") if by_sex else ("all",)
    released, synthetic = (
        pair.shares("age_band", "sex") if by_sex else (side[:, None] for side in pair.shares("age_band"))
    )
    ages = pair.labels("age_band")
    present = [k for k in range(len(ages)) if released[k].sum() + synthetic[k].sum() > 0]
    if len(present) < 2:
        return None
    sided = {s: -1 if s == "female" and len(sexes) > 1 else 1 for s in sexes}
    shown = [j for j, s in enumerate(sexes) if s in ("female", "male") or len(sexes) == 1]
    rows = [
        {
            "age": dashed(ages[k]),
            "sex": sexes[j],
            "released": 100 * sided[sexes[j]] * float(released[k, j]),
            "synthetic": 100 * sided[sexes[j]] * float(synthetic[k, j]),
        }
        for k in present
        for j in shown
    ]
    order = [dashed(ages[k]) for k in reversed(present)]
    x = alt.X(
        "released:Q",
        title=None,
        axis=alt.Axis(labelExpr="abs(datum.value) + ' %'", grid=True, tickCount=5, labelFlush=False),
    )
    y = alt.Y("age:N", sort=order, title=None)
    layers = [
        alt.Chart(values(rows)).mark_bar(color=RELEASED, height={"band": 0.72}).encode(x=x, y=y),
        alt.Chart(values(rows)).mark_circle(color=SYNTHETIC, size=42, opacity=1).encode(x="synthetic:Q", y=y),
    ]
    if len(shown) == 2:
        side = [
            {"x": min(r["released"] for r in rows), "t": "female"},
            {"x": max(r["released"] for r in rows), "t": "male"},
        ]
        layers += [
            alt.Chart(values([{"x": 0}])).mark_rule(color=INK_2).encode(x="x:Q"),
            alt.Chart(values(side))
            .mark_text(color=INK_2, fontSize=11, baseline="bottom", y=-3)
            .encode(x="x:Q", text="t:N"),
        ]
    caption = "Shares of all persons, women to the left." if len(shown) == 2 else "Shares of all persons."
    table = tuple(
        (dashed(ages[k]), sexes[j], percent(float(released[k, j])), percent(float(synthetic[k, j])))
        for k in present
        for j in range(len(sexes))
    )
    title = "Age and sex" if len(shown) == 2 else "Age"
    return figure(
        "pyramid",
        title,
        caption + pair.covered_words,
        fitted(alt.layer(*layers), 250),
        ("Age", "Sex", "Released", "Synthetic"),
        table,
    )


def departures(pair: Pair) -> Figure | None:
    """Trips by the hour they start in."""
    released, synthetic = pair.shares("hour", where=pair.day)
    caption = f"Trips by the hour they leave in, {pair.day_words}, trips inside a district included."
    return _hours("departures", "Departures", caption + pair.covered_words, released, synthetic)


def lengths(pair: Pair) -> Figure | None:
    """Trips by their length, those from and to outside left out."""
    released, synthetic = pair.shares("from_previous")
    labels = pair.labels("from_previous")
    rows = [
        (dashed(label), float(a), float(b)) for label, a, b in zip(labels, released, synthetic, strict=True) if a > 0
    ]
    caption = "Trips by km between zone centres, in the bands of the plan."
    return _bars("lengths", "Trip length", caption + pair.covered_words, rows, "Km")


def chains(pair: Pair) -> Figure | None:
    """The commonest days as chains of purposes."""
    day = pair.day
    kept = pair.marginal.codes[:, 0] == 0 if day else np.ones(len(pair.released), dtype=np.bool_)
    axis = pair.marginal.axes[-1]
    released, synthetic = pair.released[kept], pair.synthetic[kept]
    if not released.sum() > 0:
        return None
    a, b = released / released.sum(), synthetic / (synthetic.sum() or 1.0)
    codes = pair.marginal.codes[kept, -1]
    top = np.argsort(-a, kind="stable")[:CHAINS_SHOWN]
    rows = [(_chain_words(axis.label(int(codes[k]))), float(a[k]), float(b[k])) for k in top]
    caption = (
        f"The {len(rows)} commonest days, {pair.day_words}. H home, W work, E education, S shop, L leisure, O other."
    )
    return _bars("chains", "Activity chains", caption + pair.covered_words, rows, "Chain", height=20)


FIGURES: tuple[Callable[[Pair], Figure | None], ...] = (pyramid, departures, lengths, presence, chains, dwell)


def _chain_words(label: str) -> str:
    """A chain in initials.

    >>> _chain_words("home-work-home")
    'H W H'
    """
    return " ".join(purpose[0].upper() for purpose in label.split("-"))


def _hours(key: str, title: str, caption: str, released: FloatArray, synthetic: FloatArray) -> Figure | None:
    """A share for each hour of the day."""
    import altair as alt

    if not released.sum() > 0:
        return None
    rows = [
        {"hour": h + 0.5, "released": 100 * float(released[h]), "synthetic": 100 * float(synthetic[h])}
        for h in range(24)
        if released[h] > 0
    ]
    base = alt.Chart(values(rows)).encode(
        x=alt.X("hour:Q", title=None, scale=alt.Scale(domain=[0, 24], nice=False), axis=hour_axis())
    )
    chart = alt.layer(
        base.mark_bar(color=RELEASED, width=9.5).encode(y=alt.Y("released:Q", title=None, axis=percent_axis())),
        base.mark_circle(color=SYNTHETIC, size=42, opacity=1).encode(y="synthetic:Q"),
    )
    table = tuple(
        (f"{h:02d}:00", percent(float(released[h])), percent(float(synthetic[h]))) for h in range(24) if released[h] > 0
    )
    return figure(key, title, caption, fitted(chart, 250), ("Hour", "Released", "Synthetic"), table)


def _bars(
    key: str, title: str, caption: str, rows: list[tuple[str, float, float]], what: str, height: int = 17
) -> Figure | None:
    """A share for each of some labels, one line each, in the order given."""
    import altair as alt

    if not rows or sum(row[1] for row in rows) <= 0:
        return None
    data = values([{"label": label, "released": 100 * a, "synthetic": 100 * b} for label, a, b in rows])
    y = alt.Y("label:N", sort=[row[0] for row in rows], title=None)
    chart = alt.layer(
        alt.Chart(data)
        .mark_bar(color=RELEASED, height={"band": 0.72})
        .encode(x=alt.X("released:Q", title=None, axis=percent_axis()), y=y),
        alt.Chart(data).mark_circle(color=SYNTHETIC, size=42, opacity=1).encode(x="synthetic:Q", y=y),
    )
    table = tuple((label, percent(a), percent(b)) for label, a, b in rows)
    return figure(key, title, caption, fitted(chart, height * len(rows) + 22), (what, "Released", "Synthetic"), table)
