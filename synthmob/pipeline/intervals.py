"""intervals: a release and people made from it in, every count with where the exact one lies out. Anyone's side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from synthmob import folders, manifest, modelfile
from synthmob.errors import InputError
from synthmob.fidelity import people
from synthmob.fidelity.intervals import LEVEL, CellIntervals, check_level, chosen_codes
from synthmob.fidelity.pairs import telling
from synthmob.pipeline.places import check_file, check_folder
from synthmob.release import Release
from synthmob.synthesis.days import Population, generate

SEEDS, MOST_SEEDS = 2, 20
LEAST_PERSONS, MOST_PERSONS = 1_000, 200_000
ENDS = ("estimate", "low", "high")


@dataclass(frozen=True)
class Wanted:
    """Which cells: of one table or of all, with these labels on these axes."""

    table: str | None = None
    where: Mapping[str, str] | None = None
    level: float = LEVEL

    def narrowed(self, release: Release) -> Release:
        """The release with the wanted table and one that says how many people there are; InputError where there is no such cell."""
        check_level(self.level)
        if self.table is None:
            if self.where:
                raise InputError("Labels are those of one table's axes: give --table too, or leave --where out.")
            return release
        tables = release.marginals
        if self.table not in tables:
            raise InputError(f"The release has no table {self.table!r}: it has {', '.join(tables)}.")
        chosen_codes(tables[self.table], self.where or {})
        scaled_by = [name for name in telling(tables) if len(tables[name].values)]
        return replace(release, marginals={name: tables[name] for name in dict.fromkeys((self.table, *scaled_by[:1]))})

    def of(self, found: Sequence[CellIntervals]) -> tuple[CellIntervals, ...]:
        """Those cells; InputError where the table cannot be compared with the people."""
        if self.table is None:
            return tuple(found)
        chosen = [each for each in found if each.table == self.table]
        if not chosen:
            raise InputError(f"Table {self.table!r} cannot be compared with these people: they lack its days or events, generate others.")
        return (chosen[0].chosen(self.where or {}),)


def intervals(
    release: Path, made: Sequence[Path], wanted: Wanted, target: Path | None = None, *, seeds: int = SEEDS, persons: int | None = None
) -> tuple[tuple[CellIntervals, ...], tuple[str, ...]]:
    """Intervals by the OUT folders `made`, or by one MODEL from which `seeds` populations are generated; a table file to `target`."""
    check_folder(release, "release.json", "release")
    if target is not None:
        check_file(target)
        if target.suffix not in (".csv", ".parquet"):
            raise InputError(f"{target.name} has no ending that is known: name a file of .csv or .parquet.")
    if not 1 <= seeds <= MOST_SEEDS:
        raise InputError(f"{seeds} seeds were asked for: give 1 to {MOST_SEEDS}.")
    told = wanted.narrowed(Release.load(release))
    found, notes = people.intervals(told, _populations(told, made, seeds, persons), wanted.level)
    chosen = wanted.of(found)
    if target is not None:
        inputs = {"release": release} | {f"people{k}": path for k, path in enumerate(made)}
        parameters = {"table": wanted.table, "where": dict(wanted.where or {}), "level": wanted.level, "seeds": seeds, "persons": persons}
        said = manifest.compose("intervals", parameters, inputs=inputs, packages=("duckdb",), rho_spent=0.0)
        _write(frame(chosen), target)
        manifest.write(said, manifest.beside(target))
    return chosen, notes


def _populations(release: Release, made: Sequence[Path], seeds: int, persons: int | None) -> list[Population | Path]:
    models = [path for path in made if (path / modelfile.MARK).is_file()]
    if not models:
        for path in made:
            check_folder(path, "persons.parquet", "MODEL or an OUT")
        return list(made)
    if len(made) > 1:
        raise InputError("Several populations are several OUT folders: give those, or one MODEL with --seeds.")
    model = modelfile.load(models[0])
    size = int(np.clip(_subscribers(release), LEAST_PERSONS, MOST_PERSONS)) if persons is None else persons
    return [generate(model, n_persons=size, days=model.period.days, seed=seed) for seed in range(1, seeds + 1)]


def _subscribers(release: Release) -> float:
    """About how many people the release speaks of: the largest total of a table of persons."""
    told = [t.total for name, t in release.marginals.items() if name.partition("@")[0] in ("demographics", "home")]
    return max(told, default=float(LEAST_PERSONS))


def frame(found: Sequence[CellIntervals]) -> Any:
    """The cells as a pandas table: a column an axis where it is one table, `table` and `cell` where it is several."""
    import pandas as pd

    parts: list[Any] = []
    for each in found:
        axes = each.released.axes
        labels = {axis.name: [axis.label(code) for code in each.codes[:, k]] for k, axis in enumerate(axes)}
        if len(found) > 1:
            cells = [", ".join(f"{name}={label}" for name, label in zip(labels, row, strict=True))
                     for row in zip(*labels.values(), strict=True)]  # fmt: skip
            labels = {"table": [each.table] * len(cells), "cell": cells}
        ends = {name: np.round(getattr(each, name), 2) for name in ENDS}
        parts.append(pd.DataFrame({**labels, **ends, "published": each.published}))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _write(table: Any, target: Path) -> None:
    """The file whole or not at all."""
    with folders.file_aside(target) as aside:
        if target.suffix == ".parquet":
            table.to_parquet(aside, index=False)
        else:
            table.to_csv(aside, index=False, lineterminator="\n")
