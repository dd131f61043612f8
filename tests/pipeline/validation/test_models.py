"""Encoders, indexes and language models are looked at before any long work."""

import shutil

import pytest

from gim.encoder.encoder import Encoder
from gim.text.tokenizer import load_tokenizer
from pipeline.config.load import complete
from pipeline.validation.bands import check_bands
from pipeline.validation.manifest import settings_files
from pipeline.validation.models import (
    check_language_models,
    check_models,
    check_outputs,
    language_models,
    model_files,
)
from tests.helpers.configs import BASIC
from tests.helpers.gguf import write_gguf


def config(language, **features):
    """A model of each of the bands."""
    models = BASIC["models"] | {f"with{band}": [band] for band in features}
    return complete({**BASIC, "features": {**BASIC["features"], **features}, "models": models})


def test_missing_models_are_named_with_a_remedy(language):
    bands = {"gim": {"encoder": "/nowhere/e"}, "infinigram": {"index": "/nowhere/i"}}
    problems = check_models(model_files(config(language, **bands))).problems
    assert [(str(p.file), p.place) for p in problems] == [
        ("/nowhere/e", "features.gim.encoder"),
        ("/nowhere/i", "features.infinigram.index"),
    ]
    assert "gim distill" in problems[0].remedy and "gim index" in problems[1].remedy


def test_what_no_model_of_the_run_needs_is_not_looked_for(language):
    bands = {"gim": {"encoder": "/nowhere/e"}, "llm": {"model": "/nowhere/m"}}
    given = config(language, **bands)
    without = given | {"models": BASIC["models"]}
    assert len(model_files(given)) > len(model_files(without))
    assert not check_models(model_files(without)).problems and not language_models(without)


def test_the_matcher_that_a_control_redraws_is_looked_for(language):
    own = config(language, gim={"encoder": "/nowhere/e"}, gimlag={})
    own["models"] = {"control": ["gimlag"]}
    assert [p.place for p in check_models(model_files(own)).problems] == ["features.gim.encoder"]


def test_models_that_are_there_pass(language):
    bands = {"gim": language["gim"], "infinigram": language["infinigram"]}
    assert not check_models(model_files(config(language, **bands))).problems


def test_states_are_wanted_of_encoders_that_were_taught_them(language, tmp_path):
    taught = Encoder.create(width=16, heads=2, layers=1, window=4, dim=8, state_dim=3)
    taught.save_pretrained(tmp_path / "taught")
    for encoder, message in ((language["gim"]["encoder"], "not taught"), (tmp_path / "taught", "")):
        own = config(language, encoder={"encoder": str(encoder), "output": "states"})
        problems = check_outputs(own, model_files(own)).problems
        assert [message in p.what for p in problems] == [True] * bool(message)
        assert all(p.place == "features.encoder.output" for p in problems)


def test_a_band_that_needs_no_index_is_not_asked_for_one(language):
    own = {"weighted": True, **language["gim"]}
    assert not check_models(model_files(config(language, induction=own))).problems


def test_a_lexicon_whose_table_is_missing_is_told_before_any_work(language):
    own = config(language, lexicon={"sources": ["letters"], "table": "/nowhere/norms.tsv"})
    own["models"]["named"] = ["lexicon"]
    (problem,) = check_bands(own).problems
    assert str(problem.file) == "/nowhere/norms.tsv"


def test_what_the_run_itself_makes_is_not_asked_for(language):
    own = config(language, infinigram={"index": "results/x/lm/index"})
    assert not model_files(own)


# --- language models


def found(language, **bands):
    return check_language_models(language_models(config(language, **bands))).problems


@pytest.fixture(scope="module")
def broken(tmp_path_factory, language):
    """Models that cannot be used, by what is wrong with them."""
    tmp_path = tmp_path_factory.mktemp("broken")
    from transformers import BertConfig, BertLMHeadModel

    sizes = {"hidden_size": 8, "intermediate_size": 16, "num_attention_heads": 2}
    bert = BertLMHeadModel(BertConfig(vocab_size=300, num_hidden_layers=3, **sizes))
    bert.save_pretrained(tmp_path / "ahead")
    load_tokenizer().fast.save(str(tmp_path / "ahead" / "tokenizer.json"))
    shutil.copytree(language["gimteacher"]["model"], tmp_path / "mute")
    (tmp_path / "mute" / "tokenizer.json").unlink()
    whole = write_gguf(tmp_path / "other.gguf", tokenizer=load_tokenizer(), architecture="clip")
    (tmp_path / "cut.gguf").write_bytes(whole.read_bytes()[:9999])
    return tmp_path


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("gone", "no such folder"),
        ("ahead", "it looks ahead"),
        ("mute", "no tokenizer here"),
        ("cut.gguf", "no whole GGUF file"),
        ("other.gguf", "a model of the architecture 'clip'"),
    ],
)
@pytest.mark.parametrize("band", ["llm", "gimteacher"])
def test_a_language_model_that_cannot_be_used_is_one_problem(broken, language, band, name, what):
    (problem,) = found(language, **{band: {"model": str(broken / name)}})
    assert problem.place == f"features.{band}.model" and str(broken / name) in problem.file
    assert what in problem.what and problem.remedy


def test_embeddings_alone_may_be_of_a_model_that_looks_ahead(broken, language):
    assert not found(language, static={"model": str(broken / "ahead")})


def test_a_good_model_passes_and_its_files_are_inputs(language):
    good = language["gimteacher"]["model"]
    assert not found(language, llm={"model": good}, static={"model": good})
    files = settings_files(config(language, llm={"model": good}))
    names = {path.name for path in files if str(path).startswith(good)}
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= names
    (problem,) = found(language, llama={"kind": "llm", "model": good})
    assert "gpt2" in problem.what


def test_a_model_that_the_run_trains_is_not_asked_for(language):
    bands = {"llm": {"model": "results/teacher"}}
    assert found(language, **bands)
    training = {"pretrain": "config/pretrain.yaml", "distill": "config/distill.yaml"}
    own = complete({**BASIC, "features": {**BASIC["features"], **bands}, "training": training})
    assert not language_models(own)
