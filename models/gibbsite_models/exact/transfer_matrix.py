"""Exact sums over all states of models that are narrow: chains, ladders, strips, small lattices.

    Z = sum_v exp(-beta E(v)),    one by one:    m(S) = log sum_v exp(sum of terms at v)

Eliminating a variable sums over it and leaves one table over its neighbours S. Along a strip these
tables are the vectors that a transfer matrix acts on; with an order by least fill-in it works for
any interaction graph, and costs 2^(width + 1) for spins. Going back in the opposite order, the law
of each variable given S turns into the joint law of the variable and S (its clique), from which
marginals, pair laws and the mean energy follow, and exact independent draws.

Source: H. Kramers and G. Wannier, Statistics of the two-dimensional ferromagnet, 1941 (transfer
matrices); S. Lauritzen and D. Spiegelhalter, Local computations with probabilities on graphical
structures, 1988 (cliques); the order is networkx's ``treewidth_min_fill_in``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import networkx as nx
import numpy as np
from networkx.algorithms.approximation import treewidth_min_fill_in
from numpy.typing import NDArray
from scipy import special

from gibbsite_models.pair_model import ModelError, PairModel

__all__ = ["MOST_ENTRIES", "Clique", "TransferMatrix", "reach"]

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Order: TypeAlias = list[tuple[int, list[int]]]

MOST_ENTRIES = 1 << 18
"""Entries of the largest table: 17 neighbours of a spin."""

MOST_VARIABLES = 1024
"""Variables up to which an order is looked for, which takes seconds there."""


@dataclass(frozen=True, slots=True)
class Clique:
    """The joint law of a few variables: one axis each, values in order (a spin's -1 first)."""

    variables: tuple[int, ...]
    law: Floats


def reach(model: PairModel, most: int = MOST_ENTRIES) -> Order | None:
    """An order of elimination with the neighbours left at each step; None if a table exceeds most.

    Variables that are held take no part: their neighbours see them as fields.
    """
    owner = model.variable_of
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(np.flatnonzero(model.free).tolist())
    one, two = owner[model.low], owner[model.high]
    inside = model.free[one] & model.free[two]
    graph.add_edges_from(zip(one[inside].tolist(), two[inside].tolist(), strict=True))
    sizes = model.values_of
    if len(graph) > MOST_VARIABLES or graph.number_of_edges() > 16 * len(graph):
        return None  # too dense for any order, or min-fill itself would take long
    order: Order = []
    for part in nx.connected_components(graph):
        found = _order(graph.subgraph(part).copy())
        for variable, around in found:
            if math.prod(int(sizes[k]) for k in [variable, *around]) > most:
                return None
        order += found
    return order


class TransferMatrix:
    """The exact law of ``exp(-beta E)``, summed up; held variables need their ``values``.

    ``log_z`` is over the free variables, ``cliques`` in the order of elimination.

    Raises `ModelError` if no order keeps the tables small.
    """

    def __init__(
        self,
        model: PairModel,
        beta: float,
        values: NDArray[np.integer] | None = None,
        order: Order | None = None,
    ) -> None:
        self.model, self.beta = model, beta
        if values is None and not model.free.all():
            raise ModelError("a variable is held and its value was not given: give a state")
        self._held = None if values is None else np.asarray(values, dtype=np.int64)
        found = reach(model) if order is None else order
        if found is None:
            raise ModelError(
                f"no order of elimination keeps tables below {MOST_ENTRIES} entries: the model is "
                "too wide; certify it without exact sums"
            )
        self._order = found
        self._sizes = [int(size) for size in model.values_of]
        self._tables: list[Floats] = []
        self.log_z = self._eliminate()
        self.cliques = self._back()

    def on(self) -> Floats:
        """The exact probability of each slot to be on."""
        model = self.model
        result = np.zeros(model.slots)
        if self._held is not None:
            result = (model.slot_values(self._held) > 0).astype(np.float64)
        for clique in self.cliques:
            variable = clique.variables[0]
            law = clique.law.reshape(self._sizes[variable], -1).sum(axis=1)
            begin, end = int(model.first[variable]), int(model.first[variable + 1])
            result[begin:end] = law[1:] if model.spin[variable] else law
        return result

    def pairs(self) -> Floats:
        """The exact mean of ``v_k v_l`` of every coupling."""
        model = self.model
        owner = model.variable_of
        home = {clique.variables[0]: place for place, clique in enumerate(self.cliques)}
        result = np.empty(len(model.weight))
        mean = self._slot_means()
        both = zip(model.low.tolist(), model.high.tolist(), strict=True)
        for number, (k, j) in enumerate(both):
            a, b = int(owner[k]), int(owner[j])
            if a not in home or b not in home:
                result[number] = mean[k] * mean[j]
                continue
            clique = self.cliques[min(home[a], home[b])]
            axes = [clique.variables.index(a), clique.variables.index(b)]
            others = tuple(x for x in range(clique.law.ndim) if x not in axes)
            joint = clique.law.sum(axis=others)
            if axes[0] > axes[1]:
                joint = joint.T
            result[number] = self._levels(k) @ joint @ self._levels(j)
        return result

    def mean_energy(self) -> float:
        """The exact mean of E."""
        model = self.model
        return float(model.offset + model.linear @ self._slot_means() + model.weight @ self.pairs())

    def draw(self, count: int, seed: int) -> Integers:
        """Independent exact draws ``[draw, variable]``, by the laws given what was drawn before."""
        random = np.random.default_rng(seed)
        values = np.zeros((count, self.model.variables), dtype=np.int64)
        if self._held is not None:
            values[:] = self._index(self._held)
        for (variable, around), table in zip(self._order[::-1], self._tables[::-1], strict=True):
            columns = tuple(values[:, k] for k in around)
            chance = special.softmax(np.moveaxis(table, 0, -1)[columns], axis=-1)
            chance = np.broadcast_to(chance, (count, self._sizes[variable]))
            u = random.random((count, 1))
            values[:, variable] = (u > np.cumsum(chance, axis=1)[:, :-1]).sum(axis=1)
        return np.asarray(np.where(self.model.spin, 2 * values - 1, values))

    # --- forth and back ---------------------------------------------------------------------------

    def _eliminate(self) -> float:
        """Sum the variables out one by one; keep each table as it was before its sum."""
        constant = -self.beta * self.model.offset
        factors = self._factors()
        of: dict[int, list[int]] = {}
        for number, (scope, _) in enumerate(factors):
            for variable in scope:
                of.setdefault(variable, []).append(number)
        gone: set[int] = set()
        for variable, around in self._order:
            scope = [variable, *around]
            table = np.zeros([self._sizes[k] for k in scope])
            for number in of.get(variable, []):
                if number not in gone:
                    table = table + _spread(*factors[number], scope)
                    gone.add(number)
            self._tables.append(table)
            message = np.asarray(special.logsumexp(table, axis=0))
            if around:
                factors.append((around, message))
                for other in around:
                    of.setdefault(other, []).append(len(factors) - 1)
            else:
                constant += float(message)
        return constant + self._held_part()

    def _back(self) -> list[Clique]:
        """Joint laws: P(variable | around) P(around), the latter from a clique further on."""
        place = {variable: number for number, (variable, _) in enumerate(self._order)}
        found: list[Clique | None] = [None] * len(self._order)
        for number in range(len(self._order) - 1, -1, -1):
            variable, around = self._order[number]
            law = special.softmax(self._tables[number], axis=0)
            if around:
                # the next of them to go has all the others around it
                parent = found[min(place[k] for k in around)]
                assert parent is not None
                axes = [parent.variables.index(k) for k in around]
                drop = tuple(x for x in range(parent.law.ndim) if x not in axes)
                rest = parent.law.sum(axis=drop)
                left = [k for k in parent.variables if k in around]
                law = law * rest.transpose([left.index(k) for k in around])
            found[number] = Clique((variable, *around), law)
        return [clique for clique in found if clique is not None]

    def _factors(self) -> list[tuple[list[int], Floats]]:
        """``-beta`` times the biases and couplings of free variables, as tables."""
        model, owner = self.model, self.model.variable_of
        linear = model.linear.copy()
        values = None if self._held is None else model.slot_values(self._held)
        joint: dict[tuple[int, int], Floats] = {}
        for k, j, weight in zip(
            model.low.tolist(), model.high.tolist(), model.weight.tolist(), strict=True
        ):
            a, b = int(owner[k]), int(owner[j])
            if model.free[a] and model.free[b]:
                table = joint.setdefault((a, b), np.zeros((self._sizes[a], self._sizes[b])))
                table -= self.beta * weight * np.outer(self._levels(k), self._levels(j))
            elif values is not None:
                linear[k] += weight * values[j] if model.free[a] else 0.0
                linear[j] += weight * values[k] if model.free[b] else 0.0
        factors: list[tuple[list[int], Floats]] = [([a, b], t) for (a, b), t in joint.items()]
        for variable in np.flatnonzero(model.free).tolist():
            slots = range(int(model.first[variable]), int(model.first[variable + 1]))
            single = sum(-self.beta * linear[k] * self._levels(k) for k in slots)
            factors.append(([variable], np.asarray(single, dtype=np.float64)))
        return factors

    def _held_part(self) -> float:
        """``-beta`` times the energy of held variables among themselves."""
        if self._held is None:
            return 0.0
        model, owner = self.model, self.model.variable_of
        held = ~model.free[owner]
        v = np.where(held, model.slot_values(self._held), 0.0)
        return -self.beta * float(model.linear @ v + model.weight @ (v[model.low] * v[model.high]))

    def _levels(self, slot: int) -> Floats:
        """``v`` of a slot for each value of its variable."""
        variable = int(self.model.variable_of[slot])
        if self.model.spin[variable]:
            return np.array([-1.0, 1.0])
        levels: Floats = np.eye(self._sizes[variable])[slot - int(self.model.first[variable])]
        return levels

    def _slot_means(self) -> Floats:
        on = self.on()
        means: Floats = np.where(self.model.spin[self.model.variable_of], 2 * on - 1, on)
        return means

    def _index(self, values: Integers) -> Integers:
        return np.where(self.model.spin, (values + 1) // 2, values)


def _order(graph: nx.Graph[int]) -> Order:
    """Variables of one connected part, each with those around it that go later."""
    if len(graph) == 1:
        return [(next(iter(graph)), [])]
    _, tree = treewidth_min_fill_in(graph)
    order: Order = []
    bags = tree.copy()
    while len(bags):
        # a leaf bag: what is in it and not in its neighbour goes now
        leaf = min(bags, key=bags.degree)
        kept = set(next(iter(bags[leaf]))) if bags.degree(leaf) else set()
        inside = sorted(leaf)
        for variable in [k for k in inside if k not in kept]:
            inside.remove(variable)
            order.append((variable, list(inside)))
        bags.remove_node(leaf)
    return order


def _spread(scope: list[int], table: Floats, onto: list[int]) -> Floats:
    """The table with axes in the order of `onto`, of length 1 where it has none."""
    axes = [k for k in onto if k in scope]
    moved = table.transpose([scope.index(k) for k in axes])
    return moved.reshape([moved.shape[axes.index(k)] if k in axes else 1 for k in onto])
