"""The viewer of pycortex: maps on the subject's own cortex, to be turned and unfolded in a browser.

Gao et al., 2015, Front. Neuroinform. 9:23. It is a folder that a web server has to serve: browsers
do not let a page from disk read the files beside it.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from pipeline.maps.flatmap import FlatSurface
from pipeline.maps.scale import Scale

COLOURS = "inferno"  # of pycortex, nearest to those of the other figures


def write_webgl(
    surface: FlatSurface,
    *,
    maps: Mapping[str, tuple[np.ndarray, Scale]],
    colours: Mapping[str, np.ndarray],
    folder: Path,
    title: str,
) -> None:
    """Write the viewer of some maps, whole or not at all.

    Parameters
    ----------
    surface : FlatSurface
        The subject.
    maps : mapping of name to (array of shape (n_voxels,), Scale)
        Correlations with the limits of their colours; NaN where there is none.
    colours : mapping of name to array of shape (3, n_voxels)
        Maps of colours 0..1; NaN where there is none.
    folder : Path
        The viewer; its page is `index.html`.
    title : str
        Of the page.
    """
    views = {name: surface.coloured(values) for name, values in colours.items()}
    views |= {
        name: surface.volume(values, vmin=scale.vmin, vmax=scale.vmax, cmap=COLOURS)
        for name, (values, scale) in maps.items()
    }
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent, prefix=".partial-") as temporary:
        made = Path(temporary) / folder.name
        surface.export(made, views, title)
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)
