r"""Regression models with Gaussian priors: what `BayesianSampler` draws from.

    y_a = x_a . theta + sigma noise              linear, Gaussian noise of known sigma
    P(y_a = 1) = 1/(1 + exp(-x_a . theta))       logistic, y 0 or 1
    theta_j ~ N(prior_mean_j, prior_scale_j^2)   a scale of infinity is a flat prior

With ``intercept`` the first parameter is the constant and x_a begins with 1. Everything ill-posed
is refused here, when the model is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.energies.arguments import different_names, flags, number, numbers

__all__ = ["Coordinates", "LinearRegression", "LogisticRegression"]

Floats = NDArray[np.float64]

LARGEST = 1e50
"""Largest size of a number of the data, sigma and the prior's means, and of one over a scale: so
sums of squares stay in float64."""
FLAT = 1e-12
"""Curvature of a direction, relative to the largest one, that counts as none."""


@dataclass(frozen=True, slots=True, eq=False)
class Coordinates:
    """Parameters by units of the device: ``theta = T z``.

    Columns of x are centred (if there is an intercept, which absorbs their means) and scaled so
    that the precision of z, ``rows^T w rows + prior``, has a diagonal of 1 for the weight w it was
    made with. ``rows[N, p]`` are ``x T``, ``prior[p, p]`` and ``pull[p]`` the prior's precision and
    its product with the prior's mean. No number is solved for: T is read off sums of squares.
    """

    T: Floats
    rows: Floats
    prior: Floats
    pull: Floats


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Regression:
    X: ArrayLike
    y: ArrayLike
    prior_mean: ArrayLike = 0.0
    prior_scale: ArrayLike = 10.0
    intercept: bool = True
    names: Sequence[str] | None = None
    design: Floats = field(init=False)
    """``[N, p]``, the column of ones first if there is an intercept."""
    target: Floats = field(init=False)

    def __post_init__(self) -> None:
        X = numbers("X", self.X)
        X = X[:, None] if X.ndim == 1 else X
        y = numbers("y", self.y)
        if X.ndim != 2 or y.shape != X.shape[:1] or not X.shape[0]:
            raise ProgramError(
                f"X must be rows by features and y one number a row; they have shapes {X.shape} "
                f"and {y.shape}"
            )
        for name, value in (("X", X), ("y", y)):
            if not (np.abs(value) <= LARGEST).all():
                at = [int(k) for k in np.argwhere(~(np.abs(value) <= LARGEST))[0]]
                raise ProgramError(
                    f"{name}{at} is {value[tuple(at)]}; all data must be finite and at most "
                    f"{LARGEST:g} in size: choose other units"
                )
        object.__setattr__(self, "intercept", bool(flags("intercept", self.intercept).all()))
        columns = [np.ones((len(y), 1)), X] if self.intercept else [X]
        design = np.concatenate(columns, axis=1)
        size = design.shape[1]
        if not size:
            raise ProgramError("a regression needs at least 1 parameter: give a feature to X")
        # several draws of one posterior read the same arrays, so nobody may change them
        design.setflags(write=False)
        y.setflags(write=False)
        mean = _parameters("prior_mean", self.prior_mean, size)
        scale = _parameters("prior_scale", self.prior_scale, size, infinite=True)
        if (scale < 1 / LARGEST).any():
            raise ProgramError(
                f"prior_scale must be above 0 and is {scale.min():g}: give a standard deviation of "
                f"{1 / LARGEST:g} or more, or infinity for a flat prior"
            )
        for name, value in (("design", design), ("target", y)):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "prior_mean", mean)
        object.__setattr__(self, "prior_scale", scale)
        object.__setattr__(self, "names", self._named(size))

    def _named(self, size: int) -> tuple[str, ...]:
        slopes = size - int(self.intercept)
        given = self.names
        if given is None:
            given = ["slope"] if slopes == 1 else [f"slope_{k + 1}" for k in range(slopes)]
            given = ["intercept", *given] if self.intercept else given
        try:
            return different_names(given, size)
        except ProgramError:
            raise ProgramError(
                f"{size} parameters need {size} different names, "
                f"{'intercept first, ' if self.intercept else ''}not {given!r}: give a list of "
                "strings"
            ) from None

    @property
    def size(self) -> int:
        """The number of parameters."""
        return int(self.design.shape[1])

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the parameters."""
        assert self.names is not None, "filled in when made"
        return tuple(self.names)

    def log_prior(self, theta: Floats) -> Floats:
        """Up to a constant, of parameters ``theta[..., p]``."""
        away = (theta - self._prior(0)) / self._prior(1)
        return np.asarray(-0.5 * (away**2).sum(axis=-1))

    def coordinates(self, weight: float) -> Coordinates:
        """See `Coordinates`; ``weight`` is the curvature of a row's log likelihood.

        Raises: ProgramError where neither data nor prior hold some direction.
        """
        mean, precision = self._prior(0), np.diag((1.0 / self._prior(1)) ** 2)
        shift = np.eye(self.size)
        rows = np.array(self.design)
        if self.intercept:
            shift[0, 1:] = -rows[:, 1:].mean(axis=0)
            rows[:, 1:] += shift[0, 1:]
        prior = shift.T @ precision @ shift
        diagonal = weight * (rows**2).sum(axis=0) + np.diag(prior)
        self._require_held(weight * rows.T @ rows + prior, diagonal)
        scale = 1 / np.sqrt(diagonal)
        T = shift * scale
        return Coordinates(T, rows * scale, T.T @ precision @ T, T.T @ precision @ mean)

    def _prior(self, which: int) -> Floats:
        """Means (0) or scales (1), ``[p]``."""
        return np.asarray((self.prior_mean, self.prior_scale)[which], dtype=np.float64)

    def _require_held(self, precision: Floats, diagonal: Floats) -> None:
        scale = 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
        values, vectors = np.linalg.eigh(precision * scale * scale[:, None])
        if values[0] <= FLAT * values[-1]:
            at = int(np.abs(vectors[:, 0]).argmax())
            raise ProgramError(
                "the posterior must be proper and is not: the data leave a direction undetermined, "
                f"most of it {self.labels[at]}, and the prior there is flat; give it a finite "
                "prior_scale or drop the column"
            )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LinearRegression(_Regression):
    """Gaussian noise of known ``sigma``: the posterior is a Gaussian, `exact` gives it.

    Raises: ProgramError for data of wrong shapes or not finite, sigma or scales not above 0, a
    posterior that is improper.
    """

    sigma: float

    def __post_init__(self) -> None:
        # zero-argument super() does not survive the class that slots=True makes anew
        _Regression.__post_init__(self)
        sigma = number("sigma", self.sigma, above=0, least=1 / LARGEST)
        if sigma > LARGEST:
            raise ProgramError(
                f"sigma must be at most {LARGEST:g} and is {sigma:g}: choose other units"
            )
        object.__setattr__(self, "sigma", sigma)
        self.coordinates(1 / self.sigma**2)

    def log_posterior(self, theta: Floats) -> Floats:
        """Up to a constant, of parameters ``theta[..., p]``."""
        miss = (self.target - theta @ self.design.T) / self.sigma
        return np.asarray(self.log_prior(theta) - 0.5 * (miss**2).sum(axis=-1))

    def exact(self) -> tuple[Floats, Floats]:
        """Mean ``[p]`` and covariance ``[p, p]`` of the posterior in closed form."""
        weight = 1 / self.sigma**2
        at = self.coordinates(weight)
        precision = weight * at.rows.T @ at.rows + at.prior
        mean = np.linalg.solve(precision, weight * at.rows.T @ self.target + at.pull)
        return at.T @ mean, np.asarray(at.T @ np.linalg.inv(precision) @ at.T.T)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LogisticRegression(_Regression):
    """Answers 0 or 1 with log odds ``x_a . theta``.

    Raises: ProgramError as `LinearRegression`, for y other than 0 and 1, and for data that a plane
    separates in directions where the prior is flat.
    """

    def __post_init__(self) -> None:
        _Regression.__post_init__(self)
        if not np.isin(self.target, (0.0, 1.0)).all():
            wrong = self.target[~np.isin(self.target, (0.0, 1.0))][0]
            raise ProgramError(f"y must be 0 or 1 everywhere and holds {wrong:g}: code it so")
        self.coordinates(0.25)
        self._require_overlap()

    def log_posterior(self, theta: Floats) -> Floats:
        """Up to a constant, of parameters ``theta[..., p]``."""
        odds = theta @ self.design.T
        likelihood = special.log_expit(np.where(self.target > 0, odds, -odds)).sum(axis=-1)
        return np.asarray(self.log_prior(theta) + likelihood)

    def _require_overlap(self) -> None:
        """Along a flat direction that no row speaks against, the likelihood never falls to 0."""
        flat = np.isinf(self._prior(1))
        if not flat.any():
            return
        signed = np.where(self.target > 0, 1.0, -1.0)[:, None] * self.design[:, flat]
        signed = signed / np.abs(signed).max(axis=0)
        found = optimize.linprog(
            -signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(len(signed)), bounds=(-1, 1)
        )
        # 0 is allowed and bounds are finite, so an optimum always exists
        best = np.asarray(found.x)
        if float(signed.sum(axis=0) @ best) > 1e-9:
            name = np.array(self.labels)[flat][int(np.abs(best).argmax())]
            raise ProgramError(
                f"the data are separable, most of all by {name}, and the prior there is flat, so "
                "the posterior is improper: give it a finite prior_scale"
            )


def _parameters(name: str, value: ArrayLike, size: int, *, infinite: bool = False) -> Floats:
    array = numbers(name, value)
    if array.shape not in ((), (size,)):
        raise ProgramError(
            f"{name} must be one number or one for each of {size} parameters and has shape "
            f"{array.shape}"
        )
    large = np.abs(array) > LARGEST
    if np.isnan(array).any() or (large.any() and not infinite):
        raise ProgramError(
            f"{name} must be numbers of at most {LARGEST:g} in size and is {array.tolist()}: give "
            "such numbers"
        )
    return np.array(np.broadcast_to(array, (size,)))
