"""git-annex in a clone of a dataset, whose own configuration is not trusted to run programs.

A clone's configuration is its user's. A folder that was copied brings its own, by which git and
git-annex run commands (`annex.freezecontent-command`, `remote.NAME.annex-cost-command`, ...), and
its own hooks.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pipeline.core.errors import some

# Git's hooks, and what it runs to learn which files changed, are off for whatever is called.
SAFE = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
# What git and git-annex write into a clone, and what people set there, of which nothing is run.
_HARMLESS = re.compile(
    r"""core\.(repositoryformatversion|filemode|bare|logallrefupdates|ignorecase|symlinks
               |precomposeunicode|sharedrepository|autocrlf|eol|quotepath)
      | extensions\.(objectformat|partialclone)
      | (user|color|pull|push|advice)\..+ | gc\.auto
      | branch\..+\.(remote|merge|rebase)
      | submodule\..+\.(url|active)
      | remote\..+\.(url|pushurl|fetch|push|tagopt|prune|promisor|partialclonefilter|annex-uuid
               |annex-ignore|annex-sync|annex-pull|annex-push|annex-cost|annex-config-uuid|annex-s3
               |annex-readonly|annex-trustlevel|annex-checkuuid|annex-speculate-present)
      | annex\.(uuid|version|thin|jobs|private|largefiles|dotfiles|addunlocked|backend|autocommit
               |diskreserve|retry|crippledfilesystem|fscktime|sshcaching|supportunlocked|stalldetection
               |commitmessage|synccontent|resolvemerge|autoupgraderepository|hardlink)
    """,
    re.VERBOSE,
)
_FILTERS = {  # what git-annex itself writes; of another value git would run another program
    "filter.annex.smudge": "git-annex smudge -- %f",
    "filter.annex.clean": "git-annex smudge --clean -- %f",
    "filter.annex.process": "git-annex filter-process",
}


def annex_get(root: Path, paths: Sequence[Path], jobs: int) -> bool:
    """Let git-annex fetch, if this is a clone, it is installed, and nothing else is run by it.

    Parameters
    ----------
    root : Path
        The dataset's root.
    paths : sequence of Path
        Files under it.
    jobs : int
        Files fetched at a time.

    Returns
    -------
    bool
        Whether it ran.
    """
    if not (root / ".git").exists() or shutil.which("git-annex") is None:
        return False
    if doubtful := sorted({*_doubtful_settings(root), *_hooks(root)}):
        logging.warning(
            "%s: git-annex is not used, the files come by HTTPS, as programs may be run by the "
            "repository's own %s. Remedy: if you know them (`git config --local --list`), run "
            "`git annex get` yourself; else remove them",
            root, some(doubtful),
        )  # fmt: skip
        return False
    logging.info("git-annex fetches")
    names = [path.relative_to(root).as_posix() for path in paths]
    done = _git(root, "annex", "get", f"-J{jobs}", "--", *names)
    if done.returncode:
        logging.warning("git-annex did not get all files, the rest comes by HTTPS")
    return True


def held_by_git(root: Path, path: Path) -> bytes | None:
    """What a clone's git has in a file's place, a pointer or the file itself; None if nothing.

    Neither is the network asked, nor is a program run that the clone's configuration names.
    """
    if not (root / ".git").exists() or shutil.which("git") is None:
        return None
    name = path.relative_to(root).as_posix()
    # A partial clone would ask for what it lacks by itself, wherever its settings say.
    here = os.environ | {"GIT_NO_LAZY_FETCH": "1"}
    found = _git(root, "cat-file", "blob", f":./{name}", capture=True, environment=here)
    return found.stdout if found.returncode == 0 else None


def _doubtful_settings(root: Path) -> Iterator[str]:
    """Names of what the repository sets beside the harmless; git runs nothing to list them."""
    listed = _git(root, "config", "--list", "--show-scope", "-z", capture=True)
    if listed.returncode:
        yield "what git cannot read"
    fields = listed.stdout.decode("utf-8", "replace").split("\0")
    for scope, setting in zip(fields[::2], fields[1::2], strict=False):
        name, _, value = setting.partition("\n")
        is_own = scope in ("local", "worktree")
        if is_own and not _HARMLESS.fullmatch(name) and _FILTERS.get(name) != value:
            yield name


def _hooks(root: Path) -> Iterator[str]:
    """Hooks of git-annex's own, which it runs wherever `core.hooksPath` leads."""
    found = _git(root, "rev-parse", "--git-common-dir", capture=True)
    if found.returncode == 0:
        folder = root / found.stdout.decode("utf-8", "surrogateescape").rstrip("\n") / "hooks"
        yield from (f"hooks/{path.name}" for path in folder.glob("*-annex"))


def _git(
    root: Path,
    *arguments: str,
    capture: bool = False,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    command = ["git", *SAFE, "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=capture, env=environment)
