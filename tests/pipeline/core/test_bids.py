import pytest

from pipeline.core.bids import bids_stem, with_entities


def test_entities_stand_in_the_order_of_bids_whatever_the_order_they_are_given_in():
    stem = bids_stem(desc="gim", stat="rdiff", sub="01", minus="eng1000", q=None)
    assert stem == "sub-01_minus-eng1000_stat-rdiff_desc-gim"
    assert with_entities(stem, space="fsLR", hemi="L", den="") == (
        "sub-01_hemi-L_space-fsLR_minus-eng1000_stat-rdiff_desc-gim"
    )


def test_an_entity_that_the_results_do_not_have_is_refused():
    with pytest.raises(ValueError, match="model"):
        bids_stem(sub="01", model="gim")
