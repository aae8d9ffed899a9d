"""Destinations of a sample of lives without most of its chance: control variates for where places are, and for returns to them.

What lives go to anew is drawn from a law that is known, so the law may be counted in place of the draw. Who returns goes where the draw
was. As often as people return to a place on average, whatever it is, law less draw is added once more: its expectation is nothing,
and the chance of the draw is gone from most of the returns (Owen 2013, Monte Carlo theory, methods and examples, chapter 8.9).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthmob.model.reconcile import FloatArray

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Variates:
    """New places of lives: the sum of the `laws` they were drawn from and the places `drawn`, (purposes, births, zones), how many were
    `made` and how often lives were there `again`, (purposes, births). Births are days of lives, and one more for places not remembered."""

    laws: FloatArray
    drawn: FloatArray
    made: FloatArray
    again: FloatArray

    @staticmethod
    def empty(purposes: int, days: int, zones: int) -> Variates:
        """Nothing counted so far."""
        shape = (purposes, days + 1)
        return Variates(np.zeros((*shape, zones)), np.zeros((*shape, zones)), np.zeros(shape), np.zeros(shape))

    def draw(self, purpose: IntArray, birth: int, zone: IntArray, worth: FloatArray) -> None:
        """Count places drawn, whose laws have been added, for what each is worth."""
        np.add.at(self.drawn[:, birth], (purpose, zone), worth)
        np.add.at(self.made[:, birth], purpose, worth)

    def back(self, purpose: IntArray, birth: IntArray, worth: FloatArray) -> None:
        """Count returns to places of these births, for what each is worth."""
        np.add.at(self.again, (purpose, birth), worth)

    def correction(self) -> FloatArray:
        """What to add to the places that all stays were drawn at, (purposes, zones)."""
        stays = 1.0 + self.again / np.maximum(self.made, 1.0)
        return (stays[:, :, None] * (self.laws - self.drawn)).sum(axis=1)
