"""The workflow used from a folder of the user's own, with the package installed."""

import re
import time

import pytest
import yaml

from tests.conftest import REPOSITORY
from tests.helpers.installed import Environment, tracked
from tests.helpers.server import Server

pytestmark = pytest.mark.workflow

SNAKEFILE = REPOSITORY / "workflow" / "Snakefile"
# As `snakedeploy deploy-workflow` writes it.
MODULE = f"""
configfile: "config/config.yaml"

module gim:
    snakefile: "{SNAKEFILE}"
    config: config

use rule * from gim
"""


@pytest.fixture
def user(tmp_path):
    """A user's folder, with the tiny configuration in the place that a deployed workflow has it."""
    folder = tmp_path / "user"
    (folder / "workflow").mkdir(parents=True)
    (folder / "config").mkdir()
    config = yaml.safe_load((REPOSITORY / "config" / "tiny.yaml").read_text())
    config["only"] = ["eng1000", "ngram"]
    write_config(folder, config)
    return folder


def write_config(folder, config):
    (folder / "config" / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))


def use(folder, snakefile):
    """Write the user's own Snakefile."""
    (folder / "workflow" / "Snakefile").write_text(snakefile)


def jobs(done):
    """Names of the rules of a dry run's jobs."""
    table = re.search(r"^job +count\n[- ]+\n(.*?)^total", done.stdout, re.M | re.S)
    assert table, done.stdout + done.stderr
    return {line.split()[0] for line in table[1].splitlines()}


def snakemake(environment, folder, *arguments, check=True):
    command = ("python", "-m", "snakemake", "--cores", 2)
    return environment.run(*command, *arguments, cwd=folder, check=check)


def planned(environment, folder, *arguments):
    return jobs(snakemake(environment, folder, "--dry-run", *arguments))


def written_since(begin):
    """Files of the project written since a time in nanoseconds, without Python's caches."""
    folders = {name.partition("/")[0] for name in tracked()} | {".snakemake"}
    files = (path for folder in folders for path in (REPOSITORY / folder).rglob("*"))
    ours = (path for path in files if path.is_file() and "__pycache__" not in path.parts)
    return [path for path in ours if path.stat().st_mtime_ns >= begin]


def test_a_module_runs_in_the_users_folder_and_writes_nothing_in_ours(installed, user):
    use(user, MODULE + '\nassert "horizon" not in config  # ours has the defaults, theirs not\n')
    begin = time.time_ns()
    snakemake(installed, user, "results/tiny/summary.tsv")
    table = (user / "results" / "tiny" / "summary.tsv").read_text()
    assert table.startswith("subject\tmodel")
    assert (user / "data" / "tiny" / "truth" / "settings.json").is_file()
    assert {p.name for p in user.iterdir()} == {
        ".snakemake", "config", "data", "results", "workflow",
    }  # fmt: skip
    assert written_since(begin) == []
    left = planned(installed, user)
    assert {"all", "report"} <= left
    assert not {"simulate", "validate", "words", "summary"} & left


def test_two_configurations_live_side_by_side_as_parts_of_one_under_other_names(installed, user):
    config = yaml.safe_load((user / "config" / "config.yaml").read_text())
    names = ("first", "second")
    own = {name: config | {"name": name, "data_root": f"data/{name}"} for name in names}
    write_config(user, own | {"other": 1})
    modules = [
        MODULE.replace("    config: config", f'    config: config["{name}"]')
        .replace("module gim", f"module {name}")
        .replace("from gim", f"from {name} as {name}_*")
        for name in names
    ]
    use(user, "".join(modules))
    everything = planned(installed, user, "first_all", "second_all")
    assert {f"{n}_{rule}" for n in names for rule in ("all", "fit_model", "report")} <= everything


def test_a_rule_of_the_module_can_be_changed(installed, user):
    use(user, MODULE + "\nuse rule words from gim with:\n    priority: 5\n")
    assert {"all", "words"} <= planned(installed, user)


def test_an_including_snakefile_names_its_target(installed, user):
    use(user, f'configfile: "config/config.yaml"\n\ninclude: "{SNAKEFILE}"\n')
    assert {"all", "fit_model", "report"} <= planned(installed, user, "all")


def test_our_own_snakefile_runs_from_elsewhere_and_leaves_no_trace_there(installed, user, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    arguments = ["--snakefile", SNAKEFILE, "--configfile", user / "config" / "config.yaml"]
    plan = planned(installed, elsewhere, *arguments, "--directory", user)
    assert {"all", "fit_model", "report"} <= plan
    assert list(elsewhere.iterdir()) == []


def test_the_default_configuration_is_the_demos(installed, tmp_path):
    assert (REPOSITORY / "config" / "config.yaml").resolve().name == "demo.yaml"
    plan = snakemake(installed, tmp_path, "--dry-run", "--snakefile", SNAKEFILE)
    assert "results/demo/summary.tsv" in plan.stdout


def test_a_module_at_an_address_brings_what_its_scripts_import(installed, user):
    server = Server()
    for name in tracked():
        if name.startswith(("workflow/", "config/")):
            server.pages[f"/{name}"] = (REPOSITORY / name).read_bytes()
    use(user, MODULE.replace(str(SNAKEFILE), f"{server.url}/workflow/Snakefile"))
    snakemake(installed, user, "results/tiny/words.parquet")
    assert (user / "results" / "tiny" / "words.parquet").is_file()
    assert server.asked["/workflow/scripts/words.py"]


def test_without_the_package_the_remedy_is_told(user, tmp_path):
    bare = Environment.make(tmp_path / "bare")
    use(user, MODULE)
    done = snakemake(bare, user, "--dry-run", check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 1
    assert "cannot import pipeline" in said
    assert "pip install" in said
    assert str(bare.folder / "bin" / "python") in said
    assert "Traceback" not in said
