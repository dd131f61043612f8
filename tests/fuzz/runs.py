"""Damaged tables of runs, confounds of fMRIPrep, and sidecars."""

import json

import pandas as pd

from tests.fuzz.registry import CHECKED, common, damage, edit, recode
from tests.fuzz.runs_tree import CONFOUNDS, RUNS, SIDECAR

RUN = "sub-01_task-one_space-fsLR_den-91k_bold.dtseries.nii"
common(RUNS, **(CHECKED | {"missing": "there is no table of runs", "dangling": "no table of runs"}))
common(SIDECAR, **{k: v for k, v in CHECKED.items() if k not in ("missing", "folder")})


@damage(RUNS)
def byte_order_mark(path):
    """UTF-8 with a byte-order mark."""
    recode(path, "utf-8-sig")


@damage(RUNS)
def windows_lines(path):
    """Lines end as on Windows (CR LF)."""
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))


@damage(RUNS)
def blank_lines(path):
    """Blank lines follow the table."""
    path.write_text(path.read_text() + "\n\n")


@damage(RUNS, refused="not decodable")
def utf16(path):
    """UTF-16."""
    recode(path, "utf-16")


@damage(RUNS, refused="line 3")
def cut_in_a_line(path):
    """The file ends within a line."""
    path.write_text("\n".join(path.read_text().splitlines()[:3])[:-30])


@damage(RUNS, refused="there is no column")
def commas(path):
    """Commas separate the cells."""
    path.write_text(path.read_text().replace("\t", ","))


@damage(RUNS, refused="unknown column 'Story'")
def capital(path):
    """A column's name has a capital."""
    edit(path, "\tstory\t", "\tStory\t")


@damage(RUNS, refused="no row under the header")
def header_only(path):
    """The header alone is there."""
    path.write_text(path.read_text().partition("\n")[0] + "\n")


@damage(RUNS, refused="two files for one run")
def row_twice(path):
    """A row is there twice."""
    path.write_text(path.read_text() + path.read_text().splitlines()[1] + "\n")


@damage(RUNS, refused="the subject is 'sub-01'")
def subject_with_its_key(path):
    """A subject is written sub-01."""
    edit(path, "\n01\t", "\nsub-01\t")


@damage(RUNS, refused="without slashes, braces", names="config.yaml")
def blank_after_a_story(path):
    """A blank follows the name of a story."""
    edit(path, "\tone\t", "\tone \t")


@damage(RUNS, warned="01 has no responses to two")
def gap(path):
    """A story has no responses."""
    lines = path.read_text().splitlines()
    for i, line in enumerate(lines):
        cells = line.split("\t")
        if cells[3] == "two":
            cells[4] = "n/a"
        lines[i] = "\t".join(cells)
    path.write_text("\n".join(lines) + "\n")


@damage(RUNS, refused="no file is called")
def wildcard_of_nothing(path):
    """A wildcard finds no file."""
    edit(path, "task-one_space-fsLR", "task-once_*")


@damage(RUNS, refused="does not exist", names="task-once")
def path_to_nothing(path):
    """A path leads nowhere."""
    edit(path, "task-one_space-fsLR", "task-once_space-fsLR")


@damage(RUNS, refused="neither transcript nor events")
def no_words(path):
    """A run has no transcript."""
    edit(path, "stimuli/one.TextGrid", "n/a")


@damage(RUNS, refused="is in another format")
def mixed_formats(path):
    """A run is in another format than the others."""
    edit(path, "task-two_space-fsLR_den-91k_bold.dtseries.nii",
         "task-two_hemi-L_space-fsaverage5_bold.func.gii")  # fmt: skip


@damage(RUNS, refused="does not exist", names="derivatives\\fmriprep")
def backslashes(path):
    """Paths are written as on Windows."""
    path.write_text(path.read_text().replace("/", "\\").replace("n\\a", "n/a"))


@damage(RUNS, refused="'soon' is no number of seconds")
def start_in_words(path):
    """The start of the sound is no number."""
    lines = path.read_text().splitlines()
    cells = lines[1].split("\t")
    cells[6] = "soon"
    lines[1] = "\t".join(cells)
    path.write_text("\n".join(lines) + "\n")


@damage(RUNS, refused="is no number of seconds")
def start_infinite(path):
    """The start of the sound is infinite."""
    lines = path.read_text().splitlines()
    for i in range(1, len(lines)):
        cells = lines[i].split("\t")
        cells[6] = "inf"
        lines[i] = "\t".join(cells)
    path.write_text("\n".join(lines) + "\n")


def _say(path, **changes):
    told = json.loads(path.read_text()) | changes
    path.write_text(json.dumps(told))


@damage(SIDECAR, refused="not JSON")
def sidecar_cut(path):
    """The file ends early."""
    path.write_text(path.read_text()[:-5])


@damage(SIDECAR, refused="not JSON")
def sidecar_list(path):
    """A list, no object."""
    path.write_text("[1, 2]")


@damage(SIDECAR, refused="not JSON")
def sidecar_deep(path):
    """A hundred thousand brackets."""
    path.write_text("[" * 100_000)


@damage(SIDECAR, refused="not JSON")
def sidecar_utf16(path):
    """UTF-16."""
    recode(path, "utf-16")


@damage(SIDECAR)
def sidecar_byte_order_mark(path):
    """UTF-8 with a byte-order mark."""
    recode(path, "utf-8-sig")


@damage(SIDECAR, refused="'2' is no number of seconds")
def sidecar_text(path):
    """The repetition time is text."""
    _say(path, RepetitionTime="2")


@damage(SIDECAR, refused="is no number of seconds")
def sidecar_nan(path):
    """StartTime is NaN."""
    _say(path, StartTime=float("nan"))


@damage(SIDECAR, refused="repetition time is 2 s, the sidecar's 2000 s", names=RUN)
def sidecar_milliseconds(path):
    """The repetition time is in milliseconds."""
    _say(path, RepetitionTime=2000)


@damage(SIDECAR, refused="repetition time is 2 s, the sidecar's 1.5 s", names=RUN)
def sidecar_other(path):
    """The repetition time is not the header's."""
    _say(path, RepetitionTime=1.5)


@damage(SIDECAR, refused="the sidecar's -2 s", names=RUN)
def sidecar_negative(path):
    """The repetition time is negative."""
    _say(path, RepetitionTime=-2)


@damage(SIDECAR, refused="no time within a volume")
def start_in_milliseconds(path):
    """StartTime is in milliseconds."""
    _say(path, StartTime=1000)


@damage(SIDECAR)
def sidecar_more(path):
    """Keys that nobody asks for are there, as fMRIPrep writes them."""
    _say(path, SkullStripped=False, Sources=[])


common(
    CONFOUNDS,
    **{
        k: v
        for k, v in CHECKED.items()
        if k in ("empty", "folder", "unreadable", "pointer", "dangling")
    },
)


@damage(CONFOUNDS, refused="confounds", names=RUN)
def no_confounds(path):
    """The table is not there."""
    path.unlink()


def _confounds(path, change):
    table = pd.read_csv(path, sep="\t")
    changed = change(table)
    (table if changed is None else changed).to_csv(path, sep="\t", index=False, na_rep="n/a")


@damage(CONFOUNDS, refused="the confounds have 63 rows, the run 64 volumes")
def row_lost(path):
    """A row is missing."""
    _confounds(path, lambda table: table[:-1])


@damage(CONFOUNDS, refused="confounds")
def confounds_header_only(path):
    """The header alone is there."""
    path.write_text(path.read_text().partition("\n")[0] + "\n")


@damage(CONFOUNDS, refused="motion")
def column_lost(path):
    """The columns of motion are missing."""
    _confounds(
        path, lambda table: table.drop(columns=[c for c in table if "trans" in c or "rot" in c])
    )


@damage(CONFOUNDS, refused="framewise_displacement")
def displacement_lost(path):
    """There is no framewise displacement, which scrubbing goes by."""
    _confounds(path, lambda table: table.drop(columns="framewise_displacement"))


@damage(CONFOUNDS, refused="confounds")
def confounds_of_commas(path):
    """Commas separate the cells."""
    path.write_text(path.read_text().replace("\t", ","))


@damage(CONFOUNDS, refused="confounds")
def text_in_a_cell(path):
    """A cell holds text."""
    _confounds(
        path,
        lambda table: table.astype(object).mask(
            (table.index == 5)[:, None] & (table.columns == "trans_x"), "x"
        ),
    )


@damage(CONFOUNDS, refused="confounds")
def infinite_in_a_cell(path):
    """A cell is infinite."""
    _confounds(
        path,
        lambda table: table.mask(
            (table.index == 5)[:, None] & (table.columns == "trans_x"), float("inf")
        ),
    )


@damage(CONFOUNDS, refused="confounds")
def missing_in_a_cell(path):
    """A cell within the run is n/a."""
    _confounds(
        path, lambda table: table.mask((table.index == 5)[:, None] & (table.columns == "trans_x"))
    )


@damage(CONFOUNDS, refused="no volume")
def all_censored(path):
    """The head moves in every volume, so that none counts."""
    _confounds(path, lambda table: table.assign(framewise_displacement=9.0))


@damage(CONFOUNDS)
def confounds_byte_order_mark(path):
    """UTF-8 with a byte-order mark."""
    recode(path, "utf-8-sig")


@damage(CONFOUNDS)
def confounds_windows_lines(path):
    """Lines end as on Windows (CR LF)."""
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
