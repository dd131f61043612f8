"""The machine: processors, threads, memory, disks, a GPU, SLURM."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from threadpoolctl import threadpool_info

from pipeline.doctor.lines import Line, gigabytes

THREADS = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS",
    "CUDA_VISIBLE_DEVICES", "HDF5_USE_FILE_LOCKING",
)  # fmt: skip
LEAST_MEMORY, LEAST_DISK = 4e9, 5e9  # bytes; the demo takes less, a real subject more
SHARED = ("nfs", "nfs4", "lustre", "cifs", "gpfs", "beegfs")  # disks that may not lock files
CGROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def machine() -> Iterator[Line]:
    """Lines on what a run can use."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Line("processors", f"{os.cpu_count()}, of which {usable} can be used here")
    yield Line("threads", _threads())
    yield _memory()
    folders = {"this folder": Path.cwd(), "temporary files": Path(tempfile.gettempdir())}
    for name, folder in folders.items():
        yield _disk(name, folder)
    yield _gpu()
    yield from _slurm()


def _threads() -> str:
    with contextlib.suppress(Exception):  # what is broken is told where it is looked for
        importlib.import_module("numpy")  # whose BLAS is asked for
    pools = {
        f"{pool['internal_api']} {pool.get('version') or ''}".strip(): pool["num_threads"]
        for pool in threadpool_info()
    }
    said = [f"{name}: {n}" for name, n in sorted(pools.items())]
    said += [f"{name}={os.environ[name]}" for name in THREADS if name in os.environ]
    return ", ".join(said)


def _memory() -> Line:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limits = [int(text) for path in CGROUPS if (text := _read(path).strip()).isdecimal()]
    total = min([pages, *limits])
    said = f"{gigabytes(total)}{' (a limit of the group)' if total < pages else ''}"
    if available := _available():
        said += f", {gigabytes(min(available, total))} available"
    if total < LEAST_MEMORY:
        return Line("memory", said, "note", "set fit.memory_gb, or take a larger machine")
    return Line("memory", said)


def _available() -> int:
    lines = _read("/proc/meminfo").splitlines()
    found = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(found[0]) * 1024 if found else 0


def _disk(name: str, folder: Path) -> Line:
    """Room in a folder, and whether files can be written there."""
    free, kind = shutil.disk_usage(folder).free, _kind_of_disk(folder)
    said = f"{gigabytes(free)} free{f' ({kind})' if kind else ''}, {folder}"
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-"):
            pass
    except OSError as error:
        remedy = "change into a folder of your own: results go there"
        return Line(name, f"{said}: cannot be written to ({error.strerror})", "BROKEN", remedy)
    if free < LEAST_DISK:
        return Line(name, said, "note", "make room: results of a real subject take gigabytes")
    if kind in SHARED:
        remedy = "if HDF5 cannot lock files here, set HDF5_USE_FILE_LOCKING=FALSE"
        return Line(name, said, "note", remedy)
    return Line(name, said)


def _kind_of_disk(folder: Path) -> str:
    """Type of the file system that a folder is on, where the system tells."""
    mounts = [line.split()[1:3] for line in _read("/proc/mounts").splitlines()]
    around = [(where, kind) for where, kind in mounts if folder.resolve().is_relative_to(where)]
    return max(around, key=lambda mount: len(mount[0]))[1] if around else ""


def _gpu() -> Line:
    try:
        torch = importlib.import_module("torch")
        n = torch.cuda.device_count() if torch.cuda.is_available() else 0
        names = [
            f"{torch.cuda.get_device_name(i)}, "
            f"{gigabytes(torch.cuda.get_device_properties(i).total_memory)}"
            for i in range(n)
        ]
    except Exception as error:  # of a driver, whatever it raises
        return Line("GPU", f"cannot be asked for: {error}".splitlines()[0], "note")
    if names:
        return Line("GPU", f"{'; '.join(names)} (CUDA {torch.version.cuda})")
    if shutil.which("nvidia-smi") and torch.version.cuda is None:
        remedy = "install a build of torch with CUDA to use it (docs/cluster.md)"
        return Line("GPU", "there is a driver, but torch is a build for CPUs", "note", remedy)
    return Line("GPU", "none; nothing needs one")


def _slurm() -> Iterator[Line]:
    sbatch = shutil.which("sbatch")
    if sbatch is None:
        yield Line("SLURM", "none here")
        return
    try:
        done = subprocess.run([sbatch, "--version"], capture_output=True, text=True, timeout=20)
        said = done.stdout.strip() or done.stderr.strip() or "says no version"
    except (OSError, subprocess.TimeoutExpired) as error:
        said = f"sbatch does not answer ({type(error).__name__})"
    inside = ", inside a job" if "SLURM_JOB_ID" in os.environ else ""
    plugin = importlib.util.find_spec("snakemake_executor_plugin_slurm")
    remedy = "" if plugin else "pip install -c constraints.txt -e '.[slurm]' (docs/cluster.md)"
    lacks = "" if plugin else "; Snakemake's plugin for it is not installed"
    yield Line("SLURM", f"{said}{inside}{lacks}", "" if plugin else "note", remedy)


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""
