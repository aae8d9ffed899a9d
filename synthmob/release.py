"""A release: noisy tables and what is known of their noise, in one folder that is readable without us.

    RELEASE/release.json            what was asked, at what privacy, with what noise, and how to read the tables
    RELEASE/tables/<name>.parquet   one column of labels per axis, and `count` in persons

Everything downstream starts here. A release holds nothing exact: a confidential marginal is refused, and `info` has
room for public things alone. One that comes from a stranger is data, never code: it is checked before it is believed.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from synthmob import accounting, folders, published, releasecheck, tablefiles
from synthmob.domain import AnyAxis, Domain
from synthmob.errors import ConfidentialError, FormatError
from synthmob.ledger.chain import Head
from synthmob.marginals import Marginal
from synthmob.zones import Zoning

if TYPE_CHECKING:
    import pandas as pd

FORMAT = "synthmob release"
FORMAT_VERSION = 1
TABLE_NAME = re.compile(r"[a-z0-9_@]{1,80}")
INFO_KEYS = ("privacy", "plan", "period", "source", "zoning", "ledger", "versions", "notes")
"""What a release may say beside its tables. There is no room for a path, a time or a size of the records."""
CLAIM = "differential privacy"
PEOPLE_ASKED = (0, 10, 49)
"""The true counts for which a release says how likely a cell of so many people is to be published."""
HOW_TO_READ = (
    "A row is a cell of the table whose noisy count of persons is at least the cut. A cell that is missing was below "
    "the cut: that is not zero. `sigma` is the standard deviation of the noise in persons, so the noise is within "
    "2 sigma 19 times in 20. The cut is policy on top of the noise, not a guarantee that a cell has so many people."
)
HOLDS = ("release.json", "manifest.json", "tables")
MAX_TABLES = 1_000
MAX_NUMBERS = 60_000_000
"""The most numbers in all tables together, half a gigabyte of them."""
_ROUNDING = 1e-6


def privacy(epsilon: float, delta: float, rho: float) -> dict[str, Any]:
    """The `privacy` entry of a release with differential privacy: the unit in words and the whole budget."""
    return {
        "claim": CLAIM,
        "unit": "one subscriber with all their records over the whole period",
        "neighbours": "two sets of records are neighbours if one subscriber is added or removed",
        "group": "a household of k subscribers has k squared times the rho, roughly k times the epsilon",
        "epsilon": epsilon,
        "delta": delta,
        "rho": rho,
        "conversion": "zero-concentrated differential privacy, rho summed over the tables and converted once "
        "(Canonne, Kamath, Steinke 2020, Proposition 12 in v4, arXiv:2004.00010)",
        "noise": "discrete Gaussian on a grid of 1/1024 person, on all cells of the public domain, empty ones included",
    }


def versions() -> dict[str, str]:
    """The versions of what made a release; what is not installed as a package is left out."""
    found = {"python": ".".join(str(part) for part in sys.version_info[:3])}
    for name in ("synthmob", "opendp", "numpy", "pyarrow"):
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


@dataclass(frozen=True, eq=False)
class Release:
    """Released tables by name, and `info`: plain JSON data under the keys of INFO_KEYS, `privacy` always among them."""

    marginals: dict[str, Marginal]
    info: dict[str, Any]

    def __post_init__(self) -> None:
        for name, marginal in self.marginals.items():
            _check_marginal(name, marginal)
        if unknown := set(self.info) - set(INFO_KEYS):
            raise FormatError(
                f"The release's info has an entry {min(unknown)!r}: it may have {', '.join(INFO_KEYS)} only."
            )
        try:
            json.dumps(self.info, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise FormatError(
                f"The release's info cannot be written as JSON ({error}): give plain numbers and text."
            ) from None
        if not self.marginals:
            raise FormatError("The release has no table: a plan must keep at least one, measure again.")
        if not isinstance(self.info.get("privacy"), Mapping) or self.claim not in (CLAIM, published.NO_CLAIM):
            raise FormatError(
                f"The release does not say what privacy it claims: info['privacy'] needs a claim of '{CLAIM}' or "
                f"'{published.NO_CLAIM}'."
            )
        if self.claims_privacy:
            self._check_budget()
        if self.head is not None and self.head.line < 1:
            raise FormatError("The release names line 0 of a ledger, which is before its first: it is damaged.")

    @property
    def head(self) -> Head | None:
        """The line of the owner's ledger that this release was paid by, None where none was kept."""
        return Head.from_json(self.info["ledger"], "The release") if "ledger" in self.info else None

    @property
    def claim(self) -> str:
        """What is claimed: 'differential privacy', or 'none claimed' for tables published by others."""
        return str(self.info["privacy"].get("claim"))

    @property
    def claims_privacy(self) -> bool:
        """Whether the tables hold noise that keeps differential privacy."""
        return self.claim == CLAIM

    @property
    def rho(self) -> float:
        """The zCDP cost of all tables together, from their bounds and noise; 0 where no privacy is claimed."""
        if not self.claims_privacy:
            return 0.0
        return accounting.compose(accounting.rho_of(m.bound_l2, m.sigma) for m in self.marginals.values())

    def _check_budget(self) -> None:
        for marginal in self.marginals.values():
            if not (marginal.sigma > 0 and marginal.bound_l2 > 0):
                raise FormatError(
                    f"Table {marginal.name!r} has no noise where differential privacy is claimed: measure again."
                )
        epsilon, delta, stated = (self._budget(key) for key in ("epsilon", "delta", "rho"))
        if self.rho > stated * (1 + _ROUNDING):
            raise FormatError(
                f"The release's tables spend rho {self.rho:.6g} but it states {stated:.6g}: do not trust it, ask again."
            )
        if accounting.delta_of(stated, epsilon) > delta * (1 + _ROUNDING):
            raise FormatError(
                f"The release states rho {stated:.6g}, which is more than epsilon {epsilon:g} at delta {delta:g} pays "
                "for: do not trust it, ask again."
            )

    def _budget(self, key: str) -> float:
        value = self.info["privacy"].get(key)
        number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
        if not (math.isfinite(number) and number > 0) or (key == "delta" and number >= 1):
            least = "a number above 0" + (" and below 1" if key == "delta" else "")
            raise FormatError(f"The release claims differential privacy with {key} {value!r}: it needs {least}.")
        return number

    def save(self, folder: str | Path) -> Path:
        """Write the release, whole or not at all: an earlier one in its place is replaced, another folder refused."""
        target = Path(folder).resolve()
        with folders.written_aside(target, "release", "release.json", ("manifest.json", "tables")) as work:
            (work / "tables").mkdir()
            axes = tablefiles.AxisBook()
            entries = {
                name: {**tablefiles.write(self.marginals[name], work / _file(name), axes), **self._facts(name)}
                for name in sorted(self.marginals)
            }
            text = {
                "format": FORMAT, "format_version": FORMAT_VERSION,
                "how_to_read": HOW_TO_READ if self.claims_privacy else published.HOW_TO_READ,
                **{key: self.info[key] for key in INFO_KEYS if key in self.info},
                "rho_spent": self.rho, "tables": entries, "axes": axes.entries,
            }  # fmt: skip
            (work / "release.json").write_text(folders.json_text(text), encoding="utf-8")
        return target

    def _facts(self, name: str) -> dict[str, Any]:
        m = self.marginals[name]
        chances = {str(k): accounting.probability_published(k, m.sigma, m.cut) for k in PEOPLE_ASKED}
        rho = accounting.rho_of(m.bound_l2, m.sigma) if self.claims_privacy else 0.0
        return {
            "domain_cells": math.prod(m.shape), "cells": len(m.values), "bound_l2": m.bound_l2, "sigma": m.sigma,
            "cut": m.cut, "rho": rho, "probability_published_by_people": chances,
        }  # fmt: skip

    @staticmethod
    def load(folder: str | Path) -> Release:
        """Read a release and check it; FormatError says what is wrong with one that is not what it claims to be."""
        where = Path(folder)
        content = folders.read_json(where / "release.json", "release")
        if content.get("format") != FORMAT or content.get("format_version") != FORMAT_VERSION:
            raise FormatError(
                f"{where} has format {content.get('format')!r} version {content.get('format_version')!r}: "
                f"this synthmob reads {FORMAT!r} version {FORMAT_VERSION}, use the one that wrote it."
            )
        folders.check_holds(where, "release", HOLDS)
        release = Release(_tables(where, content), {key: content[key] for key in INFO_KEYS if key in content})
        folders.check_holds(where / "tables", "release", [f"{name}.parquet" for name in release.marginals])
        releasecheck.check(release.info, release.marginals, private=release.claims_privacy)
        releasecheck.check_facts("its tables", content, {"rho_spent": release.rho})
        for name in release.marginals:
            releasecheck.check_facts(f"table {name!r}", content["tables"][name], release._facts(name))
        return release

    @staticmethod
    def from_tables(
        tables: Mapping[str, pd.DataFrame | str | Path],
        *,
        zoning: Zoning,
        threshold: float,
        universe: str | Mapping[str, str],
        source: str,
        licence: str,
        domain: Domain | None = None,
        columns: Mapping[str, Mapping[str, str]] | None = None,
        rounding: float = 0.0,
    ) -> Release:
        """Tables that others have published, a census or a k-suppressed extract, as a release that claims no privacy.

        See `published.take` for the arguments and for what is refused.
        """
        marginals, source_info = published.take(
            tables, zoning=zoning, threshold=threshold, universe=universe, source=source, licence=licence,
            domain=domain or Domain(), columns=columns or {}, rounding=rounding)  # fmt: skip
        return Release(marginals, {"privacy": published.privacy(), "source": source_info, "versions": versions()})


def _check_marginal(name: str, marginal: Marginal) -> None:
    if name != marginal.name or not TABLE_NAME.fullmatch(name):
        raise FormatError(
            f"A table is filed as {name!r} and named {marginal.name!r}: both must be one name of a-z, 0-9, _ and @."
        )
    if marginal.confidential:
        raise ConfidentialError(
            f"Table {name!r} holds exact counts of real records: only noisy ones may enter a release, use measure."
        )
    if len(set(marginal.axis_names)) != len(marginal.axes) or "count" in marginal.axis_names:
        raise FormatError(
            f"Table {name!r} has axes {', '.join(marginal.axis_names)}: each needs its own name, other than 'count'."
        )
    if not all(math.isfinite(v) for v in (marginal.sigma, marginal.cut, marginal.bound_l2)):
        raise FormatError(f"Table {name!r} has a sigma, cut or bound that is not finite: ask for it again.")
    if len(marginal.values) and float(marginal.values.min()) < marginal.cut:
        raise FormatError(
            f"Table {name!r} has a count of {float(marginal.values.min()):g} under its cut of "
            f"{marginal.cut:g}: it is damaged."
        )


def _tables(where: Path, content: Mapping[str, Any]) -> dict[str, Marginal]:
    """The tables that release.json lists, read one after the other."""
    entries, axes = content.get("tables"), content.get("axes")
    if not isinstance(entries, dict) or not isinstance(axes, dict) or len(cast(dict[str, Any], entries)) > MAX_TABLES:
        raise FormatError(
            f"{where / 'release.json'} lists no tables, or more than it can: it is damaged, ask for it again."
        )
    if sum(map(tablefiles.n_numbers, cast(dict[str, Any], entries).values())) > MAX_NUMBERS:
        raise FormatError(f"{where / 'release.json'} lists tables of more than {MAX_NUMBERS:,} numbers: that is no release of ours.")
    marginals: dict[str, Marginal] = {}
    known: dict[str, AnyAxis] = {}
    for name, entry in cast(dict[str, Any], entries).items():
        if not TABLE_NAME.fullmatch(name):
            raise FormatError(f"{where} names a table {name[:80]!r}: names have a-z, 0-9, _ and @ only.")
        marginals[name] = tablefiles.read(name, entry, cast(dict[str, Any], axes), where / _file(name), known)
    return marginals


def _file(name: str) -> str:
    return f"tables/{name}.parquet"
