"""Puts a built site beside those of earlier releases, and leads to the newest.

    python docs/site/versions.py build/site PAGES 0.2.0

PAGES/0.2.0/ is the site, PAGES/index.html leads to the newest version that is no pre-release, and
PAGES/versions.html lists all, newest first.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from packaging.version import InvalidVersion, Version

LEADS = """<!DOCTYPE html>
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url={newest}/index.html">
<title>GIM encoding</title>
<a href="{newest}/index.html">Version {newest}</a>, <a href="versions.html">all versions</a>
"""
LISTS = """<!DOCTYPE html>
<meta charset="utf-8">
<title>GIM encoding: all versions</title>
<ul>
{items}
</ul>
"""


def publish(site: Path, pages: Path, version: str) -> None:
    """Add a site; another one of the same version gives way to it.

    Parameters
    ----------
    site : Path
        What `make site` built.
    pages : Path
        Where the sites of all versions are.
    version : str
        As in pyproject.toml.

    Raises
    ------
    InvalidVersion
        If it is none, before anything is written.
    """
    Version(version)
    own = pages / version
    if own.exists():
        shutil.rmtree(own)
    shutil.copytree(site, own)
    (pages / ".nojekyll").touch()  # folders that begin with an underscore are served, too
    known = all_versions(pages)
    final = [v for v in known if not v.is_prerelease]
    (pages / "index.html").write_text(LEADS.format(newest=(final or known)[0]), encoding="utf-8")
    items = "\n".join(f'<li><a href="{v}/index.html">{v}</a></li>' for v in known)
    (pages / "versions.html").write_text(LISTS.format(items=items), encoding="utf-8")


def all_versions(pages: Path) -> list[Version]:
    """Versions whose sites are there, newest first."""
    found = []
    for folder in pages.iterdir():
        try:
            version = Version(folder.name)
        except InvalidVersion:
            continue
        if (folder / "index.html").is_file():
            found.append(version)
    return sorted(found, reverse=True)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("site", type=Path)
    parser.add_argument("pages", type=Path)
    parser.add_argument("version")
    arguments = parser.parse_args()
    publish(arguments.site, arguments.pages, arguments.version)


if __name__ == "__main__":
    main()
