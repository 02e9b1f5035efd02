"""Training by reverse paths: the loss and its gradient, heat, the minimum, and resuming."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.energies.potential import Potential
from gibbsite_models.generative import Plan, Trained
from gibbsite_models.generative_training import noising_paths, train
from gibbsite_models.path_likelihood import Gradient, PathSums, path_loss
from gibbsite_models.selector import Selector
from gibbsite_models.training import Descent, EntropyProductionRegularizer, Trainable

N, CLAMPED = 5, 3
MU, KT, DT = 1.3, 0.7, 0.05
NAMES = ("J2", "J4", "b", "J")
PLAN = Plan(classes=(3, 7), bits=2, levels=4.0, paths_per_image=6, seed=5)


def a_potential(seed: int = 0) -> Potential:
    random = np.random.default_rng(seed)
    J = random.normal(size=(N, N))
    return Potential.build(
        N,
        J2=random.normal(size=N),
        J4=random.uniform(0.1, 1, size=N),
        b=random.normal(size=N),
        J=np.triu(J, 1) + np.triu(J, 1).T,
    )


def some_paths(seed: int = 1, paths: int = 7, steps: int = 4) -> np.ndarray:
    random = np.random.default_rng(seed)
    x = random.normal(size=(paths, steps + 1, N)).cumsum(axis=1) / 2
    x[:, :, CLAMPED] = random.choice([-1.0, 1.0], size=(paths, 1))
    return x


def is_free() -> np.ndarray:
    return np.arange(N) != CLAMPED


def shifted(v: Potential, name: str, at: tuple[int, ...], by: float) -> Potential:
    """One parameter moved; of a pair both entries of J."""
    array = np.array(getattr(v, name))
    array[at] += by
    if name == "J":
        array[at[::-1]] += by
    return replace(v, **{name: array})


def parameters() -> list[tuple[str, tuple[int, ...]]]:
    single = [(name, (i,)) for name in NAMES[:3] for i in range(N)]
    return single + [("J", (i, j)) for i in range(N) for j in range(i)]


def largest_difference(gradient: Gradient, function: object, v: Potential) -> float:
    """Against central differences; their error is of order 1e-8 for these losses of order 100."""
    h = 1e-4
    worst = 0.0
    for name, at in parameters():
        up, down = (function(shifted(v, name, at, s * h)) for s in (1, -1))
        worst = max(worst, abs((up - down) / (2 * h) - getattr(gradient, name)[at]))
    return worst


def test_the_loss_is_the_definition() -> None:
    v, x = a_potential(), some_paths()
    expected = 0.0
    for path in x:
        for before, after in pairwise(path):
            r = -(after - before) + MU * v.gradient(after) * DT
            expected += (r[is_free()] ** 2).sum() / (4 * MU * KT * DT) / len(x)
    assert path_loss(v, x, MU, KT, DT, is_free()) == pytest.approx(expected, rel=1e-12)
    assert PathSums.of(x, MU, KT, DT).loss(v, is_free()) == pytest.approx(expected, rel=1e-10)


def test_the_gradient_is_that_of_finite_differences() -> None:
    v, x = a_potential(), some_paths()

    def loss(at: Potential) -> float:
        return path_loss(at, x, MU, KT, DT, is_free())

    gradient = PathSums.of(x, MU, KT, DT).gradient(v, is_free())
    assert largest_difference(gradient, loss, v) < 1e-6
    # planted faults: the residual at the start of the step, and a forgotten half of a pair
    early = PathSums.of(x[:, ::-1], MU, KT, DT).gradient(v, is_free())
    assert largest_difference(early, loss, v) > 1
    half = replace(gradient, J=gradient.J / 2)
    assert largest_difference(half, loss, v) > 0.1


def test_a_pair_of_a_free_and_a_clamped_unit_has_one_residual() -> None:
    v, x = a_potential(), some_paths()
    dx, after = np.diff(x, axis=1), x[:, 1:]
    r = (-dx + MU * DT * v.gradient(after)) / (2 * KT)
    by_hand = (r[..., 0] * after[..., CLAMPED]).sum() / len(x)
    gradient = PathSums.of(x, MU, KT, DT).gradient(v, is_free())
    assert gradient.J[0, CLAMPED] == pytest.approx(by_hand, rel=1e-10)
    assert gradient.b[CLAMPED] == 0


def test_sums_of_batches_are_the_sums_of_all() -> None:
    v, x = a_potential(), some_paths()
    whole = PathSums.of(x, MU, KT, DT)
    parts = PathSums.of(x[:3], MU, KT, DT).plus(PathSums.of(x[3:], MU, KT, DT))
    assert parts.loss(v, is_free()) == pytest.approx(whole.loss(v, is_free()), rel=1e-12)
    assert parts.heat(v) == pytest.approx(whole.heat(v), rel=1e-12)


def test_heat_of_the_way_back_is_the_fall_of_a_quadratic_energy() -> None:
    v = replace(a_potential(), J4=np.zeros(N))
    x = some_paths()
    fall = (v.energy(x[:, -1]) - v.energy(x[:, 0])).mean() / KT
    sums = PathSums.of(x, MU, KT, DT)
    assert sums.heat(v) == pytest.approx(fall, rel=1e-10)
    # planted fault: the left-point sum
    left = (v.gradient(x[:, :-1]) * np.diff(x, axis=1)).sum() / KT / len(x)
    assert left != pytest.approx(fall, rel=0.05)


def test_the_regularized_objective_and_its_gradient() -> None:
    v, x = a_potential(), some_paths()
    sums, free = PathSums.of(x, MU, KT, DT), is_free()
    regularizer = EntropyProductionRegularizer(lambda_entropy=0.3)
    expected = sums.loss(v, free) + 0.3 * sums.heat(v)
    assert regularizer.compute_loss(sums, v, free) == pytest.approx(expected)
    gradient = regularizer.gradient(sums, v, free)
    worst = largest_difference(gradient, lambda at: regularizer.compute_loss(sums, at, free), v)
    assert worst < 1e-6
    assert EntropyProductionRegularizer().lambda_entropy == 0.1


@pytest.mark.parametrize("value", [-0.1, 1.0, float("nan")])
def test_a_lambda_out_of_range_is_refused(value: float) -> None:
    with pytest.raises(ProgramError, match=r"lambda_entropy must be in \[0, 1\)"):
        EntropyProductionRegularizer(value)


def test_descent_ends_where_no_parameter_lowers_the_objective() -> None:
    x, free = some_paths(paths=400), is_free()
    sums = PathSums.of(x, MU, KT, DT)
    trainable = Trainable.build(free)
    descent = Descent(sums, trainable, EntropyProductionRegularizer(0.1), a_potential())
    start = descent.potential
    while not descent.converged:
        descent.step()
        assert descent.steps < 200
    slope = descent.regularizer.gradient(sums, descent.potential, free)
    assert max(np.abs(getattr(trainable.keep(slope), name)).max() for name in NAMES) < 1e-4
    for name in ("J2", "J4", "b"):
        assert getattr(descent.potential, name)[CLAMPED] == getattr(start, name)[CLAMPED]


def test_training_finds_the_reverse_drift_of_a_gaussian() -> None:
    """One step of free diffusion from N(m, v): E[-dx | x'] = -s^2 (x' - m) / (v + s^2)."""
    mean, variance, count = 0.8, 0.5, 40_000
    s2 = 2 * MU * KT * DT
    random = np.random.default_rng(3)
    x = mean + np.sqrt(variance) * random.standard_normal((count, 1, 1))
    paths = np.concatenate([x, x + np.sqrt(s2) * random.standard_normal(x.shape)], axis=1)
    free = np.array([True])
    sums = PathSums.of(paths, MU, KT, DT)
    drift, errors = s2 / (variance + s2), []
    for value in (0.0, 0.4):
        descent = Descent(
            sums,
            Trainable.build(free, quartic=False),
            EntropyProductionRegularizer(value),
            Potential.build(1),
        )
        while not descent.converged:
            descent.step()
        found = 2 * float(descent.potential.J2[0]) * MU * DT
        # a regression slope: its variance is that of the rest, s^2 v / (v + s^2), over the sum of
        # squares of x'; lambda adds lambda times a slope of the same size. Five deviations.
        rest = s2 * variance / (variance + s2)
        deviation = np.sqrt(rest / (count * (variance + s2))) * (1 + value)
        errors.append(abs(found - (1 - value) * drift) / deviation)
        # the line's zero: the mean of the rest, over the slope; lambda makes it steadier. Five
        # deviations are 0.045, so that a mean of the noised data's own, off by 6 %, would be seen
        zero = -float(descent.potential.b[0]) * MU * DT / found
        bound = 5 * np.sqrt(rest / count) / drift
        assert abs(zero - mean) < bound < 0.06 * mean
    assert max(errors) < 5
    # planted fault: lambda ignored would be seen
    assert 0.4 * drift / deviation > 20


@pytest.mark.parametrize(
    ("paths", "settings", "sentence"),
    [
        (np.zeros((3, 4)), (MU, KT, DT), r"must have shape \[paths, 2 states or more, units\]"),
        (np.zeros((3, 1, 4)), (MU, KT, DT), "2 states or more"),
        (np.full((3, 2, 4), np.nan), (MU, KT, DT), "must be finite"),
        (np.zeros((3, 2, 4)), (MU, 0.0, DT), "kT of noising paths must be above 0 and is 0"),
        (np.zeros((3, 2, 4)), (MU, KT, np.inf), "dt of noising paths must be above 0"),
    ],
)
def test_wrong_paths_are_refused(paths: np.ndarray, settings: tuple, sentence: str) -> None:
    with pytest.raises(ProgramError, match=sentence):
        PathSums.of(paths, *settings)


def test_potentials_with_constraints_are_not_trained() -> None:
    v = Potential.build(N, J2=1.0, K=np.ones((1, N)))
    with pytest.raises(ProgramError, match="train without constraints"):
        PathSums.of(some_paths(), MU, KT, DT).loss(v, is_free())


# -- the selector of codes ---------------------------------------------------------------------


@pytest.mark.parametrize("bits", [1, 2, 4, 5])
def test_codes_are_minima_with_one_decoder_on(bits: int) -> None:
    selector = Selector(bits, 3.0, 2.0, 1.5)
    J2, J4, b, J = selector.parameters()
    v = Potential.build(selector.size, J2=J2, J4=J4, b=b, J=J)
    h = selector.minima()
    assert np.abs(v.gradient(h)).max() < 1e-12
    assert np.linalg.eigvalsh(v.hessian(h))[:, 0].min() > 0
    assert ((h[:, bits:] > 0).sum(axis=1) == 1).all()
    assert (h[:, bits:].argmax(axis=1) == np.arange(selector.codes)).all()


def chi_square_of_codes(push: float, chains: int = 4000) -> float:
    """Of how often each of 8 codes was chosen; ``push`` is a planted force on the first bit."""
    plan = Plan(classes=(0,), bits=3)
    selector = plan.selector
    J2, J4, b, J = selector.parameters()
    b[0] -= push
    random = np.random.default_rng(11)
    h = plan.sigma0 * random.standard_normal((chains, selector.size))
    for _ in range(plan.steps):
        slope = h @ J + b + 2 * J2 * h + 4 * J4 * h**3
        h = h - plan.dt * slope + np.sqrt(2 * plan.dt) * random.standard_normal(h.shape)
    far = ((h[:, None] - selector.minima()[None]) ** 2).sum(axis=2)
    assert (far.min(axis=1) < 2).all()
    counts = np.bincount(far.argmin(axis=1), minlength=8)
    return float(((counts - chains / 8) ** 2 / (chains / 8)).sum())


def test_codes_are_chosen_equally_often() -> None:
    # chi-square with 7 degrees of freedom exceeds 29.9 with probability 1e-4
    assert chi_square_of_codes(0.0) < 29.9
    # planted fault: a force that moves the top of the well by half of sigma0
    plan = Plan(classes=(0,))
    assert chi_square_of_codes(0.5 * plan.sigma0 * plan.rise / plan.dt) > 29.9


@pytest.mark.parametrize("settings", [(0,), (7,), (2, 0.0), (2, 1.0, -1.0), (2, 1.0, 1.0, np.nan)])
def test_wrong_selectors_are_refused(settings: tuple) -> None:
    with pytest.raises(ProgramError, match=r"a selector('s|) "):
        Selector(*settings)


@pytest.mark.parametrize(
    "name", ["noising_steps", "paths_per_image", "steps", "cold", "bits", "seed", "classes"]
)
def test_plans_count_in_whole_numbers(name: str) -> None:
    whole = replace(PLAN, **{name: np.array([1, 2]) if name == "classes" else np.int64(2)})
    assert type(getattr(whole, name)) is (tuple if name == "classes" else int)
    for wrong in (1.5, 1.0, True, "1", -1, None):
        given = {name: (wrong,) if name == "classes" else wrong}
        with pytest.raises(ProgramError, match="must be a whole number, "):
            replace(PLAN, **given)


@pytest.mark.parametrize("name", ["noise", "levels", "sigma0", "swing", "rise", "lambda_entropy"])
def test_plans_hold_finite_numbers(name: str) -> None:
    for wrong in (np.nan, np.inf, "1", None):
        with pytest.raises(ProgramError, match=f"{name} must be finite"):
            replace(PLAN, **{name: wrong})


# -- whole trainings on a small data set ---------------------------------------------------------


def small_data() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(2)
    labels = np.repeat([3, 7], 20)
    images = np.where(labels[:, None] == 3, [3.0, 1.0, 1.0, 2.0], [1.0, 3.0, 2.0, 0.5])
    return np.clip(images + 0.4 * random.standard_normal(images.shape), 0, 4), labels


def same(a: Trained, b: Trained) -> bool:
    arrays = [(getattr(a.potential, name), getattr(b.potential, name)) for name in NAMES]
    return all(np.array_equal(x, y) for x, y in arrays) and a.metadata == b.metadata


def test_only_the_seed_and_the_data_decide() -> None:
    x, y = small_data()
    first = train(x, y, PLAN)
    assert same(first, train(x, y, PLAN))
    assert not same(first, train(x, y, replace(PLAN, seed=6)))
    assert first.metadata["figures"]["objective"] < first.metadata["figures"]["objective_untrained"]
    first.potential.check()


def test_noising_leaves_hidden_units_and_spreads_pixels() -> None:
    states = np.ones((5000, 3))
    paths = noising_paths(states, 2, PLAN, 0)
    assert paths.shape == (5000, PLAN.noising_steps + 1, 3)
    assert (paths[:, :, 2] == 1).all()
    variance = ((paths[:, -1, :2] - 1) ** 2).mean()
    expected = PLAN.noising_steps * PLAN.noise**2
    # 10,000 squares of a Gaussian: relative deviation sqrt(2 / 10,000); five of them
    assert variance == pytest.approx(expected, rel=5 * np.sqrt(2 / 10_000))


KILLED = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
sys.path.insert(0, {folder!r})
from test_training import PLAN, small_data
from gibbsite_models.generative_training import train
seen = 0
def progress(done, most, objective):
    global seen
    seen += 1
    if seen == {limit}:
        os.kill(os.getpid(), signal.SIGKILL)
train(*small_data(), PLAN, Path({file!r}), progress, every=1)
"""


@pytest.mark.parametrize("limit", [3, 9])
def test_a_killed_training_goes_on_to_the_same_bits(tmp_path: Path, limit: int) -> None:
    file = tmp_path / "training.json"
    program = KILLED.format(folder=str(Path(__file__).parent), limit=limit, file=str(file))
    environment = os.environ | {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
    done = subprocess.run([sys.executable, "-c", program], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    assert file.exists()
    steps = []
    resumed = train(*small_data(), PLAN, file, lambda d, m, o: steps.append(o), every=1)
    whole = []
    assert same(resumed, train(*small_data(), PLAN, None, lambda d, m, o: whole.append(o), every=1))
    assert 0 < len(steps) <= len(whole) - (limit - 2)


def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    x, y = small_data()
    file = tmp_path / "training.json"
    train(x, y, PLAN, file)
    with pytest.raises(ProgramError, match="other data or another plan"):
        train(x, y, replace(PLAN, noise=0.06), file)
    with pytest.raises(ProgramError, match="other data or another plan"):
        train(x[::-1], y[::-1], PLAN, file)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda x, y: (x[0], y), r"must have shape \[at least 2 images, pixels\]"),
        (lambda x, y: (x, y[:-1]), "one whole number an image"),
        (lambda x, y: (x, y.astype(float)), "one whole number an image"),
        (lambda x, y: (np.where(x == x[3, 1], np.nan, x), y), r"image 3 has pixel 1 = nan"),
        (lambda x, y: (x * 4, y), r"pixels must be in \[0, 4\]"),
        (lambda x, y: (x - 1, y), r"pixels must be in \[0, 4\]"),
        (lambda x, y: (x, y + 1), r"has label 4 and the classes are \(3, 7\)"),
        (
            lambda x, y: (x[17:], y[17:]),
            "class 3 needs at least 4 images for its 2 codes and has 3",
        ),
    ],
)
def test_wrong_training_data_are_refused(change: object, sentence: str) -> None:
    x, y = small_data()
    with pytest.raises(ProgramError, match=sentence):
        train(*change(x, y), PLAN)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"noise": 0.0}, "noise must be finite and above 0 and is 0"),
        ({"steps": 0}, "steps must be a whole number, at least 1, and is 0"),
        ({"cold": 100}, "cold must be a whole number, 0 to 99, and is 100"),
        ({"bits": 0}, "bits must be a whole number, 1 to 6, and is 0"),
        ({"classes": ()}, "0 classes were asked for"),
    ],
)
def test_wrong_plans_are_refused(fields: dict, sentence: str) -> None:
    with pytest.raises(ProgramError, match=sentence):
        replace(PLAN, **fields)
