"""Colour classes of a model: variables of one class are not neighbours, so they may turn together.

The graph is the graph of variables; all states of a one-hot choice are one vertex. Several greedy
orders are tried, because none is best on every graph; the caller keeps the cheapest.
"""

from __future__ import annotations

from collections.abc import Iterator

import networkx as nx
import numpy as np

from gibbsite.slot_model import SlotModel

__all__ = ["colourings"]

SMALL = 6_000
"""Edges up to which the slower orders are tried as well."""


def colourings(model: SlotModel) -> Iterator[list[list[int]]]:
    """Proper colourings, each a list of classes of variables."""
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(range(len(model.labels)))
    variable = model.variable_of
    edges = np.unique(np.stack([variable[model.low], variable[model.high]], axis=1), axis=0)
    graph.add_edges_from(edges.tolist())
    yield _classes(nx.greedy_color(graph, "largest_first"))
    yield _classes(nx.greedy_color(graph, "smallest_last"))
    if len(edges) <= SMALL and len(model.labels) <= 2048:
        yield _classes(nx.greedy_color(graph, "largest_first", interchange=True))


def _classes(colours: dict[int, int]) -> list[list[int]]:
    classes: list[list[int]] = [[] for _ in range(max(colours.values(), default=-1) + 1)]
    for variable, colour in sorted(colours.items()):
        classes[colour].append(variable)
    return classes
