"""The Hugging Face models that a configuration names, into the hub's own cache."""

from __future__ import annotations

import fnmatch
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, constants, snapshot_download, try_to_load_from_cache
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

from gim.text.hub import is_hub_name, split_name
from pipeline.bands.registry import band_options
from pipeline.core.errors import Problem, ProblemError
from pipeline.fetch.plan import check_space, gigabytes

TOKENIZER = ["*.json", "*.txt", "*.model"]
WEIGHTS = (["*.safetensors"], ["pytorch_model*.bin"])  # the first that there is
ENDPOINT: str | None = None  # of the hub; None, its own, or that of $HF_ENDPOINT


def hub_models(config: dict[str, Any]) -> dict[str, bool]:
    """Names of models on the hub that a configuration needs, and whether their weights, too."""
    named: dict[str, bool] = {}
    for name, weights in _named(config):
        if is_hub_name(name):
            named[name] = named.get(name, False) or weights
    return named


def fetch_models(config: dict[str, Any]) -> None:
    """Download what is missing of them; the hub's library resumes and verifies.

    Raises
    ------
    ProblemError
        If a model is not on the hub, its licence is not accepted, the disk is too full, or the
        hub cannot be reached.
    """
    for source, weights in hub_models(config).items():
        name, revision = split_name(source)
        try:
            sizes = _files(name, weights, revision)
            missing = {f: n for f, n in sizes.items() if not _is_cached(name, f, revision)}
            cache = Path(constants.HF_HUB_CACHE)
            free = check_space(cache, sum(missing.values()), f"model {name}")
            logging.info(
                "model %s: %d of %d files to fetch, %s into %s (%s free)",
                name, len(missing), len(sizes), gigabytes(sum(missing.values())), cache,
                gigabytes(free),
            )  # fmt: skip
            snapshot_download(
                name, revision=revision, allow_patterns=list(sizes), endpoint=ENDPOINT,
                cache_dir=cache,
            )  # fmt: skip
        except GatedRepoError as error:
            remedy = f"accept it on https://huggingface.co/{name}, then `hf auth login`"
            raise ProblemError(
                Problem(name, "model", "its licence is not accepted", remedy)
            ) from error
        except RepositoryNotFoundError as error:
            remedy = "correct its name in the configuration, or log in (`hf auth login`)"
            raise ProblemError(Problem(name, "model", "not on the hub", remedy)) from error
        except (HfHubHTTPError, OSError) as error:
            what = f"the hub cannot be reached ({error})"
            remedy = "run it again: it goes on where it stopped"
            raise ProblemError(Problem(name, "model", what, remedy)) from error


def _named(config: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """Names of models, and whether weights are needed."""
    for band in config["features"]:
        options = band_options(config, band).own
        if options.get("model"):
            yield options["model"], True
        if options.get("tokenizer"):
            yield options["tokenizer"], False
    lm = config["lm"] or {"models": [], "tokenizer": None}
    yield from ((name, True) for name in lm["models"])
    if lm["tokenizer"]:
        yield lm["tokenizer"], False


def _files(name: str, weights: bool, revision: str | None) -> dict[str, int]:
    """Files of a model that are needed, and their bytes."""
    api = HfApi(endpoint=ENDPOINT)
    listed = api.model_info(name, revision=revision, files_metadata=True).siblings or []
    sizes = {file.rfilename: file.size or 0 for file in listed if "/" not in file.rfilename}
    patterns = list(TOKENIZER)
    if weights:
        kinds = [p for p in WEIGHTS if any(fnmatch.filter(sizes, pattern) for pattern in p)]
        patterns += kinds[0] if kinds else []
    return {f: n for f, n in sizes.items() if any(fnmatch.fnmatch(f, p) for p in patterns)}


def _is_cached(name: str, file: str, revision: str | None) -> bool:
    cache = constants.HF_HUB_CACHE
    return isinstance(try_to_load_from_cache(name, file, cache, revision), str)
