"""Netlists: their numbers, the law of their noise, and what is refused; ngspice is not needed."""

from array import array
from pathlib import Path

import numpy as np
import pytest

from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.errors import DeviceError, ProgramError, ToolMissing
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.langevin_program import LangevinConditions, LangevinProgram, Shifts
from gibbsite_models.golden.langevin_field import Weights
from gibbsite_sim.analog import spice
from gibbsite_sim.analog.chip import Chip
from gibbsite_sim.analog.circuit import Circuit, Drive
from gibbsite_sim.analog.law import stationary
from gibbsite_sim.analog.parameters import named_set
from gibbsite_sim.analog.spice import Spice, find_ngspice, piecewise_linear

BUILD = DeviceParameters(None, LangevinParameters(units=4, constraints=0, multipliers=4))
DRIVE = Drive(0.2, 0.5, (1.0,) * 6)


def circuit(quartic: int = 0, clamps: dict[int, int] | None = None) -> Circuit:
    program = LangevinProgram(
        quadratic=array("i", [2 << 20, 3 << 20]),
        quartic=array("i", [quartic, 0]),
        force=array("i", [0, 0]),
        couplings=array("i", [0, 32, 32, 0]),
        rows=array("i"),
        shifts=Shifts(quadratic=14, bias=14),
        conditions=LangevinConditions(array("i", [1 << 20, 0]), [], clamps or {}),
    )
    chip = Chip(named_set("matched-2026.1"), BUILD)
    return Circuit(chip, Weights.of(program), program.conditions)


def cards(text: str) -> dict[str, list[str]]:
    return {words[0]: words[1:] for words in map(str.split, text.splitlines()) if words}


def test_a_netlist_has_the_network_s_numbers() -> None:
    found = cards(Spice(circuit(), DRIVE, 1e-6, 0.05).netlist(100, 3))
    siemens = spice.CAPACITOR / 1e-6
    assert float(found["C0"][2]) == pytest.approx(20e-12)
    assert float(found["G1"][4]) == pytest.approx(siemens * 0.2 * 3, rel=1e-3)
    assert found["G0_1"][:4] == ["z0", "0", "y1", "0"]
    assert float(found["G0_1"][4]) == pytest.approx(siemens * 0.2 * 0.5, rel=1e-3)
    assert float(found["I0"][3]) == pytest.approx(-siemens * 0.2, rel=1e-3)
    assert float(found["R0"][2]) * float(found["CY0"][2]) == pytest.approx(0.1e-6)
    amplitude, spacing = (float(word.split("(")[-1]) for word in found["IN1"][4:6])
    # two-sided density NA^2 TS, so the voltage diffuses by (NA/C)^2 TS a second = 0.5^2 a step
    assert (amplitude / 20e-12) ** 2 * spacing * 1e-6 == pytest.approx(0.25, rel=1e-6)
    assert found["setseed"] == ["3"]


@pytest.mark.parametrize("decay", [0.05, 0.3, 2.0])
def test_noise_of_straight_lines_has_its_own_law(decay: float) -> None:
    spacing = 0.1
    found = piecewise_linear(np.array([[decay]]), np.array([0.7]), spacing)[0, 0]
    # by hand: x' = a x + p u + q u', u fresh with variance 1/spacing, <x u> = q/spacing
    w = decay * spacing
    a = np.exp(-w)
    q = 0.7 / decay * (1 - (1 - a) / w)
    p = 0.7 / decay * ((1 - a) / w - a)
    assert found == pytest.approx((p * p + q * q + 2 * a * p * q) / spacing / (1 - a * a))
    white = 0.7**2 / (2 * decay)
    # to first order it lacks half a spacing, measured where the straight lines meet
    assert found == pytest.approx(white * (1 - w / 2), rel=w * w)


def test_it_tends_to_the_circuit_s_law_as_noise_gets_white() -> None:
    built = circuit()
    _, exact = stationary(built, DRIVE)
    errors = [
        np.abs(Spice(built, DRIVE, 1e-6, ts).covariance() - exact).max() for ts in (0.1, 0.05)
    ]
    assert errors[0] < 0.04 * exact.max()
    assert errors[1] == pytest.approx(errors[0] / 2, rel=0.05)


def test_spreads_are_those_of_independent_readings_where_they_are_independent() -> None:
    built = circuit()
    fast = Spice(built, Drive(4.0, 0.5, (1.0,) * 6), 1e-6, 0.05)
    S = np.array([[2.0, 0.5], [0.5, 1.0]])
    mean, covariance = fast.spread(S, 100)
    assert mean == pytest.approx(np.sqrt(np.diag(S) / 100), rel=0.01)
    wanted = np.sqrt((np.outer(np.diag(S), np.diag(S)) + S**2) / 100)
    assert covariance == pytest.approx(wanted, rel=0.01)


def test_what_no_netlist_can_be_made_of_is_refused() -> None:
    with pytest.raises(ProgramError, match="without quartic terms"):
        Spice(circuit(quartic=1 << 20), DRIVE, 1e-6, 0.05)
    with pytest.raises(ProgramError, match="held units"):
        Spice(circuit(clamps={1: 0}), DRIVE, 1e-6, 0.05)
    with pytest.raises(ProgramError, match="closer than the buffers"):
        Spice(circuit(), DRIVE, 1e-6, 0.2)
    for steps, seed in ((0, 1), (10, 0), (10, 1 << 31)):
        with pytest.raises(ProgramError, match="at least 1 step and a seed"):
            Spice(circuit(), DRIVE, 1e-6, 0.05).netlist(steps, seed)


def test_without_ngspice_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissing, match="apt-get install ngspice"):
        find_ngspice()


def fake(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> None:
    """A program of the name ngspice that does this."""
    program = folder / "ngspice"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")


ROWS = "".join(f"{k} 0.1 0.2\\n" for k in range(11))


def test_states_of_an_earlier_run_do_not_pass(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run = Spice(circuit(), DRIVE, 1e-6, 0.05).run
    fake(monkeypatch, tmp_path, f"printf '{ROWS}' > samples.txt")
    assert run(10, 1, tmp_path).shape == (11, 2)
    stale = (tmp_path / "samples.txt").read_text()
    for code in (0, 1):
        (tmp_path / "samples.txt").write_text(stale)
        fake(monkeypatch, tmp_path, f"exit {code}")
        with pytest.raises(DeviceError, match=rf"no samples \(exit code {code}"):
            run(10, 1, tmp_path)


@pytest.mark.parametrize(
    ("script", "says"),
    [
        (f"printf '{ROWS}' > samples.txt; exit 1", r"no samples \(exit code 1"),
        ("printf '0 0.1 0.2\\n1 0.1 0.2\\n' > samples.txt", r"11 rows .* gave shape \(2, 3\)"),
        ("printf '0 0.1\\n' > samples.txt", r"gave shape \(1, 2\)"),
        (": > samples.txt", "gave shape"),
        ("echo no convergence > samples.txt", r"gave shape \(0, 0\)"),
        (f"printf '{ROWS}' | sed s/0.2/nan/ > samples.txt", "finite voltages"),
    ],
)
def test_a_run_that_breaks_off_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, says: str
) -> None:
    fake(monkeypatch, tmp_path, script)
    with pytest.raises(DeviceError, match=says):
        Spice(circuit(), DRIVE, 1e-6, 0.05).run(10, 1, tmp_path)


def test_a_run_that_gives_nothing_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake(monkeypatch, tmp_path, "echo 'singular matrix' >&2; exit 3")
    with pytest.raises(DeviceError, match=r"no samples \(exit code 3, singular matrix\)"):
        Spice(circuit(), DRIVE, 1e-6, 0.05).run(10, 1, tmp_path)
