"""What takes long is made once a run of the tests, by whichever of their processes asks first."""

import fcntl
import os
import shutil


def once(tmp_path_factory, name, make):
    """A folder of this name that `make(folder)` has filled; the others wait for it meanwhile."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent  # of all workers
    folder, made = root / name, root / f"{name}.made"
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            shutil.rmtree(folder, ignore_errors=True)  # of one that failed
            folder.mkdir()
            make(folder)
            made.touch()
    return folder
