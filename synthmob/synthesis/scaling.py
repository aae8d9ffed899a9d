"""People for subscribers: how many residents each synthetic person stands for, by public counts of district, sex and age band.

An operator's customers are not the population: it has more of them in some districts and among some ages. A person's weight is
the residents of its home area, sex and age band over the synthetic persons there: post-stratification (Little 1993,
doi:10.1080/01621459.1993.10476368). We depart from it where a census has no such person or nobody of ours is such a resident:
persons of a sex or age that the census does not tell weigh what their area's persons weigh on average, and residents whom no
person is like are shared out over the rest of their area. Every area's weights add up to its residents either way.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from synthmob.domain import Axis, Domain
from synthmob.errors import FormatError
from synthmob.published import rows
from synthmob.synthesis.population import People
from synthmob.zones import Zoning

if TYPE_CHECKING:
    import pandas as pd

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
AREA = "home"
COLUMNS = (AREA, "sex", "age_band")
AREA_COLUMNS = (AREA, "district_id", "district", "zone_id")
"""Names that the column of areas may have."""


@dataclass(frozen=True, eq=False)
class Census:
    """Residents by area and by cell of sex and age band.

    `residents` (areas, cells): people, areas as `area_of_zone` (zones + 1,) numbers them, the last one `outside`, where nobody
    is counted. `cell_of_group` (groups,): the cell that the persons of a group (sex x age band) are of, -1 where the census
    does not tell such people apart.
    """

    level: str
    areas: tuple[str, ...]
    residents: FloatArray
    area_of_zone: IntArray
    cell_of_group: IntArray

    @property
    def total(self) -> float:
        """All residents."""
        return float(self.residents.sum())


@dataclass(frozen=True, eq=False)
class Scaling:
    """What each person stands for: `weight` (areas, groups), people; and how many residents no person of theirs was like."""

    census: Census
    weight: FloatArray
    shared_out: float

    def of(self, people: People) -> FloatArray:
        """The weights of a block of persons, people, shape (persons,)."""
        return self.weight[self.census.area_of_zone[people.home], people.klass // 2]


def read(data: pd.DataFrame | str | Path, zoning: Zoning, domain: Domain) -> Census:
    """A census from a table with a row a cell: an area (of any level), sex and age band where known, and the people in n.

    Age bands may be others than ours: 'Age 16 to 17' or '90 and over' are split as if every year of age had as many people.
    FormatError where a row is of no area or category, is there twice, or is no number of people.
    """
    frame, where = rows.read_frame("census", data)
    area = next((name for name in AREA_COLUMNS if name in frame.columns), None)
    if area is None:
        raise FormatError(f"{where} has no column of areas: give residents (n) by one of {', '.join(AREA_COLUMNS)}.")
    table = rows.rows("census", frame, COLUMNS, (AREA,), {AREA: area})
    people = rows.counts("census", table, 0.0)
    level = _level(table.labels[AREA], zoning, where)
    axis = Axis(AREA, zoning.level_labels(level))
    at = rows.codes("census", axis, table.labels[AREA], {})
    sexes, ages = _sexes(table, domain), _ages(table, domain, where)
    cells = sexes[:, :, None] * ages[:, None, :]  # (rows, sexes, ages): the share of a row's people that each group has
    residents = np.zeros((axis.size, cells[0].size))
    np.add.at(residents, at, people[:, None] * cells.reshape(len(people), -1))
    return Census(level, axis.labels, residents, zoning.parent_of(level), _cells(sexes, ages, table))


def scale(census: Census, persons: IntArray) -> Scaling:
    """The weights that make persons, counted by area and group, shape (areas, groups), the residents of a census.

    FormatError where persons live in an area of which the census counts nobody.

    >>> one = Census("district", ("A", "outside"), np.array([[30.0, 10.0], [0.0, 0.0]]), np.array([0, 1]), np.array([0, 1, -1]))
    >>> scale(one, np.array([[10, 5, 5], [0, 0, 2]])).weight[0].tolist()
    [2.25, 1.5, 2.0]
    """
    residents, here = census.residents.sum(axis=1), persons.sum(axis=1)
    inside = slice(0, len(census.areas) - 1)
    if (strange := np.flatnonzero((residents[inside] == 0) & (here[inside] > 0))).size:
        raise FormatError(
            f"The census has no people in {census.areas[strange[0]]!r}, where synthetic persons live: give residents of every "
            f"{census.level}.")
    average = residents / np.maximum(here, 1)
    average[-1] = residents.sum() / max(int(here[inside].sum()), 1)  # who lives outside is counted in no area
    told = census.cell_of_group >= 0
    in_cell = told[:, None] & (census.cell_of_group[:, None] == np.arange(census.residents.shape[1]))
    cells = persons @ in_cell.astype(np.float64)
    found = np.where(cells > 0, census.residents, 0.0)
    kept = residents * cells.sum(axis=1) / np.maximum(here, 1)
    wanted = found * (kept / np.maximum(found.sum(axis=1), 1e-300))[:, None]
    by_cell = np.divide(wanted, cells, out=np.zeros_like(wanted), where=cells > 0)
    # Where the census has nobody of any kind that lives here, its people are those who do.
    by_cell = np.where((found.sum(axis=1) > 0)[:, None], by_cell, average[:, None])
    weight = np.where(told, by_cell[:, np.maximum(census.cell_of_group, 0)], average[:, None])
    weight[-1] = average[-1]
    return Scaling(census, weight, float(census.residents.sum() - found.sum()))


def _level(areas: list[str], zoning: Zoning, where: str) -> str:
    """The coarsest level that has all areas."""
    for level in reversed(zoning.levels):
        if set(areas) <= set(level.labels):
            return level.name
    strange = min(set(areas) - set(zoning.levels[-1].labels))
    raise FormatError(
        f"{where} has the area {strange[:60]!r}, none of the zoning's: give one level of it whole, such as its districts "
        f"{', '.join(zoning.levels[-1].labels[:4])} ...")


def _sexes(table: rows.Rows, domain: Domain) -> FloatArray:
    """Which sex each row is of, shape (rows, sexes); without the column a row is of a cell for all."""
    if "sex" not in table.labels:
        return _first(len(table.counts), len(domain.sex))
    return np.eye(len(domain.sex))[rows.codes("census", Axis("sex", domain.sex), [s.lower() for s in table.labels["sex"]], {})]


def _ages(table: rows.Rows, domain: Domain, where: str) -> FloatArray:
    """The share of each row that each of our bands has, shape (rows, bands)."""
    if "age_band" not in table.labels:
        return _first(len(table.counts), len(domain.age_band))
    return np.stack([_share_of(label, domain, where) for label in table.labels["age_band"]])


def _share_of(label: str, domain: Domain, where: str) -> FloatArray:
    if label in domain.age_band:
        return np.eye(len(domain.age_band))[domain.age_band.index(label)]
    published = rows.ages_of(label)
    if published is None:
        raise FormatError(f"{where} has the age band {label[:60]!r}: give bands such as {domain.age_band[0]!r} or 'Age 16 to 17'.")
    ours = [rows.ages_of(band) for band in domain.age_band]
    return np.array([0.0 if band is None else rows.share_of_band(label, published, band) for band in ours])


def _first(n: int, size: int) -> FloatArray:
    """All in the first of `size` places."""
    return np.eye(size)[np.zeros(n, dtype=np.int64)]


def _cells(sexes: FloatArray, ages: FloatArray, table: rows.Rows) -> IntArray:
    """The cell of each group; -1 for a sex or age of which the census has no row."""
    n_ages = ages.shape[1]
    has_sex, has_age = sexes.sum(axis=0) > 0, ages.sum(axis=0) > 0
    by_sex, by_age = "sex" in table.labels, "age_band" in table.labels
    sex, age = np.divmod(np.arange(sexes.shape[1] * n_ages), n_ages)
    known = (has_sex[sex] | (not by_sex)) & (has_age[age] | (not by_age))
    return np.where(known, (sex if by_sex else 0) * n_ages + (age if by_age else 0), -1)


def described(scaling: Scaling) -> dict[str, Any]:
    """What the manifest says of weights."""
    census = scaling.census
    return {"people": round(census.total), "level": census.level, "areas": len(census.areas) - 1,
            "residents_like_no_person": round(scaling.shared_out)}  # fmt: skip
