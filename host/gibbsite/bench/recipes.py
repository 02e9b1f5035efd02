"""How each family of instances is solved: algorithm and settings.

Settings were chosen by trials on seeds below `gibbsite.bench.options.FIRST_SEED`, from which
on seeds are measured.

    tempering   parallel tempering on the graph engine, cluster moves on the host
    annealing   independent annealed reads on the graph engine; all work is the device's
    patchwork   reads annealed on the lattice engine, recombined patch by patch on the host,
                reheated from the best state so far
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from gibbsite.instances import Instance

__all__ = ["Algorithm", "Recipe", "recipe_of"]

Algorithm: TypeAlias = Literal["tempering", "annealing", "patchwork"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Algorithm, device and settings.

    ``beta_range``  ends of the ladder or the schedule, for one unit of the model's energy
    ``sweeps``      of a round (tempering) or of a read
    ``replicas``    groups of ladders (tempering) or reads side by side
    ``clusters``    whether tempering makes cluster moves, at betas from ``cluster_beta`` on
    ``reheat``      the beta from which patchwork anneals its best state again
    ``seconds``     processor time for an instance
    ``rows``        rows of the lattice engine; a site's number is column * rows + row
    """

    algorithm: Algorithm
    device: str
    beta_range: tuple[float, float]
    sweeps: int
    replicas: int
    seconds: float
    clusters: bool = False
    cluster_beta: float = 0.0
    reheat: float = 0.0
    rows: int = 0

    def described(self) -> str:
        """One line for a table."""
        low, high = self.beta_range
        words = f"{self.algorithm}, beta {low:g} to {high:g}, {self.sweeps} sweeps"
        if self.algorithm == "tempering":
            words += f" a round, {self.replicas} groups"
            from_beta = f" from beta {self.cluster_beta:g}" if self.cluster_beta else ""
            return words + (f", cluster moves on the host{from_beta}" if self.clusters else "")
        words += f" a read, {self.replicas} reads side by side"
        if self.algorithm == "patchwork":
            words += f", recombined on the host, reheated to beta {self.reheat:g}"
        return words

    def within(self, seconds: float) -> Recipe:
        """The same with another budget."""
        return replace(self, seconds=seconds)


GRAPH: Final = "fast:?engines=graph"

GLASS: Final = Recipe("tempering", GRAPH, (0.4, 2.5), 10, 4, 60.0, clusters=True, cluster_beta=1.0)
"""Spin glasses of couplings -1 and +1 with up to six neighbours."""

RECIPES: Final[dict[str, Recipe]] = {
    "G14": Recipe("tempering", GRAPH, (0.2, 2.5), 10, 4, 12.0, clusters=True),
    "G22": Recipe("annealing", GRAPH, (0.4, 3.0), 16000, 16, 12.0),
    "G81": Recipe(
        "patchwork",
        "fast:?engines=lattice&rows=100&columns=200",
        (0.3, 3.0),
        2000,
        256,
        30.0,
        reheat=0.6,
        rows=100,
    ),
}


def recipe_of(instance: Instance) -> Recipe:
    """The recipe of an instance, by its name or its family."""
    return RECIPES.get(instance.name, GLASS)
