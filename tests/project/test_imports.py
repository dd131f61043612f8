"""What every job of the workflow imports before its own work: it must be little."""

import subprocess
import sys

from tests.conftest import REPOSITORY

SLOW = ("matplotlib", "nilearn", "numba", "sklearn", "torch", "transformers")
CODE = f"""
import sys
import pipeline.validation.validate, pipeline.language_model
from pipeline.bands.registry import known_kinds
known_kinds()
print(*(name for name in {SLOW} if name in sys.modules))
"""


def test_rules_and_registries_import_no_slow_library():
    command = [sys.executable, "-c", CODE]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert done.stdout.split() == []
