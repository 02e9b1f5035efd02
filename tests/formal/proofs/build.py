"""The small build that is proven: 16 spins, 2 lanes."""

from gibbsite_hw.spec.parameters import GraphParameters

__all__ = ["SMALL"]

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
