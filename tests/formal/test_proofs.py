"""The proofs, on small builds of both engines: each holds, is not empty, and can fail.

`docs/formal.md` says what is proven, from what, and to which depth.
"""

import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from proofs.build import LANGEVIN_SMALL, LATTICE_SMALL, SMALL
from proofs.checker import CheckerHarness
from proofs.decide import DecideHarness
from proofs.jobs import Harness, Outcome, job
from proofs.langevin_loader import LangevinLoaderHarness
from proofs.langevin_shell import LangevinShellHarness
from proofs.lattice_loader import LatticeLoaderHarness
from proofs.loader import LoaderHarness
from proofs.readout import ReadoutHarness
from proofs.sequencer import SequencerHarness
from proofs.shell import ShellHarness

from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.parameters import GraphParameters

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from mutants import by_name, planted_module


@dataclass(frozen=True)
class Proof:
    """One harness: depths of induction and of its scenes, and a fault that it must see."""

    harness: type[Harness]
    depth: int
    scenes: int
    fault: str
    """A mutant that makes a claim fail within `steps` cycles of reset."""
    steps: int
    part: str
    """The mutated component."""
    build: GraphParameters | LangevinParameters | LatticeParameters = SMALL


PROOFS = {
    "readout": Proof(ReadoutHarness, 2, 20, "dropped_stall", 14, "GraphReadout"),
    "sequencer": Proof(SequencerHarness, 2, 30, "early_barrier", 24, "GraphSequencer"),
    "loader": Proof(LoaderHarness, 2, 18, "unchecked_word", 12, "DeviceLoader"),
    "checker": Proof(CheckerHarness, 2, 20, "barrier_inside_group", 8, "DeviceChecker"),
    "decide": Proof(DecideHarness, 2, 12, "clamp_off_ignored", 10, "GraphDecide"),
    "shell": Proof(ShellHarness, 2, 16, "command_while_busy", 8, "DeviceReceiver"),
    "langevin_loader": Proof(
        *(LangevinLoaderHarness, 2, 18, "langevin_unchecked_word", 12, "LangevinLoader"),
        build=LANGEVIN_SMALL,
    ),
    "langevin_shell": Proof(
        *(LangevinShellHarness, 2, 16, "langevin_answer_tag", 8, "LangevinShell"),
        build=LANGEVIN_SMALL,
    ),
    # a step of its walks takes 4 cycles, which the induction sees whole
    "lattice_loader": Proof(
        *(LatticeLoaderHarness, 6, 36, "lattice_unchecked_word", 34, "LatticeLoader"),
        build=LATTICE_SMALL,
    ),
}


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    compiled_tools: None,
) -> Iterator[dict[tuple[str, str], Future[Outcome]]]:
    """All jobs that the chosen tests need, two at a time."""
    wanted = {
        (item.callspec.params["name"], item.originalname)
        for item in request.session.items
        if item.path == request.path and hasattr(item, "callspec")
    }
    folder = tmp_path_factory.mktemp("proofs")
    with ThreadPoolExecutor(2) as pool:
        jobs = {}
        for name, proof in PROOFS.items():
            makers = {
                "test_holds": (lambda p=proof: p.harness(p.build), "prove", proof.depth),
                "test_is_not_empty": (lambda p=proof: p.harness(p.build), "cover", proof.scenes),
                "test_sees_its_fault": (lambda p=proof: _faulty(p), "bmc", proof.steps),
            }
            for test, (make, mode, depth) in makers.items():
                if (name, test) in wanted:
                    place = folder / name / test
                    jobs[name, test] = pool.submit(job, make, place, mode, depth)
        yield jobs
        pool.shutdown(cancel_futures=True)


def _faulty(proof: Proof) -> Harness:
    module = planted_module(by_name(proof.fault))
    return proof.harness(proof.build, getattr(module, proof.part))


@pytest.mark.parametrize("name", PROOFS)
def test_holds(name: str, outcomes: dict[tuple[str, str], Future[Outcome]]) -> None:
    """Every claim holds in every reachable cycle, for histories of any length (k-induction)."""
    outcome = outcomes[name, "test_holds"].result()
    assert outcome.status == "PASS", outcome.said[-3000:]
    assert "successful proof by k-induction" in outcome.said


@pytest.mark.parametrize("name", PROOFS)
def test_is_not_empty(name: str, outcomes: dict[tuple[str, str], Future[Outcome]]) -> None:
    """The assumptions allow what the claims are about: every scene is reached."""
    outcome = outcomes[name, "test_is_not_empty"].result()
    assert outcome.status == "PASS", outcome.said[-3000:]
    assert "reached cover statement" in outcome.said


@pytest.mark.parametrize("name", PROOFS)
def test_sees_its_fault(name: str, outcomes: dict[tuple[str, str], Future[Outcome]]) -> None:
    """With a planted fault the same claims fail, by a counterexample that starts at reset."""
    outcome = outcomes[name, "test_sees_its_fault"].result()
    assert outcome.status == "FAIL", outcome.said[-3000:]
    assert "Assert failed in top: claim_" in outcome.said
