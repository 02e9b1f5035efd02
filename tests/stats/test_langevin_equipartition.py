r"""Equipartition in fixed point, for coupled quartic wells with a hinge, at any dt.

With g = grad V, stationarity of ``z_i z_j`` under a step ``-mu g dt + sqrt(2 mu kT dt) xi`` says

    <z_i g_j> + <z_j g_i> = 2 kT delta_ij + mu dt <g_i g_j>,        <g_i> = 0,

exactly, so ``<z_i g_i> = kT`` up to ``mu dt <g_i^2>/2``.
"""

import numpy as np
import pytest

from gibbsite_models.energies.potential import Potential
from gibbsite_models.langevin_float import Protocol, Segment

MU, KT = 1.3, 0.7


def coupled() -> Potential:
    return Potential.build(
        4,
        J2=[0.8, -0.4, 0.5, 1.1],
        J4=[0.0, 0.4, 0.1, 0.0],
        b=[0.6, -0.3, 0.2, -1.0],
        J={(0, 1): 0.4, (1, 2): -0.5, (2, 3): 0.3, (0, 3): -0.2},
        K=[[1, 1, 0, -1], [0, 1, 1, 1]],
        d=[0.4, 0.2],
        lam=[0.5, 0.8],
        hinge=[False, True],
        force=[0, 0.5, 0, 0.2],
    )


def sampled(bench, dt: float, chains: int = 40_000) -> tuple[np.ndarray, np.ndarray]:
    """States and gradients of V as held, ``[chains, units]``."""
    compiled = bench.compile(coupled())
    protocol = Protocol(MU, [Segment(round(6 / dt), KT, dt, measure=False)])
    z = bench.run(compiled, protocol, spread=0.5, chains=chains, seed=23).states[:, 0]
    return z, compiled.held.gradient(z)


def gaps(z: np.ndarray, g: np.ndarray, dt: float) -> tuple[np.ndarray, float]:
    """Deviations of the 4 + 10 equations and of their trace, in standard errors."""
    n = z.shape[1]
    # without its mean, z has a smaller spread; <g> = 0 makes the equations the same
    z = z - z.mean(axis=0)
    pairs = [(i, j) for i in range(n) for j in range(i + 1)]
    left = [z[:, i] * g[:, j] + z[:, j] * g[:, i] - MU * dt * g[:, i] * g[:, j] for i, j in pairs]
    values = np.stack([*g.T, *left])
    wanted = np.array([0.0] * n + [2 * KT * (i == j) for i, j in pairs])
    error = values.std(axis=1) / len(z) ** 0.5
    trace = sum(left[k] for k, (i, j) in enumerate(pairs) if i == j) / (2 * n)
    return (values.mean(axis=1) - wanted) / error, float(
        (trace.mean() - KT) / (trace.std() / len(z) ** 0.5)
    )


@pytest.mark.parametrize("dt", [0.03, 0.06])
def test_every_unit_has_its_share(bench, dt: float) -> None:
    z, g = sampled(bench(), dt)
    each, trace = gaps(z, g, dt)
    # the largest of 15 deviations: beyond 5 with probability 9e-6
    assert max(np.abs(each).max(), abs(trace)) < 5
    # the step shows, in the amount that theory states and no other
    _, uncorrected = gaps(z, g, 0.0)
    assert uncorrected > 5
    # unit by unit, each within 5 of its own standard errors: 4 units, 2e-6
    share = (z - z.mean(axis=0)) * g - MU * dt * g**2 / 2
    error = share.std(axis=0) / len(z) ** 0.5
    assert (np.abs(share.mean(axis=0) - KT) < 5 * error).all()
    # which is about 1 % of kT (a Gaussian's share scatters by sqrt(2) kT), so 7.5 % would be seen
    assert (error < 0.015 * KT).all()


@pytest.mark.parametrize("fault", [{"noise": 1.03**0.5}, {"drift": 0.5}, {"drift": 1 / MU}])
def test_a_wrong_bath_drift_or_mobility_is_seen(bench, fault: dict[str, float]) -> None:
    _, trace = gaps(*sampled(bench(**fault), 0.05), 0.05)
    assert abs(trace) > 5
