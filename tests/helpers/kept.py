"""Weights of a model of a finished run, as its rule keeps them."""

from pipeline.bands.registry import BandOptions
from pipeline.fit.design import Design, load_band
from pipeline.fit.options import FitOptions
from pipeline.fit.refit import keep_band, keep_weights


def keep(run, model, **others):
    """Solve a model of a run at its alphas, and write its weights beside its fit."""
    subject, config = run.subjects[0], run.config
    train, bands = run.stories(subject)["train"], config["models"][model]
    options = {band: BandOptions.read(run.files.kept_band(band)) for band in bands}
    files = {band: run.files.made_from(subject, band) for band in bands}
    loaded = [
        load_band(b, files[b]["features"], options=options[b], delays=config["delays"], train=train,
                  test=[])
        for b in bands
    ]  # fmt: skip
    keep_weights(
        run.dataset,
        subject,
        design=Design(tuple(loaded)),
        kept=[keep_band(band, files[band.name], options[band.name]) for band in loaded],
        train=train,
        fit=run.files.fit(subject, model),
        options=FitOptions.read(config["fit"], config["seeds"], None),
        attributes={"subject": subject, "model": model},
        **{"output": run.files.weights(subject, model)} | others,
    )
