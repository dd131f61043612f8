"""Where the results of a run lie."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import combinations_with_replacement, product
from pathlib import Path
from typing import Any

from pipeline.bands.registry import band_options, kind_of
from pipeline.config.models import (
    audited_bands,
    explored_bands,
    recalling_models,
    searched_memories,
    used_bands,
)
from pipeline.config.partitions import all_models, partition_models
from pipeline.config.readings import STATES, reading_of, readings
from pipeline.config.stories import heard_stories, training_stories
from pipeline.dataset.dataset import NAMED, TRUTH, Dataset
from pipeline.readers.formats import has_regions, is_on_surface


class Results:
    """Paths of the files that a run makes, relative to the folder in which it runs.

    Parameters
    ----------
    config : dict
        Complete configuration (`pipeline.config.load.complete`).
    folder : str, optional
        The run's results, where they are seen from elsewhere.
    """

    def __init__(self, config: dict[str, Any], folder: str | None = None) -> None:
        self.config = config
        self.models = all_models(config)  # with those that only variance partitioning needs
        self.subjects = list(config["subjects"])
        self.folder = folder or f"results/{config['name']}"

    def of_run(self, name: str) -> str:
        """A file that is common to all subjects."""
        return f"{self.folder}/{name}"

    def of_subject(self, subject: str, ending: str) -> str:
        """A file of a subject under its BIDS name, `sub-S_ENDING`."""
        return f"{self.folder}/sub-{subject}/sub-{subject}_{ending}"

    def band(self, subject: str, band: str) -> str:
        """Features of a band; those of the stimulus are common to all subjects."""
        source = band_options(self.config, band).source
        place = "" if source == "stimulus" else f"sub-{subject}/"
        return f"{self.folder}/{place}features/{band}.h5"

    def bands(self) -> list[str]:
        """Features of all bands that some model uses, each file once."""
        pairs = product(self.subjects, used_bands(self.config))
        return list(dict.fromkeys(self.band(subject, band) for subject, band in pairs))

    def matches(self, subject: str, band: str) -> str:
        """Matches of a band."""
        return self.of_subject(subject, f"desc-{band}_matches.parquet")

    def recalling(self, band: str) -> str:
        """The band that searches the memory which a band is made from: another, or itself."""
        return band_options(self.config, band).recalls or band

    def through(self, subject: str, band: str) -> str | None:
        """Features of the band whose rows stand for a band's passages, if another's do."""
        other = band_options(self.config, band).through
        return self.band(subject, other) if other else None

    def all_through(self, subject: str) -> dict[str, str]:
        """These of all bands that some model uses and that have one, by band."""
        bands = used_bands(self.config)
        return {band: path for band in bands if (path := self.through(subject, band))}

    def read_with(self, subject: str, band: str) -> list[str]:
        """Files that are read with a band's features: what its rows recall, and what that says."""
        options = band_options(self.config, band)
        if options.source != "memory":
            return []
        files = [self.recall(subject, self.recalling(band))]
        if other := options.through:
            files += [self.band(subject, other), *self.read_with(subject, other)]
        return list(dict.fromkeys(files))

    def contexts(self, band: str) -> str:
        """States of contexts, with which a band searches a memory."""
        return f"{self.folder}/memory/{band}_contexts.h5"

    def recall(self, subject: str, band: str) -> str:
        """The passages that a band found for every row."""
        return self.of_subject(subject, f"desc-{band}_recall.h5")

    def passages(self, subject: str, band: str) -> str:
        """The table of them, by the memory of all training stories."""
        return self.of_subject(subject, f"desc-{band}_passages.parquet")

    def recalled(self, subject: str) -> dict[str, dict[str, str]]:
        """Features of the bands made from each memory, by the band that searches it."""
        memories = searched_memories(self.config).items()
        return {of: {b: self.band(subject, b) for b in bands} for of, bands in memories}

    def explored_passages(self, subject: str) -> list[str]:
        """Passages of the memories that the report's match explorer shows, a file a model."""
        return [self.passages(subject, of) for of in recalling_models(self.config).values()]

    def audited_matches(self, subject: str) -> dict[str, str]:
        """Matches of the audited bands, by band."""
        return {
            band: self.matches(subject, band)
            for band in audited_bands(self.config)
            if band_options(self.config, band).source == "matches"
        }

    def explored_matches(self, subject: str) -> list[str]:
        """Matches of the bands that the report's match explorer shows."""
        explored = explored_bands(self.config).values()
        return [self.matches(subject, band) for band in dict.fromkeys(explored)]

    def basis(self, subject: str) -> str:
        """Principal components of a subject's BOLD."""
        return self.of_subject(subject, "basis.h5")

    def used_bases(self) -> list[str]:
        """Components of all subjects, where some model has a band made of BOLD."""
        used = any(self.made_from_bold(model) for model in self.config["models"])
        return [self.basis(subject) for subject in self.subjects] if used else []

    def gram(self, subject: str, a: str, b: str) -> str:
        """Gram matrices of a pair of bands; always in the order of the configuration."""
        a, b = sorted((a, b), key=list(self.config["features"]).index)
        return f"{self.folder}/sub-{subject}/grams/{a}_{b}.h5"

    def grams(self, subject: str, model: str) -> list[str]:
        """Gram matrices of a model's pairs of bands, if jobs share them.

        A band made from a memory has others for every set of folds, which each job makes.
        """
        sources = {band_options(self.config, band).source for band in self.models[model]}
        if not self.config["fit"]["share_grams"] or "memory" in sources:
            return []
        pairs = combinations_with_replacement(self.models[model], 2)
        return [self.gram(subject, a, b) for a, b in pairs]

    def fit(self, subject: str, model: str) -> str:
        """Fit of a model."""
        return self.of_subject(subject, f"desc-{model}_fit.h5")

    def weights(self, subject: str, model: str) -> str:
        """Weights of a model."""
        return self.of_subject(subject, f"desc-{model}_weights.h5")

    def kept_models(self) -> list[str]:
        """Models of the run whose weights are kept: the baseline, if none is named."""
        named = self.config["keep"]["models"]
        wanted = [self.config["baseline"]] if named is None else named
        return [model for model in wanted if model in all_models(self.config)]

    def tunings(self) -> list[str]:
        """One file a subject and kept model that is there when its weights were read."""
        return [file for subject in self.subjects for file in self.tunings_of(subject)]

    def tunings_of(self, subject: str) -> list[str]:
        """Those of one subject."""
        return [self.of_subject(subject, f"desc-{m}_tuning.json") for m in self.kept_models()]

    def pictured_models(self) -> list[str]:
        """Models that get every figure."""
        shown = self.config["maps"]["figures_for"]
        return list(self.config["models"]) if shown is None else shown

    def fits(self, subject: str | None = None) -> list[str]:
        """Fits of all models of the configuration, of one subject or of all."""
        return [self.fit(s, model) for s, model in self._subjects_and_models(subject)]

    def statistics(self, subject: str | None = None) -> list[str]:
        """Significance of these models, and their r over the noise ceiling."""
        pairs = self._subjects_and_models(subject)
        return [self.of_subject(s, f"desc-{model}_stats.h5") for s, model in pairs]

    def ceiling(self, subject: str) -> str:
        """Noise ceiling of a subject."""
        return self.of_subject(subject, "ceiling.h5")

    def partitions(self) -> list[str]:
        """What the spaces of all partitions explain alone and in common."""
        pairs = product(self.subjects, self.config["partitions"])
        return [self.of_subject(s, f"desc-{partition}_r2.h5") for s, partition in pairs]

    def partition_fits(self, subject: str, partition: str) -> list[str]:
        """Fits of every combination of a partition's spaces, of all of them last."""
        models = partition_models(self.config, partition).values()
        return [self.fit(subject, model) for model in models]

    def whole_partition_fits(self) -> list[str]:
        """Fits of all spaces of every partition together, in the order of `partitions`."""
        pairs = product(self.subjects, self.config["partitions"])
        return [self.partition_fits(s, partition)[-1] for s, partition in pairs]

    def partition_table(self) -> list[str]:
        """The table of all partitions, if there are any."""
        return [self.of_run("partition.tsv")] if self.config["partitions"] else []

    def shares_table(self) -> str:
        """The table of what each band explains."""
        return self.of_run("shares.tsv")

    def control_tables(self) -> dict[str, str]:
        """The tables of `controls` that were asked for, by name."""
        controls = self.config["controls"]
        wanted = {
            "chunks": controls["shuffled_chunks"],
            "presentations": controls["presentations"],
            "intersubject": controls["intersubject"] != "none",
        }
        return {name: self.of_run(f"{name}.tsv") for name, asked in wanted.items() if asked}

    def heard_singly(self) -> list[str]:
        """Models that are scored on single presentations, the baseline first."""
        models = self.config["controls"]["presentations"]
        return list(dict.fromkeys([self.config["baseline"], *models])) if models else []

    def made_from_bold(self, model: str) -> list[str]:
        """Bands of a model that are made from BOLD of the same run."""
        return [
            band
            for band in self.models[model]
            if band_options(self.config, band).source in ("responses", "matches")
        ]

    def audits(self) -> list[str]:
        """One table a subject that is there when no leak was found."""
        return [self.of_subject(s, "audit.tsv") for s in self.subjects]

    def made_of(self, subject: str) -> list[str]:
        """All that is made of a subject and wanted for itself, but for maps."""
        of_all = [*self.partitions(), *self.audits(), *self.explorers()]
        return [
            *self.prepared_responses(subject),
            *self.fits(subject),
            *self.statistics(subject),
            self.ceiling(subject),
            *(path for path in of_all if Path(path).parent.name == f"sub-{subject}"),
            *(self.band(subject, band) for band in used_bands(self.config)),
            *([self.basis(subject)] if self.used_bases() else []),
            *self.tunings_of(subject),
        ]

    def steps(self) -> str:
        """A digest of the steps that subjects' jobs have, where these are small."""
        return self.of_run("steps.txt")

    def have_places(self) -> bool:
        """Whether voxels have a place, by a mask or on the surface, so that there are maps."""
        return self.config["mask"] is not None or self.on_surface(self.subjects[0]) is not None

    def maps(self) -> list[str]:
        """One file a subject that is there when its maps are; none where voxels have no place."""
        subjects = self.subjects if self.have_places() else []
        return [self.of_subject(s, "maps.json") for s in subjects]

    def on_surface(self, subject: str) -> str | None:
        """A recording of the subject that says where its vertices are; None of other responses."""
        dataset = Dataset.from_config(self.config)
        if not is_on_surface(dataset.responses_as["path"]):
            return None
        return str(dataset.source(subject, training_stories(self.config, subject)[0]))

    def meshes(self, subject: str) -> dict[str, str] | None:
        """Surfaces that the subject's vertices are shown on, where the configuration has any."""
        given = self.config["surface"]
        return given and {side: path.replace("{subject}", subject) for side, path in given.items()}

    def webgl(self, subject: str) -> str:
        """The page of pycortex's viewer of a subject."""
        return self.of_subject(subject, "webgl/index.html")

    def viewers(self) -> list[str]:
        """These pages of all subjects, if they are asked for."""
        wanted = self.config["maps"]["webgl"]
        return [self.webgl(subject) for subject in self.subjects] if wanted else []

    def explorers(self) -> list[str]:
        """One file a subject with what the report's match explorer shows."""
        return [self.of_subject(s, "explorer.json") for s in self.subjects]

    def parcellations(self) -> list[str]:
        """Names of the sets of regions; simulated subjects have their true ones."""
        truth = [TRUTH] if self.config["simulate"] is not None else []
        named = [NAMED] if self._named else []
        return [*truth, *named, *self.config["regions"]]

    @cached_property
    def _named(self) -> bool:
        """Whether the columns of the responses have names: they are regions."""
        subject = self.subjects[0]
        story = training_stories(self.config, subject)[0]
        return has_regions(Dataset.from_config(self.config).source(subject, story))

    def region_table(self) -> list[str]:
        """The table of all regions, if there are any."""
        return [self.of_run("regions.tsv")] if self.parcellations() else []

    def charted(self) -> list[str]:
        """Sets of regions that have a chart: all, if a model with figures has a gain to show."""
        others = set(self.pictured_models()) - {self.config["baseline"]}
        return self.parcellations() if others else []

    def region_charts(self) -> list[str]:
        """The charts of regions."""
        return [self.of_run(f"regions_{name}.png") for name in self.charted()]

    def prepared_responses(self, subject: str) -> list[str]:
        """Responses that a rule makes ready; HDF5 of the kept rows is used as it is."""
        dataset = Dataset.from_config(self.config)
        stories = [s for part in heard_stories(self.config, subject).values() for s in part]
        return [str(dataset.responses(subject, s)) for s in stories if not dataset.is_ready(s)]

    def counted_volumes(self) -> list[str]:
        """Volume counts of the stories, if the dataset has no file of them."""
        given = self.config["responses"]["volumes"]
        return [] if given else [str(Dataset.from_config(self.config).respdict)]

    def truth(self) -> list[str]:
        """What is written last of a simulated dataset; nothing where none is simulated."""
        simulated = self.config["simulate"] is not None
        return [str(Dataset.from_config(self.config).truth / "settings.json")] if simulated else []

    def eng1000(self) -> str:
        """The Eng1000 embedding: given, built from corpora, or the dataset's own."""
        options = self.config["eng1000"]
        if options["path"] or not options["corpora"]:
            return options["path"] or str(Dataset.from_config(self.config).eng1000)
        return self.of_run("english1000.hf5")

    def made_from(self, subject: str, band: str) -> dict[str, str]:
        """Files of the run from which a band's columns are made, by what they are."""
        options, files = band_options(self.config, band), {"features": self.band(subject, band)}
        if options.source in ("responses", "matches"):
            files["basis"] = self.basis(subject)
        if options.source == "matches":
            files["matches"] = self.matches(subject, options.redraws or band)
        return files | {Path(path).stem: path for path in self.read_with(subject, band)}

    def kept_band(self, band: str) -> dict[str, Any]:
        """Options of a band, with the files that its computation reads."""
        return dict(band_options(self.config, band).as_mapping()) | self.resources(band)

    def states(self, key: str) -> str:
        """States of a language model that bands share (`pipeline.config.readings`)."""
        return self.of_run(f"states/{key}.h5")

    def familiarity(self) -> list[str]:
        """The table of what language models know of the stories, if bands are made of states."""
        return [self.of_run("familiarity.tsv")] if readings(self.config) else []

    def resources(self, band: str) -> dict[str, str]:
        """Files that a band's computation reads, by name."""
        truth = Dataset.from_config(self.config).truth
        files = {"eng1000": self.eng1000(), "truth": str(truth)}
        if reading := reading_of(self.config, band):
            files[STATES] = self.states(reading.key)
        kind = kind_of(band_options(self.config, band).kind)
        return {name: files[name] for name in kind.resources if name in files}

    def derivative(self) -> list[str]:
        """What says that the folder is a BIDS derivative, its description first."""
        names = ("dataset_description.json", "README.md", "descriptions.tsv", "descriptions.json")
        return [self.of_run(name) for name in (*names, ".bidsignore")]

    def final(self) -> list[str]:
        """Everything a run makes by default."""
        tables = ("summary", "gains", "significance", "ceiling")
        return [
            self.of_run("settings.json"),
            *self.fits(),
            *self.audits(),
            *self.maps(),
            *self.tunings(),
            *self.viewers(),
            *(self.of_run(f"{name}.tsv") for name in tables),
            *self.partition_table(),
            *self.control_tables().values(),
            self.shares_table(),
            self.of_run("report.html"),
            *self.derivative(),
        ]

    def _subjects_and_models(self, subject: str | None) -> Iterator[tuple[str, str]]:
        subjects = self.subjects if subject is None else [subject]
        return product(subjects, self.config["models"])


def made_here(config: dict[str, Any], path: str | Path) -> bool:
    """Whether a file is of a simulated dataset: it comes and goes with the rule that writes it."""
    return config["simulate"] is not None and Path(path).is_relative_to(config["data_root"])
