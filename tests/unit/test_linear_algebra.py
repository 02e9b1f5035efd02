"""Linear algebra by equilibrium: what is refused, scaling, shapes, several runs for many pairs."""

from typing import Any

import numpy as np
import pytest

from gibbsite.algorithms.gaussian_well import DEVICE
from gibbsite.algorithms.linear_algebra import inverse, solve
from gibbsite_hw.spec.errors import ProgramError

A = np.array([[2.0, -0.6, 0.1], [-0.6, 1.0, 0.3], [0.1, 0.3, 4.0]])
B = np.array([1.0, -2.0, 0.5])


@pytest.mark.parametrize(
    ("matrix", "sentence"),
    [
        (np.zeros((2, 3)), r"square matrix and has shape \(2, 3\)"),
        (np.zeros((0, 0)), "square matrix"),
        ([[1.0, np.nan], [np.nan, 1.0]], r"A\[0,1\] is nan"),
        ([[2.0, 1.0], [0.5, 2.0]], r"A must be symmetric and holds A\[0,1\] = 1, A\[1,0\] = 0.5"),
        ([[1.0, 2.0], [2.0, 1.0]], "positive definite and its smallest eigenvalue is -1"),
        ([[1.0, 1.0], [1.0, 1.0]], "positive definite"),
        ([[1.0, 0.0], [0.0, -3.0]], "smallest eigenvalue is -3"),
        (np.eye(257), "257 unknowns were given and the device holds 256 units"),
        (
            [[1.0, 0.9999], [0.9999, 1.0]],
            "rounding to 12 bits (changes the matrix|leaves a matrix of condition number)",
        ),
    ],
)
def test_matrices_without_an_answer_are_refused(matrix: Any, sentence: str) -> None:
    with pytest.raises(ProgramError, match=sentence):
        inverse(matrix)
    with pytest.raises(ProgramError, match=sentence):
        solve(matrix, np.ones(len(matrix)))


@pytest.mark.parametrize(
    ("b", "sentence"),
    [
        ([1.0, 2.0], r"shape \(3,\) as A does and has \(2,\)"),
        ([1, 2, np.inf], r"b\[2\] is inf"),
        ([1, 1e300, 2], r"b\[1\] is 1e\+300; all numbers must be finite and at most 1e\+60"),
        (["a", "b", "c"], "b must be real numbers"),
        ([1j, 0, 0], "b must be real numbers"),
    ],
)
def test_vectors_that_do_not_fit_are_refused(b: Any, sentence: str) -> None:
    with pytest.raises(ProgramError, match=sentence):
        solve(A, b)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"samples": 0}, "samples must be a whole number, at least 1, and is 0"),
        ({"chains": 1}, "chains must be a whole number, at least 2"),
        ({"seed": -3}, "seed must be a whole number, 0 to 18446744073709551615, and is -3"),
        ({"seed": 1 << 64}, "seed must be a whole number"),
        ({"samples": "a"}, "samples must be a whole number, at least 1, and is 'a'"),
        ({"chains": np.float64(8)}, "chains must be a whole number, at least 2, and is 8.0"),
        ({"kT": "hot"}, "kT must be finite and above 0 and at least 1e-100 and is 'hot'"),
        ({"kT": 1e-320}, "kT must be"),
        ({"device": None}, "device must be an open device or an address and is of type NoneType"),
        ({"kT": 0.0}, "kT must be finite and above 0"),
        ({"kT": np.nan}, "kT must be finite and above 0"),
        ({"device": DEVICE + "&pairs=0"}, "no memory of pairs"),
        ({"device": "golden:?engines=graph"}, "no langevin engine"),
    ],
)
def test_settings_that_are_none_are_refused(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ProgramError, match=sentence):
        solve(A, B, **settings)
    with pytest.raises(ProgramError, match=sentence):
        inverse(A, **settings)


def test_estimates_tell_their_samples_and_repeat() -> None:
    one, two = (solve(A, B, samples=100, chains=8, kT=0.3, seed=5) for _ in range(2))
    assert one.samples == 104  # whole draws of 8 chains
    assert one.value.shape == one.standard_error.shape == (3,)
    assert (one.value == two.value).all()
    assert (one.value != solve(A, B, samples=100, chains=8, kT=0.3, seed=6).value).all()
    assert one.info["saturations"] == 0
    assert one.info["kT"] == 0.3


def test_several_runs_of_the_same_chains_give_what_one_run_gives() -> None:
    # 6 moments in a memory of 4 pairs: two runs, the same states to the bit
    whole = inverse(A, samples=64, chains=4, kT=0.7)
    parts = inverse(A, samples=64, chains=4, kT=0.7, device=DEVICE + "&pairs=4")
    assert parts.info["runs"] == whole.info["runs"] + 1
    assert (whole.value == parts.value).all()
    assert (whole.value == whole.value.T).all()


def test_scales_far_apart_do_not_matter() -> None:
    # 12 orders of magnitude between the unknowns: the device sees the same codes
    scale = np.array([1e-6, 1.0, 2.0**20])
    plain = inverse(A, samples=64, chains=4).value
    scaled = inverse(A * scale * scale[:, None], samples=64, chains=4).value
    assert np.allclose(scaled * scale * scale[:, None], plain, rtol=1e-3)


def test_a_far_away_well_is_found() -> None:
    # at kT = 1e-8 its width is 1e-4 and its centre 1e6 away: 10 digits in 18-bit operands
    b = np.array([1e6, -2e6, 3.0])
    found = solve(A, b, samples=640, kT=1e-8)
    assert found.info["pilots"] > 2
    assert np.abs(found.value - np.linalg.solve(A, b)).max() < 6 * found.standard_error.max()
    assert found.standard_error.max() < 1e-5


def test_a_well_beyond_the_digits_of_64_bits_is_refused() -> None:
    with pytest.raises(ProgramError, match=r"may be 1\.41e\+20 and kT = 1 .* larger kT"):
        solve([[2.0, 1.0], [1.0, 2.0]], [1e20, 3.0])


@pytest.mark.sim
def test_golden_and_the_rtl_give_the_same_estimates() -> None:
    build = "?engines=langevin&units=8&constraints=16&multipliers=4&pairs=16"
    for question in (
        lambda device: solve(A, B, samples=32, chains=4, kT=0.3, seed=5, device=device),
        lambda device: inverse(A, samples=16, chains=2, kT=0.7, seed=6, device=device),
    ):
        golden, rtl = (question(scheme + build) for scheme in ("golden:", "sim:"))
        assert (golden.value == rtl.value).all()
        assert (golden.standard_error == rtl.standard_error).all()
        assert golden.info["cycles"] == rtl.info["cycles"] > 0


@pytest.mark.parametrize(
    ("matrix", "sentence"),
    [
        ([["a"]], "A must be real numbers in rows of one length"),
        ([[1.0], [1.0, 2.0]], "A must be real numbers in rows of one length"),
        ([[1 + 1j]], "A must be real numbers"),
        (None, "A must be real numbers"),
        ([[1e-320]], r"A\[0,0\] is 9.99989e-321; a diagonal must be at least 1e-60"),
        ([[1.0, 0], [0, 1e300]], r"A\[1,1\] is 1e\+300; all numbers must be finite and at most"),
        ([[1e-60, 1e60], [1e60, 1e-60]], "A must be positive definite"),
    ],
)
def test_matrices_that_are_no_numbers_are_refused(matrix: Any, sentence: str) -> None:
    with pytest.raises(ProgramError, match=sentence):
        solve(matrix, [1])
    with pytest.raises(ProgramError, match=sentence):
        inverse(matrix)


@pytest.mark.parametrize("size", [1e-50, 1e50])
def test_very_small_and_large_numbers_are_worked_with(size: float) -> None:
    one = solve([[size]], [size], samples=64, chains=8, kT=1e-8 * size)
    # the deviation of x is sqrt(kT/A) = 1e-4, and of the mean of 64 an eighth of it
    assert one.value[0] == pytest.approx(1, abs=5 * 1e-4 / 8)
    other = inverse([[size]], samples=64, chains=8)
    assert other.value[0, 0] * size == pytest.approx(1, abs=5 * (2 / 64) ** 0.5)


def test_whole_numbers_of_numpy_are_whole_numbers() -> None:
    plain = solve(A, B, samples=100, chains=8, seed=5)
    other = solve(A, B, samples=np.int64(100), chains=np.int32(8), seed=np.uint64(5))
    assert np.array_equal(plain.value, other.value)
