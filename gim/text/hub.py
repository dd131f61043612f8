"""Models and tokenizers by name: from the Hugging Face hub's cache on this machine, never from it.

A model is a folder, a name on the hub, or a GGUF file.

A mistyped or missing folder would otherwise become a request to a server, with the user's token,
and its answer could be anybody's model. What downloads is `pipeline.fetch`, or `hf download`.
"""

import json
import re
from pathlib import Path

from gim.errors import InputError
from gim.text.gguf import SUFFIX, file_hash, is_gguf, read_header

_NAME = re.compile(r"[\w.-]+(?:/[\w.-]+)?")
_REVISION = re.compile(r"[\w./-]+")
NAME_KEY = "gim_name"  # in config.json: what a model is called, beyond the name of its folder
SAVED = (".json", ".safetensors", ".bin", ".pt")  # files of a saved model


def split_name(source: str) -> tuple[str, str | None]:
    """Split ``NAME@REVISION``: a name on the hub, and the commit, tag or branch that is meant."""
    name, _, revision = source.partition("@")
    return name, revision or None


def is_hub_name(source: str) -> bool:
    """Whether a source can only be a name on the hub: no folder, nor one missing from a folder."""
    name, revision = split_name(source)
    if is_gguf(source) or not _NAME.fullmatch(name) or not _REVISION.fullmatch(revision or "main"):
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


def find_model(source: str | Path) -> tuple[Path, dict[str, str]]:
    """The folder of a model, and what `from_pretrained` is to be told beside it.

    Returns
    -------
    folder : path
    options : dict
        ``gguf_file``, the name in the folder, of a GGUF file; else nothing.

    Raises
    ------
    InputError
        As `find_folder` and `gim.text.gguf.read_header`; or for a folder that holds GGUF files
        alone: which of them is not said.
    """
    if is_gguf(source):
        read_header(source)
        return Path(source).parent, {"gguf_file": Path(source).name}
    folder = find_folder(source)
    files = [] if (folder / "config.json").is_file() else sorted(folder.glob(f"*{SUFFIX}"))
    if files:
        raise InputError(f"{source}: no saved model but GGUF files; give one of them: {files[0]}")
    return folder, {}


def files_of(source: str | Path) -> list[Path]:
    """Files that a model is read from, in order."""
    if is_gguf(source):
        return [Path(source)]
    return sorted(file for file in find_folder(source).iterdir() if file.suffix in SAVED)


def name_of(source: str | Path) -> str:
    """What a model is called in tables: as its own files say, else by the name of its folder."""
    try:
        folder = Path(source) if is_gguf(source) else find_folder(source)
        called = json.loads((folder / "config.json").read_text(encoding="utf-8")).get(NAME_KEY)
    except (InputError, OSError, ValueError):
        called = None
    return str(called or Path(source).name)


def revision_of(source: str | Path) -> str | None:
    """What pins a model: the commit in the hub's cache, of a GGUF file its SHA-256.

    None for a folder, or what is gone.
    """
    try:
        if is_gguf(source):
            return f"sha256:{file_hash(source)}"
        return None if Path(source).is_dir() else find_folder(source).name
    except (InputError, OSError):
        return None
