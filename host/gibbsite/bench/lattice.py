"""The suite `lattice`: rates of `gibbsite.bench.lattice_speed` as rows of a table."""

from __future__ import annotations

import numpy as np

from gibbsite.bench import lattice_speed
from gibbsite.bench.options import Options
from gibbsite.bench.peers import missing
from gibbsite.bench.speed import ratio_row
from gibbsite.bench.table import Row, Table

__all__ = ["lattice"]

TORUS = "64x64 torus of couplings -1 and +1"


def lattice(options: Options) -> Table:
    """Flips a second beside the peers, and how time grows."""
    table = Table("lattice")
    pairs = options.seeds
    lacking = {name: missing(name) for name in ("dwave-samplers", "thrml")}
    table.notes += [why for why in lacking.values() if why is not None]
    if lacking["dwave-samplers"] is None:
        options.progress("lattice beside dwave-samplers", 0, 4)
        table.rows += [
            ratio_row(
                "`fast:` lattice, flips/s over dwave-samplers",
                lattice_speed.plus_minus(pairs),
                80.0,
                f"{TORUS}, {lattice_speed.CHAINS} chains",
            ),
            ratio_row(
                "`fast:` lattice, random 5-bit couplings and biases, over dwave-samplers",
                lattice_speed.five_bit(pairs),
                25.0,
                f"64x64, {lattice_speed.CHAINS} chains",
            ),
        ]
        options.progress("the lattice's RTL beside dwave-samplers", 1, 4)
        table.rows.append(
            ratio_row(
                "`sim:` lattice, the Verilated RTL, over dwave-samplers",
                lattice_speed.rtl(pairs),
                1.0,
                f"{TORUS}, banks={lattice_speed.RTL_BANKS}, one chain each",
            )
        )
    if lacking["thrml"] is None:
        options.progress("lattice beside thrml", 2, 4)
        found, batch = lattice_speed.with_thrml(min(pairs, 5))
        table.rows.append(
            ratio_row(
                "`fast:` lattice, flips/s over thrml, all cores each",
                found,
                40.0,
                f"{TORUS}; thrml's best batch, {batch}",
            )
        )
    options.progress("growth of the lattice's time", 3, 4)
    by_area = lattice_speed.growth()
    by_replicas = lattice_speed.growth(sides=(128,), chains=(256, 512, 1024, 2048))
    table.rows += [
        _grown("area, 32x32 to 512x512", by_area, [one.side**2 for one in by_area]),
        _grown("replicas, 256 to 2048", by_replicas, [one.chains for one in by_replicas]),
    ]
    return table


def _grown(what: str, found: list[lattice_speed.Growth], sizes: list[int]) -> Row:
    """The exponent of seconds a sweep against size; linear within twice the error of the fit."""
    (exponent, _), covariance = np.polyfit(
        np.log(sizes), np.log([one.seconds for one in found]), 1, cov=True
    )
    error = float(np.sqrt(covariance[0, 0]))
    rates = [one.per_flip for one in found]
    return Row(
        measure=f"`fast:` lattice, exponent of time against {what}",
        ours=f"{exponent:.3f} ± {error:.3f}",
        bar="at most linear",
        met=bool(exponent - 2 * error <= 1),
        how=f"{min(rates):.3g} to {max(rates):.3g} ns a flip, medians of 3",
        data={
            "sizes": sizes,
            "seconds": [one.seconds for one in found],
            "ns_per_flip": rates,
            "exponent": [float(exponent), error],
        },
    )
