"""fit and generate: a release in, a model out; a model in, synthetic people out. Anyone's side."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from synthmob import folders, manifest, modelfile
from synthmob.model import mobility
from synthmob.model.mobility import MobilityModel
from synthmob.pipeline import cluster
from synthmob.pipeline.places import ZoningFile, check_folder
from synthmob.pipeline.wanted import Wanted
from synthmob.release import Release
from synthmob.synthesis import writer
from synthmob.synthesis.days import Population
from synthmob.synthesis.events import EventOptions
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
    resume: bool = False, engine: str | None = None,
) -> Population:  # fmt: skip
    """Generate people of a model into an OUT folder, with weights that make them the residents of a census; with `events` what their
    phones do as well, on the sites of a public list or drawn; with `resume` an unfinished OUT is gone on with; with an `engine` the
    tasks of a Spark make and write the parts."""
    if engine is not None:
        cluster.check(engine)
    wanted = Wanted(model, persons, days, seed, census, events, site_list)
    people, network = wanted.people()
    with ExitStack() as stack:
        elsewhere = None if engine is None else stack.enter_context(cluster.opened(engine, wanted))
        writer.write(
            people, target, workers=workers, progress=progress, inputs=wanted.inputs(), origin=wanted.origin(), network=network,
            resume=resume, elsewhere=elsewhere)  # fmt: skip
    return people
