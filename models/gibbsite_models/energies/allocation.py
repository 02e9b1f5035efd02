r"""Amounts of items that resources take: capacity, demand, balance and cost as penalties.

Variables are ``x_ij >= 0``, item i at resource j, named ``"i/j"``. With the use u_ij of resource j
by one unit of item i and capacities C_j,

    capacity   sum_i u_ij x_ij <= C_j          demand   sum_j x_ij = D_i
    balance    L_j = mean_k L_k, L_j = sum_i u_ij x_ij / C_j
    cost       sum_ij p_ij x_ij

All of it fits the device's penalty form, a row each; only the cost is linear. Everything is held
from below by ``x >= 0`` and from above by the demands, so that V is normalizable.
"""

import math
from collections.abc import Collection, Mapping
from types import MappingProxyType

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.energies.arguments import amounts, name_pair, name_pairs, number
from gibbsite_models.energies.constraints import ConstraintEnergy
from gibbsite_models.energies.penalties import Penalty

__all__ = ["AllocationEnergy"]

Pairs = Mapping[tuple[str, str], float]


class AllocationEnergy(ConstraintEnergy):
    """Demands of items and capacities of resources; prices and uses are by (item, resource).

    ``balance`` and ``price`` weigh the soft penalties, ``forbidden`` pairs have no variable.

    Raises: ProgramError for keys that are no names or no pairs of names, numbers out of range,
    unknown names, items without a resource, and demands that no allocation could meet (in total, or
    by one item's own resources).
    """

    def __init__(
        self,
        demand: Mapping[str, float],
        capacity: Mapping[str, float],
        cost: Pairs = MappingProxyType({}),
        use: Pairs = MappingProxyType({}),
        forbidden: Collection[tuple[str, str]] = (),
        balance: float = 0.0,
        price: float = 1.0,
        strength: float | None = None,
        scale: float = 1.0,
    ) -> None:
        self.demand = amounts("the demand", demand, least=0)
        self.capacity = amounts("the capacity", capacity, above=0)
        cost, self.use = _by_pair("the cost", cost), _by_pair("the use", use, above=0)
        forbidden = name_pairs("forbidden", forbidden)
        balance = number("the balance", balance, least=0)
        for pair in (*cost, *use, *forbidden):
            if pair[0] not in demand or pair[1] not in capacity:
                raise ProgramError(
                    f"{pair!r} must be an item with a demand and a resource; give pairs of these"
                )
        self.pairs = [
            (i, j) for i in self.demand for j in self.capacity if (i, j) not in set(forbidden)
        ]
        self._require_satisfiable()
        super().__init__(
            [name_of(pair) for pair in self.pairs],
            [*self._hard(strength), *self._soft(cost, balance, price)],
            scale,
        )

    def _loads(self, resource: str) -> dict[str, float]:
        return {
            name_of(pair): self.use.get(pair, 1.0) for pair in self.pairs if pair[1] == resource
        }

    def _hard(self, strength: float | None) -> list[Penalty]:
        rows = [
            Penalty("lower", f"{name_of(pair)} >= 0", {name_of(pair): 1.0}, 0.0, strength)
            for pair in self.pairs
        ]
        for resource, most in self.capacity.items():
            loads = self._loads(resource)
            if loads:
                rows.append(Penalty("capacity", f"capacity {resource}", loads, most, strength))
        for item, asked in self.demand.items():
            given = {name_of(pair): 1.0 for pair in self.pairs if pair[0] == item}
            rows.append(Penalty("demand", f"demand {item}", given, asked, strength))
        return rows

    def _soft(self, cost: Pairs, balance: float, price: float) -> list[Penalty]:
        rows, count = list[Penalty](), len(self.capacity)
        share = {
            resource: {name: use / most for name, use in self._loads(resource).items()}
            for resource, most in self.capacity.items()
        }
        mean = {name: u / count for loads in share.values() for name, u in loads.items()}
        if balance and count > 1:
            for resource, loads in share.items():
                row = {name: loads.get(name, 0.0) - part for name, part in mean.items()}
                rows.append(Penalty("balance", f"balance {resource}", row, 0.0, balance))
        prices = {name_of(p): float(v) for p, v in cost.items() if v and p in set(self.pairs)}
        if prices:
            rows.append(Penalty("cost", "cost", prices, 0.0, price))
        return rows

    def _require_satisfiable(self) -> None:
        for item, asked in self.demand.items():
            reach = sum(
                self.capacity[j] / self.use.get((i, j), 1.0) for i, j in self.pairs if i == item
            )
            if reach < asked or not any(i == item for i, _ in self.pairs):
                raise ProgramError(
                    f"{item!r} asks for {asked:g} and its resources can take {reach:g} of it; "
                    f"allow more resources or lower the demand"
                )
        # every unit uses at least its smallest use, so that this much is needed in any case
        least = sum(
            asked * min(self.use.get(p, 1.0) for p in self.pairs if p[0] == item)
            for item, asked in self.demand.items()
        )
        total = sum(self.capacity.values())
        if least > total * (1 + 1e-12):
            raise ProgramError(
                f"the demands need at least {least:g} of the resources, which have {total:g} in "
                f"all; add capacity or lower demands"
            )


def name_of(pair: tuple[str, str]) -> str:
    """The variable of an item at a resource."""
    return f"{pair[0]}/{pair[1]}"


def _by_pair(name: str, given: Pairs, above: float = -math.inf) -> dict[tuple[str, str], float]:
    """Numbers by (item, resource); ProgramError for other keys and numbers out of range."""
    if not isinstance(given, Mapping):
        raise ProgramError(
            f"{name} must be a number for each pair and is {given!r:.80}; give "
            "{(item, resource): number}"
        )
    pairs = {pair: name_pair(f"{name} is by (item, resource): a key", pair) for pair in given}
    return {pairs[pair]: number(f"{name} of {pair!r}", x, above) for pair, x in given.items()}
