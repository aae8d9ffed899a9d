"""Synthetic subscribers and their days, from differentially private aggregates of a mobile operator's records.

    model = fit(Release.load("release"), read_zoning("zones.geojson"))
    people = generate(model, n_persons=100_000, days=7, seed=1)
    write(people, "out", workers=2)
    compare(release, people)

Records are measured by `synthmob.private.curator.Curator`, which is not exported here: the word `private` stands in every line
that touches one. Names are imported when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synthmob import worlds
    from synthmob.fidelity.people import compare
    from synthmob.model.mobility import MobilityModel, fit
    from synthmob.plan import Plan
    from synthmob.release import Release
    from synthmob.synthesis.days import Population, generate
    from synthmob.synthesis.writer import write
    from synthmob.zonefiles import read_zoning
    from synthmob.zones import Zoning

__version__ = "0.1.0"
__all__ = [
    "MobilityModel", "Plan", "Population", "Release", "Zoning", "compare", "fit", "generate", "read_zoning", "worlds", "write",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """A public name, imported now. Each import is written out, so that the contracts of the floors can see it."""
    if name in ("MobilityModel", "fit"):
        import synthmob.model.mobility as found
    elif name in ("Population", "generate"):
        import synthmob.synthesis.days as found
    elif name == "Plan":
        import synthmob.plan as found
    elif name == "Release":
        import synthmob.release as found
    elif name == "Zoning":
        import synthmob.zones as found
    elif name == "read_zoning":
        import synthmob.zonefiles as found
    elif name == "compare":
        import synthmob.fidelity.people as found
    elif name == "write":
        import synthmob.synthesis.writer as found
    elif name == "worlds":
        import synthmob.worlds as found

        return found
    else:
        raise AttributeError(f"module 'synthmob' has no attribute {name!r}")
    return getattr(found, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
