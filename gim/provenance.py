"""What a result was made with: the versions of packages and the git commit."""

import platform
import subprocess
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path


def commit() -> str:
    """Git commit of the project, `-dirty` with uncommitted changes; "unknown" outside git."""
    folder = Path(__file__).resolve().parent.parent

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("-dirty" if git("status", "--porcelain") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Versions of Python and of installed packages."""
    return {"python": platform.python_version()} | {p: version(p) for p in packages}
