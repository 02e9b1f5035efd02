"""Every example runs as it stands, and says what it found."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SAYS = {
    "allocation.py": "verified in fractions",
    "bayesian_regression.py": "exact",
    "calibrate_analog.py": "covariances",
    "digits.py": "completions",
    "ising_wells.py": "exact minimum",
    "langevin_schedule.py": "drawn by the device",
    "linear_algebra.py": "NumPy",
    "planning.py": "verified in fractions",
    "schedule.py": "makespan",
}
"""A word of each example's answer."""

NEED_THE_RTL = {"schedule.py"}

LEAVES = {"schedule.py": {"schedule.png"}}
"""Files that an example writes where it runs, as its docstring says."""


def test_every_example_is_listed(checkout: Path) -> None:
    assert {path.name for path in (checkout / "examples").glob("*.py")} == set(SAYS)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.sim] if name in NEED_THE_RTL else []) for name in SAYS],
)
def test_it_runs(name: str, checkout: Path, tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, str(checkout / "examples" / name)],
        cwd=tmp_path,
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert SAYS[name] in ran.stdout
    assert len(ran.stdout.splitlines()) > 3
    assert {path.name for path in tmp_path.iterdir()} == LEAVES.get(name, set())
