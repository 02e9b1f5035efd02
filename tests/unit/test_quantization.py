"""Quantization: exact where it can be, measured and bounded where not; beta codes."""

import math
import re

import dimod
import numpy as np
import pytest

from gibbsite.compiler import compile_model
from gibbsite.lattice_model import compile_lattice
from gibbsite.quantization import QuantizationWarning, beta_codes, choose_scale, common_step
from gibbsite_hw.spec.errors import ProgramError
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.parameters import GraphParameters

DEFAULT = GraphParameters()


def bqm(linear: dict, quadratic: dict, vartype: str = "SPIN") -> dimod.BinaryQuadraticModel:
    return dimod.BinaryQuadraticModel(linear, quadratic, 0.0, vartype)


@pytest.mark.parametrize(
    ("values", "step"),
    [([1, 2, 511], 1), ([0.1, 0.2, 0.3], 0.1), ([6, 9], 3), ([1 / 3, 0.5], 1 / 6), ([2.5], 2.5)],
)
def test_a_common_step_is_found(values: list[float], step: float) -> None:
    assert common_step(np.array(values), max(values) / 511) == pytest.approx(step, rel=1e-12)


def test_there_is_no_common_step_of_incommensurable_values() -> None:
    assert common_step(np.array([1.0, math.sqrt(2), math.pi]), 1 / 100) is None


@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_integers_are_exact(vartype: str) -> None:
    model = bqm({"a": 7, "b": -120}, {"ab": 31, "bc": -17, "ac": 1}, vartype)
    report = compile_model(model, DEFAULT).quantization
    assert report.exact
    assert report.largest_error == 0.0


def test_binary_tenths_are_exact_although_their_sums_leave_residues() -> None:
    model = bqm(dict.fromkeys("abcd", -0.3), {"ab": 0.1, "bc": 0.2, "cd": 0.3, "ad": 0.1}, "BINARY")
    assert compile_model(model, DEFAULT).quantization.exact


def test_a_constant_in_a_choice_costs_nothing() -> None:
    model = dimod.DiscreteQuadraticModel()
    model.add_variable(3, "u")
    model.set_linear("u", [1e6 + 0.25, 1e6 + 0.75, 1e6 + 1.25])
    compiled = compile_model(model, DEFAULT)
    assert compiled.quantization.exact
    assert compiled.scale == 0.5


def test_errors_are_what_the_codes_lose() -> None:
    rng = np.random.default_rng(2)
    names = [f"s{k}" for k in range(12)]
    weights = {(a, b): float(rng.uniform(0.2, 1)) for a in names for b in names if a < b}
    compiled = compile_model(bqm({}, weights), DEFAULT)
    report = compiled.quantization
    codes = np.rint(compiled.model.weight / compiled.scale)
    errors = np.abs(codes * compiled.scale - compiled.model.weight)
    assert not report.exact
    assert report.largest_error == pytest.approx(errors.max())
    assert report.mean_error == pytest.approx(errors.mean())
    assert 0 < report.largest_error <= compiled.scale / 2 * (1 + 1e-9)
    assert np.abs(codes).max() == DEFAULT.weight_max  # the whole range is used


def test_a_weight_that_quantizes_to_nothing_is_refused_by_name() -> None:
    model = bqm({}, {"ab": 1.0, "bc": 1e-4})
    with pytest.raises(ProgramError, match=r"coupling 0\.0001 of '[bc]' and '[bc]'.*to nothing"):
        compile_model(model, DEFAULT)
    with pytest.warns(QuantizationWarning, match="to nothing"):
        compiled = compile_model(model, DEFAULT, on_error="warn")
    assert compiled.quantization.vanished == 1
    # said once: conditions of the same couplings do not repeat it
    assert compiled.conditions(biases={"a": 0.5}).quantization.vanished == 1
    assert compiled.conditions(clamps_on={"a": 1}).quantization.vanished == 1


def test_the_error_bound_is_kept_and_can_be_moved() -> None:
    # the bias sets the scale, so the couplings are coarse against it and half a code off
    model = bqm({"a": 32767.0 * 1.0001, "b": 0.0}, {"ab": 20.5})
    report = compile_model(model, DEFAULT).quantization
    assert 0 < report.largest_relative_error < 1 / 256
    with pytest.raises(ProgramError, match="and the bound is 1e-06"):
        compile_model(model, DEFAULT, max_error=1e-6)
    with pytest.warns(QuantizationWarning, match="and the bound is 1e-06"):
        compile_model(model, DEFAULT, max_error=1e-6, on_error="warn")


def test_a_narrow_format_exceeds_the_default_bound() -> None:
    model = bqm({}, {"ab": 1.0, "bc": math.sqrt(0.5), "cd": math.pi / 10})
    with pytest.raises(ProgramError, match="largest quantization error"):
        compile_model(model, GraphParameters(weight_bits=4))


def test_huge_ranges_of_biases_are_told() -> None:
    with pytest.raises(ProgramError, match="quantizes to nothing"):
        compile_model(bqm({"a": 1e9}, {"ab": 1.0}), DEFAULT)


def test_the_scale_leaves_room_for_the_largest_beta() -> None:
    weights, none = np.array([1.0, -2.0]), np.zeros(0)
    assert choose_scale(weights, none, 0.0, DEFAULT) == 1.0
    scale = choose_scale(weights, none, 0.0, DEFAULT, beta_max=100.0)
    assert scale < 16 / 100
    assert math.log2(scale) == round(math.log2(scale))  # still exact
    assert len(compile_model(bqm({}, {"ab": 1.0}), DEFAULT, beta_max=1000).betas([1000.0])) == 1


def test_the_scale_leaves_codes_for_the_smallest_beta() -> None:
    # steps of 0.001 up to 30 fill the bias format, and a beta of 0.001 would have code 1
    linear = {"a": 30.0, "b": 0.001, "c": -7.123}
    fine = compile_model(bqm(linear, {}), DEFAULT)
    assert fine.quantization.exact
    with pytest.raises(ProgramError, match=r"give beta_min=0\.001"):
        fine.betas([0.001])
    coarse = compile_model(bqm(linear, {}), DEFAULT, beta_min=0.001)
    code = coarse.betas([0.001])[0]
    assert code / (coarse.scale * 2.0**DEFAULT.beta_frac) == pytest.approx(0.001, rel=0.01)
    assert 0 < coarse.quantization.largest_relative_error < 1 / 256


def test_a_beta_that_makes_the_scale_too_coarse_is_named() -> None:
    model = bqm({"a": 0.5}, {"ab": -1.0})
    sentence = (
        r"to nothing: one code is .* because beta is 1e-05 .* ask for a beta of (\S+) or more"
    )
    with pytest.raises(ProgramError, match=sentence) as refused:
        compile_model(model, DEFAULT, beta_max=1e-5, beta_min=1e-5)
    found = re.search(r"ask for a beta of (\S+) or more", str(refused.value))
    assert found is not None
    enough = 1.00001 * float(found[1])  # six digits are told
    assert compile_model(model, DEFAULT, beta_max=enough, beta_min=enough).quantization.exact
    with pytest.raises(ProgramError, match=r"largest coefficient because beta is 0\.001 and has"):
        compile_model(bqm({}, {"ab": -1.0, "bc": 0.71}), DEFAULT, beta_min=0.001)
    sites = dimod.BinaryQuadraticModel.from_ising({}, {((0, 0), (0, 1)): -1.0})
    with pytest.raises(ProgramError, match="because beta is 1e-05"):
        compile_lattice(sites, LatticeParameters(rows=4, columns=4), beta_min=1e-5)


def test_biases_alone_leave_room_for_small_betas() -> None:
    rng = np.random.default_rng(4)
    built = dimod.DiscreteQuadraticModel()
    built.add_variable(9, "u")
    built.set_linear("u", rng.normal(size=9).tolist())
    compiled = compile_model(built, DEFAULT)
    assert not compiled.quantization.exact
    spread = float(np.ptp(compiled.model.linear))
    assert len(compiled.betas([0.2 / spread, 50 / spread])) == 2


@pytest.mark.parametrize("part", [0.03, 1.0])
def test_beta_codes_are_within_one_percent_over_a_range_of_2_to_the_10(part: float) -> None:
    # three scales apart, so that neither end of the format is special
    for scale in (1.0, 2**-6, 0.37):
        largest = part * 15.99 / scale
        betas = np.geomspace(largest / 1024, largest, 500)
        codes = beta_codes(betas, scale, DEFAULT)
        back = codes / (scale * 2.0**DEFAULT.beta_frac)
        assert np.abs(back / betas - 1).max() < 0.01
        assert (np.diff(codes) >= 0).all()


@pytest.mark.parametrize(
    ("beta", "words"),
    [
        (17.0, "largest beta of this program is 16"),
        (1e-9, "smallest beta of this program"),
        (-1.0, "finite number from 0"),
        (math.nan, "finite number from 0"),
    ],
)
def test_betas_outside_the_format_are_refused_with_the_limit(beta: float, words: str) -> None:
    with pytest.raises(ProgramError, match=words):
        compile_model(bqm({}, {"ab": 1.0}), DEFAULT).betas([beta])


def test_beta_zero_is_exact() -> None:
    assert compile_model(bqm({}, {"ab": 1.0}), DEFAULT).betas(0.0).tolist() == [0]
