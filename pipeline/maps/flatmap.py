"""Cortical flatmaps of subjects in a pycortex database (optional extra `pycortex`).

pycortex (Gao et al., 2015, Front. Neuroinform. 9:23) knows the subject's own cut and flattened
surfaces and how the functional volume lies on them, so that native masks get a surface, too.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from pipeline.core.errors import Problem, ProblemError
from pipeline.maps.canvas import Canvas
from pipeline.maps.scale import Scale
from pipeline.voxels.volume import Mask, to_volume

log = logging.getLogger(__name__)

HEIGHT = 700  # pixels
GREY = 0.35  # cortex without curvature
LIGHT, DARK = 0.45, 0.25  # gyri and sulci


class FlatSurface:
    """A subject of a pycortex database, flattened.

    Parameters
    ----------
    mask : Mask
        On the grid of the transform's reference volume.
    options : mapping
        The configuration's `mask.pycortex`: `subject`, `transform`, and `database`, the folder of
        the database (None: pycortex's own).
    subject : str
        Replaces {subject} in the options.

    Raises
    ------
    ProblemError
        The database has no such subject or transform, or the mask is on another grid.
    """

    def __init__(self, mask: Mask, options: Mapping[str, Any], subject: str) -> None:
        import cortex

        self._cortex, self.mask = cortex, mask
        named = {k: str(v).replace("{subject}", subject) for k, v in options.items() if v}
        self.subject, self.transform = named["subject"], named["transform"]
        self._cache = TemporaryDirectory()  # the database is the user's: nothing is written there
        cortex.options.config.set("basic", "cache", self._cache.name)
        if "database" in named:
            cortex.db.filestore = named["database"]
            cortex.db.reload_subjects()
        self._check()

    def _check(self) -> None:
        """Find the subject, the transform and its grid."""
        db = self._cortex.db
        source, place = db.filestore, "mask.pycortex"
        if not (Path(source) / self.subject).is_dir():
            what = f"no subject {self.subject!r} in the pycortex database"
            raise ProblemError(Problem(source, place, what, "fetch it, or correct the name"))
        known = db.get_paths(self.subject)["xfms"]
        if self.transform not in known:
            what = f"{self.subject} has no transform {self.transform!r}"
            raise ProblemError(Problem(source, place, what, f"use one of {', '.join(known)}"))
        shape = tuple(db.get_xfm(self.subject, self.transform).shape)[::-1]
        if shape != self.mask.img.shape:
            what = f"the transform is of a volume of {shape}, the mask's is {self.mask.img.shape}"
            raise ProblemError(Problem(self.mask.source, place, what, "give the mask's transform"))

    def paint(self, values: np.ndarray) -> np.ndarray:
        """Picture of a map of shape (n_voxels,), array (rows, columns); NaN off the cortex.

        A pixel is the mean over the cortex's depth of the voxels that have a value.
        """
        return self._flat(self.volume(values))

    def volume(self, values: np.ndarray, **colours: Any) -> Any:
        """A map of shape (n_voxels,) as pycortex has it, with its `vmin`, `vmax` and `cmap`."""
        volume = to_volume(values, self.mask).get_fdata().T  # pycortex has z first
        return self._cortex.Volume(volume, self.subject, self.transform, **colours)

    def coloured(self, colours: np.ndarray) -> Any:
        """Colours 0..1 of shape (3, n_voxels) as pycortex has them; transparent where NaN."""
        known = np.isfinite(colours).all(axis=0)
        channels = [
            to_volume(values, self.mask).get_fdata().T.astype(np.uint8)
            for values in [*np.nan_to_num(colours) * 255, known * 255.0]
        ]
        *rgb, alpha = channels
        return self._cortex.VolumeRGB(*rgb, self.subject, self.transform, alpha=alpha)

    def export(self, folder: Path, views: Mapping[str, Any], title: str) -> None:
        """Write pycortex's viewer of some maps (`volume`, `coloured`) into a new folder."""
        with self._linked():
            data = self._cortex.Dataset(**views)
            self._cortex.webgl.make_static(str(folder), data, title=title)

    @contextmanager
    def _linked(self) -> Iterator[None]:
        """Folders of links in place of the subject's: the viewer writes what it computes there."""
        db = self._cortex.db
        own = db.filestore
        with TemporaryDirectory() as temporary:
            for path in (Path(own) / self.subject).rglob("*"):
                link = Path(temporary) / path.relative_to(own)
                link.parent.mkdir(parents=True, exist_ok=True)
                if path.is_dir():
                    link.mkdir(exist_ok=True)
                else:
                    link.symlink_to(path.resolve())
            db.filestore = temporary
            db.reload_subjects()
            try:
                yield
            finally:
                db.filestore = own
                db.reload_subjects()

    @cached_property
    def grey(self) -> np.ndarray:
        """Grey levels of the cortex: gyri light, sulci dark, where the database has curvature."""
        inside, _ = self._cortex.quickflat.utils.get_flatmask(self.subject, height=HEIGHT)
        grey = np.where(inside.T[::-1], GREY, np.nan)
        files = self._cortex.db.get_paths(self.subject)["surfinfo"]
        if Path(files.format(type="curvature", opts="")).is_file():
            curvature = self._flat(self._cortex.db.get_surfinfo(self.subject, "curvature"))
            grey = np.where(np.isfinite(curvature), np.where(curvature > 0, DARK, LIGHT), grey)
        return grey

    def _flat(self, data: Any) -> np.ndarray:
        return self._cortex.quickflat.make_flatmap_image(data, height=HEIGHT)[0]


def flat_surface(mask: Mask, options: Mapping[str, Any] | None, subject: str) -> FlatSurface | None:
    """The subject's flattened cortex; None, and a reason in the log, where there is none."""
    if options is None:
        return None
    if importlib.util.find_spec("cortex") is None:
        log.info("no flatmaps: pycortex is not installed (pip install 'gim-encoding[pycortex]')")
        return None
    return FlatSurface(mask, options, subject)


class FlatmapFigure:
    """Both hemispheres, cut and flattened.

    Parameters
    ----------
    surface : FlatSurface
        The subject.
    scale : Scale
        Colours.
    """

    def __init__(self, surface: FlatSurface, scale: Scale) -> None:
        self.surface, self.scale = surface, scale
        rows, columns = surface.grey.shape
        width = 10.0
        height = (width - Canvas.RIGHT) * rows / columns + Canvas.TOP
        self.canvas = Canvas(width, height, scale)
        axes = self.canvas.add_axes(0, 0, 1, 1)
        for x, side in ((0.01, "left"), (0.95, "right")):
            axes.text(x, 0.02, side, transform=axes.transAxes, color="0.8", size=9)
        self._image = axes.imshow(np.zeros((rows, columns, 4)), interpolation="antialiased")

    def save(self, values: np.ndarray, path: Path, title: str, subtitle: str) -> None:
        """Paint a map, array of shape (n_voxels,), and write it as PNG."""
        self._image.set_data(self.scale.over(self.surface.grey, self.surface.paint(values)))
        self.canvas.save(path, title, subtitle)
