"""Sets of circuit parameters, chips drawn from them, their trims and converters."""

from dataclasses import fields, replace

import numpy as np
import pytest

from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.errors import ProgramError
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_sim.analog.chip import Chip, Trims
from gibbsite_sim.analog.converters import dac, log_dac, read_adc
from gibbsite_sim.analog.parameters import (
    DEFAULT_SET,
    FIGURES,
    SETS,
    AnalogParameters,
    named_set,
)

BUILD = DeviceParameters(None, LangevinParameters(units=32, constraints=4, pairs=64))


def test_every_figure_has_a_source_and_a_kind() -> None:
    assert set(FIGURES) == {field.name for field in fields(AnalogParameters)}
    assert {figure.kind for figure in FIGURES.values()} <= {"measured", "quoted", "estimated"}
    assert all(figure.source for figure in FIGURES.values())


def test_the_default_set_is_as_bad_as_promised() -> None:
    p = SETS[DEFAULT_SET]
    assert min(p.mobility, p.offset, p.coupling) >= 0.05
    assert max(p.dac_bits, p.adc_bits, p.trim_bits, p.coupling_trim_bits) <= 8


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("mobility", -0.1, "mobility must be in 0..1"),
        ("offset", float("nan"), "offset must be in 0..1"),
        ("lag_steps", 0.0, "lag_steps must be finite and above 0"),
        ("drift_steps", float("inf"), "drift_steps must be finite"),
        ("adc_bits", 1, "adc_bits must be a whole number in 2..32"),
        ("rails", 9.0, "rails must be at most 8"),
    ],
)
def test_parameters_that_no_circuit_has_are_refused(
    field: str, value: float, sentence: str
) -> None:
    with pytest.raises(ProgramError, match=sentence):
        replace(SETS[DEFAULT_SET], **{field: value})


def test_an_unknown_set_is_refused() -> None:
    with pytest.raises(ProgramError, match=r"'rc-1' is no set .* use rc-2026.1"):
        named_set("rc-1")


def test_a_chip_is_its_seed() -> None:
    one, same, other = (Chip(named_set(DEFAULT_SET), BUILD, seed) for seed in (7, 7, 8))
    for name in ("mobility", "temperature", "well", "offset", "coupling", "rows"):
        assert (getattr(one, name) == getattr(same, name)).all()
        assert (getattr(one, name) != getattr(other, name)).any()
    assert (one.coupling == one.coupling.T).all()


def test_mismatch_has_the_spread_of_the_set() -> None:
    chips = [Chip(named_set(DEFAULT_SET), BUILD, seed) for seed in range(100)]
    for name, nominal in (("mobility", 1), ("temperature", 1), ("well", 1), ("offset", 0)):
        parts = np.concatenate([getattr(chip, name) for chip in chips]) - nominal
        # 3200 parts: the spread is known to 1/sqrt(6400) = 1.25 %, the mean to 5 %/sqrt(3200)
        assert parts.std() == pytest.approx(0.05, rel=5 * 0.0125)
        assert abs(parts.mean()) < 5 * 0.05 / np.sqrt(3200)


@pytest.mark.parametrize("seed", [-1, 1 << 64])
def test_a_mismatch_seed_beyond_its_bits_is_refused(seed: int) -> None:
    with pytest.raises(ProgramError, match="64 bits"):
        Chip(named_set(DEFAULT_SET), BUILD, seed)


def trims(**codes: object) -> Trims:
    return replace(Trims.zero(32), **codes)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"offset": np.zeros(31, dtype=np.int64)}, "shape"),
        ({"gain": np.zeros(32)}, "whole numbers"),
        ({"noise": np.full(32, 128)}, "is 128 and codes lie in .-127"),
        ({"coupling": np.diag(np.full(32, 1))}, "symmetric"),
        ({"coupling": np.tril(np.full((32, 32), 3), -1)}, "symmetric"),
    ],
)
def test_trims_that_do_not_fit_are_refused_and_change_nothing(
    wrong: dict[str, object], sentence: str
) -> None:
    chip = Chip(named_set(DEFAULT_SET), BUILD)
    with pytest.raises(ProgramError, match=sentence):
        chip.trim(trims(**wrong))
    assert not any(getattr(chip.trims, field.name).any() for field in fields(Trims))


def test_trims_act_as_the_data_sheet_says() -> None:
    chip = Chip(named_set(DEFAULT_SET), BUILD, 3)
    well, offset, noise, coupling = chip.gains(32)
    code = np.full(32, 100)
    pairs = np.full((32, 32), -20) - np.diag(np.full(32, -20))
    chip.trim(Trims(code, -code, code, pairs))
    after = chip.gains(32)
    assert after[0] == pytest.approx(well * (1 - 0.25 * 100 / 127))
    assert after[1] == pytest.approx(offset + 0.25 * 100 / 127)
    assert after[2] == pytest.approx(noise * (1 + 0.25 * 100 / 127))
    apart = ~np.eye(32, dtype=bool)
    assert after[3][apart] == pytest.approx(coupling[apart] * (1 - 0.25 * 20 / 31))


def test_a_converter_rounds_to_its_steps() -> None:
    values = np.linspace(-3, 2, 1001)
    given = dac(values, 8)
    step = 3 / 127
    assert np.abs(given - values).max() <= step / 2 + 1e-12
    assert given / step == pytest.approx(np.rint(given / step), abs=1e-9)
    assert dac(np.array([5.0, -0.2]), 8, 2.0).tolist() == [2.0, pytest.approx(-0.2, abs=0.008)]
    assert not dac(np.zeros(3), 8).any()


def test_a_logarithmic_converter_has_equal_ratios() -> None:
    for value in (1000.0, 517.3, 12.0, 1.0):
        assert log_dac(value, 8, 1000.0) == pytest.approx(value, rel=2 ** (5 / 255) - 1)
    assert log_dac(0.0, 8, 1000.0) == 0
    assert log_dac(1e-9, 8, 1024.0) == pytest.approx(1.0)  # ten octaves below, the last step


def test_the_adc_reads_codes_between_the_rails() -> None:
    read = read_adc(np.array([0.0, 0.031, 0.032, 8.5, -8.5]), 8, 8.0, 28) / 2.0**28
    step = 8 / 127
    assert read == pytest.approx([0, 0, step, 8, -8], abs=1e-6)
