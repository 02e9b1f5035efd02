r"""The exact stationary law of a linear network on a chip: what sampling it must find.

    d(z, y) = -B (z, y) dt - c dt + noise dW,      B S + S B^T = D,      B m = -c

of the circuit in continuous time, its mismatch, trims and buffers included; not its drift, its
rails and its ADC. This is what the circuit does, not what its program asks for: the two differ by
what calibration has to mend.

Source: C. Gardiner, Handbook of Stochastic Methods, 2004, section 4.5.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_continuous_lyapunov

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_sim.analog.circuit import Circuit, Drive

__all__ = ["stationary"]

Floats = NDArray[np.float64]


def stationary(circuit: Circuit, drive: Drive) -> tuple[Floats, Floats]:
    """Mean ``[n]`` and covariance ``[n, n]``; held units have their level and no spread.

    Raises: ProgramError for quartic terms, hinges, and networks without a stationary law.
    """
    s = drive.strengths
    if (s[1] * circuit.quartic).any() or (s[4] * circuit.penalty * circuit.hinge).any():
        raise ProgramError(
            "a linear network has neither quartic terms nor hinges and this program has some: "
            "sample it instead"
        )
    n, free = circuit.units, ~circuit.held
    B, force, noise = circuit.network(drive)
    chosen = np.concatenate([free, free])
    mean = np.where(circuit.held, circuit.levels, 0.0)
    # held units act on the others through their buffers, which stand at their levels
    force = force - B[:n, n:] @ mean
    B = B[np.ix_(chosen, chosen)]
    size = int(free.sum())
    slowest = float(np.linalg.eigvals(B).real.min())
    if not slowest > 0:
        raise ProgramError(
            f"the network's slowest mode grows by {-slowest:.3g} a step and must decay: give its "
            "units more J2"
        )
    D = np.zeros_like(B)
    D[:size, :size] = np.diag(noise[free] ** 2)
    mean[free] = np.linalg.solve(B[:size, :size] + B[:size, size:], force[free])
    covariance = np.zeros((n, n))
    covariance[np.ix_(free, free)] = solve_continuous_lyapunov(B, D)[:size, :size]
    return mean, covariance
