"""The comparisons, under one name: with the truth (inside, confidential), with a release of it (outside), with one made for it."""

from __future__ import annotations

from synthmob.fidelity.inside import compare_inside
from synthmob.fidelity.outside import compare_outside, compare_published
from synthmob.fidelity.result import Fidelity, Finding, TableFit
from synthmob.fidelity.sides import Tables

__all__ = ["Fidelity", "Finding", "TableFit", "Tables", "compare_inside", "compare_outside", "compare_published"]
