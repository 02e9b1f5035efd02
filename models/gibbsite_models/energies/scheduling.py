r"""Start times of tasks under precedence, windows, preferences, machines and shared resources.

Variables are start times s_i, in units of ``scale``. With durations p_i the device's rows are

    precedence  s_i + p_i <= s_j     release  s_i >= r_i     deadline  s_i + p_i <= D_i
    preference  s_i = its wish       cost     pull sum_i s_i, so that nothing waits without a cause

*What the penalty form cannot hold* is "either i first, or j": two tasks on one machine
(no_overlap), or that a resource cannot serve both (resource_limit). Each such pair has two rows,
``s_i + p_i <= s_j`` and the reverse, of which an order chooses one: the other's lambda is 0. So an
order is a condition, streamed without touching couplings. ``V(s, order)`` is sampled by alternating

1. *orders given times*, by the graph engine (`order_model`): one bit a pair, x = 1 for "i first",
at
   energy ``lambda max(s_i + p_i - s_j, 0)^2`` against that of the reverse, and ``x_ik + x_ij x_jk -
   x_ij x_ik - x_jk x_ik``, which is 1 on cycles of three tasks and 0 elsewhere, at a strength that
   forbids them: at kT the exact conditional law, less cyclic orders;
2. *times given orders*, by Langevin (`ordered`).

*Sets of three and more* that overload a resource although every two of them fit are found in the
times (`overloads`): of each minimal set, sets without a common task at a time, one arc "i ends
before j starts" is drawn one-hot at its energy and kept. Arcs are only offered where no order runs
between the two, so that there are at most as many rounds with new arcs as there are pairs.

`gibbsite_models.energies.alternation` runs both steps in float.

Source: S. and D. Geman, 1984 (alternating conditional draws); A. Cesta, A. Oddi and S. Smith,
A constraint-based method for project scheduling with time windows, 2002 (posting of precedences).
"""

import copy
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from types import MappingProxyType

import dimod
import numpy as np
from numpy.typing import ArrayLike, NDArray

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.energies.arguments import name_pairs, number
from gibbsite_models.energies.constraints import ConstraintEnergy
from gibbsite_models.energies.penalties import Penalty
from gibbsite_models.energies.potential import Array, Condition, Potential
from gibbsite_models.energies.tasks import Task, TaskSet, closure

__all__ = ["Order", "SchedulingEnergy", "Task"]

Order = frozenset[tuple[str, str]]
"""Pairs (first, second): the first ends before the second starts."""


class SchedulingEnergy(ConstraintEnergy):
    """Start times of tasks; ``pull`` and ``preference`` weigh what is soft.

    ``choices`` are pairs that must be ordered one way or the other, ``arcs`` pairs that may be.

    Raises: ProgramError as `TaskSet` does.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        precedence: Sequence[tuple[str, str]] = (),
        capacity: Mapping[str, float] = MappingProxyType({}),
        horizon: float | None = None,
        pull: float = 0.1,
        preference: float | None = None,
        strength: float | None = None,
        scale: float = 1.0,
    ) -> None:
        self.set = TaskSet(tasks, precedence, capacity, horizon)
        names, pull = self.set.names, number("the pull", pull, least=0)
        rows = list[Penalty]()
        for i, task in enumerate(self.set.tasks):
            end = self.set.horizon if task.deadline is None else task.deadline
            last = min(end, self.set.horizon) - task.duration
            one = {task.name: 1.0}
            rows.append(Penalty("release", f"release {names[i]}", one, task.release, strength))
            rows.append(Penalty("deadline", f"deadline {names[i]}", one, last, strength))
            if task.preference is not None:
                wish = Penalty("preference", f"wish {names[i]}", one, task.preference, preference)
                rows.append(wish)
        rows += [self._before("precedence", pair, strength) for pair in self.set.precedence]
        self._fixed_rows = len(rows)
        self.choices, self.arcs = list[tuple[str, str]](), list[tuple[str, str]]()
        for i, j in combinations(range(len(names)), 2):
            if self.set.precedes[i, j] or self.set.precedes[j, i]:
                continue
            kind, must = self._conflict(i, j)
            if kind:
                pair = (names[i], names[j])
                (self.choices if must else self.arcs).append(pair)
                rows += [self._before(kind, p, strength) for p in (pair, pair[::-1])]
        if pull:
            rows.append(Penalty("cost", "pull", dict.fromkeys(names, 1.0), 0.0, pull))
        super().__init__(names, rows, scale)
        self.order = Order()

    @property
    def active(self) -> NDArray[np.bool_]:
        """Rows of orders count where the order chooses them."""
        return np.array(
            [
                a < self._fixed_rows or tuple(row.coefficients) in self.order
                for a, row in enumerate(self.rows)
            ]
        )

    def in_order(self, order: Iterable[tuple[str, str]]) -> "SchedulingEnergy":
        """This energy under an order; pairs that it does not name stay free.

        Raises: ProgramError for pairs that need no order, and both ways at once.
        """
        chosen = Order(name_pairs("an order", order))
        known = {p for pair in self.choices + self.arcs for p in (pair, pair[::-1])}
        for pair in sorted(chosen):
            if pair not in known:
                raise ProgramError(f"{pair} is no pair that an order decides; see choices and arcs")
            if pair[::-1] in chosen:
                raise ProgramError(f"an order must not hold {pair} and its reverse, and does")
        other = copy.copy(self)
        other.order = chosen
        return other

    def ordered(self, order: Iterable[tuple[str, str]]) -> Potential:
        """The potential of start times under an order."""
        return self.in_order(order).potential

    def order_condition(self, order: Iterable[tuple[str, str]]) -> Condition:
        """What to stream for an order: the strengths of all rows."""
        return self.in_order(order).condition()

    def order_model(
        self, z: Array, cap: float = float("inf"), strength: float | None = None
    ) -> dimod.BinaryQuadraticModel:
        """Orders given times ``z[n]``, in V's own units: draw it at beta = 1/kT.

        Variables are ("order", i, j), 1 where i is first, and, of overloads that the energy's order
        leaves, ("arc", i, j), exactly one of each set. `read_order` takes samples back.

        For formats of few bits, prices differ by ``cap`` at most: from some 20 kT on, orders are
        certain anyway. ``strength`` is what a cycle costs, by default more than all orders may.
        """
        model = dimod.BinaryQuadraticModel(dimod.BINARY)
        for pair in self.choices:
            one, zero = self._price(pair, z), self._price(pair[::-1], z)
            model.add_linear(("order", *pair), min(max(one - zero, -cap), cap))
            model.offset += zero
        groups, used = [], set[str]()
        for _, members in self.overloads(z, self.order):
            if not used & set(members):
                used |= set(members)
                both = [p for q in combinations(members, 2) for p in (q, q[::-1])]
                groups.append([("arc", *pair) for pair in both])
                for pair in both:
                    model.add_linear(("arc", *pair), min(self._price(pair, z), cap))
        # an order without cycles exists and differs from any by at most all that orders cost
        if strength is None:
            strength = 1.0 + sum(abs(float(bias)) for bias in model.linear.values())
        for group in groups:
            for variable in group:
                model.add_linear(variable, -strength)
            for u, v in combinations(group, 2):
                model.add_quadratic(u, v, 2 * strength)
            model.offset += strength
        self._forbid_cycles(model, strength)
        return model

    def read_order(self, sample: Mapping[tuple[str, str, str], int]) -> Order:
        """The order of one sample: its choices, arcs kept so far, and new arcs that fit them."""
        order = {p for p in self.order if p in self.arcs or p[::-1] in self.arcs}
        drawn = {(k[1], k[2]): int(v) for k, v in sample.items() if k[0] == "order"}
        for pair in sorted((k[1], k[2]) for k, v in sample.items() if k[0] == "arc" and v > 0):
            i, j = (self.set.place[name] for name in pair)
            if not self._paths(order)[j, i]:
                order.add(pair)
        return Order(order | {p if on > 0 else p[::-1] for p, on in drawn.items()})

    def overloads(
        self, z: Array, order: Iterable[tuple[str, str]] | None = None, tolerance: float = 1e-3
    ) -> list[tuple[str, tuple[str, ...]]]:
        """Minimal sets of tasks that overload a resource at one time of the state ``z[n]``.

        With an order, only sets that neither it nor precedence nor a choice keeps apart. Overlaps
        up to ``tolerance`` of the horizon do not count.
        """
        starts, slack = np.asarray(z) * self.scale, tolerance * self.set.horizon
        apart = np.zeros((starts.size, starts.size), dtype=bool)
        if order is not None:
            apart = self._paths(order)
            for pair in self.choices:
                apart[self.set.place[pair[0]], self.set.place[pair[1]]] = True
            apart |= apart.T
        found = dict[tuple[str, tuple[str, ...]], None]()
        for resource, most in self.set.capacity.items():
            need = self.set.demand(resource)
            for time in starts:
                on = (starts <= time) & (time + slack < starts + self.set.duration) & (need > 0)
                members = list[int]()
                for i in sorted(np.flatnonzero(on).tolist(), key=lambda i: (-need[i], i)):
                    if not apart[i, members].any():
                        members.append(i)
                if need[members].sum() > most * (1 + 1e-12):
                    while need[members[:-1]].sum() > most * (1 + 1e-12):
                        members.pop()
                    names = tuple(sorted(self.names[i] for i in members))
                    found[resource, names] = None
        return list(found)

    def feasible(self, z: ArrayLike, tolerance: float) -> NDArray[np.bool_]:
        """Whether states ``z[..., n]`` are schedules, up to a time: rows, machines and resources.

        Orders do not matter: overlap is looked for in the times themselves.
        """
        plain = np.asarray(self.in_order(()).violations(z)[..., self.hard] <= tolerance)
        result = np.asarray(plain.all(axis=-1))
        flat = np.asarray(z).reshape(-1, len(self.names))
        for at, state in enumerate(flat):
            clear = all(
                min(self._overlap(p, state), self._overlap(p[::-1], state)) * self.scale
                <= tolerance
                for p in self.choices
            )
            slack = tolerance / self.set.horizon
            result.reshape(-1)[at] &= clear and not self.overloads(state, None, slack)
        return result

    def _conflict(self, i: int, j: int) -> tuple[str, bool]:
        """The kind of row that may part two tasks, if any, and whether they must be parted."""
        a, b = self.set.tasks[i], self.set.tasks[j]
        if a.machine is not None and a.machine == b.machine:
            return "no_overlap", True
        shared = [r for r in self.set.capacity if a.demand.get(r, 0) > 0 and b.demand.get(r, 0) > 0]
        if any(a.demand[r] + b.demand[r] > self.set.capacity[r] * (1 + 1e-12) for r in shared):
            return "resource_limit", True
        if any(self.set.demand(r).sum() > self.set.capacity[r] * (1 + 1e-12) for r in shared):
            return "resource_limit", False
        return "", False

    def _before(self, kind: str, pair: tuple[str, str], strength: float | None) -> Penalty:
        first, second = pair
        duration = float(self.set.duration[self.set.place[first]])
        row = {first: 1.0, second: -1.0}
        return Penalty(kind, f"{kind} {first} < {second}", row, -duration, strength)

    def _overlap(self, pair: tuple[str, str], z: Array) -> float:
        i, j = (self.set.place[name] for name in pair)
        return max(float(z[i] - z[j] + self.set.duration[i] / self.scale), 0.0)

    def _price(self, pair: tuple[str, str], z: Array) -> float:
        """What V pays at these times for this order of a pair."""
        labels = (f"{kind} {pair[0]} < {pair[1]}" for kind in ("no_overlap", "resource_limit"))
        row = next(self._row[label] for label in labels if label in self._row)
        return float(self.lam[row]) * self._overlap(pair, z) ** 2

    def _paths(self, order: Iterable[tuple[str, str]]) -> NDArray[np.bool_]:
        direct = self.set.precedes.copy()
        for first, second in order:
            direct[self.set.place[first], self.set.place[second]] = True
        return closure(direct)

    def _forbid_cycles(self, model: dimod.BinaryQuadraticModel, strength: float) -> None:
        """Add the cyclic term of every three tasks whose orders are bits or fixed."""
        arcs = [p for p in self.order if p in self.arcs or p[::-1] in self.arcs]
        fixed, bits = self._paths(arcs), set(self.choices)
        for triple in combinations(range(len(self.names)), 3):
            factors = list[tuple[str, str, str] | int]()
            for i, j in combinations(triple, 2):
                pair = (self.names[i], self.names[j])
                if pair in bits and not (fixed[i, j] or fixed[j, i]):
                    factors.append(("order", *pair))
                elif fixed[i, j] or fixed[j, i]:
                    factors.append(int(fixed[i, j]))
            if len(factors) == 3 and any(not isinstance(x, int) for x in factors):
                ij, ik, jk = factors
                _add(model, strength, [ik])
                for sign, pair_of in ((1, (ij, jk)), (-1, (ij, ik)), (-1, (jk, ik))):
                    _add(model, sign * strength, list(pair_of))


def _add(
    model: dimod.BinaryQuadraticModel, weight: float, factors: list[tuple[str, str, str] | int]
) -> None:
    """Add a product of bits and constants."""
    bits = [x for x in factors if not isinstance(x, int)]
    for constant in factors:
        if isinstance(constant, int):
            weight *= constant
    if not bits:
        model.offset += weight
    elif len(bits) == 1:
        model.add_linear(bits[0], weight)
    else:
        model.add_quadratic(bits[0], bits[1], weight)
