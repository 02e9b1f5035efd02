r"""Levels over a horizon: what to make and to store in every period, as penalties.

Variables are ``make_pt`` and ``stock_pt`` of product p in period t = 0 to T - 1, named
``"p.make.t"`` and ``"p.stock.t"``. With demands D_pt

    flow        stock_pt = stock_p(t-1) + make_pt - D_pt, from a given initial stock
    lower, upper  0 <= make_pt <= capacity_p, 0 <= stock_pt <= storage_p
    capacity    sum_p make_pt <= C, shared, every period
    smoothness  make_p(t+1) = make_pt       target  stock_p(T-1) = its wish
    cost        sum_pt (cost_p make_pt + holding_p stock_pt)

All of it fits the device's penalty form, a row each. Bounds hold every variable from both sides.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.energies.arguments import instances, number, numbers
from gibbsite_models.energies.constraints import ConstraintEnergy
from gibbsite_models.energies.penalties import Penalty

__all__ = ["PlanningEnergy", "Product"]


@dataclass(frozen=True, slots=True)
class Product:
    """Demands, the most that is made and stored a period, stocks, and prices a unit.

    Raises: ProgramError for a name that is no string, demands that are no list, what is no finite
    number or out of range, and more stock than can be stored.
    """

    name: str
    demand: Sequence[float]
    capacity: float
    storage: float
    initial: float = 0.0
    target: float | None = None
    cost: float = 0.0
    holding: float = 0.0

    def __post_init__(self) -> None:
        name = self.name
        if not isinstance(name, str):
            raise ProgramError(
                f"the name of a product must be a string and is {name!r:.80}; give one"
            )
        if numbers(f"the demand of {name!r}", self.demand).ndim != 1:
            raise ProgramError(
                f"the demand of {name!r} must be a list, a number a period, and is "
                f"{self.demand!r:.80}; give [number, ...]"
            )
        for t, asked in enumerate(self.demand):
            number(f"the demand of {name!r} in period {t}", asked, least=0)
        number(f"the capacity of {name!r}", self.capacity, above=0)
        for what in ("storage", "initial"):
            number(f"the {what} of {name!r}", getattr(self, what), least=0)
        for what in ("cost", "holding", *(["target"] if self.target is not None else [])):
            number(f"the {what} of {name!r}", getattr(self, what))
        if self.initial > self.storage:
            raise ProgramError(
                f"{self.name!r} starts with {self.initial:g} and can store {self.storage:g}"
            )


class PlanningEnergy(ConstraintEnergy):
    """Products over one horizon, a shared capacity, and the weights of the soft penalties.

    Raises: ProgramError for no products, horizons that differ, names used twice, a shared capacity
    not above 0, and demands that no plan could meet in time.
    """

    def __init__(
        self,
        products: Sequence[Product],
        capacity: float | None = None,
        smoothness: float = 0.0,
        target: float = 0.1,
        price: float = 1.0,
        strength: float | None = None,
        scale: float = 1.0,
    ) -> None:
        self.products = products = instances("products", products, Product)
        smoothness = number("the smoothness", smoothness, least=0)
        self.horizon = len(products[0].demand) if products else 0
        if not self.horizon or any(len(p.demand) != self.horizon for p in products):
            raise ProgramError(
                f"a plan needs products with one demand for each period, at least 1; found "
                f"{[len(p.demand) for p in products]}"
            )
        if capacity is not None:
            number("the shared capacity", capacity, above=0)
        self._require_satisfiable(capacity)
        rows = [row for p in products for row in self._product(p, strength, smoothness, target)]
        if capacity is not None:
            for t in range(self.horizon):
                made = {f"{p.name}.make.{t}": 1.0 for p in products}
                rows.append(Penalty("capacity", f"capacity {t}", made, capacity, strength))
        prices = {
            f"{p.name}.{what}.{t}": value
            for p in products
            for what, value in (("make", p.cost), ("stock", p.holding))
            for t in range(self.horizon)
            if value
        }
        if prices:
            rows.append(Penalty("cost", "cost", prices, 0.0, price))
        names = [
            f"{p.name}.{what}.{t}"
            for p in products
            for what in ("make", "stock")
            for t in range(self.horizon)
        ]
        super().__init__(names, rows, scale)

    def _product(
        self, p: Product, strength: float | None, smoothness: float, target: float
    ) -> list[Penalty]:
        rows = list[Penalty]()
        for t, asked in enumerate(p.demand):
            make, stock = f"{p.name}.make.{t}", f"{p.name}.stock.{t}"
            moved = {stock: 1.0, make: -1.0}
            if t:
                moved[f"{p.name}.stock.{t - 1}"] = -1.0
            level = (0.0 if t else p.initial) - asked
            rows.append(Penalty("flow", f"flow {p.name} {t}", moved, level, strength))
            for name, most in ((make, p.capacity), (stock, p.storage)):
                rows.append(Penalty("lower", f"{name} >= 0", {name: 1.0}, 0.0, strength))
                rows.append(Penalty("upper", f"{name} <= {most:g}", {name: 1.0}, most, strength))
            if smoothness and t:
                change = {make: 1.0, f"{p.name}.make.{t - 1}": -1.0}
                rows.append(Penalty("smoothness", f"smooth {p.name} {t}", change, 0.0, smoothness))
        if p.target is not None:
            last = {f"{p.name}.stock.{self.horizon - 1}": 1.0}
            rows.append(Penalty("target", f"target {p.name}", last, p.target, target))
        return rows

    def _require_satisfiable(self, capacity: float | None) -> None:
        asked = np.array([p.demand for p in self.products], dtype=np.float64).cumsum(axis=1)
        periods = np.arange(1, self.horizon + 1)
        short = [
            (f"product {p.name!r}", asked[k] - p.initial, p.capacity * periods)
            for k, p in enumerate(self.products)
        ]
        if capacity is not None:
            needed = sum(np.maximum(line, 0) for _, line, _ in short)
            short.append(("the shared capacity", np.asarray(needed), capacity * periods))
        for what, needed, most in short:
            late = np.flatnonzero(needed > most * (1 + 1e-12))
            if late.size:
                t = int(late[0])
                raise ProgramError(
                    f"{what}: by period {t} demands need {needed[t]:g} to be made and at most "
                    f"{most[t]:g} can be; raise capacity or stock, or lower demands"
                )
