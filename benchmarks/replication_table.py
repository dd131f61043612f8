"""Tables and figure of docs/replication.md, from what `benchmarks.replication` wrote.

    python -m benchmarks.replication_table

Writes benchmarks/results/replication.json, replaces what stands between the marks of
docs/replication.md (a row a rung) and docs/replication_tables.md (every model), and draws
docs/images/replication.png. The named alternative of every model is eng1000 of the same rung.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchmarks.common import execute, write
from benchmarks.replication import BEFORE, RUNGS, UNCHANGED, output
from benchmarks.replication_data import (
    COPYING,
    DRAW,
    FOLDER,
    N_PRESENTATIONS,
    N_VOXELS,
    TEST,
    WANTED_R,
    story_of,
)
from benchmarks.results_real import insert
from gim.errors import InputError
from pipeline.core.interval import interval
from pipeline.core.series import top_voxels
from pipeline.statistics.ceiling import jackknife

COLOURS = {"gim": "#0072b2", "lag": "#d55e00", "random": "#777777", "noise": "#cc79a7"}
EVERY = (
    "| rung | alphas | model | r | top 10 % | signed sqrt(R2) | gain in r (95 %) | "
    "other stories: r | gain (95 %) |"
)
BRIEF = (
    "| rung | eng1000: r | with a wide grid | + gim | + random | its draws | "
    "others: + gim (95 %) | gim above lag | gim above random |"
)
GRIDS = ("published", "wide")
MODELS = ("eng1000", *COPYING)
TITLES = {
    "given": "components",
    "mean": f"pseudo-voxels, mean of {N_PRESENTATIONS} presentations",
    "once": "pseudo-voxels, one presentation",
}
Arrays = dict[str, np.ndarray]
Row = dict[str, Any]


def read(subject: str, targets: str) -> dict[str, Arrays]:
    """What was written of each rung of which some model of its own was run."""
    found: dict[str, Arrays] = {}
    for rung in RUNGS:
        source = {m: BEFORE if m in UNCHANGED.get(rung, ()) else rung for m in MODELS}
        paths = {m: output(subject, targets, of, m) for m, of in source.items()}
        made = [m for m, path in paths.items() if path.exists()]
        if any(source[m] == rung for m in made):
            paths |= {d.stem.rsplit("_")[-1]: d for d in draws_of(paths["random"])}
            made += [m for m in paths if DRAW in m]
            found[rung] = {k: v for m in made for k, v in np.load(paths[m]).items()}
    return found


def draws_of(random: Path) -> list[Path]:
    """Further draws of a rung's `random`."""
    return sorted(random.parent.glob(f"{random.stem}{DRAW}*.npz"))


def record(found: Arrays, model: str, grid: str, kind: str) -> Row:
    """Scores of a model: on the test story, and on the others, each with its gain over eng1000."""
    names = [k.split("/r/")[1] for k in found if k.startswith(f"{model}/{grid}/r/")]
    names = [name for name in names if name.endswith(f"@{kind}")]
    test = next(name for name in names if story_of(name) == TEST)
    r = found[f"{model}/{grid}/r/{test}"]
    row: Row = {"model": model, "alphas": grid, "presentations": kind, "r": r.mean()}
    row |= {"top10": r[top_voxels(r)].mean(), "root": found[f"{model}/{grid}/root/{test}"].mean()}
    others = [name for name in names if name != test]
    row["r_others"] = np.mean([found[f"{model}/{grid}/r/{name}"].mean() for name in others])
    if model != "eng1000":
        gains = [
            found[f"{model}/{grid}/r/{name}"].mean() - found[f"eng1000/{grid}/r/{name}"].mean()
            for name in others
        ]
        row["gain_others"] = interval(np.array(gains))
        row["gains_others"] = gains
        both = [found[f"{m}/{grid}/jack/{test}"].mean(axis=1) for m in (model, "eng1000")]
        whole = r.mean() - found[f"eng1000/{grid}/r/{test}"].mean()
        replicates = np.append(whole, both[0] - both[1])[:, None]
        row["gain"] = [float(part[0]) for part in jackknife(replicates)]
    return {key: _rounded(value) for key, value in row.items()}


def _rounded(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [round(float(v), 4) for v in value]
    return value if isinstance(value, str) else round(float(value), 4)


def records(subject: str, targets: str) -> list[Row]:
    """All rungs, models and grids; of further draws of random moments their gains alone."""
    kinds = ("given",) if targets == "components" else ("mean", "once")
    rows, of_rungs = [], read(subject, targets)
    if not of_rungs:
        command = f"python -m benchmarks.replication --subject {subject} --targets {targets}"
        raise InputError(f"{FOLDER}: nothing of {subject}, {targets}. Remedy: `{command}`")
    for rung, found in of_rungs.items():
        made = {tuple(key.split("/")[:2]) for key in found}
        for grid in GRIDS:
            for model in [m for m in MODELS if (m, grid) in made]:
                for kind in kinds:
                    row: Row = {"subject": subject, "targets": targets, "rung": rung}
                    row |= record(found, model, grid, kind)
                    if model == "random":
                        row["draws"] = _draws(found, grid, kind)
                    rows.append(row)
    return rows


def _draws(found: Arrays, grid: str, kind: str) -> dict[str, list[float]]:
    """Gains of all draws of random moments: on the test story, on the mean of the others; and the
    draws' mean on each of these.
    """
    models = dict.fromkeys(key.split("/")[0] for key in found)
    drawn = [m for m in models if m == "random" or m.startswith(f"random{DRAW}")]
    rows = [record(found, model, grid, kind) for model in drawn]
    gains = {key: [row[key][0] for row in rows] for key in ("gain", "gain_others")}
    return gains | {"stories": np.mean([row["gains_others"] for row in rows], axis=0).tolist()}


def every(rows: list[Row]) -> str:
    """Table of all models of one subject's targets, in one kind of presentations."""
    lines = [EVERY, "|" + "---|" * 9]
    for row in rows:
        gains = [_with_interval(row[key]) if key in row else "" for key in ("gain", "gain_others")]
        lines.append(
            f"| {row['rung']} | {row['alphas']} | {row['model']} | {row['r']:.4f} | "
            f"{row['top10']:.4f} | {row['root']:+.4f} | {gains[0]} | {row['r_others']:.4f} | "
            f"{gains[1]} |"
        )
    return "\n".join(lines)


def _with_interval(gain: list[float]) -> str:
    return "{:+.4f} ({:+.4f} to {:+.4f})".format(*gain)


def brief(rows: list[Row]) -> str:
    """Table of the rungs of one subject's targets, in one kind of presentations."""
    lines = [BRIEF, "|" + "---|" * 9]
    for rung in dict.fromkeys(row["rung"] for row in rows):
        grids = {row["alphas"]: row["r"] for row in rows if _is(row, rung, "eng1000")}
        gim, lag, random = (_first(rows, rung, m) for m in ("gim", "lag", "random"))
        apart = [
            _with_interval(list(interval(np.subtract(gim["gains_others"], other))))
            for other in (lag["gains_others"], random["draws"]["stories"])
        ]
        drawn = random["draws"]["gain"]
        spread = f"{min(drawn):+.3f} to {max(drawn):+.3f}" if len(drawn) > 1 else ""
        published = f"{grids['published']:.4f}" if "published" in grids else ""
        lines.append(
            f"| {rung} | {published} | {grids['wide']:.4f} | {gim['gain'][0]:+.4f} | "
            f"{random['gain'][0]:+.4f} | {spread} | {_with_interval(gim['gain_others'])} | "
            f"{apart[0]} | {apart[1]} |"
        )
    return "\n".join(lines)


def _is(row: Row, rung: str, model: str) -> bool:
    return (row["rung"], row["model"]) == (rung, model)


def _first(rows: list[Row], rung: str, model: str) -> Row:
    """A model with the published grid where the rung has it, else with the wide one."""
    return next(row for row in rows if _is(row, rung, model))


def grouped(rows: list[Row]) -> dict[tuple[str, str, str], list[Row]]:
    """Rows by subject, targets and presentations."""
    found: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row["subject"], row["targets"], row["presentations"]), []).append(row)
    return found


def document(groups: dict[tuple[str, str, str], list[Row]], table: Any) -> str:
    """A table of each group, under its title."""
    parts = [f"### {key[0]}, {TITLES[key[2]]}\n\n{table(own)}" for key, own in groups.items()]
    return "\n\n".join(parts)


def draw(groups: dict[tuple[str, str, str], list[Row]], path: Path) -> None:
    """Gain over eng1000 at every rung: on the test story, and on the mean of the others."""
    groups = {key: own for key, own in groups.items() if key[2] != "once"}
    figure = Figure(figsize=(3.1 * len(groups), 5.2), layout="constrained")
    axes = figure.subplots(2, len(groups), sharex=True, sharey="row", squeeze=False)
    for column, ((subject, targets, _), own) in zip(axes.T, groups.items(), strict=True):
        rungs = list(dict.fromkeys(row["rung"] for row in own))
        for ax, key in zip(column, ("gain", "gain_others"), strict=True):
            for x, rung in enumerate(rungs):
                _draw_rung(ax, x, {m: _first(own, rung, m) for m in COPYING}, key)
            ax.axhline(0, color="#1c2430", lw=0.8)
            ax.set_xticks(range(len(rungs)), rungs, rotation=60, ha="right")
        column[0].set_title(f"{subject}, {targets}", fontsize=10)
    axes[0, 0].set_ylabel(f"gain in r over eng1000\n{TEST}")
    axes[1, 0].set_ylabel("gain in r over eng1000\nmean of the other stories")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    figure.savefig(path, dpi=130)


def _draw_rung(ax: Any, x: int, models: dict[str, Row], key: str) -> None:
    """Models side by side with their intervals; all draws of random moments as faint dots."""
    for place, (model, row) in enumerate(models.items()):
        at, colour = x + 0.18 * (place - 1.5), COLOURS[model]
        mean, low, high = row[key]
        ax.plot([at, at], [low, high], color=colour, lw=1)
        ax.plot(at, mean, "o", ms=4, color=colour, label=None if x else model)
        if model == "random":
            drawn = row["draws"][key]
            ax.plot(np.full(len(drawn), at), drawn, "_", ms=5, color=colour, alpha=0.6)


def _kept(row: Row) -> Row:
    """A row of the record: without what each story says."""
    return {key: value for key, value in row.items() if key not in ("gains_others", "draws")} | {
        f"draws_{key}": row["draws"][key] for key in ("gain", "gain_others") if "draws" in row
    }


def main() -> None:
    """Write the record, the tables and the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subjects", nargs="+", default=["UTS01", "UTS03"])
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    parser.add_argument("--seed", type=int, default=0, help="that the rungs were run with")
    given = parser.parse_args()
    rows = [row for s in given.subjects for t in ("components", "pseudo") for row in records(s, t)]
    groups = grouped(rows)
    write(
        "replication",
        f"r on {TEST} and on stories beside, published protocol to audited, one correction a rung",
        "eng1000 of the same rung",
        seed=given.seed,
        n_voxels=N_VOXELS,
        n_presentations=N_PRESENTATIONS,
        eng1000_cross_validated=WANTED_R,
        rows=[_kept(row) for row in rows],
    )
    insert(given.docs / "replication.md", document(groups, brief))
    insert(given.docs / "replication_tables.md", document(groups, every))
    draw(groups, given.docs / "images" / "replication.png")


if __name__ == "__main__":
    execute(main)
