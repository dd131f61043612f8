from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dataset.grid import Grid


def test_rows_of_ds003020():
    grid = Grid(n_scanned=311)
    assert grid.n_volumes == 306
    assert grid.n_rows == 291
    assert grid.volume_starts()[grid.kept][0] == 10.0


@pytest.mark.shared
def test_rows_agree_with_the_real_responses(shared):
    import json

    import h5py

    root = shared / "realdata" / "ds003020-pcs" / "derivative"
    scanned = json.loads((root / "respdict.json").read_text())
    for path in sorted((root / "preprocessed_data" / "UTS03").glob("*.hf5")):
        with h5py.File(path) as file:
            assert len(file["data"]) == Grid(scanned[path.stem]).n_rows


def test_words_belong_to_the_row_of_their_onset():
    grid = Grid(n_scanned=60)
    assert grid.row_of(np.array([0.0, 9.99, 10.0, 11.99, 12.0])).tolist() == [-5, -1, 0, 0, 1]


def test_words_in_step_with_the_scanner_belong_to_the_tr_that_they_begin_with():
    """Every second of 400 words begins with a TR of 1.1 s."""
    grid = Grid(n_scanned=300, tr=1.1, sound_start=0.0, unused_volumes=0, trim=(0, 0))
    onsets = np.array([float(Decimal("0.55") * k) for k in range(400)])
    assert grid.row_of(onsets).tolist() == [k // 2 for k in range(400)]
    summed = np.cumsum(np.full(400, 0.55)) - 0.55
    assert grid.row_of(summed).tolist() == [k // 2 for k in range(400)]


@given(
    tr=st.decimals("0.05", "30", places=4),
    start=st.decimals("-100", "100", places=3),
    parts=st.integers(1, 4),
    n=st.lists(st.integers(0, 4000), min_size=1, max_size=20),
    late=st.decimals("-0.001", "0.001", places=4),
)
def test_rows_are_those_of_exact_arithmetic(tr, start, parts, n, late):
    """Onsets on, and a little before and after, what is a whole TR or a part of one."""
    grid = Grid(n_scanned=9, tr=float(tr), sound_start=float(start), trim=(3, 2))
    exact = [round(Decimal(k) * tr / parts, 4) + late - start for k in n]
    expected = [(Fraction(onset + start) // Fraction(tr)) - 3 for onset in exact]
    assert grid.row_of(np.array([float(onset) for onset in exact])).tolist() == expected


def test_state_is_the_last_word_that_starts_before_the_row_ends():
    grid = Grid(n_scanned=40)
    onsets = np.array([9.0, 10.5, 11.999, 12.0, 14.5, 26.0])
    states = grid.states(onsets)
    # word 4 starts in row 2 and is carried through rows 3 and 4, then there is no state
    assert states[:10].tolist() == [2, 3, 4, 4, 4, -1, -1, -1, 5, 5]


def test_words_of_trimmed_volumes_can_be_a_state():
    assert Grid(n_scanned=40).states(np.array([7.0])).tolist()[:3] == [0, -1, -1]


def test_no_words_no_states():
    assert (Grid(n_scanned=40).states(np.array([])) == -1).all()
