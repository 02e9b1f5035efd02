"""The proofs of the framed link's receiving side; each holds, is not empty, and can fail."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from proofs.jobs import Harness, job
from proofs.link import DecoderHarness, IntakeHarness

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from mutants import Mutant, planted_module

PROOFS: dict[str, Callable[..., Harness]] = {"intake": IntakeHarness, "decoder": DecoderHarness}

FAULTS = {
    "intake": Mutant(
        "no_window",
        "link_intake.py",
        "self.room.eq(waiting != WINDOW)",
        "self.room.eq(1)",
        "a frame beyond the window is written over one that is held",
        "LinkIntake",
    ),
    "decoder": Mutant(
        "stale_block",
        "link_decoder.py",
        "                left.eq(0),\n",
        "",
        "a code block that noise began goes on behind the delimiter",
        "FrameDecoder",
    ),
}


@pytest.mark.parametrize("name", PROOFS)
def test_link_holds(name: str, tmp_path: Path) -> None:
    """Every claim, for histories of any length (k-induction)."""
    outcome = job(PROOFS[name], tmp_path / "job", "prove", 2)
    assert outcome.status == "PASS", outcome.said[-3000:]
    assert "successful proof by k-induction" in outcome.said


@pytest.mark.parametrize("name", PROOFS)
def test_link_is_not_empty(name: str, tmp_path: Path) -> None:
    """The scenes are reached."""
    outcome = job(PROOFS[name], tmp_path / "job", "cover", 20)
    assert outcome.status == "PASS", outcome.said[-3000:]


@pytest.mark.parametrize("name", PROOFS)
def test_link_sees_its_fault(name: str, tmp_path: Path) -> None:
    """A planted fault makes a claim fail, starting at reset."""
    part = getattr(planted_module(FAULTS[name]), FAULTS[name].killer)
    outcome = job(lambda: PROOFS[name](part), tmp_path / "job", "bmc", 12)
    assert outcome.status == "FAIL", outcome.said[-3000:]
    assert "Assert failed in top: claim_" in outcome.said
