"""Encoders and indexes are looked for before any long work."""

from pipeline.config.load import complete
from pipeline.validation.bands import check_bands
from pipeline.validation.models import check_models, model_files
from tests.pipeline.config.test_config import BASIC


def config(language, **features):
    return complete({**BASIC, "features": {**BASIC["features"], **features}})


def test_missing_models_are_named_with_a_remedy(language):
    bands = {"gim": {"encoder": "/nowhere/e"}, "infinigram": {"index": "/nowhere/i"}}
    problems = check_models(model_files(config(language, **bands))).problems
    assert [(str(p.file), p.place) for p in problems] == [
        ("/nowhere/e", "features.gim.encoder"),
        ("/nowhere/i", "features.infinigram.index"),
    ]
    assert "gim distill" in problems[0].remedy and "gim index" in problems[1].remedy


def test_models_that_are_there_pass(language):
    bands = {"gim": language["gim"], "infinigram": language["infinigram"]}
    assert not check_models(model_files(config(language, **bands))).problems


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
