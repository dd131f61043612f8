"""One colour scale for all maps of a kind, so that figures can be compared by eye."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.colors import Colormap, LinearSegmentedColormap, ListedColormap, Normalize

PERCENTILE = 99.8  # of all voxels and models: a few outliers do not dim every map
FAINT = 0.15  # opacity of values around 0, where anatomy should show through
OPAQUE_FROM = 0.65  # share of the scale from which colours are opaque
# Dark in the middle, for dark grounds; blue and orange are told apart by the colour-blind.
BLUE_ORANGE = ("#c8f2ff", "#3fa9ff", "#123f9c", "#000000", "#94250b", "#ff7d26", "#ffeaa0")


@dataclass(frozen=True)
class Scale:
    """The colours of a statistic.

    Parameters
    ----------
    vmin, vmax : float
        Limits; values beyond them take the colour of the limit.
    cmap : Colormap
        Colours, whose opacity grows with the distance from 0.
    label : str
        What the colour bar says.
    """

    vmin: float
    vmax: float
    cmap: Colormap
    label: str

    @property
    def norm(self) -> Normalize:
        """Values to 0..1."""
        return Normalize(self.vmin, self.vmax)

    def clip(self, values: np.ndarray) -> np.ndarray:
        """Values within the limits, in nilearn's way: 0 where there is no value (NaN).

        Values of 0 become tiny, so that they are painted.
        """
        clipped = np.clip(values, self.vmin, self.vmax)
        tiny = 1e-4 * self.vmax
        return np.nan_to_num(np.where(np.abs(clipped) < tiny, tiny, clipped))

    def over(self, grey: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Colours of `values` over grey levels.

        Parameters
        ----------
        grey, values : arrays of shape (rows, columns)
            NaN in `grey` is background; NaN in `values` leaves the grey bare.

        Returns
        -------
        array of shape (rows, columns, 4)
            RGBA, transparent on the background.
        """
        paint = self.cmap(self.norm(values))
        picture = np.zeros_like(paint)
        ground = np.nan_to_num(grey)[..., None]
        picture[..., :3] = paint[..., :3] * paint[..., 3:] + ground * (1 - paint[..., 3:])
        picture[..., 3] = np.isfinite(grey)
        return picture

    def __str__(self) -> str:
        return f"{self.label}: {self.vmin:g} to {self.vmax:g}"


def correlation_scale(maps: Iterable[np.ndarray]) -> Scale:
    """Sequential scale from 0 to the top of all maps, for correlations.

    Parameters
    ----------
    maps : iterable of arrays of shape (n_voxels,)
        The correlations of every model; NaN allowed.
    """
    top = _top(np.maximum(values, 0) for values in maps)
    return Scale(
        0.0, top, fading(mpl.colormaps["inferno"], centre=0.0), "test correlation (Pearson r)"
    )


def difference_scale(maps: Iterable[np.ndarray]) -> Scale:
    """Symmetric diverging scale for differences between models.

    Parameters
    ----------
    maps : iterable of arrays of shape (n_voxels,)
        The differences of every pair of models; NaN allowed.
    """
    top = _top(np.abs(values) for values in maps)
    cmap = LinearSegmentedColormap.from_list("blue-orange", BLUE_ORANGE)
    return Scale(-top, top, fading(cmap, centre=0.5), "difference in Pearson r")


def duration_scale(seconds: np.ndarray, label: str) -> Scale:
    """Sequential scale from 0 to the longest of some durations; NaN allowed."""
    return Scale(0.0, _top([seconds]), mpl.colormaps["viridis"], label)


def _top(maps: Iterable[np.ndarray]) -> float:
    """Highest percentile of the maps, rounded up to a readable number."""
    tops = [np.nanpercentile(m, PERCENTILE) for m in maps if np.isfinite(m).any()]
    top = max(tops, default=0.0)
    if top <= 0:
        return 0.1  # nothing to show; any readable scale will do
    unit = 10.0 ** np.floor(np.log10(top)) / 2
    return float(round(np.ceil(top / unit - 1e-9) * unit, 10))


def fading(cmap: Colormap, centre: float) -> Colormap:
    """Colour map that is faint around `centre` (0..1) and opaque away from it."""
    positions = np.linspace(0, 1, 256)
    colours = cmap(positions)
    distance = np.abs(positions - centre) / max(centre, 1 - centre)
    colours[:, 3] = FAINT + (1 - FAINT) * np.minimum(1, distance / OPAQUE_FROM)
    fading = ListedColormap(colours, name=f"{cmap.name}-fading")
    return fading.with_extremes(bad=(0, 0, 0, 0))
