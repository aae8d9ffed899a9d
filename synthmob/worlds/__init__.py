"""A made-up operator with known truth: for the demonstration, the tests and the notebooks."""

from __future__ import annotations

from synthmob.worlds.parameters import Centre, Rates, WorldParameters
from synthmob.worlds.world import World, london

__all__ = ["Centre", "Rates", "World", "WorldParameters", "london"]
