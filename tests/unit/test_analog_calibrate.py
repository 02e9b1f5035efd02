"""Calibration: what it measures is what the chip has, and what it refuses."""

from array import array
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from gibbsite.devices import open as open_device
from gibbsite.driver import Driver
from gibbsite_hw.spec.errors import DeviceError, ProgramError
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.langevin_program import LangevinConditions
from gibbsite_sim.analog.calibrate import Readings, calibrate
from gibbsite_sim.analog.chip import Trims
from gibbsite_sim.analog.device import AnalogDevice, AnalogStream
from gibbsite_sim.analog.experiments import Bench, matchings

BUILD = LangevinParameters(units=6, constraints=0, multipliers=4, pairs=16)
QUICK = {"chains": 64, "readings": 4}
UNITS = 5


def opened(mismatch: int = 7, kind: type[AnalogDevice] = AnalogDevice) -> AnalogDevice:
    stream = AnalogStream(BUILD, mismatch=mismatch)
    return kind(Driver(stream), stream)


@pytest.fixture
def device() -> Iterator[AnalogDevice]:
    with opened() as made:
        yield made


@pytest.mark.parametrize("units", [1, 2, 3, 4, 7, 12])
def test_matchings_have_every_pair_once(units: int) -> None:
    rounds = matchings(units)
    pairs = [tuple(sorted(pair)) for matching in rounds for pair in matching]
    assert sorted(pairs) == list(combinations(range(units), 2))
    for matching in rounds:
        met = [unit for pair in matching for unit in pair]
        assert len(met) == len(set(met))


def test_it_finds_the_parts_of_the_chip(device: AnalogDevice) -> None:
    report = calibrate(device, UNITS, **QUICK)
    chip = AnalogStream(BUILD, mismatch=7).chip
    # a swing of 6 read to 0.15 sqrt(2/256): 0.002 of g, 3.5 times over at 5 sigma and more
    assert report.before.well == pytest.approx(chip.well[:UNITS], rel=0.01)
    # full scale is 8: 0.01/8, and the drift of a run with 0.0005
    assert report.before.offset == pytest.approx(chip.offset[:UNITS], abs=0.0035)
    # 64 x 256 readings that are hardly correlated: sqrt(2/16384) = 0.011
    assert report.before.temperature == pytest.approx(chip.temperature[:UNITS], rel=0.055)
    pairs = np.triu_indices(UNITS, 1)
    found, wanted = report.before.coupling[pairs], chip.coupling[:UNITS, :UNITS][pairs]
    # a swing of 4 instead of 6 read to 0.17 sqrt(2/256), and g with its error: 0.006 together
    assert found == pytest.approx(wanted, rel=0.03)


def test_what_it_leaves_is_smaller_than_what_it_found(device: AnalogDevice) -> None:
    report = calibrate(device, UNITS, **QUICK)
    before, after = report.before.errors, report.after.errors
    for name in ("offset", "well", "coupling"):
        assert after[name] < before[name] / 5, name
    # its measurement errs by 0.011 twice, in the trim and in the reading after it
    assert after["temperature"] < 0.03 < before["temperature"]
    assert report.cut == 0
    assert (device.trims.coupling == report.trims.coupling).all()
    assert "offset" in report.table()


def test_it_repeats_and_forgets_old_trims_of_its_units(device: AnalogDevice) -> None:
    first = calibrate(device, UNITS, **QUICK).trims
    codes = first.offset.copy()
    codes[:] = 33
    device.trim(replace(first, offset=codes))
    second = calibrate(device, UNITS, **QUICK).trims
    for name in ("gain", "noise", "coupling"):
        assert (getattr(first, name)[:UNITS] == getattr(second, name)[:UNITS]).all()
    assert (second.offset[:UNITS] == first.offset[:UNITS]).all()
    assert second.offset[UNITS] == 33, "other units keep theirs"


class Reversed(AnalogDevice):
    """A planted fault: one kind of trim acts with the wrong sign."""

    wrong = "offset"

    def trim(self, trims: Trims) -> None:
        super().trim(replace(trims, **{self.wrong: -getattr(trims, self.wrong)}))

    @property
    def trims(self) -> Trims:
        trims = super().trims
        return replace(trims, **{self.wrong: -getattr(trims, self.wrong)})


@pytest.mark.parametrize("wrong", ["offset", "gain", "noise", "coupling"])
def test_trims_of_the_wrong_sign_are_noticed(wrong: str) -> None:
    kind = type("Wrong", (Reversed,), {"wrong": wrong})
    with opened(kind=kind) as device, pytest.raises(DeviceError, match="sign and wiring"):
        calibrate(device, UNITS, **QUICK)


class Deaf(AnalogDevice):
    """A planted fault: trims are taken and do nothing."""

    def trim(self, _trims: Trims) -> None:
        pass


def test_trims_that_do_nothing_are_noticed() -> None:
    with opened(kind=Deaf) as device, pytest.raises(DeviceError, match="offset error is"):
        calibrate(device, UNITS, **QUICK)


class Dead(AnalogDevice):
    """A planted fault: a device without biases, whose units do not move."""

    def condition(self, _conditions: object) -> None:
        super().condition(LangevinConditions(array("i", [0] * UNITS)))


def test_a_unit_that_does_not_move_is_named() -> None:
    with opened(kind=Dead) as device, pytest.raises(DeviceError, match=r"moved by .* it is stuck"):
        calibrate(device, UNITS, **QUICK)


@pytest.mark.parametrize("units", [0, 7])
def test_units_that_the_device_lacks_are_refused(device: AnalogDevice, units: int) -> None:
    with pytest.raises(ProgramError, match=r"units must lie in 1\.\.6"):
        calibrate(device, units)


def test_too_few_moments_and_empty_runs_are_refused(device: AnalogDevice) -> None:
    small = LangevinParameters(units=6, constraints=0, multipliers=4, pairs=8)
    stream = AnalogStream(small)
    other = AnalogDevice(Driver(stream), stream)
    with pytest.raises(ProgramError, match=r"needs 10 moments .* keeps 8"):
        calibrate(other, 5)
    with pytest.raises(ProgramError, match="at least 1 and are 0 and 4"):
        Bench(device, 5, 0, 4, 0.06, 8.0)


def test_a_device_without_trims_is_refused() -> None:
    device = open_device("golden:?like=small")
    with pytest.raises(ProgramError, match=r"golden:.* has no trims"):
        calibrate(device, 4)


def test_one_unit_has_no_couplings_to_calibrate(device: AnalogDevice) -> None:
    report = calibrate(device, 1, **QUICK)
    assert report.after.errors["coupling"] == 0
    assert not report.trims.coupling.any()


def test_errors_are_root_mean_squares() -> None:
    readings = Readings(
        np.array([0.3, -0.4]), np.array([1.1, 0.9]), np.ones(2), np.array([[1, 1.2], [1.2, 1]])
    )
    assert readings.errors == pytest.approx(
        {"offset": 0.125**0.5, "well": 0.1, "temperature": 0, "coupling": 0.2}
    )
