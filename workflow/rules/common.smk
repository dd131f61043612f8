# Names of files and small questions about the configuration, shared by all rule files.
from itertools import combinations_with_replacement
from pathlib import Path

from pipeline.bands.options import BAND_PATHS, band_options
from pipeline.dataset.dataset import TRUTH as TRUE_REGIONS
from pipeline.config.load import all_stories, references, test_stories, training_stories
from pipeline.dataset.dataset import KEYS, Dataset
from pipeline.bands.registry import kind_of
from pipeline.tables.gains import lag_controls
from pipeline.bands.registry import LAG, copies_single_matches, is_matcher
from pipeline.matching.matches import fir_of_matches
from pipeline.config.partitions import all_models, partition_models
from pipeline.validation.manifest import dataset_files, fingerprint, settings_files
from pipeline.validation.masks import mask_file
from pipeline.validation.regions import parcellation_files

RESULTS = f"results/{CONFIG['name']}"
LOGS = f"{RESULTS}/logs"
BENCHMARKS = f"{RESULTS}/benchmarks"
MANIFEST = f"{RESULTS}/manifest.json"
SETTINGS = f"{RESULTS}/settings.json"
WORDS = f"{RESULTS}/words.parquet"
MODELS = all_models(CONFIG)  # with those that only variance partitioning needs
BUILT_ENG1000 = f"{RESULTS}/english1000.hf5"
REGIONS = f"{RESULTS}/regions.tsv"
TRUTH = f"{CONFIG['data_root']}/truth"


wildcard_constraints:
    subject="[A-Za-z0-9]+",
    band="[A-Za-z0-9]+",
    model="[A-Za-z0-9]+",


def used_bands():
    """Bands that some model uses, in the order of the configuration."""
    wanted = {band for bands in MODELS.values() for band in bands}
    return [band for band in CONFIG["features"] if band in wanted]


def band_source(band):
    """stimulus, responses or matches."""
    return kind_of(band_options(CONFIG, band)["kind"]).source


def band_file(subject, band):
    """Features of a band; those of the stimulus are common to all subjects."""
    folder = (
        "features" if band_source(band) == "stimulus" else f"sub-{subject}/features"
    )
    return f"{RESULTS}/{folder}/{band}.h5"


def matches_file(subject, band):
    """Matches of a band."""
    return f"{RESULTS}/sub-{subject}/sub-{subject}_matcher-{band}_matches.parquet"


def basis_file(subject):
    """Principal components of a subject's BOLD."""
    return f"{RESULTS}/sub-{subject}/sub-{subject}_basis.h5"


def fit_file(subject, model):
    """Fit of a model."""
    return f"{RESULTS}/sub-{subject}/sub-{subject}_model-{model}_fit.h5"


def gram_file(subject, a, b):
    """Gram matrices of a pair of bands; always in the order of the configuration."""
    a, b = sorted((a, b), key=list(CONFIG["features"]).index)
    return f"{RESULTS}/sub-{subject}/grams/{a}_{b}.h5"


def grams_of(subject, model):
    """Gram matrices of a model's pairs of bands, if jobs share them."""
    pairs = combinations_with_replacement(MODELS[model], 2)
    shared = CONFIG["fit"]["share_grams"]
    return [gram_file(subject, a, b) for a, b in pairs] if shared else []


def all_fits():
    """Fits of all subjects and models."""
    return [fit_file(s, m) for s in CONFIG["subjects"] for m in CONFIG["models"]]


def permuted_bands(model):
    """Bands of a model whose matches can be permuted."""
    return [b for b in MODELS[model] if copies_single_matches(band_options(CONFIG, b))]


def ceiling_file(subject):
    """Noise ceiling of a subject."""
    return f"{RESULTS}/sub-{subject}/sub-{subject}_ceiling.h5"


def stats_file(subject, model):
    """Significance of a model, and its r over the noise ceiling."""
    return f"{RESULTS}/sub-{subject}/sub-{subject}_model-{model}_stats.h5"


def partition_file(subject, partition):
    """What the spaces of a partition explain alone and in common."""
    return f"{RESULTS}/sub-{subject}/sub-{subject}_partition-{partition}_r2.h5"


def partition_fits(subject, partition):
    """Fits of every combination of a partition's spaces, of all of them last."""
    models = partition_models(CONFIG, partition).values()
    return [fit_file(subject, model) for model in models]


def partition_tables():
    """The table of all partitions, if there are any."""
    return [f"{RESULTS}/partition.tsv"] if CONFIG["partitions"] else []


def all_statistics():
    """Significance of all subjects and models."""
    return [stats_file(s, m) for s in CONFIG["subjects"] for m in CONFIG["models"]]


def mapped_statistics(subject):
    """Significance of a subject's models, by which maps are thresholded, if there are maps."""
    there = CONFIG["mask"] is not None
    return [stats_file(subject, m) for m in CONFIG["models"]] if there else []


def audits():
    """One table a subject that is there when no leak was found."""
    return [f"{RESULTS}/sub-{s}/sub-{s}_audit.tsv" for s in CONFIG["subjects"]]


def map_markers():
    """One file a subject that is there when its maps (or histograms) are."""
    return [f"{RESULTS}/sub-{s}/sub-{s}_maps.json" for s in CONFIG["subjects"]]


def parcellations():
    """Names of the sets of regions; simulated subjects have their true ones."""
    truth = [TRUE_REGIONS] if CONFIG["simulate"] is not None else []
    return [*truth, *CONFIG["regions"]]


def explored_bands():
    """Models that copy what followed matches, and the first band of each that does."""
    copying = [b for b in used_bands() if is_matcher(band_options(CONFIG, b))]
    found = {
        m: [b for b in copying if b in bands] for m, bands in CONFIG["models"].items()
    }
    return {model: bands[0] for model, bands in found.items() if bands}


def controlled_models():
    """Models with a matcher, and the model that lacks it alone and has its lag control."""
    options = {band: band_options(CONFIG, band) for band in CONFIG["features"]}
    return lag_controls(CONFIG["models"], options)


def match_times(band):
    """Delays at which a match reaches predictions, and rows after it that are copied."""
    options = band_options(CONFIG, band)
    return fir_of_matches(options)[0], list(options["offsets"])


def explorer_files():
    """One file a subject with what the report's match explorer shows."""
    return [f"{RESULTS}/sub-{s}/sub-{s}_explorer.json" for s in CONFIG["subjects"]]


def final_targets():
    """Everything a run makes by default."""
    return [
        SETTINGS,
        *all_fits(),
        *audits(),
        *map_markers(),
        f"{RESULTS}/summary.tsv",
        f"{RESULTS}/gains.tsv",
        f"{RESULTS}/significance.tsv",
        f"{RESULTS}/ceiling.tsv",
        *partition_tables(),
        f"{RESULTS}/report.html",
    ]


def audited_bands():
    """Bands made from BOLD that some model uses, and the matchers that they redraw."""
    bands = [b for b in used_bands() if band_source(b) != "stimulus"]
    redrawn = [band_options(CONFIG, b).get("of") for b in bands]
    return list(dict.fromkeys([*bands, *(b for b in redrawn if b)]))


def audited_matches(subject):
    """Matches of the audited bands."""
    return {
        b: matches_file(subject, b)
        for b in audited_bands()
        if band_source(b) == "matches"
    }


def eng1000_file():
    """The Eng1000 embedding: given, built from corpora, or the dataset's own."""
    options = CONFIG["eng1000"]
    if options["path"]:
        return options["path"]
    return (
        BUILT_ENG1000
        if options["corpora"]
        else str(Dataset.from_config(CONFIG).eng1000)
    )


def resources_of(band):
    """Files that a band's computation reads, by name."""
    files = {"eng1000": eng1000_file(), "truth": TRUTH}
    return {
        name: files[name]
        for name in kind_of(band_options(CONFIG, band)["kind"]).resources
    }


def there(files):
    """Those of `files` that exist: a dry run works before any download, the rule names the rest.

    Files of a simulated dataset are left out: they come and go with the rule that writes them.
    """
    made = [CONFIG["data_root"]] if CONFIG["simulate"] is not None else []
    paths = {file: Path(file) for file in files}
    return [
        f
        for f, p in paths.items()
        if p.exists() and not any(map(p.is_relative_to, made))
    ]


def embedding_input(band):
    """The Eng1000 embedding, if the band reads it."""
    files = [f for name, f in resources_of(band).items() if name == "eng1000"]
    return [BUILT_ENG1000] if BUILT_ENG1000 in files else there(files)


def models_of(band):
    """Models that a band reads: the index that this run makes, and files of local ones."""
    made = {f"{RESULTS}/lm/index"} if CONFIG["lm"] else set()
    options = band_options(CONFIG, band)
    paths = [str(options[key]) for key in BAND_PATHS if options.get(key)]
    local = [Path(path) for path in paths if path not in made and Path(path).is_dir()]
    files = [
        str(f) for folder in local for f in sorted(folder.iterdir()) if f.is_file()
    ]
    return [*sorted(made & set(paths)), *files]


def mask_files():
    """The subjects' masks that exist."""
    masks = {mask_file(CONFIG, subject) for subject in CONFIG["subjects"]} - {None}
    return there(sorted(map(str, masks)))


def stories_of(subject):
    """Training and test stories of a subject."""
    return {
        "train": training_stories(CONFIG, subject),
        "test": test_stories(CONFIG, subject),
    }


DATASET_STATE = fingerprint(CONFIG, dataset_files(CONFIG))


def dataset_options():
    """What `Dataset.from_config` needs, and the state of the dataset's files."""
    return {key: CONFIG[key] for key in KEYS} | {"state": DATASET_STATE}


def responses_of(subject):
    """Responses that a rule makes ready; HDF5 of the kept rows is used as it is."""
    dataset = Dataset.from_config(CONFIG)
    stories = [story for part in stories_of(subject).values() for story in part]
    return [
        str(dataset.responses(subject, s)) for s in stories if not dataset.is_ready(s)
    ]


def counted_volumes():
    """Volume counts of the stories, if the dataset has no file of them."""
    path = Dataset.from_config(CONFIG).respdict
    return [] if CONFIG["responses"]["volumes"] else [str(path)]


def memory(gigabytes):
    """Memory in MB, doubled at every retry."""
    return lambda wildcards, attempt: int(gigabytes * 1000 * 2 ** (attempt - 1))


def minutes(number):
    """Longest run time in minutes, doubled at every retry."""
    return lambda wildcards, attempt: number * 2 ** (attempt - 1)


def gpus(band=None):
    """GPUs of a job: one where `fit.device` says that there are any and the work can use one."""
    useful = band is None or band_options(CONFIG, band)["kind"] == "llm"
    return int(useful and CONFIG["fit"]["device"] != "cpu")
