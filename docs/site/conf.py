"""The static site: pages and executed notebooks, by ``sphinx-build -c docs/site . build/site``.

Pages stay where they are, so that their links hold on GitHub as well; docs/index.md is the
navigation.
"""

import re
from posixpath import normpath, splitext

project = "GIM encoding"
root_doc = "docs/index"
include_patterns = ["*.md", "docs/*.md", "docs/notebooks/*.py", "gim/data/encoder/README.md"]
exclude_patterns = ["**/.*", ".*", "build", "data/*/**", "results/*/**", "tests"]

extensions = ["myst_nb"]
myst_enable_extensions = ["dollarmath"]
myst_fence_as_directive = ["math"]  # as GitHub writes equations
myst_heading_anchors = 4
nb_custom_formats = {".py": ["jupytext.reads", {"fmt": "py:percent"}]}
nb_execution_mode = "auto"
nb_execution_timeout = 120  # seconds a cell, on a busy machine
nb_execution_raise_on_error = True
nb_merge_streams = True

html_theme = "furo"
html_title = project
html_extra_path = ["extra"]
html_show_copyright = False
templates_path = ["templates"]
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "api.html",
        "sidebar/scroll-end.html",
    ]
}

SECTION = re.compile(r"^\*\*(.+)\*\*$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#\s]+\.(?:md|py))[)#]")


def navigation(contents: str) -> str:
    """Trees of pages, one for each section of the contents, with the pages that it links to."""
    parts = SECTION.split(contents)
    trees = []
    for caption, section in zip(parts[1::2], parts[2::2], strict=True):
        pages = dict.fromkeys(normpath(f"/docs/{target}") for target in LINK.findall(section))
        lines = "\n".join(splitext(page)[0] for page in pages)
        trees.append(f"```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{lines}\n```")
    return "\n\n".join(trees)


def add_navigation(app, name: str, source: list[str]) -> None:
    """Put the trees below the contents, as pages on GitHub cannot have any."""
    if name == root_doc:
        source[0] += "\n\n" + navigation(source[0])


def setup(app) -> None:
    """Called by Sphinx."""
    app.connect("source-read", add_navigation)
