"""The table of significance: what is counted, and where nothing can be."""

import numpy as np
import pandas as pd
import pytest

from pipeline.core.atomic import write_table
from pipeline.statistics.options import TestOptions
from pipeline.statistics.permutation import Test
from pipeline.statistics.stats_file import StatsFile
from pipeline.tables.significance import significance_table


@pytest.mark.parametrize(
    ("n_null", "tail", "fdr", "fwer"),
    [(19, "none", None, None), (20, "none", 2, 1), (0, "none", None, None), (400, "gpd", 2, 1)],
)
def test_voxels_are_counted_where_some_p_can_be_below_alpha(tmp_path, n_null, tail, fdr, fwer):
    """With 19 permutations the smallest p is 0.05, which is not below it; nothing was tested."""
    options = TestOptions(
        scheme="shift", permutations=9, min_shift=2, block=2, tail=tail, alpha=0.05
    )
    q, p_fwer = np.array([0.04, 0.01, 0.5]), np.array([0.2, 0.01, 1])
    test = Test(p=q, q=q, p_fwer=p_fwer, p_mean=0.5, n_null=n_null)
    with StatsFile.create(tmp_path / "stats.h5", {}) as file:
        file.write_r(test, options)
    table = significance_table({("S1", "m"): tmp_path / "stats.h5"})
    counted = [None if pd.isna(table[c][0]) else table[c][0] for c in ("n_fdr", "n_fwer")]
    assert counted == [fdr, fwer]
    assert pd.isna(table["fraction_fdr"][0]) == (fdr is None)
    write_table(table, tmp_path / "significance.tsv")
    shown = (tmp_path / "significance.tsv").read_text().splitlines()[1].split("\t")
    assert shown[7] == ("n/a" if fdr is None else "2")
