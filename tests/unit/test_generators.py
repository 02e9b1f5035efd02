"""The generative computer on devices: the same digits on each, judged, completed, refused."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

import gibbsite
from gibbsite.generators.assessment import Bars, assess
from gibbsite.generators.machine import Generated, GenerativeMachine
from gibbsite.generators.pictures import draw_completions, draw_frames
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.digits import LEVELS, load_digits
from gibbsite_models.digits_judge import Judge
from gibbsite_models.energies.potential import Potential
from gibbsite_models.generative import Trained, load_trained, untrained

SAMPLES = 600


@pytest.fixture(scope="module")
def trained() -> Trained:
    return load_trained(Path(str(files("gibbsite_models") / "data" / "digits_three.json")))


@pytest.fixture(scope="module")
def device() -> Iterator[Device]:
    with gibbsite.open("golden:?engines=langevin") as opened:
        yield opened


@pytest.fixture(scope="module")
def machine(trained: Trained, device: Device) -> GenerativeMachine:
    return GenerativeMachine(trained, device)


@pytest.fixture(scope="module")
def drawn(machine: GenerativeMachine) -> Generated:
    return machine.sample(SAMPLES, seed=3)


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(load_digits(), (0, 1, 2))


def test_samples_meet_the_bars_and_blurred_ones_do_not(
    trained: Trained, device: Device, drawn: Generated, judge: Judge
) -> None:
    plain = GenerativeMachine(untrained(trained), device).sample(SAMPLES, seed=3)
    found = assess(judge, trained, drawn, plain, seed=3)
    assert found.missed(Bars()) == []
    verdict, fitted = found.verdicts["device"], found.verdicts["gaussian"]
    # 600 samples: a share of 0.33 is known to 0.02, confidence of 0.9 to 0.012
    assert verdict.confident > 0.8
    assert min(verdict.shares) > 0.2
    assert verdict.mmd_half < 0.6 * fitted.mmd_half
    # no copies: at least as far from training images as held-out ones are
    assert verdict.nearest[0] > found.verdicts["real"].nearest[0]
    # quantization: shares of 600 differ by less than five standard errors of their difference
    lost = found.verdicts["float"].confident - verdict.confident
    assert abs(lost) < 5 * np.sqrt(2 * 0.9 * 0.1 / SAMPLES)
    mean, error = found.heat["trained"]
    assert mean > found.heat["untrained"][0] + 5 * error
    assert "heat per sample" in found.heat_lines()
    assert found.table().count("\n") == 5
    worse = assess(judge, trained, plain, plain, seed=3)
    assert len(worse.missed(Bars())) == 3


def test_images_are_reproducible_and_all_different(
    machine: GenerativeMachine, drawn: Generated
) -> None:
    again = machine.sample(5, seed=3)
    assert np.array_equal(again.images, drawn.images[:5])
    assert len({image.tobytes() for image in drawn.images}) == SAMPLES
    assert not np.array_equal(machine.sample(5, seed=4).images, again.images)
    assert drawn.info["saturations"] == 0
    assert drawn.info["steps"] == SAMPLES * machine.generator.protocol.steps


def test_frames_end_in_the_sample(machine: GenerativeMachine, drawn: Generated) -> None:
    last = machine.generator.protocol.steps
    frames = machine.frames([0, last // 2, last], 3, seed=3)
    assert frames.shape == (3, 3, 64)
    assert np.array_equal(frames[:, -1], drawn.images[:3])


def test_completions_keep_what_is_known_and_load_nothing(
    machine: GenerativeMachine, judge: Judge, drawn: Generated
) -> None:
    loads, known = machine.device.loads, np.arange(64) < 32
    digits = load_digits().of((0, 1, 2))
    right = []
    for number, image in enumerate(digits.held_out[:30]):
        made = machine.complete(image, known, 4, seed=number)
        assert made.images[:, known] == pytest.approx(np.tile(image[known], (4, 1)), abs=1e-3)
        right.append((judge.likeliest(made.images) == digits.held_out_labels[number]).mean())
    # guessing gives 1/3 with a spread of at most 0.47 an image: 0.6 is three standard errors above
    assert np.mean(right) > 0.6
    assert machine.device.loads == loads
    assert np.array_equal(machine.sample(5, seed=3).images, drawn.images[:5])


@pytest.mark.sim
def test_the_rtl_draws_the_same_digits(trained: Trained, drawn: Generated) -> None:
    with GenerativeMachine(trained, "sim:?engines=langevin") as rtl:
        found = rtl.sample(6, seed=3)
        assert np.array_equal(found.images, drawn.images[:6])
        assert np.array_equal(found.heat, drawn.heat[:6])
        known = np.arange(64) % 8 < 4
        with GenerativeMachine(trained) as golden:
            one = rtl.complete(found.images[0], known, 2, seed=1)
            assert np.array_equal(one.states, golden.complete(found.images[0], known, 2, 1).states)


def test_pictures_are_written(machine: GenerativeMachine, tmp_path: Path) -> None:
    frames = machine.frames([0, 50, 100], 2, seed=1)
    draw_frames(tmp_path / "frames.png", frames, [0, 50, 100], LEVELS, "noise")
    half = np.where(np.arange(64) < 32, frames[:, :1], np.nan)
    draw_completions(tmp_path / "half.png", half, ["known"], LEVELS)
    assert (tmp_path / "frames.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "half.png").stat().st_size > 1000


@pytest.mark.parametrize("count", [0, -1, 1.5, True])
def test_counts_are_whole(machine: GenerativeMachine, count: object) -> None:
    with pytest.raises(ProgramError, match="n_samples must be a whole number, at least 1"):
        machine.sample(count)


def test_wrong_images_masks_and_frames_are_refused(machine: GenerativeMachine) -> None:
    image, known = np.zeros(64), np.arange(64) < 32
    for wrong, mask in ((image[:63], known), (image, known[:5]), (image * np.nan, known)):
        with pytest.raises(ProgramError, match=r"have shape \(64,\) and finite known pixels"):
            machine.complete(wrong, mask, 1)
    with pytest.raises(ProgramError, match=r"frames lie at steps 0 to 100 and \[101\]"):
        machine.frames([101], 1)


def test_a_machine_larger_than_the_device_is_refused(trained: Trained) -> None:
    with pytest.raises(ProgramError, match="101 units and the device holds 64"):
        GenerativeMachine(trained, "golden:?engines=langevin&units=64")
    assert isinstance(trained.potential, Potential)
