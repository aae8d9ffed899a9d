"""PERSONS and STAYS with every category, zone and time as an integer code: the tables that all statistics are defined over.

Private rows and synthetic rows pass through this one door, so a statistic cannot mean two things. One row of `visits` is one
stay with what lies before and after it on the same day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
from ibis import _

from synthmob.counts.codes import apart_km, band, category
from synthmob.counts.events import coded_events
from synthmob.domain import DAY_TYPES, UNKNOWN, WORKER, Domain
from synthmob.engine import keep
from synthmob.period import Period
from synthmob.zones import Zoning

__all__ = ["Coded", "band", "category", "coded", "lookups"]
NO_PURPOSE = -1
LONG_CHAIN = -1


@dataclass(frozen=True)
class Coded:
    """Coded tables on one backend, with the public things they are coded by.

    `persons`: person_id, sex, age_band, worker, home, work (zone indices; home n_zones + 1 is unknown, work -1 is none).

    `visits`, one row a stay: person_id, day, day_type (index into period.day_types), n_days (this person's observed days of
    that type), all_days, rank (0 first), n_stays, nth_of_purpose, purpose, zone, start, end (min), mode, previous_* and
    next_purpose (-1 where there is none), pupil (whether the person is one), home, work, worker, home_km, previous_km (km; null next to
    outside or unknown), anchor_km (to where the day goes next: the work place if the next stay is work, home otherwise) and heading (1 if
    it is work, 2 at the last stay of a day),
    chain (-1 where longer than the domain's chains), duties_left (stays of work or education still to come), day_kind (0 a day with
    work, 1 with education only, 2 neither).

    `events`, None where there are none: see `events.coded_events`; `days_of_events` where they cover less than the period, else 0.
    `has_modes` says whether STAYS told how people travelled: else every mode is -1.
    """

    backend: Any
    persons: Any
    visits: Any
    zoning: Zoning
    domain: Domain
    period: Period
    events: Any = None
    days_of_events: int = 0
    has_modes: bool = False

    @property
    def usage_days(self) -> int:
        """The days that usage is counted over: those of the period, or as many of them as the population has lived."""
        return self.days_of_events or self.period.days

    def segment(self, table: Any, column: str = "purpose") -> Any:
        """An expression: the segment of a purpose column of visits."""
        purpose = table[column]
        if not self.domain.pupil_bands:
            return purpose
        education = self.domain.purposes.index("education")
        return ibis.ifelse(table.pupil & (purpose == education), len(self.domain.purposes), purpose).cast("int16")

    def area(self, zone: Any, level: str, *, unknown: bool = False) -> Any:
        """An expression: the area of a zone-index column at a level."""
        if level == "zone":
            return zone
        parents = [int(p) for p in self.zoning.parent_of(level)]
        if unknown:
            parents.append(max(parents) + 1)
        return ibis.array(parents)[zone.cast("int64")]


def lookups(backend: Any, zoning: Zoning, name: str) -> Any:
    """A small table of the zoning on the backend: zone_label, zone, x_km, y_km, internal_km; null for `outside`."""
    import pyarrow as pa

    xy, inside = zoning.centroids_km, zoning.internal_km
    table = pa.table({
        "zone_label": list(zoning.labels), "zone": np.arange(zoning.n_zones + 1, dtype=np.int32),
        "x_km": pa.array(xy[:, 0], from_pandas=True), "y_km": pa.array(xy[:, 1], from_pandas=True),
        "internal_km": pa.array(inside, from_pandas=True),
    })
    return keep(backend, name, ibis.memtable(table))


def coded(
    backend: Any, persons: Any, stays: Any, zoning: Zoning, domain: Domain, period: Period, *, name: str, events: Any = None,
    days_of_events: int = 0,
) -> Coded:  # fmt: skip
    """Code PERSONS, STAYS and, where given, EVENTS (ibis tables, see schema.py); keep the result on the backend under `name`.

    Missing attributes count as the last category; a null zone is `outside`; days outside the period are dropped.
    """
    zones = lookups(backend, zoning, f"{name}_zones")
    people = _persons(persons, zones, zoning, domain)
    people = keep(backend, f"{name}_persons", people)
    visits = _distances(_days(_neighbours(_visits(stays, people, zones, zoning, domain, period), domain), domain), zones)
    visits = keep(backend, f"{name}_visits", visits)
    used = None
    if events is not None:
        used = coded_events(events, people, zones, zoning.n_zones, domain, period)
        used = keep(backend, f"{name}_events", used)
    return Coded(backend, people, visits, zoning, domain, period, used, days_of_events, "mode" in stays.columns)


def _persons(persons: Any, zones: Any, zoning: Zoning, domain: Domain) -> Any:
    """PERSONS with codes."""
    found = persons.columns
    table = persons.mutate(
        sex=category(persons.sex, domain.sex) if "sex" in found else ibis.literal(len(domain.sex) - 1, "int16"),
        age_band=category(persons.age_band, domain.age_band)
        if "age_band" in found else ibis.literal(len(domain.age_band) - 1, "int16"),
        worker=category(persons.worker, WORKER),
    )
    home = zones.select(home_label=_.zone_label, home=_.zone)
    work = zones.select(work_label=_.zone_label, work=_.zone)
    table = table.left_join(home, table.home_zone == home.home_label)
    table = table.left_join(work, table.work_zone == work.work_label)
    unknown = zoning.n_zones + 1
    outside = zoning.n_zones
    home_code = ibis.cases(
        (table.home_zone == UNKNOWN, unknown), (table.home.isnull(), outside), else_=table.home)
    work_code = ibis.cases(
        (table.worker == 1, -1), (table.work.isnull(), outside), else_=table.work)
    return table.select("person_id", "sex", "age_band", "worker", home=home_code.cast("int32"), work=work_code.cast("int32"))


def _visits(stays: Any, people: Any, zones: Any, zoning: Zoning, domain: Domain, period: Period) -> Any:
    """STAYS of known persons on days of the period, with codes."""
    labels = period.day_types
    day_types = [labels.index(DAY_TYPES[period.day_type(d)]) for d in range(period.days)]
    table = stays.filter((stays.day >= 0) & (stays.day < period.days))
    table = table.left_join(zones.select("zone_label", "zone"), table.zone_id == zones.zone_label)
    table = table.select(
        "person_id", "seq",
        day=table.day.cast("int32"),
        day_type=ibis.array(day_types)[table.day.cast("int64")].cast("int16"),
        purpose=category(table.purpose, domain.purposes),
        zone=ibis.coalesce(table.zone, zoning.n_zones).cast("int32"),
        start=table.start_min.cast("int32"), end=table.end_min.cast("int32"),
        mode=category(table["mode"], domain.modes) if "mode" in table.columns else ibis.literal(-1, "int16"),
    )
    who = people.select("person_id", "home", "work", "worker", pupil=people.age_band.isin(domain.pupil_bands))
    return table.inner_join(who, "person_id")


def _neighbours(table: Any, domain: Domain) -> Any:
    """Adds each stay's place in its day and what lies before and after it, in one step: windows over the same days share a sort there."""
    ordered = ibis.window(group_by=["person_id", "day"], order_by="seq")
    before = ibis.window(group_by=["person_id", "day"], order_by="seq", preceding=(None, 1))
    bit: Any = ibis.array([1 << k for k in range(len(domain.purposes))])[table.purpose.cast("int64")]
    duty = table.purpose.isin(domain.duties).cast("int32")
    return table.mutate(
        bit=bit, rank=ibis.row_number().over(ordered).cast("int32"),
        purposes_before=ibis.coalesce(_bits(bit.cast("int64")).over(before), 0),
        previous_purpose=table.purpose.lag().over(ordered).fill_null(NO_PURPOSE).cast("int16"),
        before_previous=table.purpose.lag(2).over(ordered).fill_null(NO_PURPOSE).cast("int16"),
        next_purpose=table.purpose.lead().over(ordered).fill_null(NO_PURPOSE).cast("int16"),
        previous_zone=table.zone.lag().over(ordered).fill_null(-1).cast("int32"),
        previous_end=table.end.lag().over(ordered).fill_null(-1).cast("int32"),
        duty=duty, duties_before=ibis.coalesce(duty.sum().over(before), 0),
    )


@ibis.udf.agg.builtin(name="bit_or", signature=(("int64",), "int64"))
def _bits(bit: Any) -> Any:  # ibis knows how to say this to DuckDB alone, and Spark calls it the same
    """Whole numbers joined bit by bit."""


def _days(table: Any, domain: Domain) -> Any:
    """Adds what is the same for all stays of a day: how many there are, their chain and duties, and the person's observed days."""
    base, axis = len(domain.purposes), domain.chain_axis
    most = axis.max_stays
    powers = ibis.array([base**k for k in range(most, -1, -1)])
    place: Any = ibis.least(table["rank"], most)
    digit = table.purpose.cast("int64") * powers[place.cast("int64")]
    day = table.group_by("person_id", "day", "day_type").agg(
        n_stays=table.count().cast("int32"), duties=table.duty.sum(), works=(table.purpose == 1).cast("int32").max(), digits=digit.sum())
    length: Any = ibis.least(day.n_stays, most)
    offsets = ibis.array(list(axis.offsets))
    chain = (day.digits // powers[length.cast("int64") - 1]).cast("int64")
    kind = ibis.cases((day.works == 1, 0), (day.duties > 0, 1), else_=2)
    day = day.select(
        "person_id", "day", "day_type", "n_stays", "duties", day_kind=kind.cast("int16"),
        chain=ibis.ifelse(day.n_stays <= most, chain + offsets[length.cast("int64") - 1], LONG_CHAIN).cast("int64"))
    of_type = day.group_by("person_id", "day_type").agg(n_days=day.count().cast("int32"))
    of_person = of_type.group_by("person_id").agg(all_days=of_type.n_days.sum().cast("int32"))
    day = day.inner_join(of_type, ["person_id", "day_type"]).inner_join(of_person, "person_id")
    day = day.select("person_id", "day", "n_stays", "duties", "day_kind", "chain", "n_days", "all_days")
    found = table.inner_join(day, ["person_id", "day"])
    heading_to_work = (found.next_purpose == 1) & (found.work >= 0)
    return found.mutate(
        nth_of_purpose=ibis.ifelse((found.purposes_before & found.bit) == 0, 1, 2).cast("int32"),
        duties_left=(found.duties - found.duties_before - found.duty).cast("int32"),
        heading=ibis.cases((heading_to_work, 1), (found.next_purpose == NO_PURPOSE, 2), else_=0).cast("int16"),
        anchor=ibis.ifelse(heading_to_work, found.work, found.home).cast("int32"),
    )


def _distances(table: Any, zones: Any) -> Any:
    """Adds the distances from home, from the stay before, and to where the day heads for."""
    here = zones.select(here_key=_.zone, here_x=_.x_km, here_y=_.y_km, inside=_.internal_km)
    table = table.left_join(here, table.zone == here.here_key)
    for prefix, column in (("home", "home"), ("previous", "previous_zone"), ("anchor", "anchor")):
        side = zones.select(**{f"{prefix}_key": _.zone, f"{prefix}_x": _.x_km, f"{prefix}_y": _.y_km})
        table = table.left_join(side, table[column] == side[f"{prefix}_key"])

    def km(prefix: str, column: str) -> Any:
        apart = apart_km(table.here_x, table.here_y, table[f"{prefix}_x"], table[f"{prefix}_y"])
        return ibis.ifelse(table.zone == table[column], table.inside, apart)

    table = table.mutate(
        home_km=km("home", "home"), previous_km=km("previous", "previous_zone"), anchor_km=km("anchor", "anchor"))
    return table.select(
        "person_id", "day", "day_type", "n_days", "all_days", "rank", "n_stays", "nth_of_purpose", "purpose", "zone", "start",
        "end", "mode", "previous_purpose", "before_previous", "previous_zone", "previous_end", "next_purpose", "pupil", "home", "work",
        "worker", "home_km", "previous_km", "anchor_km", "heading", "chain",
        "duties_left", "day_kind")


