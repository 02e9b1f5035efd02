"""Algorithms take a device or its address, and refuse what is not theirs in a sentence."""

from collections.abc import Callable
from typing import Any

import dimod
import numpy as np
import pytest

import gibbsite
from gibbsite import devices
from gibbsite.algorithms.linear_algebra import solve
from gibbsite_hw.spec.errors import ProgramError, UnknownDevice
from gibbsite_sim.analog.calibrate import calibrate

POTENTIAL = gibbsite.Potential.build(2, J2=1.0)
MODEL = dimod.BinaryQuadraticModel.from_ising({}, {(0, 1): 1.0})
SHARED = gibbsite.AllocationEnergy(
    demand={"a": 3}, capacity={"x": 5}, cost={("a", "x"): 1}, price=0.1, scale=2
)
SHOP = gibbsite.SchedulingEnergy(
    [gibbsite.Task("a", 1, "m"), gibbsite.Task("b", 1, "m")], horizon=4, scale=1.0
)
FIT: dict[str, Any] = {"tolerance": 0.1, "reach": 10, "steps": 100, "iterations": 2}
ADDRESS = "golden:"

CALLS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "minimise": lambda device: gibbsite.minimise(SHARED, device, **FIT).info,
    "solve_schedule": lambda device: gibbsite.solve_schedule(SHOP, device, rounds=2).info,
    "sample_double_wells": lambda device: gibbsite.sample_double_wells(MODEL, device).info,
}


@pytest.mark.parametrize("name", CALLS)
def test_an_address_is_opened_and_closed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def kept(address: str) -> gibbsite.Device:
        made.append(devices.open(address))
        return made[-1]

    monkeypatch.setattr("gibbsite.algorithms.opening.open_device", kept)
    assert CALLS[name](ADDRESS)["device"] == ADDRESS
    (device,) = made
    with pytest.raises(gibbsite.GibbsiteError, match="closed"):
        CALLS[name](device)


@pytest.mark.parametrize("name", CALLS)
def test_an_open_device_stays_open(name: str) -> None:
    with gibbsite.open(ADDRESS) as device:
        CALLS[name](device)
        assert CALLS[name](device)["device"] == ADDRESS


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("wrong", [7, None, POTENTIAL])
def test_another_object_is_no_device(name: str, wrong: object) -> None:
    with pytest.raises(ProgramError, match=rf"device must .* is of type {type(wrong).__name__}:"):
        CALLS[name](wrong)
    with pytest.raises(UnknownDevice, match="'nowhere:' is no device"):
        CALLS[name]("nowhere:")


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: gibbsite.minimise(POTENTIAL, ADDRESS, **FIT), "of type Potential: give .*Alloc"),
        (lambda: gibbsite.minimise(SHARED, ADDRESS, **FIT, reads=0), "reads must be a whole"),
        (lambda: gibbsite.solve_schedule(SHARED, ADDRESS), "of type AllocationEnergy: .*minimise"),
        (lambda: gibbsite.sample_double_wells({(0, 1): 1}, ADDRESS), "of type dict: .*from_ising"),
        (lambda: gibbsite.sample_double_wells(MODEL, ADDRESS, num_reads=0), "num_reads must be"),
        (lambda: gibbsite.BayesianSampler(POTENTIAL), "is of type Potential: make one of these"),
    ],
)
def test_what_is_not_theirs_is_told(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(ProgramError, match=sentence) as refused:
        call()
    assert "array(" not in str(refused.value)


def _near_singular(gap: float) -> np.ndarray:
    return np.full((4, 4), 1 - gap) + gap * np.eye(4)


@pytest.mark.parametrize(
    ("A", "b", "kT", "sentence"),
    [
        (_near_singular(1e-4), 1, 1.0, r"number 4e\+04 not positive definite: .*langevin_weight"),
        (_near_singular(3e-4), 1, 1.0, r"number 1\.33e\+04.*langevin_weight_bits"),
        (np.eye(4), 1e50, 1e90, r"may reach 2e\+50, .*: choose other units"),
        (np.eye(4), 0, 1e-70, r"at kT = 1e-70 may reach .*: choose"),
        (np.eye(4), 1e50, 1.0, r"may be 2e\+50 and kT = 1 spreads it by 1, .*: choose"),
        (np.eye(4), 1, 1e-70, r"less than 64-bit numbers resolve there: choose a larger kT"),
    ],
)
def test_refusals_of_a_matrix_speak_of_it(
    A: np.ndarray, b: float, kT: float, sentence: str
) -> None:
    with pytest.raises(ProgramError, match=sentence) as refused:
        solve(A, np.full(4, float(b)), kT=kT, samples=64)
    assert not any(word in str(refused.value) for word in ("J2", "J4", "unit 0", "potential"))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"units": 2.5}, "units must be a whole number"),
        ({"units": 2, "chains": 1.5}, "chains must be a whole number"),
        ({"units": 2, "readings": 0}, "readings must be a whole number"),
        ({"units": 2, "seed": -1}, "seed must be a whole number"),
    ],
)
def test_calibration_takes_counts(arguments: dict[str, Any], sentence: str) -> None:
    with gibbsite.open("analog:?like=small") as device, pytest.raises(ProgramError, match=sentence):
        calibrate(device, **arguments)


@pytest.mark.parametrize(("wrong", "named"), [("analog:", "str"), (3, "int")])
def test_calibration_of_a_closed_device_would_be_lost(wrong: Any, named: str) -> None:
    with pytest.raises(
        ProgramError, match=f"trims are forgotten .* is of type {named}: .*gibbsite.open"
    ):
        calibrate(wrong, 2)


def test_trims_are_trims() -> None:
    device: Any = gibbsite.open("analog:?like=small")
    with device, pytest.raises(ProgramError, match="must be a Trims and are of type int"):
        device.trim(3)
