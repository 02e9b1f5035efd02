r"""Whether ``exp(-V/kT)`` has a finite integral, decided before anything runs.

The units fall into x, without a quartic term, and y, with J4 > 0. As a function of both,

    V = 1/2 x.A x + x.(c + C y) + sum_(hinge a) lambda_a max(k_a.x + l_a.y - d_a, 0)^2 + W(y),

W of fourth order in every y_i; A, c and C hold J2, J, the linear terms and the square constraints.

**Law.** Let A be positive semidefinite, N its null space, and ``D = {v in N: k_a.v <= 0 for all
hinges}`` the directions that nothing of second order holds. V is normalizable if and only if
``C^T v = 0`` and ``c.v > 0`` for every v != 0 in D.

*Needed.* Let v be in D. Along ``x + t v`` with y fixed, no hinge grows, so that V grows at most
like ``t v.(c + C y)``. With ``C^T v = 0`` and ``c.v <= 0`` V does not grow on any such ray, and its
integral is infinite. With ``w = C^T v != 0`` take ``y = -e t^(1/3) w``: the linear term gives
``-e t^(4/3) |w|^2``, the quartic ``O(e^4) t^(4/3)`` and the hinges with ``k_a.v = 0`` only
``O(t^(2/3))``; for small e, V goes to minus infinity.

*Enough.* Split x into w in the range of A and u in N. By Hoffman's bound u is within ``g m`` of a
point u_D of D, where ``m = max_a max(k_a.u, 0)``. Then ``c.u >= b |u_D| - O(m)`` with b > 0, and
``u.C y = O(m |y|)``. Either m exceeds twice the other terms of its hinge, and the hinge gives
``lambda m^2/4``, which outweighs both; or ``m = O(1 + |w| + |y|)``, and ``x.A x >= a |w|^2`` and
the quartic outweigh them. So V grows at least linearly in every direction. (So do convex
combinations of normalizable V: what is sound at both ends of a ramp is sound along it.)

*A not semidefinite.* Two hinges on k and -k hold like a square of the smaller lambda from some
distance on; 0.99 of it is counted into A (the remainder keeps them hinges, as the proof needs).
Beyond that, negative curvature that only several unlike hinges hold together is refused though V
may be normalizable: to decide it is copositivity, which is NP-hard.

Whether a cone ``{w: M w <= 0}`` is {0}, and which space it spans, is one linear program: maximise
``sum s`` over ``M w + s <= 0, 0 <= s <= 1``. Rows with s = 0 hold with equality on all of the cone,
and it spans exactly the space where they do.

V may be scaled at will: the verdict is that of any positive multiple. Linear terms and couplings
to y are therefore weighed against their own largest, after sums that only rounding keeps from
0 were set to 0.

Source: A. J. Hoffman, On approximate solutions of systems of linear inequalities, 1952 (the bound).
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

__all__ = ["unheld_direction", "unheld_unit"]

Array = NDArray[np.float64]

_TOLERANCE = 1e-9
"""Eigenvalues and slopes of equilibrated rows below it count as zero."""
_RESIDUE = 1e-12
"""Share of the summands' size below which a sum is rounding: 256 of them leave 256 * 1.1e-16."""
_PAIRED = 0.99
"""Share of two opposite hinges that counts as a square."""


def unheld_unit(
    J2: Array,
    J4: Array,
    linear: Sequence[Array],
    J: Array,
    K: Array,
    d: Array,
    stiffness: Array,
    hinge: NDArray[np.bool_],
    clamps: Mapping[int, float],
) -> tuple[int, str] | None:
    """The unit most involved in a direction in which V is not held, and why; None where it is.

    Arguments as in `gibbsite_models.energies.potential`, times their strengths; ``linear`` are the
    linear terms that add up. ``J4, stiffness >= 0``. A clamped unit is a number like any other.
    """
    value, free = np.zeros(J2.size), np.ones(J2.size, dtype=bool)
    value[list(clamps)], free[list(clamps)] = list(clamps.values()), False
    square, hinge = ~hinge & (stiffness > 0), hinge & (stiffness > 0)
    fixed, weight = K[square], 2 * stiffness[square]

    def summed(J2: Array, J: Array, b: Array, k: Array, d: Array, z: Array) -> list[Array]:
        full = np.asarray(J + (k.T * weight) @ k + np.diag(2 * J2))
        return [full, b + (weight * d) @ k + full @ z]

    full, total = summed(J2, J, sum(linear, np.zeros(J2.size)), fixed, -d[square], value)
    magnitudes = (
        np.abs(part) for part in (J2, J, sum(map(np.abs, linear)), fixed, d[square], value)
    )
    full_size, total_size = summed(*magnitudes)
    full, total = _without_residue(full, full_size), _without_residue(total, total_size)
    x, y = free & ~(J4 > 0), free & (J4 > 0)
    found = unheld_direction(
        full[np.ix_(x, x)], total[x], full[np.ix_(x, y)], K[hinge][:, x], stiffness[hinge]
    )
    if found is None:
        return None
    direction, reason = found
    return int(np.flatnonzero(x)[np.abs(direction).argmax()]), reason


def unheld_direction(
    curvature: Array, linear: Array, cross: Array, hinges: Array, stiffness: Array
) -> tuple[Array, str] | None:
    """A direction of x in which V is not held, and why; None where V is normalizable.

    ``curvature[x, x]`` is A, ``linear[x]`` c, ``cross[x, y]`` C, ``hinges[a, x]`` the k_a of
    stiffness lambda_a > 0. All but the k_a may be given times the same positive number.
    """
    if not linear.size:
        return None
    linear, cross = _largest_one(linear), _largest_one(cross)
    curvature = curvature + _pairs(hinges, stiffness)
    scale = _equilibration(curvature)
    values, vectors = np.linalg.eigh(curvature * np.outer(scale, scale))
    if values[0] < -_TOLERANCE * max(1.0, float(np.abs(values).max())):
        return _unit(scale * vectors[:, 0]), "its curvature is negative and no quartic holds it"
    null = scale[:, None] * vectors[:, values <= _TOLERANCE * max(1.0, float(values[-1]))]
    if not null.shape[1]:
        return None
    null, _ = np.linalg.qr(null)
    rows = _rows(hinges @ null)
    pulled = _rows(cross.T @ null)
    if pulled.size:
        free = _span(rows)
        slopes = np.abs(pulled @ free)
        if slopes.size and slopes.max() > _TOLERANCE:
            at = int(np.unravel_index(slopes.argmax(), slopes.shape)[1])
            return _unit(null @ free[:, at]), "a coupling to a quartic unit pulls it without end"
    slope = linear @ null
    steep = np.abs(slope).max(initial=0) > _TOLERANCE
    flat = _span(np.vstack([rows, _rows(slope[None, :])]) if steep else rows)
    if flat.shape[1]:
        return _unit(null @ flat[:, 0]), "no term grows along it"
    return None


def _without_residue(value: Array, size: Array) -> Array:
    """Sums whose summands have this size in all; 0 for those that are rounding."""
    return np.where(np.abs(value) > _RESIDUE * size, value, 0.0)


def _pairs(hinges: Array, stiffness: Array) -> Array:
    """``2 lambda k k^T`` of the smaller of every two opposite hinges, each used once."""
    total = np.zeros((hinges.shape[1], hinges.shape[1]))
    waiting: dict[bytes, list[float]] = {}
    for row, size in zip(hinges + 0.0, stiffness, strict=True):
        against = waiting.get((-row + 0.0).tobytes())
        if against:
            total += 2 * _PAIRED * min(against.pop(), float(size)) * np.outer(row, row)
        else:
            waiting.setdefault(row.tobytes(), []).append(float(size))
    return total


def _equilibration(matrix: Array) -> Array:
    """Positive factors that bring the rows of a symmetric matrix to comparable size."""
    size = np.where(np.diag(matrix) > 0, np.diag(matrix), np.abs(matrix).max(axis=1))
    result: Array = 1 / np.sqrt(np.where(size > 0, size, 1.0))
    return result


def _largest_one(array: Array) -> Array:
    """The array over its largest magnitude; zeros as they are."""
    largest = float(np.abs(array).max(initial=0.0))
    return array / largest if largest > 0 else array


def _rows(matrix: Array) -> Array:
    """The rows that are not zero, brought to length 1."""
    length = np.linalg.norm(matrix, axis=1)
    kept = length > _TOLERANCE * max(1.0, float(length.max(initial=0)))
    result: Array = matrix[kept] / length[kept, None]
    return result


def _span(rows: Array) -> Array:
    """An orthonormal basis of the space that the cone ``{w: rows w <= 0}`` spans."""
    count, size = rows.shape
    if not count:
        return np.eye(size)
    found = optimize.linprog(
        np.concatenate([np.zeros(size), -np.ones(count)]),
        A_ub=np.hstack([rows, np.eye(count)]),
        b_ub=np.zeros(count),
        bounds=[(None, None)] * size + [(0, 1)] * count,
        method="highs",
    )
    assert found.status == 0, found.message  # w = 0 is feasible and the sum is at most `count`
    # the cone may be scaled at will, so a row that can be strict reaches s = 1
    equal = rows[np.asarray(found.x, dtype=np.float64)[size:] < 0.5]
    if not len(equal):
        return np.eye(size)
    _, values, vectors = np.linalg.svd(equal)
    rank = int((values > _TOLERANCE * max(1.0, float(values[0]))).sum())
    return np.asarray(vectors[rank:].T, dtype=np.float64)


def _unit(direction: Array) -> Array:
    result: Array = direction / np.linalg.norm(direction)
    return result
