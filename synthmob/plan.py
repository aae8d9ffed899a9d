"""What is asked of the records: which tables, how exactly, and what each may cost.

A plan is data. The standard one can be changed by a TOML file (drop a table, move shares, coarsen a category); the records can
never change it. `resolve` makes it concrete for a public zoning and period: levels spelled out, tables that make no sense for
one day left out, shares normalised to the whole budget.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, cast

from synthmob import accounting, folders
from synthmob.domain import Domain
from synthmob.errors import PlanError
from synthmob.period import Period
from synthmob.request import MODES, STANDARD, USAGE, Request
from synthmob.zones import Zoning

MIN_GROUP = 50
LEAST_GROUP = 10
LARGEST_GROUP = 10**9
MAX_CATEGORIES, LONGEST_CATEGORY, MAX_EDGES = 200, 100, 500
MAX_DISTANCE_EDGES = 126
"""A way's distance band is kept in eight bits with a sign, for every pair of zones, and one more is next to outside."""
RANGES = {"share": (1e-6, 1e6), "bound_l2": (1e-3, 1e3)}
"""What a plan file may give a table; a share may be 0 as well, which leaves the table out."""
LONGEST_KM = 1e5
LONGEST_MIN = {"duration_edges_min": 1440, "travel_edges_min": 240}
"""Where the last bin of stays and of trips ends, min: every edge lies before it."""
ROUNDING_SLACK = 1.0 + 2e-6
"""Noise is scaled to a bound this much larger, so that fixed-point rounding at the bound is covered."""


@dataclass(frozen=True)
class Plan:
    """Tables, budget and the group size of the cut; `resolved` once levels and shares are concrete."""

    epsilon: float
    delta: float
    min_group: int = MIN_GROUP
    requests: tuple[Request, ...] = (*STANDARD, *USAGE)
    domain: Domain = field(default_factory=Domain)
    resolved: bool = False
    dropped: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not (math.isfinite(self.epsilon) and self.epsilon > 0):
            raise PlanError(f"The plan's epsilon is {self.epsilon}: give a number above 0, such as 1.")
        if not 0 < self.delta < 1:
            raise PlanError(f"The plan's delta is {self.delta}: give a number between 0 and 1, such as 1e-6.")
        if not 1 <= self.min_group <= LARGEST_GROUP:
            wanted = "at least 1" if self.min_group < 1 else f"at most {LARGEST_GROUP}"
            raise PlanError(f"The plan's smallest group is {self.min_group}: give a whole number of {wanted}.")
        if not self.requests:
            raise PlanError("The plan asks for no table: keep at least one share above 0.")

    @staticmethod
    def standard(epsilon: float = 1.0, delta: float = 1e-6, *, min_group: int = MIN_GROUP) -> Plan:
        """The standard plan at a budget.

        >>> round(Plan.standard(1.0, 1e-6).rho, 5)
        0.02436
        """
        return Plan(epsilon, delta, min_group)

    @property
    def rho(self) -> float:
        """The whole budget as zero-concentrated differential privacy."""
        return accounting.rho_from(self.epsilon, self.delta)

    def rho_of(self, request: Request) -> float:
        """What one table of a resolved plan costs."""
        return self.rho * request.share / sum(r.share for r in self.requests)

    def sigma_of(self, request: Request) -> float:
        """The standard deviation of a table's noise, in persons."""
        return accounting.sigma_for(request.bound_l2 * ROUNDING_SLACK, self.rho_of(request))

    def check_group(self, *, accepted: bool) -> None:
        """Refuse a group size under 10 unless the user has said that this is a study and never a release."""
        if self.min_group < LEAST_GROUP and not accepted:
            raise PlanError(
                f"The smallest group asked for is {self.min_group}, under {LEAST_GROUP}: such tables are for a study of the model "
                "and never a release, say --i-accept if that is what you want."
            )

    def resolve(
        self, zoning: Zoning, period: Period, *, attributes: tuple[str, ...], modes: bool, usage: tuple[str, ...] = ()
    ) -> Plan:
        """The concrete plan for a public zoning and period, and for the columns that the records are declared to have.

        `usage` are those of the events that say what they are; without any of them usage is not spoken of.
        """
        domain = self.domain
        lost = tuple(a for a in domain.attributes if a not in attributes)
        if lost:
            domain = replace(
                domain, attributes=tuple(a for a in domain.attributes if a in attributes),
                **dict.fromkeys(lost, ("other",)))
        dropped = [f"attribute {name}" for name in lost]
        requests: list[Request] = []
        for request in self.requests:
            if request.share <= 0:
                dropped.append(request.name)
            elif request.needs_days > period.days:
                dropped.append(f"{request.name} (one day only)")
            elif request.statistic in MODES and not modes:
                dropped.append(f"{request.statistic} (no such column)")
            elif not set(request.needs_columns) <= set(usage):
                dropped.extend([f"{request.name} (no such column)"] if usage else [])
            else:
                requests.extend(self._concrete(request, zoning, period))
        total = sum(r.share for r in requests)
        scaled = tuple(replace(r, share=r.share / total) for r in requests)
        return replace(self, requests=scaled, domain=domain, resolved=True, dropped=tuple(dropped))

    @staticmethod
    def _concrete(request: Request, zoning: Zoning, period: Period) -> list[Request]:
        """One request per level that it means, its bound over all axes."""
        names = [level.name for level in zoning.levels]
        if request.level == "below":
            levels = [n for n in names if n != "district"]
        elif request.level == "finest":
            levels = [n for n in (zoning.flow_level,) if n != "district"]
        elif request.level in ("", *names):
            levels = [request.level]
        else:
            raise PlanError(f"The plan asks for level {request.level!r}: this zoning has {', '.join(names)}.")
        bound = request.bound(period.days, len(period.day_types))
        return [
            replace(request, level=level, bound_l2=bound, bound_many_l2=None, per_day_type=False, needs_days=1,
                    share=request.share / len(levels))
            for level in levels
        ]

    def as_json(self) -> dict[str, Any]:
        """The plan as plain data."""
        return {
            "epsilon": self.epsilon, "delta": self.delta, "rho": self.rho, "min_group": self.min_group,
            "domain": asdict(self.domain), "dropped": list(self.dropped),
            "tables": [{"name": r.name, "statistic": r.statistic, "level": r.level, "share": r.share, "rho": self.rho_of(r),
                        "bound_l2": r.bound_l2, "sigma": self.sigma_of(r)} for r in self.requests],
        }

    @staticmethod
    def read(path: str | Path, epsilon: float, delta: float, *, min_group: int | None = None) -> Plan:
        """The standard plan changed by a TOML file: `min_group`, `[domain]` categories, `[tables.NAME]` share and bound_l2."""
        where = Path(path)
        table = folders.read_toml(where, "plan", PlanError, "name a TOML file, see docs/PRIVACY.md for one")
        if unknown := set(table) - {"min_group", "domain", "tables"}:
            raise PlanError(f"{where} has an entry {min(unknown)!r}: a plan has min_group, domain and tables.")
        requests = _changed(where, table.get("tables", {}))
        group = min_group if min_group is not None else table.get("min_group", MIN_GROUP)
        if type(group) is not int:
            raise PlanError(f"{where} has min_group {group!r}: give a whole number.")
        return Plan(epsilon, delta, group, requests, domain_from(table.get("domain", {}), str(where)))


def _changed(where: Path, tables: Any) -> tuple[Request, ...]:
    """The standard requests with the entries of a plan file laid over them."""
    known = {r.name: r for r in (*STANDARD, *USAGE)}
    if not isinstance(tables, Mapping):
        raise PlanError(f"{where} has tables {tables!r}: write one [tables.\"NAME\"] for each table to change.")
    for name, change in tables.items():
        if name not in known:
            raise PlanError(f"{where} names a table {name!r}: the standard plan has {', '.join(known)}.")
        if not isinstance(change, Mapping) or set(change) - {"share", "bound_l2"}:
            raise PlanError(f"{where} changes {name!r} in a way that is not known: give share or bound_l2.")
        for key, value in change.items():
            least, most = RANGES[key]
            if type(value) not in (int, float) or not (least <= value <= most or (key == "share" and value == 0)):
                wanted = f"at least {0.0 if key == 'share' else least:g} and at most {most:g}"
                raise PlanError(f"{where} gives {name!r} a {key} of {value!r}: give a number of {wanted}.")
        asked = {str(k): float(v) for k, v in change.items()}
        known[name] = replace(known[name], **asked, **({"bound_many_l2": None} if "bound_l2" in asked else {}))
    return tuple(known.values())


def domain_from(table: Any, where: str) -> Domain:
    """A Domain from plain data; PlanError where it is no table of entries, or an entry is unknown or not a list."""
    if not isinstance(table, Mapping):
        raise PlanError(f"{where} has a domain {table!r}: give a table of categories and bin edges.")
    names = {f.name for f in fields(Domain)}
    if unknown := set(table) - names:
        raise PlanError(f"{where} has a domain entry {min(unknown)!r}: known are {', '.join(sorted(names))}.")
    values: dict[str, Any] = {}
    for name, value in table.items():
        if name == "max_chain_stays":
            if type(value) is not int or not 2 <= value <= 10:
                raise PlanError(f"{where} has max_chain_stays {value!r}: give a whole number from 2 to 10.")
            values[name] = value
        else:
            values[name] = _edges(name, value, where) if "_edges_" in name else _labels(name, value, where)
    return Domain(**values)


def _labels(name: str, value: object, where: str) -> tuple[str, ...]:
    """Distinct categories; a chain joins its purposes by hyphens, so these have none. Only attributes may be none at all."""
    given = isinstance(value, list | tuple)
    found = list(cast(list[Any], value)) if given else []
    banned = "-" if name == "purposes" else "\n"
    good = all(isinstance(v, str) and v.isprintable() and 0 < len(v) <= LONGEST_CATEGORY and banned not in v for v in found)
    if not given or (not found and name != "attributes") or len(found) > MAX_CATEGORIES or not good:
        hint = " without a hyphen" if name == "purposes" else ""
        raise PlanError(f"{where} has {name} {value!r}: give a list of categories, each a short text{hint}.")
    if len(set(found)) != len(found):
        raise PlanError(f"{where} has a category of {name} twice: give distinct ones.")
    return tuple(found)


def _edges(name: str, value: object, where: str) -> tuple[float, ...]:
    """Bin edges: finite numbers, whole ones below the longest stay or trip where they are minutes."""
    found = list(cast(list[Any], value)) if isinstance(value, list | tuple) else []
    most = LONGEST_MIN.get(name, LONGEST_KM)
    kinds = (int,) if name in LONGEST_MIN else (int, float)
    allowed = MAX_DISTANCE_EDGES if name == "distance_edges_km" else MAX_EDGES
    if not 0 < len(found) <= allowed or not all(type(v) in kinds and 0 <= v < most for v in found):
        hint = f"whole minutes below {most}" if name in LONGEST_MIN else f"numbers below {most:g}"
        raise PlanError(f"{where} has {name} {value!r}: give a list of bin edges, {hint}, at most {allowed} of them.")
    return tuple(found)
