"""Which synthetic people are wanted: by names of files and numbers, so that another process can be told of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from synthmob import manifest, modelfile
from synthmob.pipeline.places import check_folder
from synthmob.synthesis import days as synthesis
from synthmob.synthesis import scaling, sites, writer
from synthmob.synthesis.days import Population
from synthmob.synthesis.events import EventOptions, Network


@dataclass(frozen=True)
class Wanted:
    """People of the model in a folder; with a `census` their weights make them its residents, with `events` their phones do something,
    on the sites of a list or on drawn ones."""

    model: Path
    persons: int
    days: int
    seed: int
    census: Path | None = None
    events: EventOptions | None = None
    site_list: Path | None = None

    def people(self) -> tuple[Population, Network | None]:
        """The people, none of them made yet, and the network that serves their phones; FormatError for files that are not those."""
        check_folder(self.model, modelfile.MARK, modelfile.KIND)
        known = modelfile.load(self.model)
        people = synthesis.generate(known, n_persons=self.persons, days=self.days, seed=self.seed)
        if self.census is not None:
            people = replace(people, census=scaling.read(self.census, known.zoning, known.domain))
        listed = None if self.site_list is None else sites.read(self.site_list, known.zoning)
        return people, None if self.events is None else Network.of(people, self.events, listed)

    def inputs(self) -> dict[str, Path]:
        """The files that they are made from, by role."""
        named = {"model": self.model, "census": self.census, "sites": self.site_list}
        return {role: path for role, path in named.items() if path is not None}

    def origin(self) -> Mapping[str, Any]:
        """What the model's own manifest says that it was made from."""
        return manifest.inputs(manifest.read(self.model)) if (self.model / manifest.FILE).exists() else {}

    def manifest(self, people: Population, network: Network | None) -> dict[str, Any]:
        """The manifest that an OUT of these people has."""
        return writer.describe(people, network, self.inputs(), self.origin())
