"""What the arrays of a potential must be to fit each other."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.errors import ProgramError

__all__ = ["require_arrays"]


def require_arrays(arrays: Mapping[str, NDArray[np.float64] | NDArray[np.bool_]]) -> int:
    """The number n of units; arrays by the names and shapes of `potential.Potential`.

    Raises: ProgramError for wrong shapes, numbers that are not finite, an asymmetric J.
    """
    J2, K, J = arrays["J2"], arrays["K"], arrays["J"]
    n, m = J2.size, len(K) if K.ndim == 2 else 0
    if J2.ndim != 1 or n < 1:
        raise ProgramError(
            f"J2 must be one number a unit, at least 1, and has shape {J2.shape}; give a "
            "list of n numbers"
        )
    shapes = {"J2": (n,), "J4": (n,), "b": (n,), "J": (n, n), "K": (m, n), "d": (m,)}
    shapes |= {"lam": (m,), "force": (n,), "hinge": (m,)}
    for name, shape in shapes.items():
        value = arrays[name]
        if value.shape != shape:
            wanted = "(constraints, units)" if value.ndim != 2 and name == "K" else str(shape)
            raise ProgramError(
                f"{name} must have shape {wanted} for {n} units and {m} constraints and has "
                f"{value.shape}; give an array of that shape"
            )
        if not np.isfinite(value).all():
            at = tuple(int(k) for k in np.argwhere(~np.isfinite(value))[0])
            raise ProgramError(
                f"{name}{list(at)} is {value[at]}; all numbers must be finite, replace it"
            )
    off = np.argwhere((J != J.T) | (np.eye(n) * J != 0))
    if len(off):
        i, j = off[0].tolist()
        raise ProgramError(
            f"J must be symmetric with zero diagonal and holds J[{i},{j}] = {J[i, j]}, "
            f"J[{j},{i}] = {J[j, i]}; give (J + J.T)/2 and put the diagonal into J2"
        )
    return n
