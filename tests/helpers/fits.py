"""Fits made up on disk, as a run would have written them."""

from pipeline.fit.file import FitFile


def write_fit(
    path, r, r_cv, r_train, bands, train, predictions=None, copied=None, attributes=None, **others
):
    """Write a fit of which some things are known; of `others`, r_concat and r_test are r if not.

    Alphas are 1 and shares 0 where they are not given. `predictions` are by story.
    """
    predictions, n_voxels = predictions or {}, len(r)
    known = {"alpha": 1, "share": 0, "r_concat": r, "r_test": r} | others
    with FitFile.create(
        path,
        n_voxels=n_voxels,
        bands=bands,
        train=train,
        test={story: len(p) for story, p in predictions.items()},
        copies=bool(copied),
    ) as file:
        voxels = slice(0, n_voxels)
        file.write_training(voxels, alpha=known.pop("alpha"), r_train=r_train, r_cv=r_cv)
        file.write_test(voxels, r=r, predictions=predictions, copied=copied or {}, **known)
        file.write_attributes(attributes or {})
    return path
