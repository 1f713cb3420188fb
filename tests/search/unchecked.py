"""Running a check very many times: in a process of its own, where not every call has its types looked at."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def unchecked(module, call):
    """Run a call of a function of a test module; its failures are those of the test.

    Args:
        module: the module of the tests, by its file's name.
        call: such as `check_fuzzed(20_000)`.

    Returns:
        What it printed.
    """
    code = f"import jax; jax.config.update('jax_enable_x64', True); from tests.search.{module} import *; {call}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-4000:]
    return ended.stdout
