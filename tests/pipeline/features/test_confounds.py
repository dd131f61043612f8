"""Tables of what a scan measured: rows, first values, and what must not be read."""

import h5py
import numpy as np
import pandas as pd
import pytest

from pipeline import audit
from pipeline.bands.compute import BandFile, recording_features
from pipeline.bands.registry import BandOptions, band_options, kind_of
from pipeline.config.load import complete
from pipeline.core.errors import LeakError, ProblemError
from pipeline.dataset.basis import response_basis
from pipeline.dataset.grid import Grid
from pipeline.features.confounds import KIND, compute
from pipeline.validation.bands import check_bands
from tests.helpers.responses import write_responses

GRID = Grid(n_scanned=50)
OWN = {"columns": ["trans_x", "framewise_displacement"]}


def write(path, n, seed=0):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(rng.normal(size=(n, 3)), columns=["trans_x", "global_signal", "rot_x"])
    table["framewise_displacement"] = [np.nan, *np.abs(rng.normal(size=n - 1))]
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(path, sep="\t", index=False, na_rep="n/a")
    return table


@pytest.mark.parametrize(
    ("n", "kept"), [(50, slice(10, 40)), (45, slice(10, 40)), (30, slice(0, 30))]
)
def test_rows_are_those_of_the_kept_volumes_and_first_gaps_are_zero(tmp_path, n, kept):
    table = write(tmp_path / "t.tsv", n)
    values = compute(tmp_path / "t.tsv", GRID, OWN)
    np.testing.assert_allclose(values, table[OWN["columns"]].fillna(0)[kept])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.iloc[:33], "33 rows, not one for each of 50 scanned"),
        (lambda t: t.drop(columns="trans_x"), "no column 'trans_x'"),
        (lambda t: t.assign(trans_x=[*t["trans_x"][:-1], np.nan]), "column 'trans_x', line 51"),
        (lambda t: t.assign(trans_x="x"), "'x' is no number"),
        (lambda t: t.assign(trans_x=np.nan), "only first rows may be n/a"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(tmp_path, change, said):
    change(write(tmp_path / "t.tsv", 50)).to_csv(
        tmp_path / "t.tsv", sep="\t", index=False, na_rep="n/a"
    )
    if said.startswith("only"):
        assert not compute(tmp_path / "t.tsv", GRID, {"columns": ["trans_x"]}).any()
        return
    with pytest.raises(ProblemError, match=said):
        compute(tmp_path / "t.tsv", GRID, OWN)


@pytest.mark.parametrize(
    "name", ["global_signal", "csf_derivative1", "a_comp_cor_00", "std_dvars", "motion_outlier03"]
)
def test_nothing_made_from_the_bold_of_the_row_is_read(tmp_path, name):
    write(tmp_path / "t.tsv", 50)
    with pytest.raises(ProblemError, match="is made from the BOLD that is to be predicted"):
        compute(tmp_path / "t.tsv", GRID, {"columns": [name]})


class Run:
    """A subject with tables of movement beside the responses."""

    def __init__(self, root):
        self.root, self.stories = root, ["a", "b", "c", "d"]
        self.dataset = write_responses(root, dict.fromkeys(self.stories, 30), n_voxels=5)
        for i, story in enumerate(self.stories):
            write(root / "fmriprep" / "sub-S1" / f"{story}.tsv", 50, i)
        motion = {"kind": "confounds", "path": "fmriprep/sub-{subject}/{story}.tsv", **OWN}
        self.config = complete(
            {
                "name": "n",
                "data_root": str(root),
                "subjects": {"S1": {}},
                "stories": {"train": self.stories[:3], "test": self.stories[3:]},
                "features": {"eng1000": {}, "motion": motion},
                "models": {"eng1000": ["eng1000"], "motion": ["motion"]},
                "fit": {"n_folds": 3},
            }
        )
        self.options = band_options(self.config, "motion")
        self.band, self.basis = root / "motion.h5", root / "basis.h5"
        given = {"stories": self.stories, "options": self.options, "output": self.band}
        recording_features(self.dataset, "S1", **given)

    def audit(self):
        train, test = self.stories[:3], self.stories[3:]
        response_basis(
            self.dataset, "S1", train=train, test=test, n_components=3, output=self.basis
        )
        subject = audit.Subject(
            dataset=self.dataset, name="S1", train=train, test=test,
            words=pd.DataFrame({"story": [], "word": [], "onset": [], "offset": []}),
            basis=self.basis, features={"motion": self.band}, matches={},
            options={"motion": self.options}, delays=(1, 2, 3, 4), seed=0,
        )  # fmt: skip
        return audit.audit(subject, n_stories=2, n_rows=2, seed=0)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return Run(tmp_path_factory.mktemp("motion"))


def test_the_file_has_the_tables_and_their_names(run):
    assert BandFile(run.band).columns() == OWN["columns"]
    found = BandFile(run.band).read(["b"])["b"]
    table = pd.read_csv(run.root / "fmriprep" / "sub-S1" / "b.tsv", sep="\t", na_values="n/a")
    np.testing.assert_allclose(found, table[OWN["columns"]].fillna(0)[10:40], rtol=1e-5)


def test_the_audit_holds_it_against_the_tables(run):
    assert run.audit().empty
    with h5py.File(run.band, "a") as file:
        file["d"][5, 0] += 1
    with pytest.raises(LeakError, match="motion, d: the features written are not"):
        run.audit()
    with h5py.File(run.band, "a") as file:
        file["d"][5, 0] -= 1


def test_tables_are_checked_before_any_work(run):
    assert not check_bands(run.config).problems
    path = run.root / "fmriprep" / "sub-S1" / "c.tsv"
    kept = path.read_text()
    path.unlink()
    (problem,) = check_bands(run.config).problems
    assert problem.file == path
    path.write_text(kept)


def test_the_six_parameters_of_movement_are_read_unless_told_otherwise():
    own = BandOptions("confounds", own=kind_of("confounds").options).own
    assert own["columns"] == ("trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z")
    assert not KIND.readable
