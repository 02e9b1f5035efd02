"""Digits: data, judge, and the committed machines against the bars that they were trained for."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import gibbsite_models
from gibbsite_hw.spec.errors import ProgramError, ToolMissing
from gibbsite_models.balanced_clusters import arranged, balanced_clusters
from gibbsite_models.digits import Digits, load_digits
from gibbsite_models.digits_judge import (
    GAMMA,
    PENALTY,
    Judge,
    cross_validated,
    median_distance,
    mmd,
    nearest_distances,
)
from gibbsite_models.generative import Generator, generator, load_trained, untrained
from gibbsite_models.generative_training import train
from gibbsite_models.langevin_float import simulate

DATA = Path(gibbsite_models.__file__).parent / "data"
TOOL = Path(__file__).parents[2] / "tools" / "train_digits.py"
CLASSES = (0, 1, 2)
SAMPLES = 600


def command() -> ModuleType:
    """The tool as a module: a process of its own would spend seconds on imports."""
    spec = importlib.util.spec_from_file_location("train_digits", TOOL)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def digits() -> Digits:
    return load_digits()


@pytest.fixture(scope="module")
def judge(digits: Digits) -> Judge:
    return Judge(digits, CLASSES)


@pytest.fixture(scope="module")
def made() -> Generator:
    return generator(load_trained(DATA / "digits_three.json"))


def images_of(made: Generator, samples: int = SAMPLES, seed: int = 7) -> np.ndarray:
    z = simulate(made.potential, made.protocol, samples, seed, made.start, made.sigma0, reach=8.0).z
    return made.decode(z)


def meets_the_bars(judge: Judge, images: np.ndarray) -> bool:
    """Confident for 70 %, no class below 15 %, MMD better than a Gaussian's as many samples."""
    found = judge.verdict(images)
    gauss = judge.verdict(judge.gaussian(len(images), 1))
    return found.confident >= 0.7 and min(found.shares) >= 0.15 and found.mmd < gauss.mmd


def test_the_split_is_disjoint_and_in_proportion(digits: Digits) -> None:
    assert len(digits.train) + len(digits.held_out) == 1797
    assert digits.train.min() == 0
    assert digits.train.max() == 16
    for c in range(10):
        train, out = (digits.train_labels == c).sum(), (digits.held_out_labels == c).sum()
        assert abs(out - 0.4 * (train + out)) <= 0.5
    both = np.concatenate([digits.train, digits.held_out])
    # no image of the set occurs twice, so an image in both parts would be seen
    assert len(np.unique(both, axis=0)) == len(both)
    again = load_digits()
    assert np.array_equal(again.train, digits.train)
    assert not np.array_equal(load_digits(split=2).train, digits.train)


def test_wrong_choices_of_data_are_refused(digits: Digits) -> None:
    for classes in ((), (0, 0), (3, 10), (-1,)):
        with pytest.raises(ProgramError, match="classes must be different digits 0 to 9"):
            digits.of(classes)
    with pytest.raises(ProgramError, match=r"held-out share must be in \(0, 1\) and is 1"):
        load_digits(held_out=1.0)


def test_without_scikit_learn_a_sentence(monkeypatch: pytest.MonkeyPatch, digits: Digits) -> None:
    for name in ("sklearn", "sklearn.datasets", "sklearn.linear_model"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ToolMissing, match=r"pip install 'gibbsite\[digits\]'"):
        load_digits()
    with pytest.raises(ToolMissing, match=r"pip install 'gibbsite\[digits\]'"):
        Judge(digits, CLASSES)


def with_diagonal(x: np.ndarray, y: np.ndarray, width: float) -> float:
    """MMD^2 with every point compared with itself too."""

    def k(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.exp(-((a[:, None] - b) ** 2).sum(axis=2) / (2 * width**2)).mean())

    return float(k(x, x) + k(y, y) - 2 * k(x, y))


def test_mmd_is_unbiased_and_sees_a_shift() -> None:
    random = np.random.default_rng(5)
    equal, shifted, biased = [], [], []
    for _ in range(60):
        x, y = random.standard_normal((2, 80, 3))
        width = median_distance(x)
        equal.append(mmd(x, y, width))
        biased.append(with_diagonal(x, y, width))
        shifted.append(mmd(x, y + 0.5, width))
    # the mean of 60 estimates lies within 5 of its standard errors of 0
    assert abs(np.mean(equal)) < 5 * np.std(equal) / np.sqrt(60)
    # planted fault: the biased estimator, diagonal included
    assert np.mean(biased) > 5 * np.std(biased) / np.sqrt(60)
    assert min(shifted) > 0
    # against the definition, point by point
    x, y = random.standard_normal((2, 4, 2))

    def k(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.exp(-((a - b) ** 2).sum() / 2 / 1.5**2))

    pairs = [(i, j) for i in range(4) for j in range(4)]
    by_hand = sum(k(x[i], x[j]) + k(y[i], y[j]) for i, j in pairs if i != j) / 12
    by_hand -= 2 * sum(k(x[i], y[j]) for i, j in pairs) / 16
    assert mmd(x, y, 1.5) == pytest.approx(by_hand)
    assert nearest_distances(x, x[:2])[0] == 0


def test_clusters_are_of_equal_size_and_arranged_by_likeness() -> None:
    random = np.random.default_rng(6)
    centres = np.array([[0.0, 0], [0, 9], [9, 0], [9, 9]])
    x = (centres[:, None] + random.standard_normal((4, 10, 2))).reshape(40, 2)
    label = balanced_clusters(x[random.permutation(40)][:38], 4, seed=0)
    assert sorted(np.bincount(label)) == [9, 9, 10, 10]
    code = arranged(centres, seed=0)
    opposite = [code[0] ^ code[3], code[1] ^ code[2]]
    assert opposite == [3, 3]


def test_the_classifier_is_good_and_calibrated(digits: Digits, judge: Judge) -> None:
    assert judge.accuracy > 0.97
    # right as often as it says, or more often: 0.02 is 5 deviations of 0.99 among 718 images
    confidence = judge.probabilities(digits.held_out).max(axis=1).mean()
    assert -0.02 < judge.accuracy - confidence < 0.05
    assert judge.real().confident > 0.9
    # the judge is no pushover: a Gaussian of the same mean and covariance fails the machine's bar
    assert judge.verdict(judge.gaussian(SAMPLES, 2)).confident < 0.7
    assert judge.verdict(judge.train).nearest == (0, 0, 0), "copies must be seen"


@pytest.mark.nightly
def test_the_judge_s_settings_follow_from_the_training_images(digits: Digits) -> None:
    """The strongest penalty, and with it the gamma, within a standard error of the least loss."""
    losses = {
        (penalty, gamma): cross_validated(digits.train, digits.train_labels, gamma, penalty)
        for gamma in (0.0005, 0.001, 0.002)
        for penalty in (10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0, 10_000.0)
    }
    mean = {setting: loss.mean() for setting, loss in losses.items()}
    best = min(mean, key=lambda setting: mean[setting])
    bar = mean[best] + losses[best].std() / len(digits.train) ** 0.5
    print(f"least {mean[best]:.4f} at {best}, bar {bar:.4f}")
    good = [setting for setting in losses if mean[setting] <= bar]
    assert min(good) == (PENALTY, GAMMA)
    # no other gamma is within it at this penalty
    assert [setting for setting in good if setting[0] == PENALTY] == [(PENALTY, GAMMA)]


@pytest.mark.parametrize(
    ("images", "sentence"),
    [
        (np.zeros((5, 63)), r"must have shape \[at least 2, 64\]"),
        (np.zeros((1, 64)), "at least 2"),
        (np.full((3, 64), np.nan), "must be finite"),
    ],
)
def test_wrong_images_are_not_judged(judge: Judge, images: np.ndarray, sentence: str) -> None:
    with pytest.raises(ProgramError, match=sentence):
        judge.verdict(images)


def test_the_machine_meets_its_bars(judge: Judge, made: Generator) -> None:
    images = images_of(made)
    assert meets_the_bars(judge, images)
    # no copies: real held-out images are at 15.9 from the nearest training image, these not nearer
    # than nine tenths of that
    assert judge.verdict(images).nearest[1] > 0.9 * judge.real().nearest[1]
    # planted fault: the machine before training
    before = generator(untrained(load_trained(DATA / "digits_three.json")))
    assert not meets_the_bars(judge, images_of(before))


def test_the_machine_meets_its_bars_with_12_bit_couplings(judge: Judge, made: Generator) -> None:
    J = made.potential.J
    for bits, good in ((12, True), (6, False)):
        unit = 2.0 ** np.ceil(np.log2(np.abs(J).max() / (2 ** (bits - 1) - 1)))
        coarse = replace(made, potential=replace(made.potential, J=np.round(J / unit) * unit))
        try:
            met = meets_the_bars(judge, images_of(coarse))
        except ProgramError:  # too coarse to be bounded below
            met = False
        assert met == good, bits


def test_hidden_units_settle_on_a_code_that_means_the_class(judge: Judge, made: Generator) -> None:
    run = simulate(made.potential, made.protocol, SAMPLES, 3, made.start, made.sigma0, reach=8.0)
    code = made.code(run.z)
    far = ((run.z[:, made.visible :] - made.minima[code]) ** 2).sum(axis=1)
    assert (far < 2).mean() > 0.99
    agreeing = judge.likeliest(made.decode(run.z)) == made.class_of_code[code]
    assert agreeing.mean() > 0.95
    # the device holds |z| < 8 or more, by its scales
    assert np.abs(run.z).max() < 7.5


def test_clamped_halves_are_completed_in_kind(
    digits: Digits, judge: Judge, made: Generator
) -> None:
    own, half, right = digits.of(CLASSES), made.visible // 2, []
    for k in range(0, len(own.held_out), 9):
        pixels = made.encode(own.held_out[k])
        clamps = {u: float(v) for u, v in enumerate(pixels[:half])}
        z = simulate(
            made.potential,
            made.completion,
            1,
            k,
            made.start,
            made.completion_sigma0,
            clamps,
            reach=8.0,
        ).z
        assert np.array_equal(z[0, :half], pixels[:half])
        right.append(judge.likeliest(made.decode(z))[0] == own.held_out_labels[k])
    # of 24, guessing one class in three gives 16 or more with probability 1e-3 and less
    assert len(right) >= 24
    assert np.mean(right) > 16 / 24


def test_the_committed_file_is_what_training_gives(digits: Digits) -> None:
    stored = load_trained(DATA / "digits_three.json")
    own = digits.of(CLASSES)
    again = train(own.train, own.train_labels, stored.plan)
    assert again.metadata["data"] == stored.metadata["data"]
    for name in ("J2", "J4", "b", "J"):
        found, wanted = getattr(again.potential, name), getattr(stored.potential, name)
        # another BLAS sums in another order; the descent stops at 1e-7 of its first gradient
        assert np.abs(found - wanted).max() <= 1e-4 * np.abs(wanted).max()


@pytest.mark.parametrize("name", ["digits_three.json", "digits_ten.json"])
def test_trained_files_are_small_and_bounded(name: str) -> None:
    assert (DATA / name).stat().st_size < 200_000
    made = generator(load_trained(DATA / name))
    made.protocol.check(made.potential, 8.0)
    assert made.potential.size <= 128
    assert made.completion.steps <= 200


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--classes", "0a"], "--classes takes digits such as 012 and was given '0a'"),
        (["--classes", "00"], "classes must be different digits 0 to 9"),
        (["--samples", "1"], "--samples must be at least 2 and is 1"),
        (["--judge", "--out", "nowhere.json"], "nowhere.json cannot be read"),
    ],
)
def test_the_command_refuses_in_sentences(
    capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    try:
        code = command().main(arguments)
    except SystemExit as stop:
        code = stop.code
    assert code in (1, 2)
    assert sentence in capsys.readouterr().err


def test_the_command_trains_and_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, state = tmp_path / "two.json", tmp_path / "state.json"
    arguments = ["--classes", "01", "--bits", "2", "--samples", "60", "--out", str(out)]
    assert command().main([*arguments, "--checkpoint", str(state)]) == 0
    printed = capsys.readouterr()
    assert "heat a sample, kT: trained" in printed.out
    assert "noising paths" in printed.err
    assert load_trained(out).plan.classes == (0, 1)
    assert state.exists()


def test_an_interrupted_command_says_how_to_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tool, state = command(), tmp_path / "state.json"

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(tool, "_progress", stopped)
    out = tmp_path / "two.json"
    arguments = ["--classes", "01", "--out", str(out), "--checkpoint", str(state)]
    assert tool.main(arguments) == 130
    assert f"run it again to go on from {state}" in capsys.readouterr().err
    assert not out.exists()
