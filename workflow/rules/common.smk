# What the files of rules share: where results lie, which files exist, and what a job needs.
import re
from pathlib import Path

from pipeline.bands.registry import BAND_PATHS, band_options
from pipeline.config.group_results import GroupResults
from pipeline.config.models import (
    audited_bands,
    compares,
    permuted_bands,
    contrasts,
    recalling_models,
    searched_memories,
)
from pipeline.config.readings import STATES
from pipeline.config.results import Results, made_here
from pipeline.config.steps import are_small
from pipeline.config.stories import all_stories, heard_stories
from pipeline.dataset.dataset import KEYS
from pipeline.validation.manifest import dataset_files, fingerprint, settings_files
from pipeline.validation.masks import mask_files
from pipeline.validation.tables import table_files

FILES = Results(CONFIG)
GROUP = GroupResults(FILES)
RESULTS = FILES.folder
LOGS = FILES.of_run("logs")
BENCHMARKS = FILES.of_run("benchmarks")
MANIFEST = FILES.of_run("manifest.json")
SETTINGS = FILES.of_run("settings.json")
CONTAMINATION = FILES.of_run("contamination.tsv")
WORDS = FILES.of_run("words.parquet")
BUILT_ENG1000 = FILES.of_run("english1000.hf5")
DATASET_STATE = fingerprint(CONFIG, dataset_files(CONFIG))
SMALL = are_small(CONFIG)
# Of maps, and of what they wait for: maps take long, and else they would be drawn when nothing is left to do beside.
SOON = 10


def one_of(names):
    """Constraint of a wildcard to these names: no rule makes what the configuration does not have."""
    return "|".join(map(re.escape, names)) or "(?!)"


def bands_from(source):
    """Bands that are made from the stimulus, responses, matches or a memory of passages."""
    bands = CONFIG["features"]
    return [b for b in bands if band_options(CONFIG, b).source == source]


wildcard_constraints:
    # Of small subjects a job of their own makes all files (subject.smk).
    subject=one_of([] if SMALL else CONFIG["subjects"]),
    story=one_of(all_stories(CONFIG)),
    band=one_of(CONFIG["features"]),
    model=one_of(FILES.models),
    partition=one_of(CONFIG["partitions"]),
    chunk=one_of(map(str, range(1, CONFIG["fit"]["jobs"] + 1))),


def dataset_options():
    """What `Dataset.from_config` needs, and the state of the dataset's files."""
    return {key: CONFIG[key] for key in KEYS} | {"state": DATASET_STATE}


def options_of(band):
    """Options of a band, with the files that its computation reads."""
    return FILES.kept_band(band)


def there(files):
    """Those of `files` that exist: a dry run works before any download, the rule names the rest."""
    return [f for f in files if Path(f).exists() and not made_here(CONFIG, f)]


def embedding_input(band):
    """The Eng1000 embedding, if the band reads it."""
    files = [f for name, f in FILES.resources(band).items() if name == "eng1000"]
    return files if BUILT_ENG1000 in files else there(files)


def lexicons():
    """Embeddings that the bands look words up in."""
    return sorted({f for band in used_bands(CONFIG) for f in embedding_input(band)})


def models_of(band):
    """Models and tables that a band reads: the index that this run makes, and local files."""
    made = {FILES.of_run("lm/index")} if CONFIG["lm"] else set()
    options = band_options(CONFIG, band).own
    paths = [str(options[key]) for key in BAND_PATHS if options.get(key)]
    local = [Path(path) for path in paths if path not in made and Path(path).exists()]
    files = [
        str(f)
        for path in local
        for f in (sorted(path.iterdir()) if path.is_dir() else [path])
        if f.is_file()
    ]
    return [*sorted(made & set(paths)), *files]


def read_by(band):
    """Lexicons and models that a band's computation reads."""
    return [*embedding_input(band), *models_of(band)]


def states_of(band):
    """The states that the band is made from, if it is."""
    return [f for name, f in FILES.resources(band).items() if name == STATES]


def searching_bands():
    """Bands that search a memory of passages."""
    return [b for b in CONFIG["features"] if band_options(CONFIG, b).searches]


def corpora_of(band):
    """Corpora whose passages a band's memory has."""
    options = band_options(CONFIG, band).own
    return there(options["corpus"] or []) if options["memory"] != "training" else []


def masks():
    """The subjects' masks that exist."""
    return there(sorted(set(map(str, mask_files(CONFIG).values()))))


def memory(gigabytes):
    """Memory in MB, doubled at every retry."""
    return lambda wildcards, attempt: int(gigabytes * 1000 * 2 ** (attempt - 1))


def minutes(number):
    """Longest run time in minutes, doubled at every retry."""
    return lambda wildcards, attempt: number * 2 ** (attempt - 1)


def gpus(band=None):
    """GPUs of a job: one where `fit.device` says that there are any and the work can use one."""
    useful = band is None or band_options(CONFIG, band).own.get("model")
    return int(bool(useful) and CONFIG["fit"]["device"] != "cpu")
