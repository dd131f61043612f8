"""Banded ridge regression per voxel, every band with an alpha of its own, folds of whole stories.

It uses `pipeline.core`, `pipeline.dataset` and `pipeline.bands`. Begin with `run`, which goes
through the blocks of voxels. The way of one block:

    design              bands scaled, reduced, delayed              -> rows of each story
    regression          the design, a block's responses, the folds
    cross_validation    every choice nested, one solver a fold      -> out-of-fold r, final weights
      solver            alphas, then weights at them
      search            which alphas: `elimination` of narrow bands, `pooling` of the scores of
                        voxels that are alike
      probes            the few points at which voxels are scored that are no reference voxels
      gram_engine       solves candidates by X'X, whose `sums` and `grams` models can share,
      kernel_engine     by XX', for fewer rows than columns; both with `linalg`
      remade_engine     where bands differ with the folds left out
      himalaya_solver   himalaya's own random search instead, on a GPU
    attribution         what each band explains
    file                what is written, and every way to read it
    options, memory     what is tried, and how many voxels a block may have
"""
