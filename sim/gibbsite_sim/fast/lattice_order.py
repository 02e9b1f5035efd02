"""Where sliced spins lie, and in which order bands have their passes.

Spins lie as a pass meets them, so that it walks through memory.

A band is the rows of one noise stream, eight of them or the rest. Bands lie one behind the other;
in a band first all sites of colour 0, then those of colour 1; of a colour column by column, and of
a column lane by lane. With ``half`` lanes in the band, the site that lane ``part`` of it decides
at ``column`` in the pass of ``colour`` is

    8 columns band + (colour columns + column) half + part.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["BAND", "bands_apart", "place_of_sites", "wave"]

BAND = 8
"""Rows of a band: four lanes of two rows."""

Ints = NDArray[np.int32]


def place_of_sites(rows: int, columns: int) -> Ints:
    """Where each site lies; ``int32[sites]``, asked in the order ``column * rows + row``."""
    column, row = np.indices((columns, rows))
    band = row // BAND
    half = np.minimum(BAND, rows - BAND * band) // 2
    colour = (row + column) % 2
    part = (row - BAND * band) // 2
    place = BAND * columns * band + (colour * columns + column) * half + part
    return np.ascontiguousarray(place.ravel(), dtype=np.int32)


def bands_apart(rows: int, offsets: tuple[tuple[int, int], ...]) -> int:
    """Bands between a site's and its farthest neighbour's, the shorter way around the torus."""
    bands = -(-rows // BAND)
    row = np.arange(rows)
    apart = [((row + dr) % rows // BAND - row // BAND) % bands for dr, _ in offsets]
    return max(int(np.minimum(one, bands - one).max()) for one in apart)


@cache
def wave(bands: int, apart: int, sweeps: int) -> Ints:
    """Passes ``int32[2 * sweeps * bands, 2]`` of so many sweeps, band and colour of each.

    A band has its next pass as soon as the bands that it touches have had the one before, so that
    they are still near. That changes no bit: what a pass reads is of the other colour, and stays
    until these bands have read it. On a torus the bands at the seam come last.
    """
    passes = range(2 * sweeps)
    found = [
        (band, number)
        for step in range(bands)
        for number in passes
        if (band := step - apart * number) >= apart * number
    ]
    early = set(found)
    found += [(b, n) for n in passes for b in range(bands) if (b, n) not in early]
    return np.array([(band, number % 2) for band, number in found], dtype=np.int32)
