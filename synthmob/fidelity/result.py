"""What a comparison found: metrics with their floor, baseline and ratio, released tables with their residuals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, TypeVar, cast

from synthmob.errors import FormatError

HEADLINES = {
    "inside": "INSIDE, CONFIDENTIAL: computed from private records",
    "outside": "OUTSIDE: computed against the release",
}
"""The first line of every report, by kind."""
WORDS = ("anchors", "flows", "routines", "usage")
GOAL = 1.5
MOST, LONGEST_TEXT, LARGEST = 1_000, 500, 1e15
"""The most metrics, tables or notes of a result, the longest of its texts, and the largest of its numbers."""
NOT_NEGATIVE = ("tolerance", "ratio", "strict_ratio", "cells", "chi2_per_cell", "chi2_floor", "hidden_cells", "hidden_violations")

Record = TypeVar("Record", "Finding", "TableFit")


@dataclass(frozen=True)
class Finding:
    """One metric: its value and its three companions.

    `floor` and `baseline` are values too, not errors. `ratio` is the error over the larger of the floor's error and the
    tolerance, `strict_ratio` over the floor's error alone, None where that is 0.

    """

    name: str
    title: str
    word: str
    unit: str
    value: float
    floor: float
    baseline: float
    tolerance: float
    ratio: float
    strict_ratio: float | None
    best: float
    direction: str
    note: str = ""

    def __post_init__(self) -> None:
        if self.direction not in ("lower", "higher") or self.word not in WORDS:
            raise FormatError(
                f"The metric {self.name!r} has direction {self.direction!r} and word {self.word!r}: they are lower "
                f"or higher, and one of {', '.join(WORDS)}; run check again."
            )

    @classmethod
    def of(
        cls,
        *,
        name: str,
        title: str,
        word: str,
        unit: str,
        value: float,
        floor: float,
        baseline: float,
        tolerance: float,
        best: float,
        direction: str,
        note: str = "",
    ) -> Finding:
        """A finding with its two ratios worked out.

        >>> found = Finding.of(name="sex_tvd", title="Sex", word="anchors", unit="share", value=0.03, floor=0.02,
        ...                    baseline=0.5, tolerance=0.01, best=0.0, direction="lower")
        >>> found.ratio, found.strict_ratio
        (1.5, 1.5)

        """
        error, least = abs(value - best), abs(floor - best)
        return cls(
            name,
            title,
            word,
            unit,
            _short(value),
            _short(floor),
            _short(baseline),
            tolerance,
            _short(error / max(least, tolerance)),
            _short(error / least) if least > 1e-9 else None,
            best,
            direction,
            note,
        )

    @property
    def error(self) -> float:
        """How far the value is from the best."""
        return abs(self.value - self.best)

    @property
    def baseline_error(self) -> float:
        """How far the naive baseline is from the best."""
        return abs(self.baseline - self.best)

    @property
    def verdict(self) -> str:
        """`as good` as another sample (ratio to 1), `goal` (to 1.5), `near` (to 3), `far`, or `no gain`.

        `no gain` is a metric above the goal on which the naive baseline does as well.

        """
        if self.ratio <= 1:
            return "as good"
        if self.ratio <= GOAL:
            return "goal"
        if self.error >= self.baseline_error:
            return "no gain"
        return "near" if self.ratio <= 2 * GOAL else "far"


@dataclass(frozen=True)
class TableFit:
    """One released table beside the same count of the synthetic population, over the cells that were published.

    `chi2_per_cell` is the mean of residual^2 / (noise + sampling variance) and `tvd` is 1 - CPC; `chi2_floor` and
    `floor` are what both would be if the synthetic people were a sample of the exact truth, `noise_floor` the tvd if
    they were the truth itself. `hidden_violations` are suppressed cells in which the synthetic population has clearly
    more people than the cut. `worst_cell` names the published cell of the largest residual, `worst_sd` tells that in standard
    deviations, above 0 where the synthetic people are too many.
    """

    table: str
    cells: int
    chi2_per_cell: float
    chi2_floor: float
    tvd: float
    floor: float
    noise_floor: float
    baseline: float
    ratio: float
    hidden_cells: int
    hidden_violations: int
    note: str = ""
    worst_cell: str = ""
    worst_sd: float = 0.0

    @property
    def shortened(self) -> TableFit:
        """The same in ten significant digits."""
        numbers = {f.name: _short(getattr(self, f.name)) for f in fields(self) if f.type == "float"}
        return replace(self, **numbers)


@dataclass(frozen=True)
class Fidelity:
    """The whole answer. `confidential` ones were computed from private records and stay with their owner."""

    kind: str
    confidential: bool
    n_persons: int
    metrics: tuple[Finding, ...]
    tables: tuple[TableFit, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in HEADLINES:
            raise FormatError(f"A fidelity result is 'inside' or 'outside', not {self.kind!r}: run check again.")
        if self.confidential is not (self.kind == "inside"):
            raise FormatError(
                f"An {self.kind} result that says confidential={self.confidential} is damaged: run check again."
            )

    @property
    def headline(self) -> str:
        """The first line of every report: which of the two it is."""
        return HEADLINES[self.kind]

    def metric(self, name: str) -> Finding:
        """The finding of that name; KeyError where there is none."""
        return {found.name: found for found in self.metrics}[name]

    def as_json(self) -> dict[str, Any]:
        """The result as plain numbers, text and lists."""
        return asdict(self) | {
            "headline": self.headline,
            "metrics": [asdict(found) for found in self.metrics],
            "tables": [asdict(table) for table in self.tables],
            "notes": list(self.notes),
        }

    @classmethod
    def from_json(cls, said: object) -> Fidelity:
        """The result that `as_json` described; FormatError where anything is missing, misnamed, twice or out of range."""
        top = _mapping(said, "The fidelity result")
        if (
            type(n_persons := top.get("n_persons")) is not int
            or not 1 <= n_persons <= LARGEST
            or type(top.get("confidential")) is not bool
        ):
            raise FormatError(
                "The fidelity result has no n_persons or no confidential flag: it is damaged, run check again."
            )
        metrics = tuple(_record(Finding, item) for item in _listed(top, "metrics"))
        tables = tuple(_record(TableFit, item) for item in _listed(top, "tables"))
        notes = tuple(_listed(top, "notes"))
        if len({m.name for m in metrics}) < len(metrics) or len({t.table for t in tables}) < len(tables):
            raise FormatError("The fidelity result has a metric or a table twice: it is damaged, run check again.")
        if not all(isinstance(note, str) and len(note) <= LONGEST_TEXT for note in notes):
            raise FormatError("The fidelity result has a note that is no short text: it is damaged, run check again.")
        return cls(str(top.get("kind"))[:40], bool(top["confidential"]), n_persons, metrics, tables, notes)


def _short(value: float) -> float:
    """Ten significant digits: sums of floats in another order must not change a file."""
    if not math.isfinite(value):
        raise FormatError(f"A metric came out as {value}: the two sides cannot be compared, look at their totals.")
    return float(f"{value:.10g}")


def _mapping(said: object, what: str) -> Mapping[str, Any]:
    if not isinstance(said, Mapping):
        raise FormatError(f"{what} is {type(said).__name__}, not a JSON object: run check again.")
    return cast(Mapping[str, Any], said)


def _listed(top: Mapping[str, Any], key: str) -> Sequence[Any]:
    found = top.get(key)
    if not isinstance(found, list) or len(cast(list[Any], found)) > MOST:
        raise FormatError(f"The fidelity result has no list {key!r} of at most {MOST}: it is damaged, run check again.")
    return cast(list[Any], found)


def _record(kind: type[Record], item: object) -> Record:
    """One record of a list, every field there, none too many, numbers finite."""
    said = _mapping(item, f"A {kind.__name__}")
    names = [field.name for field in fields(kind)]
    if set(said) != set(names):
        odd = min(set(said) ^ set(names))
        raise FormatError(
            f"A {kind.__name__} of the fidelity result lacks or adds {odd!r}: it needs {', '.join(names)}."
        )
    for field in fields(kind):
        _fits(kind.__name__, field.name, str(field.type), said[field.name])
    return kind(**said)


def _fits(kind: str, name: str, wanted: str, value: object) -> None:
    if value is None and "None" in wanted:
        return
    if wanted == "str":
        good = isinstance(value, str) and len(value) <= LONGEST_TEXT
    else:
        number = isinstance(value, int if wanted == "int" else int | float) and not isinstance(value, bool)
        good = number and (0 if name in NOT_NEGATIVE else -LARGEST) <= cast(float, value) <= LARGEST
    if not good:
        raise FormatError(
            f"The {kind} field {name!r} of the fidelity result is {str(value)[:60]!r}, not {wanted} in its range: run check again."
        )
