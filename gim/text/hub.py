"""Models and tokenizers by name: from the Hugging Face hub's cache on this machine, never from it.

A mistyped or missing folder would otherwise become a request to a server, with the user's token,
and its answer could be anybody's model. What downloads is `pipeline.fetch`, or `hf download`.
"""

import re
from pathlib import Path

from gim.errors import InputError

_NAME = re.compile(r"[\w.-]+(?:/[\w.-]+)?")
_REVISION = re.compile(r"[\w./-]+")


def split_name(source: str) -> tuple[str, str | None]:
    """Split ``NAME@REVISION``: a name on the hub, and the commit, tag or branch that is meant."""
    name, _, revision = source.partition("@")
    return name, revision or None


def is_hub_name(source: str) -> bool:
    """Whether a source can only be a name on the hub: no folder, nor one missing from a folder."""
    name, revision = split_name(source)
    if not _NAME.fullmatch(name) or not _REVISION.fullmatch(revision or "main"):
        return False
    return not Path(source).exists() and not ("/" in name and Path(name).parent.is_dir())


def find_folder(source: str | Path) -> Path:
    """The folder itself, or where the hub's cache keeps the model of that name.

    Raises
    ------
    InputError
        If it is neither; nothing is downloaded.
    """
    from huggingface_hub import snapshot_download

    if Path(source).is_dir():
        return Path(source)
    if not is_hub_name(str(source)):
        raise InputError(f"{source}: no such folder; correct the path")
    name, revision = split_name(str(source))
    try:
        return Path(snapshot_download(name, revision=revision, local_files_only=True))
    except (OSError, ValueError) as error:
        wanted = name if revision is None else f"{name} --revision {revision}"
        raise InputError(
            f"{source}: no such folder, nor is it in the Hugging Face hub's cache; correct the "
            f"path, or fetch it first with `hf download {wanted}`"
        ) from error


def revision_of(source: str | Path) -> str | None:
    """Commit of a model that is read from the hub's cache; None for a folder, or what is gone."""
    try:
        return None if Path(source).is_dir() else find_folder(source).name
    except InputError:
        return None
