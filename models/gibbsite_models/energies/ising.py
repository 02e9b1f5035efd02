r"""Spins as the signs of double wells: a binary model on the langevin engine.

    V(z) = sum_i B (z_i^4 - 2 z_i^2) + sum_i h_i z_i + sum_(i<j) J_ij z_i z_j

Each well ``B (z^2 - 1)^2 - B`` has its minima at z = -1 and +1, a barrier B between them and
curvature 8 B in them. At z = s the energy is ``V(s) = E(s) - offset - n B``: couplings and biases
of the model enter without a factor, and kT = 1/beta.

What the map costs. A field ``g_i = h_i + sum_j J_ij s_j`` shifts the minimum by ``-g_i/(8 B)`` and
lowers it by ``g_i^2/(16 B)``, to leading order, which favours states of large fields. Thermal
motion in the lopsided wells shortens the mean of ``|z|`` to ``1 - 3 kT/(16 B)``, so that couplings
act like ``J (1 - 3 kT/(8 B))`` and biases like ``h (1 - 3 kT/(16 B))``. Signs follow Boltzmann's
law of E up to these terms. The barrier is passed at a rate near ``exp(-B/kT)``. So a high barrier
is exact and slow, and a run anneals kT, or the strength of the quadratic term.

Every sign pattern has its minimum if ``B >= 3/4 G``, G the largest possible field
``max_i |h_i| + sum_j |J_ij|``. For then ``1/sqrt 3 <= |z_i| <= R``, ``R^2 = 1 + G/(4 B)``, is a box
of each pattern that descent does not leave: at R the well pushes back with ``4 B (R^3 - R) = G R``,
at 1/sqrt 3 outwards with its steepest slope ``8 B/(3 sqrt 3) >= G R``, and no field exceeds G R.
The default barrier is G.

Source: H. Goto, K. Tatsumura and A. Dixon, Combinatorial optimization by simulating adiabatic
bifurcations, 2019 (double wells for spins); H. Kramers, 1940 (the rate).
"""

from collections.abc import Hashable
from dataclasses import dataclass

import dimod
import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.energies.potential import Array, Potential

__all__ = ["DoubleWells", "double_wells", "read_spins"]


@dataclass(frozen=True, slots=True, eq=False)
class DoubleWells:
    """The potential, the model's variables in the order of units, barrier, and the model itself."""

    potential: Potential
    variables: tuple[Hashable, ...]
    barrier: float
    model: dimod.BinaryQuadraticModel

    def sampleset(self, z: Array) -> dimod.SampleSet:
        """Signs of states ``z[reads, n]`` with the model's own energies, in its own vartype."""
        spins = read_spins(np.atleast_2d(z))
        values = spins if self.model.vartype is dimod.SPIN else (spins + 1) // 2
        found: dimod.SampleSet = dimod.SampleSet.from_samples_bqm(
            (values, list(self.variables)), self.model
        )
        return found


def double_wells(model: dimod.BinaryQuadraticModel, barrier: float | None = None) -> DoubleWells:
    """A binary or spin model as double wells of this barrier (by default the largest field).

    Raises: ProgramError for a model without variables, numbers that are not finite, and a barrier
    at which some spin cannot keep its sign.
    """
    spin = model.change_vartype(dimod.SPIN, inplace=False)
    variables = tuple(spin.variables)
    if not variables:
        raise ProgramError("a model needs at least 1 variable and has none")
    place = {variable: i for i, variable in enumerate(variables)}
    h = np.array([float(spin.linear[variable]) for variable in variables])
    J = np.zeros((len(variables), len(variables)))
    for (u, v), weight in spin.quadratic.items():
        J[place[u], place[v]] = J[place[v], place[u]] = float(weight)
    if not (np.isfinite(h).all() and np.isfinite(J).all()):
        raise ProgramError("the biases and couplings of a model must be finite and some are not")
    field = float((np.abs(h) + np.abs(J).sum(axis=1)).max())
    height = (field if field > 0 else 1.0) if barrier is None else float(barrier)
    least = 0.75 * field
    if not (np.isfinite(height) and height > 0 and height >= least):
        raise ProgramError(
            f"the barrier must be finite, above 0 and at least {least:.6g}, so that the largest "
            f"field {field:g} leaves both signs a minimum, and is {height:g}"
        )
    names = [str(variable) for variable in variables]
    potential = Potential.build(
        len(variables),
        J2=-2 * height,
        J4=height,
        b=h,
        J=J,
        names=names if len(set(names)) == len(names) else None,
    )
    return DoubleWells(potential, variables, height, model)


def read_spins(z: Array) -> NDArray[np.int8]:
    """The signs of states as spins -1/+1, same shape; zero reads +1."""
    return np.where(z < 0, -1, 1).astype(np.int8)
