"""The order in which parts of a netlist lie beside each other, from its wires alone.

Cells are vertices, and a net of k pins joins each two of its cells with weight 1 / (k - 1). The
second eigenvector of the graph's normalised Laplacian, `D^-1/2 (D - A) D^-1/2 x = lambda x`, gives
each cell the place `D^-1/2 x` on a line for which the sum of `w (place - place')^2` is least, the
same places for all and the mean place left out: a pipeline comes out stage after stage.

Source: K. M. Hall, Management Science 17 (1970), 219, equations 7 to 10 (placement by
eigenvectors); M. Fiedler, Czechoslovak Mathematical Journal 25 (1975), 619.
"""

from collections.abc import Collection, Mapping
from itertools import combinations
from typing import Any, Final

import numpy as np
from scipy.sparse import coo_array, diags_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import ArpackError, eigsh

from gibbsite_hw.spec.errors import DeviceError

__all__ = ["spectral_order"]

WIDEST: Final = 24
"""Pins of a net beyond which it says little of what belongs together: clocks, resets, enables."""
LEAST: Final = 4
"""Connected cells: fewer are in no order that matters, and of two ARPACK finds no two vectors."""


def spectral_order(cells: Mapping[str, Any], chosen: Collection[str]) -> list[str]:
    """The chosen cells in the order of their places; what hangs together with none comes last.

    ``cells``: of a module as Yosys writes it to JSON, ``connections`` by name of port. The same
    netlist gives the same order: the eigenvector starts from fixed numbers, and of its two signs
    the one is taken that has the first of the chosen names on the left. Where fewer than four cells
    hang together there is nothing to put in order: the names come sorted.

    Raises:
        DeviceError: the eigenvector was not found; nextpnr alone has to place these cells.
    """
    names = list(cells)
    pins: dict[int, set[int]] = {}
    for number, name in enumerate(names):
        for bits in cells[name]["connections"].values():
            for bit in bits:
                if isinstance(bit, int):
                    pins.setdefault(bit, set()).add(number)
    pairs = [
        (one, other, 1 / (len(joined) - 1))
        for joined in pins.values()
        if 2 <= len(joined) <= WIDEST
        for one, other in combinations(sorted(joined), 2)
    ]
    if not pairs:
        return sorted(chosen)
    rows, columns, weights = (np.array(column) for column in zip(*pairs, strict=True))
    half = coo_array((weights, (rows, columns)), shape=(len(names), len(names))).tocsr()
    _, part = connected_components(half, directed=False)
    kept = np.flatnonzero(part == np.bincount(part).argmax())
    if len(kept) < LEAST:
        return sorted(chosen)
    joined = (half + half.T)[kept][:, kept]
    root = np.sqrt(joined.sum(axis=1))
    # the second least eigenvalue of L is the second largest of D^-1/2 A D^-1/2 = 1 - L
    scale = diags_array(1 / root)
    start = np.random.default_rng(1).standard_normal(len(kept))
    matrix = (scale @ joined @ scale).tocsr()
    try:
        values, vectors = eigsh(matrix, k=2, which="LA", tol=1e-4, v0=start)
    except ArpackError as error:
        raise DeviceError(
            f"no order was found for the {len(chosen)} multipliers among {len(kept)} connected "
            f"cells (ARPACK: {error}): let nextpnr alone place them, without `multiplier_places` "
            "in `gibbsite_sim.netlist.flow`, and report this netlist"
        ) from error
    second = vectors[:, np.argmin(values)] / root
    place = {names[number]: float(at) for number, at in zip(kept, second, strict=True)}
    found = sorted((name for name in chosen if name in place), key=lambda name: (place[name], name))
    if found and 2 * found.index(min(found)) >= len(found):
        found.reverse()
    return found + sorted(name for name in chosen if name not in place)
