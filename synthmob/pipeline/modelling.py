"""fit and generate: a release in, a model out; a model in, synthetic people out. Anyone's side."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from synthmob import folders, manifest, modelfile
from synthmob.model import mobility
from synthmob.model.mobility import MobilityModel
from synthmob.pipeline.places import ZoningFile, check_folder
from synthmob.release import Release
from synthmob.synthesis import days as synthesis
from synthmob.synthesis import scaling, sites, writer
from synthmob.synthesis.days import Population
from synthmob.synthesis.events import EventOptions, Network
from synthmob.synthesis.writer import Progress


def fit(release: Path, zones: ZoningFile, target: Path) -> MobilityModel:
    """Fit a model on a release and write it."""
    check_folder(release, "release.json", "release")
    with folders.written_aside(target.resolve(), modelfile.KIND, modelfile.MARK, modelfile.HOLDS) as work:
        model = mobility.fit(Release.load(release), zones.read())
        modelfile.save(model, work)
        said = manifest.compose(
            "fit", {"zones": zones.parameters()}, inputs={"release": release, "zones": zones.path}, packages=("scipy",),
            assumed=list(model.assumed), rho_spent=0.0)  # fmt: skip
        manifest.write(said, work / manifest.FILE)
    return model


def generate(
    model: Path, target: Path, *, persons: int, days: int, seed: int, workers: int = 1, census: Path | None = None,
    progress: Progress | None = None, events: EventOptions | None = None, site_list: Path | None = None,
    resume: bool = False,
) -> Population:  # fmt: skip
    """Generate people of a model into an OUT folder, with weights that make them the residents of a census; with `events` what their
    phones do as well, on the sites of a public list or drawn; with `resume` an unfinished OUT is gone on with."""
    check_folder(model, modelfile.MARK, modelfile.KIND)
    known = modelfile.load(model)
    people = synthesis.generate(known, n_persons=persons, days=days, seed=seed)
    if census is not None:
        people = replace(people, census=scaling.read(census, known.zoning, known.domain))
    listed = None if site_list is None else sites.read(site_list, known.zoning)
    network = None if events is None else Network.of(people, events, listed)
    origin = manifest.inputs(manifest.read(model)) if (model / manifest.FILE).exists() else {}
    inputs = {"model": model} | {name: path for name, path in (("census", census), ("sites", site_list)) if path is not None}
    writer.write(people, target, workers=workers, progress=progress, inputs=inputs, origin=origin, network=network, resume=resume)
    return people
