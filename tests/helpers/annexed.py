"""A dataset of git-annex as servers and clones have it, written without git-annex."""

import hashlib
from pathlib import Path

STORIES = ["one", "two", "three", "four"]
SUBJECT = "S1"
IN_GIT = {"derivative/respdict.json"}  # as in ds003020; all else is annexed
HF5 = f"derivative/preprocessed_data/{SUBJECT}/two.hf5"
TEXTGRID = "derivative/TextGrids/one.TextGrid"
RESPONSES = f"/files/{HF5}"


def key_of(content, suffix, backend="MD5E"):
    digest = hashlib.new(backend.removesuffix("E").lower(), content).hexdigest()
    return f"{backend}-s{len(content)}--{digest}{suffix}"


def link_of(name, key):
    """Target of git-annex's link in a file's place."""
    up = "../" * (len(Path(name).parts) - 1)
    return f"{up}.git/annex/objects/x1/y2/{key}/{key}"


def names_in(root):
    return sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if not p.is_dir())


def clone(source, root, link=True):
    """What `git clone` leaves: links (or pointer files) without their content."""
    for path in source.rglob("*"):
        name = path.relative_to(source).as_posix()
        if path.is_file():
            content, to = path.read_bytes(), root / name
            to.parent.mkdir(parents=True, exist_ok=True)
            key = key_of(content, path.suffix)
            if name in IN_GIT:
                to.write_bytes(content)
            elif link:
                to.symlink_to(link_of(name, key))
            else:
                to.write_text(f"/annex/objects/{key}\n")
