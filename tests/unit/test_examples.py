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

LEAVES = {"schedule.py": {"schedule.png"}}
"""Files that an example writes where it runs, as its docstring says."""


REFUSED = [
    *((name, "--device nowhere:") for name in SAYS if name != "calibrate_analog.py"),
    ("calibrate_analog.py", "--mismatch -1"),
    ("bayesian_regression.py", "--draws 0"),
    ("bayesian_regression.py", "--plot nowhere/picture.png"),
    ("linear_algebra.py", "--kT -1"),
    ("linear_algebra.py", "--most 3"),
    ("linear_algebra.py", "--plot nowhere/picture.png"),
    ("linear_algebra.py", "--size 0"),
    ("linear_algebra.py", "--size 300"),
]
"""What no example does."""


def run(checkout: Path, folder: Path, name: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(checkout / "examples" / name), *options],
        cwd=folder,
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_every_example_is_listed(checkout: Path) -> None:
    assert {path.name for path in (checkout / "examples").glob("*.py")} == set(SAYS)


@pytest.mark.parametrize("name", SAYS)
def test_it_runs(name: str, checkout: Path, tmp_path: Path) -> None:
    ran = run(checkout, tmp_path, name)
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert SAYS[name] in ran.stdout
    assert len(ran.stdout.splitlines()) > 3
    assert {path.name for path in tmp_path.iterdir()} == LEAVES.get(name, set())


@pytest.mark.parametrize(("name", "options"), REFUSED)
def test_it_refuses_in_a_sentence(name: str, options: str, checkout: Path, tmp_path: Path) -> None:
    ran = run(checkout, tmp_path, name, *options.split())
    assert ran.returncode == 2, ran.stderr[-2000:]
    (sentence,) = ran.stderr.splitlines()
    assert sentence.startswith("error: ")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", SAYS)
def test_it_says_how_it_is_called(name: str, checkout: Path, tmp_path: Path) -> None:
    ran = run(checkout, tmp_path, name, "--help")
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert ("--mismatch" if name == "calibrate_analog.py" else "--device") in ran.stdout
