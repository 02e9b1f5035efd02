"""A model of spins and one-hot choices with pair couplings, and the law of each given the rest.

    E(v) = offset + sum_k linear_k v_k + sum_(k<l) weight_kl v_k v_l

over slots: a spin owns one, v = -1/+1, a choice one for each case, v = 0/1. With the local field
``f_k = linear_k + sum_l weight_kl v_l`` the conditional law of one variable is

    spin      P(up | rest) = 1 / (1 + exp(2 beta f))
    choice    P(case k | rest) = exp(-beta f_k) / sum_l exp(-beta f_l)

Twin: ``gibbsite.slot_model.SlotModel``, which the host makes of dimod's models.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, special

from gibbsite_hw.spec.errors import GibbsiteError

__all__ = ["Conditionals", "ModelError", "PairModel"]

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]


class ModelError(GibbsiteError, ValueError):
    """Arrays that are no model, or states that are none of it."""


@dataclass(frozen=True, slots=True)
class Conditionals:
    """Of each state and slot: the field, whether it is on, and the probability that it is.

    All are ``[..., slot]``; a slot of a variable that is held has the probability of its state.
    """

    field: Floats
    on: Flags
    probability: Floats

    @property
    def residual(self) -> Floats:
        """``on - probability``, of mean 0 whatever the rest is, if the law is the model's."""
        return self.on - self.probability


@dataclass(frozen=True, slots=True, eq=False)
class PairModel:
    """Slots ``first[k]`` to ``first[k + 1] - 1`` belong to variable k; pairs are ``low < high``.

    ``spin`` says which variables are spins, ``free`` which are not held at one value.

    Raises `ModelError` for arrays that do not fit each other.
    """

    first: Integers
    spin: Flags
    linear: Floats
    low: Integers
    high: Integers
    weight: Floats
    offset: float
    free: Flags

    def __post_init__(self) -> None:
        slots = int(self.first[-1]) if len(self.first) else -1
        if slots != len(self.linear) or len(self.spin) != len(self.first) - 1:
            raise ModelError(
                f"the model has {len(self.spin)} variables, {len(self.linear)} biases and first "
                f"slots up to {slots}: give each variable its slots and each slot a bias"
            )
        if len(self.weight) and not (self.low.min() >= 0 and self.high.max() < slots):
            raise ModelError(
                f"a coupling names slot {int(self.high.max())} of {slots}: count slots from 0"
            )
        owner = self.variable_of
        alone = np.flatnonzero(owner[self.low] == owner[self.high])
        if len(alone):
            raise ModelError(
                f"a coupling couples variable {int(owner[self.low[alone[0]]])} to itself: leave it "
                "out"
            )
        if (np.diff(self.first)[self.spin] != 1).any():
            raise ModelError("a spin has one slot: give it one, or make it a choice")

    @classmethod
    def of_spins(
        cls, linear: Floats, low: Integers, high: Integers, weight: Floats, offset: float = 0.0
    ) -> PairModel:
        """A model of free spins alone."""
        count = len(linear)
        return cls(
            np.arange(count + 1, dtype=np.int64),
            np.ones(count, np.bool_),
            np.asarray(linear, np.float64),
            np.asarray(low, np.int64),
            np.asarray(high, np.int64),
            np.asarray(weight, np.float64),
            offset,
            np.ones(count, np.bool_),
        )

    @property
    def variables(self) -> int:
        """Variables in all."""
        return len(self.spin)

    @property
    def slots(self) -> int:
        """Slots in all."""
        return int(self.first[-1])

    @property
    def values_of(self) -> Integers:
        """How many values each variable has."""
        return np.where(self.spin, 2, np.diff(self.first))

    @property
    def variable_of(self) -> Integers:
        """The variable of each slot."""
        return np.repeat(np.arange(self.variables, dtype=np.int64), np.diff(self.first))

    def slot_values(self, values: NDArray[np.integer]) -> Floats:
        """``values[..., variable]`` (-1/+1, or the case) as ``[..., slot]`` (-1/+1, or 0/1).

        Raises `ModelError` for a value that the variable does not have.
        """
        if values.shape[-1] != self.variables:
            raise ModelError(
                f"the states have {values.shape[-1]} variables and the model {self.variables}: "
                f"give the model of these states"
            )
        spins = values[..., self.spin]
        cases, sizes = values[..., ~self.spin], np.diff(self.first)[~self.spin]
        if not (np.abs(spins) == 1).all() or not ((cases >= 0) & (cases < sizes)).all():
            raise ModelError(
                "a spin is neither -1 nor +1, or a choice has no such case: give the model's values"
            )
        owner = self.variable_of
        case = np.arange(self.slots) - self.first[owner]
        spread = values[..., owner]
        return np.where(self.spin[owner], spread, spread == case).astype(np.float64)

    def energies(self, values: NDArray[np.integer]) -> Floats:
        """The energy of each state in ``values[..., variable]``."""
        v = self.slot_values(values)
        half = sparse.csr_array(
            (self.weight, (self.low, self.high)), shape=(self.slots, self.slots)
        )
        flat = v.reshape(-1, self.slots)
        pairs = np.einsum("rs,rs->r", np.asarray(flat @ half), flat).reshape(v.shape[:-1])
        energies: Floats = self.offset + v @ self.linear + pairs
        return energies

    def conditionals(self, values: NDArray[np.integer], beta: float) -> Conditionals:
        """The conditional law of every variable in every state of ``values[..., variable]``."""
        v = self.slot_values(values)
        field = self.fields(v)
        owner = self.variable_of
        on = v > 0
        return Conditionals(
            field, on, np.where(self.free[owner], self.probabilities(field, beta), on)
        )

    def fields(self, v: Floats) -> Floats:
        """``f_k = linear_k + sum_l weight_kl v_l`` of ``v[..., slot]``."""
        one, two = np.concatenate([self.low, self.high]), np.concatenate([self.high, self.low])
        both = sparse.csr_array(
            (np.tile(self.weight, 2), (one, two)), shape=(self.slots, self.slots)
        )
        flat = v.reshape(-1, self.slots)
        fields: Floats = (np.asarray(flat @ both) + self.linear).reshape(v.shape)
        return fields

    def probabilities(self, field: Floats, beta: float) -> Floats:
        """The probability of each slot to be on, from fields ``[..., slot]``."""
        owner = self.variable_of
        if self.spin.all():
            chances: Floats = np.asarray(special.expit(-2 * beta * field))
            return chances
        result = np.empty_like(field)
        is_spin = self.spin[owner]
        result[..., is_spin] = special.expit(-2 * beta * field[..., is_spin])
        sizes = np.diff(self.first)
        for size in np.unique(sizes[~self.spin]).tolist():
            begins = self.first[:-1][~self.spin & (sizes == size)]
            slots = begins[:, None] + np.arange(size)
            result[..., slots] = special.softmax(-beta * field[..., slots], axis=-1)
        return result
