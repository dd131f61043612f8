"""`pip install .` gives a `gim` and a `pipeline` that work outside the checkout."""

import subprocess
import zipfile

import pytest

from tests.conftest import REPOSITORY
from tests.helpers.installed import tracked

PACKAGES = ("gim", "pipeline")
READS = """
from pathlib import Path
import gim, pipeline
from gim.encoder.encoder import Encoder
from gim.text.tokenizer import load_tokenizer
from pipeline.bands.registry import known_kinds
from pipeline.config.load import load
from pipeline.core.schema.validator import band_schema
from pipeline.report.citation import cited_works
from pipeline.report.page import _static, templates

print(Path(gim.__file__).parent, Path(pipeline.__file__).parent)
config = load("mine.yaml")
assert config["fit"]["n_folds"] == 3 and config["horizon"] == 2, config
assert band_schema()["properties"] and {"ngram", "eng1000", "gim"} <= set(known_kinds())
environment = templates()
names = environment.list_templates()
assert "report.html.j2" in names and len(names) > 5, names
for name in names:
    environment.get_template(name)
assert _static("css") and _static("js")
assert len(cited_works()) > 3
assert load_tokenizer().vocab_size == 16_384
assert Encoder.from_pretrained().config
"""


@pytest.fixture
def elsewhere(tmp_path):
    """A folder that is not the project's, with a configuration."""
    (tmp_path / "mine.yaml").write_text((REPOSITORY / "config" / "tiny.yaml").read_text())
    return tmp_path


def test_the_wheel_has_every_file_of_the_packages_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]
        cited = archive.read("pipeline/report/CITATION.cff")
    assert sorted(names) == sorted(n for n in tracked() if n.split("/")[0] in PACKAGES)
    assert cited == (REPOSITORY / "CITATION.cff").read_bytes()


def test_data_schema_and_templates_are_read_from_the_installed_place(installed, elsewhere):
    done = installed.run("python", "-c", READS, cwd=elsewhere)
    assert done.stdout.split() == [str(installed.packages / name) for name in PACKAGES]


def test_the_command_explains_a_text_with_the_shipped_encoder(installed, elsewhere):
    text = "the old man and the sea. the old man and the sea."
    done = installed.run("gim", "explain", text, "--html", "page.html", cwd=elsewhere)
    assert done.stdout == ""
    assert 'class="token fuzzy' in (elsewhere / "page.html").read_text()


def test_the_commit_is_not_that_of_a_repository_around_the_installation(installed, elsewhere):
    home = installed.folder.parent

    def git(*arguments):
        who = ["-c", "user.name=A", "-c", "user.email=a@b"]
        subprocess.run(["git", "-C", home, *who, *arguments], check=True, capture_output=True)

    git("init")
    git("add", "--force", installed.packages / "gim" / "provenance.py")
    git("commit", "--message", "the user's own")
    code = (
        "from gim.provenance import commit, versions; print(commit(), versions(['gim-encoding']))"
    )
    done = installed.run("python", "-c", code, cwd=elsewhere)
    assert done.stdout.startswith("unknown {")
    assert "'gim-encoding': '0.1.0'" in done.stdout


def test_what_writes_a_page_of_the_project_says_that_it_needs_a_checkout(installed, elsewhere):
    done = installed.run("python", "-m", "pipeline.config.page", cwd=elsewhere, check=False)
    assert done.returncode == 1
    assert "run it in one" in done.stderr
    assert "Traceback" not in done.stderr
