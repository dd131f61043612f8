"""The API reference from the docstrings, one page a module: python docs/api.py FOLDER."""

import sys
import warnings
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pdoc

import gim
import pipeline

# pdoc cannot find the imports behind a NamedTuple's annotations: a type without a link is no loss.
HARMLESS = "Error parsing type annotation"


def build(folder: Path) -> list[str]:
    """Write the pages; return what pdoc could not document, and what they lack."""
    # Named one by one: where a package has __all__, pdoc takes it for all of its modules.
    names = [m.name for p in (gim, pipeline) for m in walk_packages(p.__path__, f"{p.__name__}.")]
    public = ["gim", "pipeline", *(name for name in names if "._" not in name)]
    for module in map(import_module, public):
        for name in getattr(module, "__all__", ()):  # what is imported on first use only
            setattr(module, name, getattr(module, name))
    pdoc.render.configure(docformat="numpy")
    with warnings.catch_warnings(record=True) as caught:
        pdoc.pdoc(*public, output_directory=folder)
    messages = (str(warning.message) for warning in caught)
    wrong = [m for m in messages if m.startswith(("Found", "Error")) and HARMLESS not in m]
    return wrong + [f"{name} is on no page" for name in missing(folder, public)]


def missing(folder: Path, modules: list[str]) -> Iterator[str]:
    """Modules without a page, and names that a package hands on without an entry on its page."""
    for module in modules:
        page = folder / f"{module.replace('.', '/')}.html"
        text = page.read_text(encoding="utf-8") if page.is_file() else ""
        if not text:
            yield module
        for name in getattr(import_module(module), "__all__", ()):
            if f'id="{name}"' not in text:
                yield f"{module}.{name}"


if __name__ == "__main__":
    sys.exit("\n".join(build(Path(sys.argv[1]))) or None)
