r"""Posteriors drawn by the Langevin engine: `BayesianSampler`.

    P(theta | data) ~ exp(-V(z) / kT),        theta = T z,        V(z) = -kT log P(T z | data)

for `LinearRegression` and `LogisticRegression`. T centres and scales (`Coordinates`), so that one
scale of the fixed point fits every parameter; kT scales V and the noise alike, so the law does not
depend on it.

- linear: V is the quadratic form of ``X^T X / sigma^2`` and the prior, which the host sums up;
  draws are midpoints of steps, exact at any stable dt (`gibbsite.algorithms.gaussian_well`).
- logistic: the host draws one Polya-Gamma weight a row, the device all parameters given these
  (`gibbsite.algorithms.augmentation`).

    model = LinearRegression(X=X, y=y, sigma=0.3)
    posterior = BayesianSampler(model).sample(chains=8, draws=500, seed=7)
    posterior.mean, posterior.covariance, posterior.ess, posterior.r_hat
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gibbsite.algorithms.augmentation import Augmentation
from gibbsite.algorithms.gaussian_well import (
    COLDEST,
    DEVICE,
    MOST_SEED,
    GaussianWell,
    require_units,
)
from gibbsite.algorithms.opening import opened
from gibbsite.algorithms.posterior import Posterior
from gibbsite.algorithms.regression import LinearRegression, LogisticRegression
from gibbsite_hw.spec.device import Device, Progress
from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.energies.arguments import count, number

__all__ = ["BayesianSampler", "LinearRegression", "LogisticRegression", "Posterior"]

Floats: TypeAlias = NDArray[np.float64]

START = 3.0
"""Deviations of a logistic chain's start, in those of a posterior whose rows all say 1/2."""
WARM_UP = 200


class BayesianSampler:
    """Draws from the posterior of a regression on a device that has a Langevin engine.

    ``device`` is an open device or an address, opened for the time of a call. ``kT`` is the
    temperature at which the device runs; the posterior does not depend on it.

    Raises: ProgramError for another model and a kT that is none.
    """

    def __init__(
        self,
        model: LinearRegression | LogisticRegression,
        device: Device | str = DEVICE,
        *,
        kT: float = 1.0,
    ) -> None:
        if not isinstance(model, LinearRegression | LogisticRegression):
            raise ProgramError(
                "model must be a LinearRegression or a LogisticRegression and is of "
                f"type {type(model).__name__}: make one of these; a Potential is for "
                "LangevinSampler"
            )
        self.model = model
        self.device = device
        self.kT = number("kT", kT, above=0, least=COLDEST)

    def sample(
        self,
        chains: int = 8,
        draws: int = 500,
        seed: int = 0,
        *,
        thin: int | None = None,
        warm_up: int = WARM_UP,
        progress: Progress | None = None,
    ) -> Posterior:
        """``draws`` of each of so many independent chains, which start farther apart than the
        posterior is wide; equal arguments give equal draws.

        ``thin``: a draw is kept every so many steps (linear; by default the time in which the
        slowest direction forgets) or sweeps (logistic; by default 1). ``warm_up``: sweeps of a
        logistic chain before its first draw; linear chains know theirs. ``progress`` hears draws.

        Raises: ProgramError for counts that are none, and models that the device cannot hold.
        """
        chains, draws = count("chains", chains, 2), count("draws", draws, 4)
        seed, warm_up = count("seed", seed, 0, MOST_SEED), count("warm_up", warm_up, 0)
        thin = None if thin is None else count("thin", thin)
        with opened(self.device) as device:
            if isinstance(self.model, LinearRegression):
                return self._linear(self.model, device, chains, draws, seed, thin, progress)
            return self._logistic(
                self.model, device, chains, draws, seed, thin or 1, warm_up, progress
            )

    def _linear(
        self,
        model: LinearRegression,
        device: Device,
        chains: int,
        draws: int,
        seed: int,
        thin: int | None,
        progress: Progress | None,
    ) -> Posterior:
        require_units(model.size, device)
        weight = 1 / model.sigma**2
        at = model.coordinates(weight)
        precision = weight * at.rows.T @ at.rows + at.prior
        pull = weight * at.rows.T @ model.target + at.pull
        well = GaussianWell(self.kT * precision, self.kT * pull, self.kT, device, seed)
        z = well.midpoints(chains, draws, thin or well.relaxation, progress)
        info = {**well.info(), "host": "sums over the data", "thin": thin or well.relaxation}
        return Posterior(z @ at.T.T, model.labels, info)

    def _logistic(
        self,
        model: LogisticRegression,
        device: Device,
        chains: int,
        draws: int,
        seed: int,
        thin: int,
        warm_up: int,
        progress: Progress | None,
    ) -> Posterior:
        at = model.coordinates(0.25)  # of a row's curvature w the largest mean
        start = START * np.random.default_rng([seed, 0]).standard_normal((chains, model.size))
        steps = Augmentation(at, model.target, self.kT, device, seed, start)
        for _ in range(warm_up):
            steps.sweep()
        z = np.empty((chains, draws, model.size))
        for draw in range(draws):
            for _ in range(thin):
                z[:, draw] = steps.sweep()
            if progress is not None:
                progress(draw + 1, draws)
        info = {**steps.info(), "thin": thin, "warm_up": warm_up}
        return Posterior(z @ at.T.T, model.labels, info)
