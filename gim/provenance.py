"""What a result was made with: the versions of packages and the git commit."""

import json
import platform
import subprocess
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

PACKAGE = "gim-encoding"
FILE = Path(__file__).resolve()  # this module: git and pip are asked whose it is


def commit() -> str:
    """Git commit of the project: of its checkout, or the one that pip installed it from.

    Returns
    -------
    str
        Its hash, with `-dirty` where a checkout has uncommitted changes; "unknown" where neither
        git nor pip knows it, as after an installation from a folder.
    """
    try:
        return _of_checkout(FILE.parents[1])
    except (OSError, subprocess.CalledProcessError):
        return _of_installation()


def _of_checkout(folder: Path) -> str:
    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True
        ).stdout.strip()

    # An installed package may lie in a repository of its user's, whose commit is not ours.
    name = FILE.relative_to(folder).as_posix()
    if git("ls-files", "--full-name", "--error-unmatch", name) != name:
        return _of_installation()
    return git("rev-parse", "HEAD") + ("-dirty" if git("status", "--porcelain") else "")


def _of_installation() -> str:
    """The commit that pip noted when it installed from a repository (PEP 610)."""
    try:
        installed = distribution(PACKAGE)
    except PackageNotFoundError:
        return "unknown"
    if Path(str(installed.locate_file("gim/provenance.py"))).resolve() != FILE:
        return "unknown"  # another copy than the one that runs
    origin = json.loads(installed.read_text("direct_url.json") or "{}")
    return origin.get("vcs_info", {}).get("commit_id", "unknown")


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Versions of Python and of installed packages."""
    return {"python": platform.python_version()} | {p: version(p) for p in packages}
