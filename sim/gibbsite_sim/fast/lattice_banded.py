"""The sites of a sliced program in the order of `lattice_order`, with what its loops look up.

Twin: ``gibbsite_sim.fast.lattice_sites``, the same sites column by column.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gibbsite_sim.fast.lattice_order import bands_apart, place_of_sites
from gibbsite_sim.fast.lattice_sites import CASES, Sites, fields_of_cases

__all__ = ["BandedSites", "by_bands"]


@dataclass(frozen=True, slots=True)
class BandedSites:
    """All sites, in the order of memory; kind, degree, weight, negative, bias, on as in `Sites`.

    ``strength``    int16[sites]: magnitude of the first coupling
    ``neighbour``   int32[sites, neighbours]: places of the neighbours
    ``fields``      int16[sites, 16]: magnitude of the field where spin k is bit k of the case;
                    of one site if no site has cases
    ``signs``       uint16[sites]: bit n set where the field of case n is negative; likewise
    ``place``       int32[sites]: where site ``column * rows + row`` lies
    ``apart``       bands between neighbours at most
    """

    rows: int
    columns: int
    kind: NDArray[np.int8]
    degree: NDArray[np.int8]
    strength: NDArray[np.int16]
    weight: NDArray[np.int8]
    negative: NDArray[np.uint16]
    bias: NDArray[np.int16]
    on: NDArray[np.uint64]
    neighbour: NDArray[np.int32]
    fields: NDArray[np.int16]
    signs: NDArray[np.uint16]
    place: NDArray[np.int32]
    apart: int


def by_bands(sites: Sites, rows: int, offsets: tuple[tuple[int, int], ...]) -> BandedSites:
    """The same sites where they lie."""
    columns = len(sites.kind) // rows
    place = place_of_sites(rows, columns)
    order = np.empty_like(place)
    order[place] = np.arange(len(place), dtype=np.int32)
    weight, bias, kind = sites.weight[order], sites.bias[order], sites.kind[order]
    few = bool((kind == CASES).any())
    some = slice(None) if few else slice(1)
    fields, signs = fields_of_cases(weight[some], bias[some])
    return BandedSites(
        rows=rows,
        columns=columns,
        kind=kind,
        degree=sites.degree[order],
        strength=np.abs(weight[:, 0].astype(np.int16)),
        weight=weight,
        negative=sites.negative[order],
        bias=bias,
        on=sites.on[order],
        neighbour=place[sites.neighbour[order]],
        fields=fields,
        signs=signs,
        place=place,
        apart=bands_apart(rows, offsets),
    )
