"""The law that a sampler of three colours really has, where it decides otherwise than the model.

Spins x, y, z of three colours are decided in turn, all of a colour at once, with P'(up | field).
Two colours are all that the third one is decided from, so that

    mu'(y, z) = sum_x mu(x, y) prod_k P'(z_k | x, y)

moves their joint law on by one colour: 2^24 states for 36 spins. For each y the sum is done spin by
spin, as by a transfer matrix: a z joins the table, and an x leaves it once all z beside it are in.
The law of all spins is mu(x, y) prod_k P'(z_k | x, y), and the model's own has

    mu(x, y) = exp(-beta E(x, y)) prod_k 2 cosh(beta f_k) / Z

Source: H. Kramers and G. Wannier, Statistics of the two-dimensional ferromagnet, 1941.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy import special, stats

from gibbsite_models.pair_model import PairModel

LANES = 4
"""States y that are summed side by side, for the processor's vectors."""


@dataclass(frozen=True)
class Ratio:
    """Mean and variance of log q / p a draw: under the sampler's law q, under the model's p."""

    mean_sampler: float
    variance_sampler: float
    mean_model: float
    variance_model: float

    def power(self, draws: int, alarm: float) -> float:
        """How often the most powerful test of p against q, at that alarm, sees q.

        It holds the sum of log q / p against a limit (J. Neyman and E. Pearson, 1933); over many
        draws the sum is normal.
        """
        limit = draws * self.mean_model - special.ndtri(alarm) * math.sqrt(
            draws * self.variance_model
        )
        away = (limit - draws * self.mean_sampler) / math.sqrt(draws * self.variance_sampler)
        return float(stats.norm.sf(away))


class ThreeColours:
    """Laws ``mu[x, y]`` of two colours; bit k of x is the k-th spin of its colour, 1 is up.

    ``decide`` gives the probability of up from local fields.
    """

    def __init__(
        self,
        model: PairModel,
        beta: float,
        colours: tuple[np.ndarray, ...],
        decide: Callable[[np.ndarray], np.ndarray],
    ) -> None:
        self.beta, self.decide, self.linear = beta, decide, model.linear
        self.colours = [colour.tolist() for colour in colours]
        self.weights = np.zeros((model.slots, model.slots))
        np.add.at(self.weights, (model.low, model.high), model.weight)
        self.weights += self.weights.T
        self.states = [
            2.0 * (np.arange(1 << len(colour))[:, None] >> np.arange(len(colour)) & 1) - 1
            for colour in self.colours
        ]

    def fields(self, spin: int, rows: slice) -> np.ndarray:
        """Of a spin of the third colour, ``[x, y]``, for some x."""
        x, y, _ = self.colours
        one, two = (
            self.states[0][rows] @ self.weights[x, spin],
            self.states[1] @ self.weights[y, spin],
        )
        found: np.ndarray = self.linear[spin] + one[:, None] + two
        return found

    def of_model(self) -> np.ndarray:
        """The model's own law of the first two colours."""
        x, y, z = self.colours
        one, two = self.states[:2]
        energy = (one @ self.linear[x])[:, None] + two @ self.linear[y]
        energy += one @ self.weights[np.ix_(x, y)] @ two.T
        logarithm = -self.beta * energy
        for spin in z:
            field = self.beta * self.fields(spin, slice(None))
            logarithm += np.logaddexp(field, -field)
        return special.softmax(logarithm)

    def sweep(self, mu: np.ndarray) -> np.ndarray:
        """All three colours decided once."""
        for turn in range(3):
            x, y, z = (self.colours[(turn + k) % 3] for k in range(3))
            mu = self._decided(mu, x, y, z)
        return mu

    def _decided(self, mu: np.ndarray, x: list[int], y: list[int], z: list[int]) -> np.ndarray:
        """``mu[y, z]`` of ``mu[x, y]``."""
        beside = {spin: [k for k in x if self.weights[spin, k]] for spin in z}
        seen = {spin: [k for k in y if self.weights[spin, k]] for spin in z}
        bits, todo, steps, width = list(x), list(z), [], len(x)
        while todo:  # first the spin beside those x that wait for the fewest
            waiting = {k: sum(k in beside[spin] for spin in todo) for k in x}
            spin = min(todo, key=lambda spin: sorted(waiting[k] for k in beside[spin]))
            todo.remove(spin)
            near = np.array([bits.index(k) for k in beside[spin]], dtype=np.int64)
            bits.append(spin)
            width = max(width, len(bits))
            leaving = []
            for k in beside[spin]:
                if waiting[k] == 1:
                    leaving.append(bits.index(k))
                    bits.remove(k)
            where = np.array([y.index(k) for k in seen[spin]], dtype=np.int64)
            table = self._table(spin, beside[spin], seen[spin])
            steps.append((near, leaving, where, table))
        place = np.zeros(1 << len(z), dtype=np.int64)
        for bit, spin in enumerate(bits):
            place |= (np.arange(len(place)) >> bit & 1) << z.index(spin)
        result = np.empty((1 << len(y), 1 << len(z)))
        tables = np.empty((2, 1 << width, LANES))
        for begin in range(0, len(result), LANES):
            lanes = np.arange(begin, begin + LANES)
            count = len(mu)
            tables[0, :count] = mu[:, lanes]
            for near, leaving, where, table in steps:
                key = (lanes[:, None] >> where & 1) @ (1 << np.arange(len(where)))
                _join(tables[0], tables[1], count, near, np.ascontiguousarray(table[key].T))
                tables, count = tables[::-1], 2 * count
                for bit in leaving:
                    count = _leave(tables[0], count, bit)
            result[np.ix_(lanes, place)] = tables[0, : len(place)].T
        return result

    def _table(self, spin: int, near: list[int], seen: list[int]) -> np.ndarray:
        """The probability of up, ``[state of seen, state of near]``."""
        fields = np.full((1 << len(seen), 1 << len(near)), self.linear[spin])
        for bit, k in enumerate(seen):
            fields += self.weights[spin, k] * (2 * (np.arange(len(fields)) >> bit & 1) - 1)[:, None]
        for bit, k in enumerate(near):
            fields += self.weights[spin, k] * (2 * (np.arange(fields.shape[1]) >> bit & 1) - 1)
        return self.decide(fields)

    def ratio(self, mu: np.ndarray) -> Ratio:
        """Of the law whose first two colours have ``mu``, and whose third one was decided last."""
        own = self.of_model()
        sums = np.zeros((2, 3))
        for begin in range(0, len(mu), 256):
            rows = slice(begin, begin + 256)
            given = np.log(mu[rows] / own[rows])
            means, variances = [given, given.copy()], [np.zeros_like(given) for _ in range(2)]
            for spin in self.colours[2]:
                field = self.fields(spin, rows)
                chances = self.decide(field), special.expit(-2 * self.beta * field)
                up = np.log(chances[0] / chances[1])
                down = np.log((1 - chances[0]) / (1 - chances[1]))
                for which, chance in enumerate(chances):
                    means[which] = means[which] + chance * up + (1 - chance) * down
                    variances[which] += chance * (1 - chance) * (up - down) ** 2
            for which, law in enumerate((mu[rows], own[rows])):
                mean = means[which]
                sums[which] += [(law * each).sum() for each in (mean, mean**2, variances[which])]
        (one, square, inner), (two, square_two, inner_two) = sums.tolist()
        return Ratio(one, square - one**2 + inner, two, square_two - two**2 + inner_two)


def settled(chain: ThreeColours, change: float) -> np.ndarray:
    """The law that sweeps leave as it is, begun at the model's; a last sweep moves ``change`` of
    the way from there at most."""
    own = chain.of_model()
    old, mu = own, chain.sweep(own)
    while np.abs(mu - old).sum() > change * np.abs(mu - own).sum():
        old, mu = mu, chain.sweep(mu)
    return mu


@njit
def _join(
    table: np.ndarray, wider: np.ndarray, count: int, near: np.ndarray, chance: np.ndarray
) -> None:  # pragma: no cover
    """A spin joins as the highest bit: up with ``chance[state of near, lane]``."""
    for entry in range(count):
        key = 0
        for bit in range(near.size):
            key |= (entry >> near[bit] & 1) << bit
        for lane in range(LANES):
            up = table[entry, lane] * chance[key, lane]
            wider[count + entry, lane] = up
            wider[entry, lane] = table[entry, lane] - up


@njit
def _leave(table: np.ndarray, count: int, bit: int) -> int:  # pragma: no cover
    """Sum over one bit, in place; returns how many entries are left."""
    step, left = 1 << bit, 0
    for high in range(0, count, 2 * step):
        for low in range(high, high + step):
            for lane in range(LANES):
                table[left, lane] = table[low, lane] + table[low + step, lane]
            left += 1
    return left
