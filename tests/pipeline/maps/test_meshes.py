"""Surfaces under the maps of responses that lie on the surface themselves."""

import json

import nibabel as nib
import numpy as np
import pytest

from pipeline.core.errors import ProblemError
from pipeline.maps.meshes import cortex_of
from pipeline.maps.write import write_maps
from pipeline.voxels.vertices import Vertices
from tests.helpers import fmriprep
from tests.helpers.fmriprep import write_meshes

N = fmriprep.N_VERTICES
PAIR = Vertices.of_pair(N, N, "sub-01_hemi-L_space-own_bold.func.gii")
R = {"m": np.linspace(-0.2, 0.8, 2 * N)}


def test_maps_are_painted_on_the_datas_own_meshes(tmp_path):
    meshes = write_meshes(tmp_path)
    records = write_maps(
        R, {"m": ["m"]}, places=PAIR, folder=tmp_path, subject="01", contrasts={}, meshes=meshes
    )
    assert [record["kind"] for record in records] == ["gifti", "gifti", "surface", "surfview"]
    assert json.dumps(records)
    cortex = cortex_of(PAIR, meshes)
    painted = cortex.rasters["left lateral"].paint(cortex.sample(R["m"])["left"])
    shown = painted[np.isfinite(painted)]
    assert R["m"][:N].min() <= shown.min() < shown.max() <= R["m"][:N].max()
    assert len(shown) > 100


def test_templateflows_meshes_where_they_are_on_disk(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("TEMPLATEFLOW_HOME", str(tmp_path))
    with caplog.at_level("INFO"):
        assert cortex_of(PAIR) is None
    assert "set `surface`" in caplog.text
    folder = tmp_path / "tpl-own"
    folder.mkdir()
    for side, path in write_meshes(tmp_path).items():
        nib.save(
            nib.load(path), folder / f"tpl-own_den-1k_hemi-{side[0].upper()}_inflated.surf.gii"
        )
    assert len(cortex_of(PAIR).inflated["left"].coordinates) == N
    assert cortex_of(Vertices.of_pair(N + 1, N, PAIR.source)) is None


def test_meshes_of_another_space_and_files_that_are_none(tmp_path):
    meshes = write_meshes(tmp_path)
    (tmp_path / "rh.surf.gii").write_text("no")
    with pytest.raises(ProblemError) as caught:
        cortex_of(Vertices.of_pair(N + 1, N, "run"), meshes)
    left, right = caught.value.problems
    assert "the mesh has 12 vertices, the left hemisphere of the data 13" in left.what
    assert "no surface" in right.what
