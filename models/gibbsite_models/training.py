r"""Training a machine to undo noising: which parameters move, what is minimised, and how.

    minimise   -E[log P] + lambda E[Q]     over the trainable parameters of V

`gibbsite_models.path_likelihood` has both terms and their gradients. The objective is quadratic, so
conjugate gradients walk to its minimum; their state can be kept and taken up again, to the bit.

Source: S. Whitelam, Generative thermodynamic computing, arXiv:2506.15121.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.energies.potential import Potential
from gibbsite_models.path_likelihood import Gradient, PathSums

__all__ = ["Descent", "EntropyProductionRegularizer", "Trainable"]

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Trainable:
    """Which units are free (their residuals count) and which parameters may change.

    ``free, J2, J4, b[n]`` and ``J[n, n]``, bool. `build` opens all in the free units' forces.
    """

    free: Mask
    J2: Mask
    J4: Mask
    b: Mask
    J: Mask

    @classmethod
    def build(
        cls, free: ArrayLike, quartic: bool = True, pairs: ArrayLike | None = None
    ) -> "Trainable":
        """All in the forces on free units; J4 only with ``quartic``, J within ``pairs``."""
        f = np.array(free, dtype=bool)
        J = (f[:, None] | f[None, :]) & ~np.eye(len(f), dtype=bool)
        if pairs is not None:
            J &= np.asarray(pairs, dtype=bool)
        return cls(f, f, f & quartic, f, J)

    def keep(self, g: Gradient) -> Gradient:
        """The gradient with 0 for what may not change."""
        return Gradient(g.J2 * self.J2, g.J4 * self.J4, g.b * self.b, g.J * self.J)


@dataclass(frozen=True, slots=True)
class EntropyProductionRegularizer:
    """The objective ``-E[log P] + lambda E[Q]``, Q in units of kT: likelihood against heat.

    Over paths of free diffusion (noising without V) E[dx phi(x)] is 0, which makes the minimum
    exactly (1 - lambda) times that of the likelihood: lambda weakens forces, as a temperature
    higher by 1/(1 - lambda) would. So lambda must be in [0, 1).

    Raises: ProgramError for a lambda outside [0, 1).
    """

    lambda_entropy: float = 0.1

    def __post_init__(self) -> None:
        if not 0 <= self.lambda_entropy < 1:
            raise ProgramError(
                f"lambda_entropy must be in [0, 1) and is {self.lambda_entropy}; at 1 no force "
                f"would be left"
            )

    def compute_loss(self, sums: PathSums, potential: Potential, free: Mask) -> float:
        """``-log P + lambda Q`` a path."""
        return sums.loss(potential, free) + self.lambda_entropy * sums.heat(potential)

    def gradient(self, sums: PathSums, potential: Potential, free: Mask) -> Gradient:
        """Its derivative by every parameter."""
        return sums.gradient(potential, free).plus(self.lambda_entropy, sums.heat_gradient())


@dataclass(slots=True, eq=False)
class Descent:
    """Preconditioned conjugate gradients on the objective; resumable by `state` and `restored`.

    After as many steps as there are parameters it would be exact; ``converged`` tells that the
    gradient fell below ``tolerance`` times its first length, in the preconditioner's norm.
    """

    sums: PathSums
    trainable: Trainable
    regularizer: EntropyProductionRegularizer
    potential: Potential
    tolerance: float = 1e-7
    steps: int = 0
    residual: Gradient = field(init=False)
    direction: Gradient = field(init=False)
    square: float = field(init=False)
    first: float = field(init=False)

    def __post_init__(self) -> None:
        t = self.trainable
        slope = t.keep(self.regularizer.gradient(self.sums, self.potential, t.free))
        self.residual = Gradient(-slope.J2, -slope.J4, -slope.b, -slope.J)
        self.direction = self.residual.over(self.sums.scale(t.free))
        self.square = self.first = self.residual.dot(self.direction)

    @property
    def converged(self) -> bool:
        """Is the gradient as small as wanted?"""
        return self.square <= self.tolerance**2 * self.first

    def step(self) -> None:
        """One step to the minimum along the present direction."""
        t, free = self.trainable, self.trainable.free
        curved = t.keep(self.sums.curved(self.direction, free))
        length = self.square / self.direction.dot(curved)
        self.potential = _moved(self.potential, length, self.direction)
        self.residual = self.residual.plus(-length, curved)
        z = self.residual.over(self.sums.scale(free))
        square = self.residual.dot(z)
        self.direction = z.plus(square / self.square, self.direction)
        self.square = square
        self.steps += 1

    def state(self) -> dict[str, Array]:
        """All that changes, as arrays of float64, to the bit."""
        v, r, d = self.potential, self.residual, self.direction
        result = {
            f"{name}_{key}": np.array(getattr(part, key))
            for name, part in (("at", v), ("residual", r), ("direction", d))
            for key in ("J2", "J4", "b", "J")
        }
        return result | {"numbers": np.array([self.square, self.first, float(self.steps)])}

    def restored(self, state: dict[str, Array]) -> "Descent":
        """This descent where `state` was taken."""
        at, residual, direction = (
            {key: state[f"{name}_{key}"] for key in ("J2", "J4", "b", "J")}
            for name in ("at", "residual", "direction")
        )
        self.potential = replace(self.potential, J2=at["J2"], J4=at["J4"], b=at["b"], J=at["J"])
        self.residual, self.direction = Gradient(**residual), Gradient(**direction)
        self.square, self.first, steps = (float(v) for v in state["numbers"])
        self.steps = int(steps)
        return self


def _moved(v: Potential, length: float, d: Gradient) -> Potential:
    return replace(
        v,
        J2=v.J2 + length * d.J2,
        J4=v.J4 + length * d.J4,
        b=v.b + length * d.b,
        J=v.J + length * d.J,
    )
