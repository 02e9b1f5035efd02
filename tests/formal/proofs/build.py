"""The small builds that are proven: of the graph engine 16 spins, 2 lanes."""

from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.parameters import GraphParameters

__all__ = ["LANGEVIN_SMALL", "LATTICE_SMALL", "SMALL"]

SMALL = GraphParameters(
    lanes=2,
    rows=8,
    words=8,
    weight_bits=2,
    bias_bits=3,
    beta_bits=3,
    beta_frac=2,
    score_frac=2,
    schedule_steps=4,
    max_degree=3,
    max_group=6,
    payload_words=16,
)

LANGEVIN_SMALL = LangevinParameters(
    units=4,
    constraints=2,
    multipliers=4,
    weight_bits=4,
    schedule_entries=2,
    pairs=4,
    payload_words=16,
)
"""The same of the Langevin engine: 4 units, 4 multipliers."""

LATTICE_SMALL = LatticeParameters(
    rows=34,
    columns=4,
    neighbours=8,
    coupling_bits=2,
    bias_bits=3,
    schedule_steps=3,
    payload_words=16,
)
"""The same of the lattice engine: two words of bits a column, two of couplings a site."""
