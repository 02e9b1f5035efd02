"""The netlist after place and route against golden, through the pins of the serial line.

The driver talks to the golden end of the link, and that to the Verilated netlist, which gets and
gives every bit of the line. All of it is nightly: placing the smallest device takes minutes, that
of sixteen lanes from three seeds more than half an hour.

The HX8K's bitstream is also turned back into Verilog by Project IceStorm's programs (Debian:
fpga-icestorm), where these are installed.
"""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import dimod
import numpy as np
import pytest

from gibbsite.compiler import compile_model
from gibbsite.driver import Driver
from gibbsite_hw.boards.table import BOARDS, Board, build
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.program import RunRequest, RunResult
from gibbsite_models.golden.device import GoldenStream
from gibbsite_sim.netlist.bitstream import make_bitstream
from gibbsite_sim.netlist.stream import NetlistStream, PinsStream
from gibbsite_sim.netlist.unpacked import (
    ICESTORM_HINT,
    icestorm,
    memories,
    routed_memories,
    unpack,
    unpacked_library,
    unpacked_verilog,
)
from gibbsite_sim.netlist.verilog import cell_counts
from gibbsite_sim.pins import Pins

pytestmark = [pytest.mark.sim, pytest.mark.nightly]

BUILD_FOLDER = Path(__file__).resolve().parents[2] / "build"
"""Where the session `bitstream` puts its own: what it made of the same is not made again."""
SEEDS = (1, 2, 3)


BUILDS = (("ulx3s", "small"), ("ulx3s", "graph"), ("icebreaker", "graph"), ("hx8k", "graph"))
"""The graph devices of the boards, by board and build."""
MEMORIES = {"ecp5": "DP16KD", "ice40": "ICESTORM_RAM"}
MULTIPLIERS = {"ecp5": "MULT18X18D", "ice40": "ICESTORM_DSP"}


@dataclass(frozen=True)
class Routed:
    """A board and the folder of its device, placed and routed."""

    board: Board
    parameters: DeviceParameters
    folder: Path


@pytest.fixture(scope="module", params=BUILDS, ids="-".join)
def routed(request: pytest.FixtureRequest) -> Routed:
    """The devices in turn."""
    name, what = request.param
    folder = BUILD_FOLDER / f"{name}-{what}"
    _, parameters = build(BOARDS[name], what)
    report = make_bitstream(BOARDS[name], what, parameters, folder, SEEDS)
    assert report["clock_met"]
    return Routed(BOARDS[name], parameters, folder)


def small() -> "tuple[dimod.BinaryQuadraticModel, dimod.DiscreteQuadraticModel]":
    """Spins, and one-hot choices, with couplings and fields of both signs."""
    rng = np.random.default_rng(3)
    spins = dimod.BinaryQuadraticModel("SPIN")
    choices = dimod.DiscreteQuadraticModel()
    for at in range(12):
        spins.add_linear(at, int(rng.integers(-5, 6)))
        for other in range(at):
            if rng.random() < 0.3:
                spins.add_quadratic(at, other, int(rng.integers(-6, 7)))
    for at in range(4):
        choices.add_variable(3, at)
        choices.set_linear(at, rng.integers(-5, 6, 3).astype(float))
    for at in range(3):
        choices.set_quadratic_case(at, 0, at + 1, 2, 4.0)
        choices.set_quadratic_case(at, 1, at + 1, 1, -3.0)
    return spins, choices


def runs(device: Device, parameters: DeviceParameters) -> list[RunResult]:
    """The same runs on any device."""
    assert parameters.graph is not None
    found = []
    with device:
        for number, model in enumerate(small()):
            compiled = compile_model(model, parameters.graph)
            device.load(compiled.program)
            for seed, betas in ((77, [0.05, 0.2, 0.4]), (2**63 + 5, [0.0, 0.3])):
                codes = compiled.betas(np.array(betas))
                request = RunRequest(seed=seed + number, chains=2, draws=5, betas=codes, thin=2)
                found.append(device.run(request))
    return found


def golden(parameters: DeviceParameters) -> list[RunResult]:
    """What golden says of them."""
    return runs(Driver(GoldenStream(parameters)), parameters)


def agree(ones: list[RunResult], others: list[RunResult]) -> None:
    """Every draw and every counter, to the bit."""
    assert len(ones) == len(others) == 4
    for one, other in zip(ones, others, strict=True):
        assert list(one.states) == list(other.states)
        assert list(one.energies) == list(other.energies)
        assert one.counters == other.counters
        assert one.reads == other.reads == 10


def on_the_netlist(netlist: Path, of: Routed) -> list[RunResult]:
    """The runs on a routed netlist."""
    return runs(Driver(NetlistStream(netlist, of.board, of.parameters)), of.parameters)


def test_the_routed_netlist_is_golden(routed: Routed) -> None:
    netlist = routed.folder / "routed.json"
    counted = cell_counts(netlist)
    cells = json.loads((routed.folder / "report.json").read_text("utf-8"))["cells"]
    family = routed.board.family
    assert counted[MEMORIES[family]] == cells["memories"] > 0
    assert counted[MULTIPLIERS[family]] == cells["multipliers"]
    agree(on_the_netlist(netlist, routed), golden(routed.parameters))


def test_a_wrong_noise_table_is_seen(routed: Routed, tmp_path: Path) -> None:
    design = json.loads((routed.folder / "routed.json").read_text("utf-8"))
    (module,) = design["modules"].values()
    tables = [cell for name, cell in module["cells"].items() if "shaper.table" in name]
    for cell in tables:  # all, since some belong to lanes that hold no spin
        for name, value in cell["parameters"].items():
            if name.startswith("INIT"):
                cell["parameters"][name] = value.translate(str.maketrans("01", "10"))
    broken = tmp_path / "routed.json"
    broken.write_text(json.dumps(design), encoding="utf-8")
    with pytest.raises(AssertionError):
        agree(on_the_netlist(broken, routed), golden(routed.parameters))


has_icestorm = pytest.mark.skipif(
    shutil.which("icebox_vlog") is None, reason=f"icebox_vlog is not on PATH: {ICESTORM_HINT}"
)
on_hx8k = pytest.mark.parametrize("routed", [("hx8k", "graph")], ids="-".join, indirect=True)


def on_the_bitstream(bitstream: Path, of: Routed) -> list[RunResult]:
    """The runs on what a bitstream says."""
    library = unpacked_library(bitstream, of.folder / "top.pcf", of.board, of.parameters)
    return runs(Driver(PinsStream(Pins(library), of.board, of.parameters)), of.parameters)


@has_icestorm
@on_hx8k
def test_the_bitstream_is_golden(routed: Routed) -> None:
    bitstream = routed.folder / "top.bin"
    written = memories(unpacked_verilog(unpack(bitstream), routed.folder / "top.pcf"))
    cells = json.loads((routed.folder / "report.json").read_text("utf-8"))["cells"]
    assert len(written) == cells["memories"]
    assert written == routed_memories(routed.folder / "routed.json")
    agree(on_the_bitstream(bitstream, routed), golden(routed.parameters))


@has_icestorm
@on_hx8k
def test_a_wrong_noise_table_in_the_bitstream_is_seen(routed: Routed, tmp_path: Path) -> None:
    (module,) = json.loads((routed.folder / "routed.json").read_text("utf-8"))["modules"].values()
    name = next(name for name in module["cells"] if re.search(r"shaper\.table.*_RAM$", name))
    place = module["cells"][name]["attributes"]["NEXTPNR_BEL"]
    column, row = re.findall(r"\d+", place)
    head, found, tail = unpack(routed.folder / "top.bin").partition(f".ram_data {column} {row}\n")
    assert found
    *rows, rest = tail.split("\n", 16)
    digits = "0123456789abcdef"
    turned = [row.translate(str.maketrans(digits, digits[::-1])) for row in rows]
    text = head + found + "\n".join([*turned, rest])
    (tmp_path / "top.asc").write_text(text, encoding="utf-8")
    icestorm("icepack", "top.asc", "top.bin", folder=tmp_path)
    with pytest.raises(AssertionError):
        agree(on_the_bitstream(tmp_path / "top.bin", routed), golden(routed.parameters))
