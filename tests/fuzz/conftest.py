"""Sound inputs, written once; tests damage copies."""

import gzip
import json
import lzma
import os
import shutil

import pytest
import sentencepiece
import zstandard

from gim.encoder.encoder import Encoder
from gim.infinigram.index import build_index
from gim.infinigram.kneser_ney import build_kneser_ney
from gim.text.tokenizer import load_tokenizer
from gim.weighing.weights import load_weights, save_weights
from pipeline.simulation.settings import Settings
from pipeline.simulation.simulate import simulate
from tests.conftest import REPOSITORY
from tests.fuzz.formats import write_formats
from tests.fuzz.runs_tree import write_runs
from tests.fuzz.specimens import SUBJECT, TEXT, write_config
from tests.helpers.language import write_causal

FOLDERS = ("dataset", "language", "formats", "runs")
SMALLEST = Settings(
    n_train=4, n_test=1, rows=(30, 34), n_voxels=150, n_repeats=2, words_per_second=1.5
)


@pytest.fixture(scope="session")
def originals(tmp_path_factory):
    """Folders of sound inputs, by the name of what writes them."""
    folders = {name: tmp_path_factory.mktemp(name) for name in FOLDERS}
    _write_dataset(folders["dataset"])
    _write_language(folders["language"])
    write_formats(folders["formats"])
    write_runs(folders["runs"])
    return folders


@pytest.fixture
def specimen_folder(originals, tmp_path):
    """Copy the inputs of a specimen into a folder of the test's own."""

    def copy(specimen):
        root = tmp_path / specimen.write
        original = originals[specimen.write]
        shutil.copytree(original, root, copy_function=os.symlink)  # copies would take seconds
        path = specimen.path(root)
        if path.is_dir():
            shutil.rmtree(path)
            shutil.copytree(specimen.path(original), path)
        else:
            path.unlink()
            shutil.copy(specimen.path(original), path)
        return root

    return copy


def _write_dataset(root):
    simulate(root, [SUBJECT], SMALLEST, seed=0)  # most of the time goes into reading words
    write_config(root)


def _write_pieces(path):
    with path.open("wb") as file:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter([TEXT] * 20),
            model_writer=file,
            vocab_size=60,
            model_type="bpe",
            minloglevel=2,
        )


def _write_language(root):
    tokenizer = load_tokenizer()
    Encoder.create(tokenizer, width=16, dim=8, layers=1, heads=2).save_pretrained(root / "encoder")
    tokenizer.fast.save(str(root / "tokenizer.json"))
    write_causal(root / "causal", tokenizer.vocab_size)
    _write_pieces(root / "tokenizer.model")
    lines = "".join(
        json.dumps({"text": f"{TEXT}{i}"}, ensure_ascii=False) + "\n" for i in range(50)
    )
    packers = {"": bytes, ".gz": gzip.compress, ".xz": lzma.compress, ".zst": zstandard.compress}
    for suffix, pack in packers.items():
        (root / f"corpus.jsonl{suffix}").write_bytes(pack(lines.encode()))
        (root / f"corpus.txt{suffix}").write_bytes(pack((TEXT * 50).encode()))
    build_index([root / "corpus.jsonl"], tokenizer, root / "index", progress=False)
    build_kneser_ney(root / "index")
    save_weights(root / "weights.json", load_weights(), {"tau": {"value": 3}})
    (root / "basis.txt").write_text("time\nsea\ncafé\n", encoding="utf-8")
    shutil.copy(REPOSITORY / "config" / "distill.yaml", root / "distill.yaml")
