"""What a job says, and leaves, when its input is damaged or the machine fails."""

import errno
import json
import logging
import os
import subprocess
import sys
from types import SimpleNamespace

import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipeline.core.atomic import atomic_h5
from pipeline.core.errors import ProblemError
from pipeline.core.files import damage
from tests.conftest import REPOSITORY
from workflow.scripts.job import fault_of_machine, work


def write_h5(path):
    with h5py.File(path, "w") as file:
        file["x"] = np.arange(1000.0)


def write_parquet(path):
    pd.DataFrame({"x": np.arange(1000)}).to_parquet(path)


def write_tsv(path):
    path.write_text("a\tb\n1\t0.25\n")


def write_json(path):
    path.write_text(json.dumps({"x": list(range(100))}, indent=1))


COLLECTS = """
import gc
from types import SimpleNamespace
snakemake = SimpleNamespace(input=[], log=[], rule="fit", threads=1, config={"name": "r"})
from job import work
importing = gc.isenabled()
with work(snakemake):
    print(importing, gc.isenabled(), gc.get_freeze_count() > 0)
"""
WRITERS = {".h5": write_h5, ".parquet": write_parquet, ".tsv": write_tsv, ".json": write_json}


@pytest.fixture
def job(tmp_path, monkeypatch):
    """A job of the run `r` with one file of each kind."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "results" / "r"
    folder.mkdir(parents=True)
    files = [f"results/r/file{suffix}" for suffix in WRITERS]
    for file in files:
        WRITERS[os.path.splitext(file)[1]](tmp_path / file)
    yield SimpleNamespace(input=files, log=["job.log"], rule="fit", threads=1, config={"name": "r"})
    logging.basicConfig(handlers=[logging.NullHandler()], force=True)  # closes the log
    logging.captureWarnings(False)


def test_garbage_is_looked_for_only_among_what_the_work_makes():
    """Not among what is imported, which stays."""
    scripts = REPOSITORY / "workflow" / "scripts"
    environment = os.environ | {"PYTHONPATH": str(scripts)}
    command = [sys.executable, "-c", COLLECTS]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.split() == ["False", "True", "True"]


def test_whole_files_pass(job):
    with work(job):
        pass


@pytest.mark.parametrize("suffix", WRITERS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(share=st.floats(0, 1, exclude_max=True))
@example(share=0.0)
def test_a_cut_file_is_seen_wherever_it_is_cut(tmp_path, suffix, share):
    path = tmp_path / f"file{suffix}"
    WRITERS[suffix](path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    cut_at_a_line = suffix == ".tsv" and path.read_bytes().endswith(b"\n")
    assert damage(path) or cut_at_a_line


def test_a_damaged_input_is_named_and_put_aside(job, tmp_path):
    path = tmp_path / job.input[0]
    os.truncate(path, 900)
    with pytest.raises(SystemExit), work(job):
        pytest.fail("the job must not start")
    assert not path.exists()
    assert path.with_name("file.h5.damaged").stat().st_size == 900
    log = (tmp_path / "job.log").read_text()
    assert "results/r/file.h5: the file is damaged" in log
    assert "Remedy: run again" in log
    assert "Traceback" not in log


def test_files_outside_of_the_results_are_left_alone(job, tmp_path):
    mine = tmp_path / "mine.h5"
    mine.write_bytes(b"no HDF5")
    job.input = [str(mine), "mine.h5"]
    with work(job):
        pass
    assert mine.read_bytes() == b"no HDF5"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "a.tsv"), "free some space"),
        (OSError("Can't write data (errno = 28, error message = 'No space')"), "free some space"),
        (PermissionError(errno.EACCES, "Permission denied", "a.tsv"), "make it writable"),
        (MemoryError("Unable to allocate 8 GiB"), "lower fit.memory_gb"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "lower fit.memory_gb"),
        (RuntimeError("CUDA out of memory. Tried to allocate"), "lower fit.memory_gb"),
    ],
    ids=["full", "full-hdf5", "rights", "memory", "memory-torch", "memory-gpu"],
)
def test_faults_of_the_machine_are_said_plainly(job, tmp_path, error, said):
    with pytest.raises(SystemExit), work(job):
        raise error
    log = (tmp_path / "job.log").read_text()
    assert said in log
    assert "Traceback" not in log


@pytest.mark.parametrize("error", [ValueError("x"), FileNotFoundError(errno.ENOENT, "no", "a")])
def test_our_own_faults_keep_their_traceback(job, tmp_path, error):
    assert fault_of_machine(error, "rule fit") is None
    with pytest.raises(type(error)), work(job):
        raise error
    assert "Traceback" in (tmp_path / "job.log").read_text()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full on this system")
def test_hdf5_on_a_full_disk_is_recognised():
    with pytest.raises(OSError) as caught, h5py.File("/dev/full", "w") as file:
        file["x"] = np.zeros(10**6)
    assert "free some space" in str(fault_of_machine(caught.value, "rule fit"))


def test_hdf5_of_many_parts_on_a_full_disk_is_one_error_not_a_crash(tmp_path):
    """Small parts are written when they are released, where h5py cannot raise."""
    code = f"""
import resource
import numpy as np
from pipeline.core.atomic import atomic_h5
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
with atomic_h5({str(tmp_path / "x.h5")!r}) as file:
    for i in range(200):
        file[str(i)] = np.full((40, 9), float(i))
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY)
    assert done.returncode == 1
    assert "OSError: [Errno 27] File too large" in done.stderr
    assert "ignored" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_atomic_hdf5_is_whole(tmp_path):
    path = tmp_path / "x.h5"
    with atomic_h5(path) as file:
        for i in range(20):
            file[f"group/{i}"] = np.full((40, 9), float(i))
        file.create_dataset("late", (3, 1000), np.float32)
        file["late"][:, 5:9] = 7
        assert file["late"][:].sum() == 84
    assert damage(path) == ""
    with h5py.File(path) as file:
        assert [file[f"group/{i}"][3, 3] for i in range(20)] == list(range(20))
        assert file["late"][:].sum() == 84


def test_a_failed_hdf5_leaves_nothing(tmp_path):
    with pytest.raises(ProblemError), atomic_h5(tmp_path / "x.h5") as file:
        file["x"] = 1
        raise ProblemError([])
    assert list(tmp_path.iterdir()) == []
