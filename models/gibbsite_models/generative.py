r"""The generative thermodynamic computer: noise relaxes into images under a trained potential.

    V(x, h) = 1/2 x.K x - x.(c + W h) + U(h) + 1/2 (c + W h).K^-1 (c + W h)

x are visible units, h a `Selector` of 2^M codes with potential U. K, c and W are trained by the
reverse-path likelihood, with the hidden units clamped at the code of the image that the visible
ones start from; the last term completes the square, so that x leaves the law of h as U has it.
Noising is free diffusion at kT/2: the reverse of it drifts by ``kT d log p``, that is ``-grad V``
for ``V = -kT log p``, and Langevin dynamics at kT stays in the law p of the slightly noised data.
Generation starts at the data's mean with h = 0 and Gaussian noise, and ends with cold steps.

Source: S. Whitelam, Generative thermodynamic computing, arXiv:2506.15121; where this differs stands
in docs/generative-computer.md.
"""

import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.energies.arguments import count, number
from gibbsite_models.energies.potential import Potential
from gibbsite_models.langevin_float import Protocol, Segment
from gibbsite_models.selector import Selector
from gibbsite_models.training_store import TRAINED, Stored, load, save

__all__ = [
    "KT",
    "MU",
    "NOISING_KT",
    "Generator",
    "Plan",
    "Trained",
    "generator",
    "load_trained",
    "save_trained",
    "untrained",
]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

MU, KT = 1.0, 1.0
NOISING_KT = KT / 2
DECIDING, UNDECIDED = 60, 0.008
"""Completion: cold steps until the hidden units have decided; its sigma0 in units of sigma0."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All that decides a training, next to the data.

    ``levels`` is the brightest grey level; a pixel p becomes ``pixel_scale (2 p / levels - 1)``.
    ``noise`` is a noising step's standard deviation, so ``dt = noise^2 / (2 mu NOISING_KT)``.
    ``stiffness`` and ``rise`` of the selector are given times mu dt. Generation takes ``steps``
    steps, the last ``cold`` of them at kT = 0.

    Raises: ProgramError for counts that are no whole numbers, numbers that are none, and more
    classes than codes.
    """

    classes: tuple[int, ...]
    bits: int = 5
    levels: float = 16.0
    pixel_scale: float = 0.25
    noise: float = 0.05
    noising_steps: int = 2
    paths_per_image: int = 60
    stiffness: float = 0.15
    rise: float = 0.25
    swing: float = 6.6
    sigma0: float = 0.25
    steps: int = 100
    cold: int = 1
    lambda_entropy: float = 0.0
    seed: int = 1

    def __post_init__(self) -> None:
        for name in ("noising_steps", "paths_per_image", "steps"):
            object.__setattr__(self, name, count(name, getattr(self, name)))
        for name, least, most in (
            ("bits", 1, 6), ("cold", 0, self.steps - 1), ("seed", 0, None)
        ):  # fmt: skip
            object.__setattr__(self, name, count(name, getattr(self, name), least, most))
        for name in ("levels", "pixel_scale", "noise", "sigma0"):
            object.__setattr__(self, name, number(name, getattr(self, name), above=0))
        for name in ("stiffness", "rise", "swing", "lambda_entropy"):
            object.__setattr__(self, name, number(name, getattr(self, name)))
        classes = tuple(count("a class", c, 0) for c in self.classes)
        object.__setattr__(self, "classes", classes)
        if not 1 <= len(self.classes) <= 2**self.bits:
            raise ProgramError(
                f"{self.bits} bits have {2**self.bits} codes and {len(self.classes)} classes were "
                f"asked for; each class needs one"
            )

    @property
    def dt(self) -> float:
        """The time step of noising and of generation."""
        return self.noise**2 / (2 * MU * NOISING_KT)

    @property
    def selector(self) -> Selector:
        """The hidden units."""
        rate = MU * self.dt
        return Selector(self.bits, self.swing, self.stiffness / rate, self.rise / rate)


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A trained machine: plan, V, V before training, the mean of the data, classes of codes."""

    plan: Plan
    potential: Potential
    untrained: Potential
    mean: Array
    class_of_code: Integers
    metadata: dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Generator:
    """What a device needs to generate, and the way back to images.

    Chains start at ``start[units] + sigma0 gaussian`` and run ``protocol`` on ``potential``; the
    first ``visible`` units are pixels.

    To complete an image, clamp known pixels at `encode`'s values and run ``completion`` from
    ``start + completion_sigma0 gaussian``: it begins cold, for what known pixels say to undecided
    hidden units is small beside the noise that otherwise decides.
    """

    potential: Potential
    protocol: Protocol
    start: Array
    sigma0: float
    completion: Protocol
    completion_sigma0: float
    visible: int
    pixel_scale: float
    levels: float
    class_of_code: Integers
    minima: Array

    def decode(self, z: ArrayLike, clip: bool = True) -> Array:
        """Grey levels ``[..., visible]`` of states ``[..., units]``, within the levels or raw."""
        pixels = np.asarray(z, dtype=np.float64)[..., : self.visible]
        levels = (pixels / self.pixel_scale + 1) * (self.levels / 2)
        return np.asarray(np.clip(levels, 0, self.levels) if clip else levels)

    def encode(self, images: ArrayLike) -> Array:
        """Pixel units' values for grey levels: what to clamp them at."""
        levels = np.asarray(images, dtype=np.float64)
        return np.asarray(self.pixel_scale * (2 * levels / self.levels - 1))

    def code(self, z: ArrayLike) -> Integers:
        """The nearest hidden code of states ``[chains, units]``."""
        hidden = np.asarray(z, dtype=np.float64)[:, self.visible :]
        far = ((hidden[:, None, :] - self.minima[None]) ** 2).sum(axis=2)
        return np.asarray(far.argmin(axis=1), dtype=np.int64)


def generator(trained: Trained) -> Generator:
    """The deployment of a trained machine."""
    plan = trained.plan
    warm = [Segment(plan.steps - plan.cold, KT, plan.dt)]
    if plan.cold:
        warm.append(Segment(plan.cold, 0.0, plan.dt))
    start = np.concatenate([trained.mean, np.zeros(plan.selector.size)])
    return Generator(
        trained.potential,
        Protocol(MU, warm),
        start,
        plan.sigma0,
        Protocol(MU, [Segment(DECIDING, 0.0, plan.dt), *warm]),
        plan.sigma0 * UNDECIDED,
        len(trained.mean),
        plan.pixel_scale,
        plan.levels,
        trained.class_of_code,
        plan.selector.minima(),
    )


def untrained(trained: Trained) -> Trained:
    """The machine before training: hidden units as trained, pixels in one harmonic well each.

    The wells have the mean and the mean variance of the data, which is all that the untrained
    machine is given.
    """
    return Trained(
        trained.plan, trained.untrained, trained.untrained, trained.mean, trained.class_of_code, {}
    )


def save_trained(path: Path, trained: Trained, command: str) -> None:
    """Write a trained machine; ``command`` is what made it."""
    arrays: dict[str, NDArray[Any]] = {"mean": trained.mean}
    arrays["class_of_code"] = trained.class_of_code
    for prefix, potential in (("", trained.potential), ("untrained_", trained.untrained)):
        for name in ("J2", "J4", "b"):
            arrays[prefix + name] = getattr(potential, name)
        arrays[prefix + "J"] = potential.J[np.triu_indices(potential.size, 1)]
    metadata = dict(trained.metadata) | {
        "command": command,
        "plan": asdict(trained.plan),
        "versions": {"python": platform.python_version(), "numpy": np.__version__},
    }
    save(path, TRAINED, Stored(metadata, arrays))


def load_trained(path: Path | str) -> Trained:
    """Read a trained machine.

    Raises: ProgramError for a file that is missing, damaged or of another version.
    """
    stored = load(Path(path), TRAINED)
    try:
        return _read(stored)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise ProgramError(
            f"{path} holds no trained machine ({type(error).__name__}: {error}); train it again "
            f"with tools/train_digits.py"
        ) from error


def _read(stored: Stored) -> Trained:
    metadata = dict(stored.metadata)
    fields: dict[str, Any] = dict(metadata["plan"])
    plan = Plan(**fields | {"classes": tuple(fields["classes"])})
    machines = []
    for prefix in ("", "untrained_"):
        J2, J4, b = (stored.arrays[prefix + name] for name in ("J2", "J4", "b"))
        J = np.zeros((len(b), len(b)))
        J[np.triu_indices(len(b), 1)] = stored.arrays[prefix + "J"]
        machines.append(Potential.build(len(b), J2=J2, J4=J4, b=b, J=J + J.T))
    arrays = stored.arrays
    return Trained(
        plan, machines[0], machines[1], arrays["mean"], arrays["class_of_code"], metadata
    )
