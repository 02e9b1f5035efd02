r"""Training the generative computer on images: noising paths, the descent, the completed square.

    V(x, h) = 1/2 x.K x - x.(c + W h) + U(h) + 1/2 (c + W h).K^-1 (c + W h)

K, c and W minimise `EntropyProductionRegularizer`'s objective over noising paths with the hidden
units clamped; U is the `Selector`'s and stays. Batch b of paths is drawn from (seed, b) alone, so
that an interrupted training goes on with the same numbers.
"""

import hashlib
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.balanced_clusters import codes_of_images
from gibbsite_models.energies.potential import Potential
from gibbsite_models.generative import KT, MU, NOISING_KT, Plan, Trained
from gibbsite_models.path_likelihood import PathSums
from gibbsite_models.selector import Selector
from gibbsite_models.training import Descent, EntropyProductionRegularizer, Trainable
from gibbsite_models.training_store import CHECKPOINT, Stored, load, save

__all__ = ["noising_paths", "train"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Progress = Callable[[int, int, float], None]

SUMS = ("phi_phi", "dx_after", "dx_before", "dx_dx")


def train(
    images: ArrayLike,
    labels: ArrayLike,
    plan: Plan,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
    every: int = 20,
) -> Trained:
    """Train on ``images[m, pixels]`` of grey levels 0 to ``plan.levels`` and their labels.

    With a checkpoint, a training that was interrupted goes on where the file left it, to the bit;
    every ``every`` batches or steps the file is replaced. ``progress`` gets the work done, the work
    at most and the objective, NaN while paths are still being drawn.

    Raises: ProgramError for data of the wrong shape or range, classes without enough images, and a
    checkpoint of another training.
    """
    x, y = _checked(images, labels, plan)
    fingerprint = _fingerprint(x, y, plan)
    selector = plan.selector
    pixels = plan.pixel_scale * (2 * x / plan.levels - 1)
    codes, class_of_code = codes_of_images(pixels, y, plan.classes, selector.codes, plan.seed)
    start = _untrained(pixels, selector)
    states = np.concatenate([pixels, selector.minima()[codes]], axis=1)
    trainable = _trainable(pixels.shape[1], selector)
    regularizer = EntropyProductionRegularizer(plan.lambda_entropy)
    sums, batch, state = _resumed(checkpoint, fingerprint, plan)
    most = start.size**2
    while batch < plan.paths_per_image:
        new = PathSums.of(
            noising_paths(states, pixels.shape[1], plan, batch), MU, NOISING_KT, plan.dt
        )
        sums, batch = new if sums is None else sums.plus(new), batch + 1
        if progress:
            progress(batch, plan.paths_per_image, float("nan"))
        if checkpoint and (batch % every == 0 or batch == plan.paths_per_image):
            _keep(checkpoint, fingerprint, sums, batch, {})
    assert sums is not None
    descent = Descent(sums, trainable, regularizer, start)
    if state:
        descent.restored(state)
    while not descent.converged and descent.steps < most:
        descent.step()
        if descent.steps % every == 0:
            if progress:
                loss = regularizer.compute_loss(sums, descent.potential, trainable.free)
                progress(descent.steps, most, loss)
            if checkpoint:
                _keep(checkpoint, fingerprint, sums, batch, descent.state())
    loss = regularizer.compute_loss(sums, descent.potential, trainable.free)
    before = regularizer.compute_loss(sums, start, trainable.free)
    figures = {
        "objective": loss,
        "objective_untrained": before,
        "path_heat": sums.heat(descent.potential),
        "steps": descent.steps,
        "images": len(x),
    }
    return Trained(
        plan,
        _completed(descent.potential, pixels.shape[1], selector),
        start,
        pixels.mean(axis=0),
        class_of_code,
        {"figures": figures, "data": fingerprint},
    )


def noising_paths(states: Array, visible: int, plan: Plan, batch: int) -> Array:
    """Free diffusion of the visible units from ``states[m, units]``: ``[m, steps + 1, units]``."""
    random = np.random.default_rng([plan.seed, batch])
    size = np.sqrt(2 * MU * NOISING_KT * plan.dt)
    steps = size * random.standard_normal((len(states), plan.noising_steps, visible))
    paths = np.repeat(states[:, None, :], plan.noising_steps + 1, axis=1)
    paths[:, 1:, :visible] += np.cumsum(steps, axis=1)
    return paths


def _checked(images: ArrayLike, labels: ArrayLike, plan: Plan) -> tuple[Array, Integers]:
    x = np.asarray(images, dtype=np.float64)
    y = np.asarray(labels)
    if x.ndim != 2 or len(x) < 2 or x.shape[1] < 1:
        raise ProgramError(
            f"training images must have shape [at least 2 images, pixels] and have {x.shape}"
        )
    if y.shape != (len(x),) or y.dtype.kind not in "iu":
        raise ProgramError(
            f"labels must be one whole number an image, shape ({len(x)},), and are {y.dtype} of "
            f"shape {y.shape}"
        )
    if not np.isfinite(x).all():
        at = tuple(int(k) for k in np.argwhere(~np.isfinite(x))[0])
        raise ProgramError(f"image {at[0]} has pixel {at[1]} = {x[at]}; all must be finite")
    if x.min() < 0 or x.max() > plan.levels:
        raise ProgramError(
            f"pixels must be in [0, {plan.levels:g}] and span [{x.min():g}, {x.max():g}]; scale "
            f"them or set levels"
        )
    known = np.isin(y, plan.classes)
    if not known.all():
        raise ProgramError(
            f"image {int(np.argmin(known))} has label {y[np.argmin(known)]} and the classes are "
            f"{plan.classes}; leave other images out"
        )
    return x, y.astype(np.int64)


def _untrained(pixels: Array, selector: Selector) -> Potential:
    """Hidden units as designed, pixels in harmonic wells of the data's mean and mean variance."""
    n = pixels.shape[1]
    mean, stiffness = pixels.mean(axis=0), KT / pixels.var(axis=0).mean()
    J2, J4, b, J = selector.parameters()
    full = np.zeros((n + selector.size,) * 2)
    full[n:, n:] = J
    return Potential.build(
        n + selector.size,
        J2=np.concatenate([np.full(n, stiffness / 2), J2]),
        J4=np.concatenate([np.zeros(n), J4]),
        b=np.concatenate([-stiffness * mean, b]),
        J=full,
    )


def _trainable(visible: int, selector: Selector) -> Trainable:
    """Visible units are free; they see each other and the decoders, which say what the bits say."""
    free = np.arange(visible + selector.size) < visible
    pairs = np.ones((len(free),) * 2, dtype=bool)
    bits = slice(visible, visible + selector.bits)
    pairs[bits], pairs[:, bits] = False, False
    return Trainable.build(free, quartic=False, pairs=pairs)


def _completed(v: Potential, n: int, selector: Selector) -> Potential:
    """Add ``1/2 (c + W h).K^-1 (c + W h)`` to V, so that x integrates out of exp(-V/kT).

    First the gauge: the decoders' sum is the same at all codes, so a part common to all of W may go
    to c. It goes there whole: pixels then expect the mean image as long as no code is chosen, and
    clamped pixels push undecided hidden units by what sets them apart from it.
    """
    K = v.J[:n, :n] + np.diag(2 * v.J2[:n])
    lowest = float(np.linalg.eigvalsh(K)[0])
    if lowest <= 0:
        raise ProgramError(
            f"the trained couplings have a curvature of {lowest:.3g} and it must be above 0; take "
            f"more paths_per_image or more noise"
        )
    drive, shift = v.J[:n, n:].copy(), v.b[:n].copy()
    decoders, total = slice(selector.bits, None), selector.minima()[0, selector.bits :].sum()
    common = drive[:, decoders].mean(axis=1)
    drive[:, decoders] -= common[:, None]
    shift += common * total
    solved = np.linalg.solve(K, np.column_stack([drive, shift]))
    square = drive.T @ solved[:, :-1]
    square = (square + square.T) / 2
    J2, b, J = v.J2.copy(), v.b.copy(), v.J.copy()
    b[:n], J[:n, n:], J[n:, :n] = shift, drive, drive.T
    J2[n:] += np.diag(square) / 2
    b[n:] += drive.T @ solved[:, -1]
    J[n:, n:] += square - np.diag(np.diag(square))
    return Potential.build(v.size, J2=J2, J4=v.J4, b=b, J=J)


def _fingerprint(x: Array, y: Integers, plan: Plan) -> str:
    """What a checkpoint must agree with: data and plan."""
    digest = hashlib.sha256(np.ascontiguousarray(x).tobytes() + y.tobytes())
    digest.update(repr(sorted(asdict(plan).items())).encode())
    return digest.hexdigest()


def _keep(
    path: Path, fingerprint: str, sums: PathSums, batch: int, state: dict[str, Array]
) -> None:
    arrays = {f"sums_{name}": getattr(sums, name) for name in SUMS} | state
    save(
        path, CHECKPOINT, Stored({"data": fingerprint, "batch": batch, "paths": sums.paths}, arrays)
    )


def _resumed(
    path: Path | None, fingerprint: str, plan: Plan
) -> tuple[PathSums | None, int, dict[str, Array]]:
    if path is None or not path.exists():
        return None, 0, {}
    stored = load(path, CHECKPOINT)
    if stored.metadata["data"] != fingerprint:
        raise ProgramError(
            f"{path} is the checkpoint of a training with other data or another plan; remove it or "
            f"name another file"
        )
    arrays = dict(stored.arrays)
    sums = {name: arrays.pop(f"sums_{name}") for name in SUMS}
    return (
        PathSums(MU, NOISING_KT, plan.dt, int(stored.metadata["paths"]), **sums),
        int(stored.metadata["batch"]),
        arrays,
    )
