"""Planted subscribers: made-up lives that move the tables as much as one subscriber can, to be told apart in what is measured.

Of each the records would show one day of every day type, always the same one. Most lead long days, with stays enough to reach the
bound of every table but those of chains; some lead short days, whose chains are counted as such; and some go to and fro all day,
so that they would add many times what a subscriber may, if nothing held them. What can differ between them does (who they are,
where they are when, as what and how long), so that few share a cell. Public things and random numbers alone go into it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from synthmob.domain import APPS, DAY_TYPES, DIRECTIONS, KINDS, MINUTES_PER_DAY, Domain
from synthmob.errors import InputError
from synthmob.period import Period
from synthmob.zones import Zoning

Int64Array = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Columns = dict[str, npt.NDArray[Any]]

SHORT_SHARE, RESTLESS_SHARE = 0.25, 0.12
SHORT_STAYS = 7
LONG_STAYS = (12, 19)
"""The fewest and the most stays of a long day: with 12 all bounds are reached, and days of 20 and more would share one cell."""
STEP_MIN, MOST_GAP_MIN = 10, 4
"""Stays begin on a grid of 10 minutes; the way there takes 1 to 4."""
RESTLESS_PLACES, RESTLESS_STEPS_MIN, LATEST_START_MIN = 3, (4, 15), 600
"""Restless days: home, work and one place more, every 4 or 15 minutes. Where stays are detected from events only the latter count."""
EVENT_EVERY_MIN = 30


@dataclass(frozen=True, eq=False)
class Planted:
    """Record tables of all planted subscribers, in or out: `subscribers` and `stays` in the columns of SUBSCRIBERS and of
    RECORD_STAYS, subscriber_id 0 to n - 1; `inside` (n,) says whose coin said in."""

    subscribers: pa.Table
    stays: pa.Table
    inside: BoolArray
    period: Period

    @property
    def n(self) -> int:
        """How many are planted, in or out."""
        return len(self.inside)

    def write(self, folder: Path, *, everyone: bool = False) -> Path:
        """Write those who are in, or everyone, as record files: subscribers, stays, and events that tell of the same stays."""
        import pyarrow.parquet as pq

        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        keep = np.ones(self.n, dtype=np.bool_) if everyone else self.inside
        stays = self.stays.filter(pa.array(keep[self.stays["subscriber_id"].to_numpy()]))
        pq.write_table(self.subscribers.filter(pa.array(keep)), folder / "subscribers.parquet")
        pq.write_table(stays, folder / "stays.parquet")
        pq.write_table(_events(stays, self.period), folder / "events.parquet")
        return folder


def plant(n: int, zoning: Zoning, period: Period, domain: Domain, rng: np.random.Generator) -> Planted:
    """`n` planted subscribers, each with a fair coin that says whether it is in.

    >>> from synthmob import worlds
    >>> world = worlds.london(n_subscribers=2, days=1)
    >>> made = plant(10, world.zoning, world.period, Domain(), np.random.default_rng(1))
    >>> made.n, len(made.subscribers), made.subscribers.column_names
    (10, 10, ['subscriber_id', 'sex', 'age_band'])
    """
    if n < 2:
        raise InputError(f"An audit with {n} planted subscribers shows nothing: plant some thousands.")
    labels = {"sex": domain.sex, "age_band": domain.age_band}
    who = {name: np.array(values)[rng.integers(len(values), size=n)] for name, values in labels.items()}
    ids, (short, restless) = rng.permutation(n), (round(SHORT_SHARE * n), round(RESTLESS_SHARE * n))
    lengths = np.concatenate([
        np.full(short, min(SHORT_STAYS, domain.max_chain_stays)),
        rng.integers(LONG_STAYS[0], LONG_STAYS[1] + 1, size=n - short - restless)])  # fmt: skip
    days = [_days(ids[: n - restless], lengths, zoning, domain, rng), _restless(ids[n - restless :], zoning, domain, rng)]
    day = {name: np.concatenate([part[name] for part in days]) for name in days[0]}
    return Planted(
        pa.table({"subscriber_id": np.arange(n), **who}), _on_days(day, zoning, domain, period), rng.random(n) < 0.5, period)


def _days(ids: Int64Array, lengths: Int64Array, zoning: Zoning, domain: Domain, rng: np.random.Generator) -> Columns:
    """Days of so many stays, at times drawn at random."""
    n, most = len(ids), int(lengths.max(initial=2))
    grid = np.tile(np.arange(1, MINUTES_PER_DAY // STEP_MIN), (n, 1)) * STEP_MIN
    nth = np.arange(most)
    drawn = rng.permuted(grid, axis=1)[:, : most - 1]
    drawn = np.sort(np.where(nth[1:] < lengths[:, None], drawn, MINUTES_PER_DAY), axis=1)
    start = np.column_stack([np.zeros(n, dtype=np.int64), drawn])
    gaps = rng.integers(1, MOST_GAP_MIN + 1, size=(n, most - 1))
    end = np.column_stack([np.where(drawn < MINUTES_PER_DAY, drawn - gaps, drawn), np.full(n, MINUTES_PER_DAY)])
    row, place = np.nonzero(nth < lengths[:, None])
    return _columns(ids, row, place, place, start[row, place], end[row, place], lengths, zoning, domain, rng)


def _restless(ids: Int64Array, zoning: Zoning, domain: Domain, rng: np.random.Generator) -> Columns:
    """At home until some hour, then from place to place until midnight."""
    step = np.array(RESTLESS_STEPS_MIN)[rng.integers(len(RESTLESS_STEPS_MIN), size=len(ids))]
    first = rng.integers(1, LATEST_START_MIN // step + 1)
    row, seq = np.nonzero(np.arange(MINUTES_PER_DAY // min(RESTLESS_STEPS_MIN)) <= (MINUTES_PER_DAY // step - first)[:, None])
    start = np.where(seq == 0, 0, (first[row] + seq - 1) * step[row])
    end = (first[row] + seq) * step[row] - np.maximum(step[row] // 5, 1)
    return _columns(ids, row, seq, seq % RESTLESS_PLACES, start, end, np.full(len(ids), RESTLESS_PLACES), zoning, domain, rng)


def _columns(
    ids: Int64Array, row: Int64Array, seq: Int64Array, place: Int64Array, start: Int64Array, end: Int64Array, places: Int64Array,
    zoning: Zoning, domain: Domain, rng: np.random.Generator,
) -> Columns:  # fmt: skip
    """Stays of one day: who (an index into `ids`), which in order, at which of their `places` (n,), from when to when."""
    n, most = len(ids), int(places.max(initial=2))
    modes = rng.integers(len(domain.modes), size=(n, most))
    return {
        "subscriber_id": ids[row], "seq": seq, "zone": _zones(n, most, zoning, rng)[row, place],
        "purpose": _purposes(places, most, domain, rng)[row, place], "mode": modes[row, place],
        "start_min": start, "end_min": end}  # fmt: skip


def _zones(n: int, places: int, zoning: Zoning, rng: np.random.Generator) -> Int64Array:
    """Zones of the places, (n, places): all different where there are enough."""
    zones = np.arange(max(zoning.n_zones, places)) % zoning.n_zones
    return np.array([rng.permutation(zones)[:places] for _ in range(n)], dtype=np.int64).reshape(n, places)


def _purposes(places: Int64Array, most: int, domain: Domain, rng: np.random.Generator) -> Int64Array:
    """Purposes of the places, (n, most): home first, work at one other, and elsewhere the rest of them about as often."""
    others = np.arange(2, len(domain.purposes)) if len(domain.purposes) > 2 else np.array([1])
    shift = rng.integers(len(others), size=(len(places), 1))
    drawn = rng.permuted(others[(np.arange(most) + shift) % len(others)], axis=1)
    drawn[:, 0] = 0
    drawn[np.arange(len(places)), rng.integers(1, places)] = 1
    return drawn


def _on_days(day: Columns, zoning: Zoning, domain: Domain, period: Period) -> pa.Table:
    """The rows of a day on the first day of every day type, codes as labels."""
    order = np.lexsort([day["seq"], day["subscriber_id"]])
    day = {name: values[order] for name, values in day.items()}
    labels = {"zone": zoning.ids, "purpose": domain.purposes, "mode": domain.modes}
    named = {name: pa.array(list(values)).take(pa.array(day[name])) for name, values in labels.items()}
    whole = {name: day[name].astype(np.int32) for name in ("seq", "start_min", "end_min")}
    days = [period.days_of(kind)[0] for kind in range(len(DAY_TYPES)) if period.days_of(kind)]
    return pa.concat_tables(pa.table({
        "subscriber_id": day["subscriber_id"], "day": np.full(len(order), number, dtype=np.int32), "seq": whole["seq"],
        "purpose": named["purpose"], "zone_id": named["zone"], "start_min": whole["start_min"], "end_min": whole["end_min"],
        "mode": named["mode"]}) for number in days)  # fmt: skip


def _events(stays: pa.Table, period: Period) -> pa.Table:
    """What a phone would leave of those stays: a record at either end of each, and every half hour between."""
    start, end = stays["start_min"].to_numpy().astype(np.int64), stays["end_min"].to_numpy().astype(np.int64) - 1
    times = (end - start) // EVENT_EVERY_MIN + 2
    row = np.repeat(np.arange(len(stays)), times)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(times) - times, times)
    minute = np.minimum(start[row] + EVENT_EVERY_MIN * nth, end[row]) + MINUTES_PER_DAY * stays["day"].to_numpy()[row].astype(np.int64)
    midnight = np.datetime64(period.first_day, "s")
    number = np.arange(len(row)) + stays["subscriber_id"].to_numpy()[row]
    return pa.table({
        "subscriber_id": stays["subscriber_id"].to_numpy()[row], "time": midnight + minute.astype("timedelta64[m]"),
        "zone_id": stays["zone_id"].take(pa.array(row)), **_use(number)})  # fmt: skip


def _use(number: Int64Array) -> Columns:
    """What the events are: all kinds, directions, apps, durations and volumes in turn, so that every table of usage is met."""
    labels = {"kind": KINDS, "direction": DIRECTIONS, "app": APPS}
    texts = {name: np.array(values)[number // step % len(values)] for (name, values), step in zip(labels.items(), (1, 4, 2), strict=True)}
    return texts | {"duration_s": 2.0 ** (number % 14) - 1, "volume_kb": 4.0 ** (number % 11)}
