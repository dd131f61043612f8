import copy
from functools import partial
from pathlib import Path

import pytest

from pipeline.bands.registry import BAND_OPTIONS, band_options, known_kinds
from pipeline.config.load import complete, load, read_file
from pipeline.config.stories import training_stories
from pipeline.core.errors import ProblemError
from pipeline.core.schema.validator import SCHEMAS, band_schema, schema
from tests.helpers import configs
from tests.helpers.configs import BASIC

changed = partial(configs.changed, BASIC)


def problems(config):
    with pytest.raises(ProblemError) as caught:
        complete(config, "my.yaml")
    assert all(str(p.file) == "my.yaml" and p.remedy for p in caught.value.problems)
    return [f"{p.place}: {p.what}" for p in caught.value.problems]


def test_what_is_allowed_is_allowed_of_test_stories():
    assert complete(changed(allow={"copies": ["t"]}))["allow"] == {
        "copies": ["t"],
        "contaminated": [],
    }
    found = problems(changed(allow={"copies": ["a"], "contaminated": ["u"]}))
    assert found == [
        "allow.copies: 'a' is not a test story here",
        "allow.contaminated: 'u' is not a test story here",
    ]


def test_defaults_are_filled_in_and_the_original_is_left_alone():
    original = copy.deepcopy(BASIC)
    config = complete(BASIC)
    assert original == BASIC
    assert config["horizon"] == 2
    assert config["delays"] == [1, 2, 3, 4]
    assert config["timing"]["trim"] == [10, 5]
    assert config["fit"]["alphas"]["n"] == 6
    assert config["seeds"] == dict.fromkeys(
        ["simulation", "folds", "search", "matching", "audit", "permutation"], 0
    )
    assert config["subjects"]["S1"] == {"exclude": []}
    assert training_stories(config, "S2") == ["a", "c", "d"]


def test_completing_twice_changes_nothing():
    assert complete(complete(BASIC)) == complete(BASIC)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"colour": "red"}, "'colour' was unexpected"),
        ({"fit__fold": 3}, "'fold' was unexpected"),
        ({"horizon": "two"}, "'two' is not of type 'integer'"),
        ({"horizon": 0}, "0 is less than the minimum"),
        ({"stories__test": ["t", "a"]}, "'a' is both a training and a test story"),
        ({"models__m": ["nothing"]}, "unknown band 'nothing'"),
        ({"features__magic": {}}, "unknown feature space or matcher 'magic'"),
        ({"features__mine": {"kind": "magic"}}, "unknown feature space or matcher 'magic'"),
        ({"features__ngram": {"m": 3}}, "features.ngram.m: unknown option"),
        ({"features__ngram": {"n": "four"}}, "features.ngram.n: 'four' is not of type 'integer'"),
        ({"features__ngram": {"offsets": 3}}, "features.ngram.offsets: 3 is not of type 'array'"),
        ({"features__ngram": {"offsets": [1, "a"]}}, "features.ngram.offsets[1]: 'a' is not of"),
        ({"features__ngram": {"best_fraction": 2}}, "2 is greater than the maximum of 1"),
        ({"features__ngram": {"horizon": "9"}}, "'9' is not of type 'integer', 'null'"),
        ({"features__eng1000": {"downsample": "median"}}, "'median' is not one of"),
        (
            {"features__passages": {"weighting": "pursuit", "n_matches": None}},
            "features.passages.n_matches: a pursuit takes a few passages, not all",
        ),
        ({"features__eng1000lag": {}}, "'eng1000' is not a matcher"),
        ({"features__c": {"kind": "lag", "of": "z"}}, "'z' is not a matcher"),
        ({"features__c": {"kind": "lag", "of": "arlag"}}, "'arlag' is not a matcher"),
        ({"features__c": {"kind": "lag", "of": "c"}}, "'c' is not a matcher"),
        ({"baseline": "nobody"}, "baseline: 'nobody' is no model of this run"),
        ({"only": ["nobody"]}, "only: 'nobody' is no model of this run"),
        ({"only": ["m"], "models__m": ["ngram"]}, "baseline: 'eng1000' is no model of this run"),
        ({"maps__figures_for": ["nobody"]}, "maps.figures_for: 'nobody' is no model of this run"),
        (
            {"fit__solver": "himalaya", "features__passages": {}, "models__m": ["passages"]},
            "fit.solver: himalaya cannot make the memory of 'passages' in 'm' for every fold",
        ),
        ({"subjects__S1": {"exclude": ["z"]}}, "'z' is not a story here"),
        ({"subjects__S1": {"exclude": ["a", "b"]}}, "2 training stories, fewer than the 3 folds"),
        ({"subjects__S1": {"exclude": ["t"]}}, "no test story is left"),
        ({"subjects__a-b": {}}, "'a-b' does not match"),
        ({"fit__alphas": {"min": 4, "max": 1}}, "min is above max"),
        ({"stories__train": ["a", "a", "b"]}, "non-unique elements"),
        ({"regions__r": {"volume": "a.nii"}}, "without a mask voxels have no place"),
        (
            {"mask": {"path": "m.nii"}, "regions__r": {"volume": "a", "atlas": "b"}},
            "atlas and volume to read regions from",
        ),
        ({"mask": {"path": "m.nii"}, "regions__r": {"left": "a"}}, "regions.r: left to read"),
        (
            {"mask": {"path": "m"}, "regions__voxels": {"volume": "a"}},
            "regions.voxels: tables have all voxels under this name",
        ),
        ({"subjects__mean": {}}, "subjects.mean: tables have means over subjects"),
        (
            {"mask": {"path": "m"}, "simulate": {}, "regions__truth": {"volume": "a"}},
            "simulated subjects have true regions of this name",
        ),
    ],
)
def test_one_thing_wrong(changes, expected):
    found = problems(changed(**changes))
    assert any(expected in problem for problem in found), found


def test_a_filter_in_seconds_or_faster_than_bold_is_refused():
    def refused(high_pass, tr=2.0):
        with pytest.raises(ProblemError) as caught:
            complete(changed(responses__high_pass=high_pass, timing__tr=tr))
        (problem,) = caught.value.problems
        assert "responses.high_pass" in problem.place
        return f"{problem.what}; {problem.remedy}"

    said = refused(128)
    assert "128 is greater than the maximum of 0.1" in said
    assert "give Hz, not seconds: a cut-off of 128 s is 0.0078 Hz" in said
    assert "0.08 Hz is most of what a TR of 5 s samples (up to 0.1)" in refused(0.08, 5.0)
    assert "at most 0.05 Hz" in refused(0.08, 5.0)
    kept = complete(changed(responses__high_pass=1 / 128))
    assert kept["responses"]["high_pass"] == 1 / 128


@pytest.mark.parametrize(
    ("changes", "what", "remedy"),
    [
        ({"timing__tr": 2000}, "2000 is greater than the maximum of 30", "seconds"),
        ({"timing__tr": 0.002}, "0.002 is less than the minimum of 0.05", "seconds"),
        ({"timing__sound_start": 10000}, "10000 is greater than the maximum of 3600", "seconds"),
        ({"delays": [2, 4000]}, "4000 is greater than the maximum of 60", "give TRs"),
        ({"fit__alphas": {"max": 1000}}, "1000 is greater than the maximum of 20", "logarithm"),
        ({"fit__alphas": {"min": -21}}, "-21 is less than the minimum of -20", "logarithm"),
    ],
)
def test_numbers_in_another_unit_are_refused_with_their_unit(changes, what, remedy):
    with pytest.raises(ProblemError) as caught:
        complete(changed(**changes))
    (problem,) = caught.value.problems
    assert problem.what == what
    assert remedy in problem.remedy


@pytest.mark.parametrize(
    ("changes", "remedy"),
    [
        ({"transcripts__path": "words.csv"}, "each story has a file of its own: write {story}"),
        ({"responses__path": "{subject}.h5"}, "each story has a file of its own: write {story}"),
        ({"name": "my run"}, "letters, digits, _, . and -"),
        ({"models__my-model": ["ngram"]}, "letters and digits only"),
        ({"report__sweep": ["a b"]}, "letters, digits, _, . and -"),
    ],
)
def test_text_of_another_form_is_told_what_it_should_be(changes, remedy):
    with pytest.raises(ProblemError) as caught:
        complete(changed(**changes))
    (problem,) = caught.value.problems
    assert remedy in problem.remedy


def test_too_few_stories_for_the_folds_are_told_once():
    """Of the run where no subject could do; of a subject where its exclusions are the reason."""
    few = changed(fit__n_folds=5, subjects={f"S{i}": None for i in range(9)})
    assert problems(few) == ["fit.n_folds: 4 training stories, fewer than the 5 folds"]
    blocks = changed(
        fit__n_folds=5,
        blocks={"s": {"n": 5, "gap": 9}},
        stories={"train": [f"s-{k}" for k in range(1, 5)], "test": ["s-5"]},
        subjects={"S1": None},
    )
    assert problems(blocks) == ["fit.n_folds: 4 training blocks, fewer than the 5 folds"]
    one = changed(fit__n_folds=4, subjects={"S1": None, "S2": {"exclude": ["b"]}})
    assert problems(one) == ["subjects.S2: 3 training stories, fewer than the 4 folds"]


def test_a_run_without_eng1000_is_told_to_set_the_baseline():
    with pytest.raises(ProblemError) as caught:
        complete(changed(models={"ngram": ["ngram"]}))
    (problem,) = caught.value.problems
    assert problem.place == "baseline"
    assert problem.remedy == (
        "set `baseline` to the model that the others are compared with, one of ['ngram']"
    )


def test_a_run_of_some_models():
    config = complete(changed(models__m=["ngram"], only=["m", "eng1000"]))
    assert set(config["models"]) == {"m", "eng1000"}
    assert complete(config) == config


def test_everything_wrong_is_listed_at_once():
    config = changed(models__m=["nothing"], features__magic={}, baseline="nobody")
    config["stories"]["test"] = ["t", "a"]
    assert len(problems(config)) == 4
    assert len(problems(changed(colour="red", horizon="two", fit__n_folds=1))) == 3


@pytest.mark.parametrize("content", ["a: [", "- just\n- a list", ""])
def test_files_that_are_no_configuration(tmp_path, content):
    path = tmp_path / "bad.yaml"
    path.write_text(content)
    with pytest.raises(ProblemError, match=r"bad\.yaml"):
        load(path)
    with pytest.raises(ProblemError, match="no such configuration"):
        load(tmp_path / "missing.yaml")


def test_lag_controls_inherit_from_their_matcher():
    options = band_options(complete(BASIC), "ngramlag")
    assert options.kind == "lag"
    assert options.redraws == "ngram"
    assert options.matching.min_lag == 8
    assert options.own["draws"] >= 20
    own = complete(changed(features__far={"kind": "lag", "of": "ngram", "min_lag": 30}))
    assert band_options(own, "far").matching.min_lag == 30


def test_bands_of_bold_get_the_horizon():
    config = complete(changed(horizon=6, features__ar={"horizon": 3}))
    assert band_options(config, "ngram").own["horizon"] == 6
    assert band_options(config, "ngramlag").own["horizon"] == 6
    assert band_options(config, "ar").own["horizon"] == 3
    assert "horizon" not in band_options(config, "eng1000").own


def test_paths_are_expanded(monkeypatch):
    monkeypatch.setenv("STORIES", "/somewhere")
    regions = {"r": {"volume": "$STORIES/r.nii"}}
    config = complete(changed(data_root="$STORIES/x", mask={"path": "~/mask.nii"}, regions=regions))
    assert config["regions"]["r"]["volume"] == "/somewhere/r.nii"
    assert config["data_root"] == "/somewhere/x"
    assert config["mask"]["path"] == str(Path.home() / "mask.nii")


def test_every_key_of_the_schema_has_a_description():
    def undescribed(part, place=""):
        for key, sub in part.get("properties", {}).items():
            if "description" not in sub:
                yield f"{place}.{key}"
            yield from undescribed(sub, f"{place}.{key}")

    assert list(undescribed(schema())) == []


@pytest.mark.parametrize("place", ["maps__figures_for", "keep__models"])
def test_models_that_a_run_leaves_out_may_be_named(place):
    section, key = place.split("__")
    given = changed(only=["eng1000"], models__m=["ngram"], **{place: ["m", "eng1000"]})
    assert complete(given)[section][key] == ["eng1000"]
    assert complete(changed(**{place: None}))[section][key] is None


def test_no_schema_says_a_key_twice():
    assert all(read_file(path) for path in SCHEMAS.glob("*.yaml"))


def test_an_option_that_a_kind_needs_cannot_be_null():
    given = {"path": "{story}.tsv", "columns": None}
    assert problems(changed(features__confounds=given)) == [
        "features.confounds.columns: confounds needs this option"
    ]
    complete(changed(features__confounds={"path": "{story}.tsv"}))


def test_every_option_of_a_kind_is_described_and_its_default_is_valid():
    described = band_schema()["properties"]
    options = {k: v for kind in known_kinds().values() for k, v in kind.options.items()}
    assert set(described) == {*options, *BAND_OPTIONS}
    assert all("description" in sub for sub in described.values())
    for name, kind in known_kinds().items():
        given = {k: list(v) if isinstance(v, tuple) else v for k, v in kind.options.items()}
        given |= {key: "x" for key in kind.required if not given[key]}
        if "of" in given:
            given["of"] = "ngram" if name == "lag" else "passages"
        if "band" in given:
            given["band"] = "eng1000"
        complete(changed(features__passages={}, features__b={"kind": name, **given}))


def test_controls_that_cannot_be_made():
    found = problems(changed(controls={"shuffled_chunks": ["eng1000", "other"]}))
    assert found == ["controls.shuffled_chunks: 'other' is no model of this run"]
    one = changed(subjects={"S1": None}, controls={"intersubject": "aligned"})
    assert problems(one) == ["controls.intersubject: one subject"]
    apart = changed(
        stories={"train": ["a", "b", "c", "d"], "test": ["t", "u"]},
        subjects={"S1": {"exclude": ["t"]}, "S2": {"exclude": ["u"]}},
        controls={"intersubject": "voxels"},
    )
    assert problems(apart) == ["controls.intersubject: no test story was heard by several subjects"]
    few = changed(subjects={"S1": {"exclude": ["a"]}, "S2": {"exclude": ["b"]}}, fit__n_folds=3)
    assert problems(few | {"controls": {"intersubject": "aligned"}}) == [
        "controls.intersubject: only 2 training stories were heard by all subjects"
    ]


def test_a_memory_has_no_shuffled_chunks():
    """Its passages are those of training stories, of which chunks would be part."""
    features = {"eng1000": None, "passages": {}}
    models = {"eng1000": ["eng1000"], "p": ["eng1000", "passages"]}
    config = changed(features=features, models=models, controls={"shuffled_chunks": ["p"]})
    assert any("is made of a memory" in problem for problem in problems(config))
