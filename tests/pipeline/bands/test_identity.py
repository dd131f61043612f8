"""What a band was made with is known by what is in the files, not by where they are."""

import shutil

from pipeline.bands.identity import differences, digests
from pipeline.bands.registry import BandOptions


def of(kind, **own):
    return digests(BandOptions(kind, None, own))


def test_a_lexicon_is_its_content(tmp_path):
    for name, content in [("a", b"one"), ("b", b"one"), ("c", b"other")]:
        (tmp_path / name).write_bytes(content)
    a, b, c = (of("eng1000", downsample="sum", eng1000=str(tmp_path / n)) for n in "abc")
    assert a == b
    assert differences(a, c) == ["eng1000"]


def test_a_folder_is_its_files_with_their_names(tmp_path):
    """A tokenizer that was exchanged in a model's folder is another model."""
    model = tmp_path / "model"
    model.mkdir()
    (model / "tokenizer.json").write_text("{}")
    (model / "model.safetensors").write_text("weights")
    moved = shutil.copytree(model, tmp_path / "moved")
    before = of("static", model=str(model))
    assert before == of("static", model=str(moved))
    (moved / "tokenizer.json").write_text("{ }")
    assert differences(before, of("static", model=str(moved))) == ["model"]
    (model / "tokenizer.json").rename(model / "vocab.json")
    assert differences(before, of("static", model=str(model))) == ["model"]


def test_the_shipped_encoder_is_known_and_a_table_may_be_another():
    assert len(of("encoder", encoder=None, downsample="sum")["encoder"]) == 64
    assert of("table", path="tables/{story}.csv", per="word") == {}
    assert of("static", model="someone/no-model") == {"model": "someone/no-model"}
    assert differences({"a": "1"}, {"b": "1"}) == ["a", "b"]
