"""The lattice after place and route on the ECP5 against golden, through the pins of its line.

Nightly: placing and routing 208 lanes from three seeds takes the better part of an hour, and to
Verilate and run them takes as long again.
"""

import json
from array import array
from pathlib import Path

import numpy as np
import pytest

from gibbsite.driver import Driver
from gibbsite_hw.boards.table import BOARDS, build
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.lattice_program import LatticeRequest, LatticeResult
from gibbsite_models.golden.device import GoldenStream
from gibbsite_sim.cosim.lattice_programs import random_program, random_state
from gibbsite_sim.netlist.bitstream import make_bitstream
from gibbsite_sim.netlist.stream import NetlistStream
from gibbsite_sim.netlist.verilog import cell_counts

pytestmark = [pytest.mark.sim, pytest.mark.nightly]

BUILD_FOLDER = Path(__file__).resolve().parents[2] / "build"
"""Where the session `bitstream` puts its own: what it made of the same is not made again."""
SEEDS = (1, 2, 3)

BOARD, BUILD = BOARDS["ulx3s"], "lattice"
COLUMNS = 4
"""Few, because every coupling comes bit by bit."""
BARS = {"flips/ns": 15.0, "LUT4 a lane": 150.0}


@pytest.fixture(scope="module")
def parameters() -> DeviceParameters:
    return build(BOARD, BUILD)[1]


@pytest.fixture(scope="module")
def routed(parameters: DeviceParameters) -> Path:
    """The folder of the device, placed and routed."""
    folder = BUILD_FOLDER / f"ulx3s-{BUILD}"
    report = make_bitstream(BOARD.at_clock_of(BUILD), BUILD, parameters, folder, SEEDS)
    assert report["clock_met"]
    return folder


def runs(device: Device, parameters: DeviceParameters) -> list[LatticeResult]:
    """Anneals from random and from given states on any device."""
    p = parameters.lattice
    assert p is not None
    rng = np.random.default_rng(31)
    with device:
        device.load(random_program(p, COLUMNS, rng, biased=True, clamped=0.1))
        return [
            device.run(request)
            for request in (
                LatticeRequest(
                    array("I", [1 << 15, 1 << 17, 1 << 19]),
                    seed=2**63 + 11,
                    chains=p.banks + 1,
                    draws=2,
                    sweeps_per_step=3,
                    thin=2,
                ),
                LatticeRequest(
                    array("I", [1 << 18]), seed=5, state=random_state(p, COLUMNS, rng), draws=3
                ),
            )
        ]


def agree(ones: list[LatticeResult], others: list[LatticeResult]) -> None:
    """Every draw, every best state and every counter, to the bit."""
    for one, other in zip(ones, others, strict=True):
        assert list(one.energies) == list(other.energies)
        assert list(one.states) == list(other.states)
        assert list(one.best_energies) == list(other.best_energies)
        assert list(one.best_states) == list(other.best_states)
        assert one.counters == other.counters


def on_the_netlist(netlist: Path, parameters: DeviceParameters) -> list[LatticeResult]:
    """The runs on a routed netlist."""
    stream = NetlistStream(netlist, BOARD.at_clock_of(BUILD), parameters)
    return runs(Driver(stream), parameters)


def test_the_routed_lattice_is_golden(routed: Path, parameters: DeviceParameters) -> None:
    report = json.loads((routed / "report.json").read_text("utf-8"))
    assert cell_counts(routed / "routed.json")["DP16KD"] == report["cells"]["memories"] > 0
    agree(
        on_the_netlist(routed / "routed.json", parameters),
        runs(Driver(GoldenStream(parameters)), parameters),
    )


def test_a_lane_without_its_thresholds_is_seen(
    routed: Path, parameters: DeviceParameters, tmp_path: Path
) -> None:
    """The first data pin of one lane's threshold memory stays low."""
    design = json.loads((routed / "routed.json").read_text("utf-8"))
    (module,) = design["modules"].values()
    tables = [
        cell
        for name, cell in module["cells"].items()
        if "entries.table" in name and cell["type"] == "DP16KD"
    ]
    tables[0]["connections"]["DIA15"] = ["0"]
    broken = tmp_path / "routed.json"
    broken.write_text(json.dumps(design), encoding="utf-8")
    with pytest.raises(AssertionError):
        agree(
            on_the_netlist(broken, parameters),
            runs(Driver(GoldenStream(parameters)), parameters),
        )


def test_the_lattice_meets_its_bars(routed: Path) -> None:
    """15 flips/ns and 150 tables a lane: published estimates for open p-bits are 150 a p-bit."""
    report = json.loads((routed / "report.json").read_text("utf-8"))
    assert report["engines"]["lattice"]["flips_per_ns"] >= BARS["flips/ns"]
    assert report["lut4_per_lane"] <= BARS["LUT4 a lane"]
