"""A few synthetic persons and their weeks, for the page's second picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from synthmob.zones import Zoning

SHOWN = 8
DAYS_SHOWN = 7
_CANDIDATES = 400


@dataclass(frozen=True)
class Stay:
    """A stay: day, times in minutes, purpose, zone index (n_zones is outside), km from home (None is unknown)."""

    day: int
    start: int
    end: int
    purpose: str
    zone: int
    km: float | None


@dataclass(frozen=True)
class Person:
    """A synthetic person with a line about them and their stays in order."""

    person_id: int
    label: str
    stays: tuple[Stay, ...]


def chosen(connection: Any, zoning: Zoning) -> tuple[Person, ...]:
    """Up to eight persons of the first part of OUT, as unlike each other as their groups allow, and their first days.

    `connection` is from `flows.opened`. Nobody is picked for being interesting: the first of a group of
    sex x age band x worker, groups far apart.
    """
    result = connection.execute(f"SELECT * FROM persons ORDER BY person_id LIMIT {_CANDIDATES}")
    columns = [column[0] for column in result.description]
    picked = _spread([dict(zip(columns, row, strict=True)) for row in result.fetchall()])
    if not picked:
        return ()
    code = {label: k for k, label in enumerate(zoning.labels)}
    ids = ", ".join(str(int(row["person_id"])) for row in picked)
    rows = connection.execute(f"""
        SELECT person_id, day, start_min, end_min, purpose, zone_id FROM stays
        WHERE person_id IN ({ids}) AND day < (SELECT min(day) FROM stays) + {DAYS_SHOWN}
        ORDER BY person_id, day, seq""").fetchall()
    return tuple(_person(row, [r[1:] for r in rows if r[0] == row["person_id"]], code, zoning) for row in picked)


def _spread(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Half of them workers where there are enough: the first person of each group, groups far apart in age."""
    groups: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in rows:
        groups.setdefault((str(row["worker"]), str(row.get("age_band")), str(row.get("sex"))), row)
    if len(groups) < SHOWN:
        return rows[:SHOWN]
    workers = [groups[key] for key in sorted(groups) if key[0] == "yes"]
    others = [groups[key] for key in sorted(groups) if key[0] != "yes"]
    half = min(len(workers), max(SHOWN // 2, SHOWN - len(others)))
    return [*_apart(workers, half), *_apart(others, SHOWN - half)]


def _apart(rows: list[dict[str, Any]], n: int) -> list[dict[str, Any]]:
    """`n` of the rows, evenly spaced from the first to the last."""
    return [rows[int(k)] for k in np.linspace(0, len(rows) - 1, n)]


def _person(row: dict[str, Any], stays: list[Any], code: dict[str, int], zoning: Zoning) -> Person:
    """A person of OUT as the page shows them."""
    home = code.get(row["home_zone"], -1)
    zones = [code.get(zone_id, zoning.n_zones) for *_, zone_id in stays]
    return Person(
        int(row["person_id"]),
        described(row),
        tuple(
            Stay(day, start, end, purpose, zone, _km(zoning, home, zone))
            for (day, start, end, purpose, _), zone in zip(stays, zones, strict=True)
        ),
    )


def described(row: dict[str, Any]) -> str:
    """A line about a person, of what is known.

    >>> described({"person_id": 7, "sex": "female", "age_band": "25-34", "worker": "yes"})
    'Person 7: female, 25–34, works'
    """
    known = [str(row[k]).replace("-", "–") for k in ("sex", "age_band") if row.get(k) not in (None, "other")]
    return f"Person {row['person_id']}: {', '.join([*known, 'works' if row['worker'] == 'yes' else 'does not work'])}"


def _km(zoning: Zoning, home: int, zone: int) -> float | None:
    """Distance between zone centres, 0 within the home zone; None next to outside or an unknown home."""
    if home < 0 or home >= zoning.n_zones or zone >= zoning.n_zones:
        return None
    return 0.0 if home == zone else round(float(zoning.distances_km(home, zone)), 2)
