"""Planted faults of the RTL are seen: three here, those of the proofs there, all by night."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from mutants import MUTANTS, RECORD, kill, planted_text

QUICK = ("sign_of_a_term", "unchecked_word", "lattice_rotate_amount")
BY_NAME = {mutant.name: mutant for mutant in MUTANTS}


def test_every_mutant_fits_the_rtl() -> None:
    """Each one changes one place of today's source into other source that Python can read."""
    assert len(BY_NAME) == len(MUTANTS) >= 20
    for mutant in MUTANTS:
        compile(planted_text(mutant), mutant.file, "exec")


def test_record_names_every_mutant() -> None:
    """The campaign's record in `docs/` is of these mutants and these tests, and none lived."""
    rows = json.loads(RECORD.read_text(encoding="utf-8"))["rows"]
    assert {(row["mutant"], row["killer"]) for row in rows if row["killed"]} == {
        (mutant.name, mutant.killer) for mutant in MUTANTS
    }


@pytest.mark.parametrize("name", QUICK)
def test_is_killed(name: str, tmp_path: Path) -> None:
    """The named test fails with the fault in the RTL (that it passes without is seen elsewhere)."""
    killed, _, said = kill(BY_NAME[name], tmp_path)
    assert killed, said[-2000:]


@pytest.mark.nightly
@pytest.mark.parametrize("name", [name for name in BY_NAME if name not in QUICK])
def test_is_killed_too(name: str, tmp_path: Path) -> None:
    """The same for the others; small twins: `test_is_killed`, `test_sees_its_fault` of proofs."""
    killed, _, said = kill(BY_NAME[name], tmp_path)
    assert killed, said[-2000:]
