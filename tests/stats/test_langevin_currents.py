r"""Detailed balance in fixed point: no current in the stationary state of two coupled wells.

    <z_1(t) z_2(t + s)> - <z_2(t) z_1(t + s)> = 0        for every lag s,

a correlation that changes sign when time runs backwards. A J that is not symmetric, which the
driver refuses and the device cannot see, drives a current; it is planted behind the driver's back.
"""

from array import array

import numpy as np
import pytest

from gibbsite_models.energies.potential import Potential
from gibbsite_models.langevin_float import Protocol, Segment

MU, KT, DT = 0.8, 0.4, 0.02
LAGS = (1, 3, 8)
THIN = 10
WELLS = {
    "harmonic": {"J2": [0.5, 1.2], "b": [0.7, -0.4], "J": {(0, 1): 0.6}},
    "double": {"J2": [-0.5, 1.2], "J4": [0.5, 0.1], "b": [0.2, -0.4], "J": {(0, 1): 0.6}},
}


def trajectories(bench, wells: str, tilt: float = 0.0) -> np.ndarray:
    """States ``[chains, draws, 2]`` of the stationary state, ``THIN`` steps apart.

    ``tilt`` is added to the force on unit 0 by unit 1 and taken from the other, as a part of J.
    """
    compiled = bench.compile(Potential.build(2, **WELLS[wells]))
    if tilt:
        one, other = compiled.program.couplings[1:3]
        turn = round(tilt * one)
        compiled.program.couplings = array("i", [0, one + turn, other - turn, 0])
    # 8 time units are 8 relaxation times of the slowest mode
    rest = Segment(400, KT, DT, measure=False)
    return bench.run(
        compiled, Protocol(MU, [rest]), spread=0.6, chains=4000, draws=30, thin=THIN, seed=13
    ).states


def current(z: np.ndarray) -> np.ndarray:
    """The antisymmetric correlation at every lag, in standard errors of independent chains."""
    z = z - z.mean(axis=(0, 1))
    found = []
    for lag in LAGS:
        early, late = z[:, :-lag], z[:, lag:]
        area = (early[..., 0] * late[..., 1] - early[..., 1] * late[..., 0]).mean(axis=1)
        found.append(area.mean() / (area.std() / len(area) ** 0.5))
    return np.array(found)


@pytest.mark.parametrize("wells", sorted(WELLS))
def test_no_current_flows(bench, wells: str) -> None:
    # three deviations: one is beyond 4.5 with probability 2e-5
    assert np.abs(current(trajectories(bench(), wells))).max() < 4.5


@pytest.mark.parametrize("wells", sorted(WELLS))
def test_a_coupling_that_is_not_symmetric_drives_one(bench, wells: str, monkeypatch) -> None:
    monkeypatch.setattr("gibbsite.langevin_driver.check_program", lambda *_: None)
    found = current(trajectories(bench(), wells, tilt=0.2))
    assert np.abs(found).max() > 6
