"""Draws of a posterior, and what they say: moments, effective sample size, R-hat.

    ess = chains draws / tau,        standard error of a mean = deviation / sqrt(ess)

tau and R-hat are `gibbsite_models.convergence`'s, with their sources.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.errors import ToolMissing
from gibbsite_models.certificate import Certificate, certify_series
from gibbsite_models.convergence import autocorrelation_time, split_r_hat

__all__ = ["Posterior"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Posterior:
    """``draws[chains, draws, parameters]`` with the parameters' names, in the problem's own units.

    ``info``: seed, device, counters, step, and which part the host drew.
    """

    draws: Floats
    names: tuple[str, ...]
    info: dict[str, Any]

    @property
    def mean(self) -> Floats:
        """``[parameters]``."""
        return np.asarray(self.draws.mean(axis=(0, 1)))

    @property
    def covariance(self) -> Floats:
        """``[parameters, parameters]``."""
        flat = self.draws.reshape(-1, len(self.names))
        return np.asarray(np.cov(flat, rowvar=False)).reshape(len(self.names), len(self.names))

    @property
    def ess(self) -> Floats:
        """Effective sample size of each parameter's mean."""
        return self._effective(self.draws)

    @property
    def r_hat(self) -> Floats:
        """Split R-hat of each parameter; near 1 where independent chains agree."""
        columns = np.moveaxis(self.draws, 2, 0)
        return np.array([split_r_hat(column) for column in columns])

    @property
    def certificate(self) -> Certificate:
        """Whether chains agree; the posterior itself is not checked, so the best is ``unknown``."""
        return certify_series(self.draws, self.names)

    @property
    def standard_error(self) -> Floats:
        """Of `mean`."""
        return np.asarray(np.sqrt(np.diag(self.covariance) / self.ess))

    @property
    def covariance_error(self) -> Floats:
        """Standard error of `covariance`, from the ESS of the products that it averages."""
        away = self.draws - self.mean
        products = away[..., :, None] * away[..., None, :]
        flat = products.reshape(*self.draws.shape[:2], -1)
        error = flat.std(axis=(0, 1)) / np.sqrt(self._effective(flat))
        return np.asarray(error.reshape(products.shape[2:]))

    def to_dict(self) -> dict[str, Any]:
        """The posterior as a `Result`'s solution; ``ess`` is the least of the parameters'."""
        return {
            "names": list(self.names),
            "mean": self.mean.tolist(),
            "covariance": self.covariance.tolist(),
            "ess": float(self.ess.min()),
        }

    def to_inference_data(self) -> Any:
        """The draws as arviz's `InferenceData`, one variable a parameter.

        Raises: ToolMissing where arviz is not installed.
        """
        try:
            with warnings.catch_warnings():
                # arviz 0 announces the 1.0 that has another data model, once a day
                warnings.simplefilter("ignore", FutureWarning)
                from arviz import from_dict
        except ImportError as error:
            raise ToolMissing(
                "arviz is not installed and InferenceData is its type: pip install 'arviz<1'"
            ) from error
        columns = {name: self.draws[..., k] for k, name in enumerate(self.names)}
        return from_dict(posterior=columns, posterior_attrs={"device": self.info["device"]})

    @staticmethod
    def _effective(series: Floats) -> Floats:
        size = series.shape[0] * series.shape[1]
        columns = np.moveaxis(series, 2, 0)
        return np.array([size / autocorrelation_time(column)[0] for column in columns])
