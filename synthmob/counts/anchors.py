"""Where people belong: home, work, and who they are. One person adds 1 to one cell of each table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ibis

from synthmob.counts.coded import Coded, band
from synthmob.counts.codes import apart_km
from synthmob.counts.statistic import Public, Statistic, indicator, zone_axis
from synthmob.domain import WORKER, Axis, bin_labels


def group_axes(public: Public) -> tuple[Axis, Axis, Axis]:
    """The axes of a group: sex, age band, worker."""
    return Axis("sex", public.domain.sex), Axis("age_band", public.domain.age_band), Axis("worker", WORKER)


def distance_axis(public: Public, name: str = "distance") -> Axis:
    """Distance bands; the last one is 'outside': one end is outside the zoning, or unknown."""
    return Axis(name, (*bin_labels(public.domain.distance_edges_km), "outside"))


def distance_code(km: Any, public_edges: tuple[float, ...]) -> Any:
    """An expression: the distance band of a km column, null is 'outside'."""
    return band(km, public_edges, missing=len(public_edges))


def commute_km(coded: Coded) -> Any:
    """An ibis table (person_id, sex, age_band, km): the home-work distance of every worker, null next to outside or unknown."""
    from synthmob.counts.coded import lookups

    zones = lookups(coded.backend, coded.zoning, "commute_zones")
    workers = coded.persons.filter(coded.persons.work >= 0)
    home = zones.select(home_key=zones.zone, home_x=zones.x_km, home_y=zones.y_km, inside=zones.internal_km)
    work = zones.select(work_key=zones.zone, work_x=zones.x_km, work_y=zones.y_km)
    table = workers.left_join(home, workers.home == home.home_key)
    table = table.left_join(work, table.work == work.work_key)
    apart = apart_km(table.home_x, table.home_y, table.work_x, table.work_y)
    return table.select("person_id", "sex", "age_band", km=ibis.ifelse(table.home == table.work, table.inside, apart))


def _home_group_axes(public: Public, level: str) -> tuple[Axis, ...]:
    return (zone_axis(public, level, "home", unknown=True), *group_axes(public))


def _with_areas(coded: Coded, level: str) -> Any:
    people = coded.persons
    return people.mutate(
        home=coded.area(people.home, level, unknown=True),
        work=coded.area(ibis.greatest(people.work, 0), level),
    )


def _workers_with_areas(coded: Coded, level: str) -> Any:
    table = _with_areas(coded, level)
    return table.filter(table.worker == 0)


def _demographics_rows(coded: Coded, level: str) -> Any:
    del level
    return indicator(["sex", "age_band", "worker"], coded.persons)


def _home_by_group_rows(coded: Coded, level: str) -> Any:
    return indicator(["home", "sex", "age_band", "worker"], _with_areas(coded, level))


def _home_rows(coded: Coded, level: str) -> Any:
    return indicator(["home", "worker"], _with_areas(coded, level))


def _work_rows(coded: Coded, level: str) -> Any:
    return indicator(["work"], _workers_with_areas(coded, level))


def _home_work_rows(coded: Coded, level: str) -> Any:
    return indicator(["home", "work"], _workers_with_areas(coded, level))


def _commute_rows(columns: list[str]) -> Callable[[Coded, str], Any]:
    """The commuting distance of workers by some of their columns: one row a worker."""

    def rows(coded: Coded, level: str) -> Any:
        del level
        table = commute_km(coded)
        return indicator(columns, table.mutate(distance=distance_code(table.km, coded.domain.distance_edges_km)))

    return rows


ANCHORS = (
    Statistic("demographics", "anchors", lambda public, level: group_axes(public), _demographics_rows),
    Statistic("home_by_group", "anchors", _home_group_axes, _home_by_group_rows, spatial=True),
    Statistic(
        "home", "anchors",
        lambda public, level: (zone_axis(public, level, "home", unknown=True), Axis("worker", WORKER)),
        _home_rows, spatial=True),
    Statistic("work", "anchors", lambda public, level: (zone_axis(public, level, "work"),), _work_rows, spatial=True),
    Statistic(
        "home_work", "anchors",
        lambda public, level: (zone_axis(public, level, "home", unknown=True), zone_axis(public, level, "work")),
        _home_work_rows, spatial=True),
    Statistic("commute_km", "anchors", lambda public, level: (distance_axis(public),), _commute_rows(["distance"])),
    Statistic(
        "commute_km_by_group", "anchors",
        lambda public, level: (distance_axis(public), *group_axes(public)[:2]),
        _commute_rows(["distance", "sex", "age_band"])),
)
