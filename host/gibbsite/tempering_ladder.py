"""A ladder of inverse temperatures whose neighbours swap at one rate all along it.

If energies at two neighbouring betas are normal with variance v = -dE/dbeta, a swap is accepted
with probability ``erfc(delta sqrt(v) / 2)``. So steps of

    delta(beta) = 2 erfcinv(rate) / sqrt(v(beta))

accept one rate everywhere. v is measured in a pilot: a short tempering run on a geometric ladder.
The pilot's chains lie in the upper half of the chain numbers, apart from any run's.

Source: D. Kofke, On the acceptance probability of replica-exchange Monte Carlo trials, 2002.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.special import erfcinv

from gibbsite.tempering_engines import LadderEngine
from gibbsite.tempering_rounds import temper

__all__ = ["spaced_ladder"]

PILOT_BETAS: Final = 16
PILOT_ROUNDS: Final = 60
PILOT_SWEEPS: Final = 5
PILOT_CHAINS: Final = 1 << 31
MOST_BETAS: Final = 256
LEAST_DEVIATION: Final = 0.5
"""Codes; an energy that hardly varies would else ask for one endless step."""


def spaced_ladder(
    engine: LadderEngine,
    low: float,
    high: float,
    *,
    rate: float,
    seed: int,
) -> list[float]:
    """The betas from ``low`` to ``high``, both among them, in the model's unit.

    At most 256; beyond, the rate is lower than asked for.
    """
    first = max(low, high / 1000)
    betas = np.geomspace(first, high, PILOT_BETAS)
    pilot = temper(
        engine,
        engine.codes(betas.tolist()),
        rounds=PILOT_ROUNDS,
        seed=seed,
        sweeps=PILOT_SWEEPS,
        first_chain=PILOT_CHAINS,
    )
    codes = pilot.energies[PILOT_ROUNDS // 2 :, 0, :]
    unit = engine.energy(1) - engine.energy(0)
    deviation = np.maximum(codes.std(axis=0), LEAST_DEVIATION) * abs(unit)
    # steps are counted along beta: the integral of 1 / delta, as trapezoids on a fine grid
    grid = np.geomspace(first, high, 2048)
    per_beta = np.exp(np.interp(np.log(grid), np.log(betas), np.log(deviation)))
    per_beta /= 2.0 * float(erfcinv(rate))
    steps = np.concatenate([[0.0], np.cumsum((per_beta[1:] + per_beta[:-1]) / 2 * np.diff(grid))])
    count = min(MOST_BETAS, max(2, int(np.ceil(steps[-1])) + 1))
    ladder = np.interp(np.linspace(0.0, steps[-1], count), steps, grid)
    ladder[0], ladder[-1] = first, high
    return [float(beta) for beta in ladder]
