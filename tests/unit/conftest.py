"""What unit tests share: modules beside them, whose assertions tell as much as the tests' own."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
pytest.register_assert_rewrite("langevin_parts")
