"""Le Petit Prince, from a clone's names to data that the validation accepts.

The dataset is made here after the facts of its own tree: numbers of runs and volumes, seconds
of sound, links of git-annex, a byte order mark. Its volumes have four voxels.
"""

import nibabel as nib
import numpy as np
import pytest
from snakemake.utils import update_config

from pipeline.config.load import complete, read_file
from pipeline.core.errors import ProblemError
from pipeline.dataset.dataset import Dataset
from pipeline.fetch.fetch import fetch
from pipeline.runs.command import main
from pipeline.validation.dataset import check_dataset
from tests.conftest import REPOSITORY
from tests.helpers.annexed import clone
from tests.helpers.datasets import long_textgrid
from tests.helpers.server import Server

# By language: volumes of runs 1 to 9, seconds of sound, and the runs' numbers of some subjects.
VOLUMES = {
    "EN": [282, 298, 340, 303, 265, 343, 325, 292, 368],
    "CN": [283, 322, 322, 307, 293, 392, 364, 293, 401],
    "FR": [309, 326, 354, 315, 293, 378, 332, 294, 336],
}
SOUND = {
    "EN": [554.7, 587.8, 671.4, 598.2, 522.2, 678.1, 642.0, 575.8, 727.1],
    "CN": [564.9, 642.6, 643.7, 612.2, 584.5, 782.9, 726.6, 585.2, 801.1],
    "FR": [613.5, 647.0, 702.2, 624.5, 580.8, 750.4, 658.5, 583.2, 667.9],
}
RUNS = {
    "EN057": range(7, 16),
    "EN058": [9, 11, 12, 13, 14, 19, 20, 21, 22],
    "FR001": range(1, 10),
    "CN001": range(5, 14),
}
OVERLAYS = {"EN": [], "FR": ["french"], "CN": ["chinese"]}
MASK = "data/littleprince/mask.nii.gz"


def path_of(subject, number):
    task = f"lpp{subject[:2]}"
    return (
        f"derivatives/sub-{subject}/func/sub-{subject}_task-{task}_run-{number:02}"
        "_space-MNIColin27_desc-preproc_bold.nii.gz"
    )


def write_source(root):
    """The dataset with its contents."""
    rng = np.random.default_rng(0)
    root.mkdir()
    rows = "".join(f"sub-{subject}\t30\n" for subject in RUNS)
    (root / "participants.tsv").write_text("\ufeffparticipant_id\tage\n" + rows, encoding="utf-8")
    for language, seconds in SOUND.items():
        folder = root / "annotation" / language
        folder.mkdir(parents=True)
        for k, length in enumerate(seconds, start=1):
            # Long words, of which few make a section; other words in every one.
            ends = np.arange(1.5, length, 1.5)
            said = [(round(e - 1.5, 2), round(e, 2), f"w{k}x{i % 40}") for i, e in enumerate(ends)]
            path = folder / f"lpp{language}_section{k}.TextGrid"
            path.write_text(long_textgrid({"words": said}))
    for subject, numbers in RUNS.items():
        for number, n in zip(numbers, VOLUMES[subject[:2]], strict=True):
            path = root / path_of(subject, number)
            path.parent.mkdir(parents=True, exist_ok=True)
            values = rng.standard_normal((2, 2, 1, n)).astype(np.float32)
            img = nib.Nifti1Image(values, np.eye(4))
            img.header.set_zooms((1, 1, 1, 2.0))
            img.header.set_xyzt_units("mm", "sec")
            nib.save(img, path)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    root = tmp_path_factory.mktemp("lpp") / "source"
    write_source(root)
    return root


@pytest.fixture
def cloned(source, tmp_path, monkeypatch):
    root = tmp_path / "ds003643"
    root.mkdir()
    clone(source, root)
    monkeypatch.setenv("DS003643", str(root))
    monkeypatch.chdir(tmp_path)
    mask = tmp_path / MASK
    mask.parent.mkdir(parents=True)
    nib.save(nib.Nifti1Image(np.ones((2, 2, 1), np.uint8), np.eye(4)), mask)
    return root


def configured(root, language, **changes):
    """The shipped configuration of a language, by the commands that it names."""
    transcript = f"annotation/{language}/lpp{language}_{{story}}.TextGrid"
    main(["--bids", str(root), "--task", f"lpp{language}", "--story", "section{order}",
          "--transcript", transcript, "--out", str(root / f"runs_{language}.tsv")])  # fmt: skip
    config = read_file(REPOSITORY / "config/littleprince.yaml")
    for name in OVERLAYS[language]:
        update_config(config, read_file(REPOSITORY / f"config/overlays/littleprince/{name}.yaml"))
    return complete(config | changes)


@pytest.mark.parametrize("language", OVERLAYS)
def test_from_names_to_data(language, cloned, source):
    """Nothing is there but names; what the table names is fetched, and nothing else."""
    server = Server()
    for path in source.rglob("*"):
        if path.is_file():
            server.pages[f"/{path.relative_to(source)}"] = path.read_bytes()
    addresses = {"files": server.url, "pointers": server.url, "models": False}
    config = configured(cloned, language, fetch=addresses | {"annex": False, "jobs": 4})
    subjects = [subject for subject in RUNS if subject.startswith(language)]
    assert list(config["subjects"]) == sorted(subjects)
    assert all("not fetched" in p.what for p in check_dataset(config).findings.problems)
    config["eng1000"]["path"] = None
    config["eng1000"]["corpora"] = ["none"]
    fetch(config, jobs=4)
    server.shutdown()
    server.server_close()
    fetched = {p.relative_to(cloned).as_posix() for p in cloned.rglob("*.nii.gz") if p.exists()}
    assert fetched == {path_of(subject, n) for subject in subjects for n in RUNS[subject]}
    checked = check_dataset(config)
    assert checked.findings.problems == []
    assert checked.n_voxels == dict.fromkeys(sorted(subjects), 4)
    n_cut = sum(config["timing"]["trim"])
    kept = {f"section{k}": n - n_cut for k, n in enumerate(VOLUMES[language], start=1)}
    assert checked.n_rows == kept
    dataset = Dataset.from_config(config)
    for k, seconds in enumerate(SOUND[language], start=1):
        grid, words = dataset.grid(f"section{k}"), dataset.read_words(f"section{k}")
        after = len(grid.volume_starts()) * grid.tr - seconds
        assert after < (config["timing"]["trim"][1] + 2.5) * grid.tr
        assert grid.row_of(words["onset"].to_numpy())[0] == -10


def test_the_sections_are_those_of_the_order_of_the_runs(cloned):
    config = configured(cloned, "EN")
    dataset = Dataset.from_config(config)
    found = [dataset.source("EN058", f"section{k}") for k in range(1, 10)]
    assert found == [cloned / path_of("EN058", n) for n in RUNS["EN058"]]


def test_a_run_of_another_length_is_named(cloned, source):
    """Two runs whose order is changed are not the sections that they are taken for."""
    config = configured(cloned, "EN")
    for subject in ("EN057", "EN058"):
        for number in RUNS[subject]:
            path = cloned / path_of(subject, number)
            path.unlink()
            path.write_bytes((source / path_of(subject, number)).read_bytes())
    first, second = (cloned / path_of("EN057", n) for n in (7, 8))
    first.rename(cloned / "x"), second.rename(first), (cloned / "x").rename(second)
    said = [p for p in check_dataset(config).findings.problems if "rows, but" in p.what]
    assert {p.file for p in said} == {str(first), str(second)}


def test_without_the_table_the_command_is_named(cloned):
    with pytest.raises(ProblemError, match=r"python -m pipeline\.runs"):
        complete(read_file(REPOSITORY / "config/littleprince.yaml"))
