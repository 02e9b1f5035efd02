"""Build parameters: what is refused, and the widths against an independent count."""

from typing import Any

import pytest

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_hw.spec.parameters import GraphParameters


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lanes": 3}, "power of two from 2 to 32, not 3"),
        ({"lanes": 64}, "lanes must be a whole number in 2..32"),
        ({"lanes": 4.0}, "lanes must be a whole number in 2..32"),
        ({"rows": 0}, "rows must be a whole number in 1..32764"),
        ({"rows": -5}, "rows must be a whole number in 1..32764"),
        ({"rows": 65536, "lanes": 2, "weight_bits": 8}, "so that a draw's length fits its header"),
        ({"words": 0}, "words must be"),
        ({"schedule_steps": 0}, "schedule_steps must be"),
        ({"max_degree": 4095}, "max_degree must be a whole number in 1..2047"),
        ({"max_group": 0}, "max_group must be"),
        ({"score_frac": -3}, "score_frac must be a whole number in 0..20"),
        ({"hash_rounds": 3}, "0, 1, 2 or 4, not 3"),
        ({"rows": 32764, "weight_bits": 16}, "a packet word holds 32"),
        ({"bias_bits": 33}, "bias_bits must be a whole number in 2..32"),
        ({"beta_bits": 48}, "beta_bits must be a whole number in 2..32"),
        ({"weight_bits": 1}, "weight_bits must be a whole number in 2..32"),
        ({"score_frac": 22, "beta_frac": 22}, "0..20, the noise tables' precision, not 22"),
        ({"beta_frac": 15}, "beta_frac 15 must be at least score_frac 16"),
        ({"payload_words": 8}, "33..4096, a record and its address, not 8"),
    ],
)
def test_refused_parameters_name_limit_and_value(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ProgramError, match=words):
        GraphParameters(**change)


def test_fields_scores_and_energies_fit_their_widths() -> None:
    p = GraphParameters()
    field = (2047 + 16) * 511 + 32767  # a full, padded list of the largest weights, and a bias
    assert field < 1 << (p.field_bits - 1)
    score = (2 * field * (2**24 - 1) >> 4) + 24 * 2**16  # p-bits see 2 f; noise stays below 24
    assert score < 1 << (p.score_bits - 1)
    energy = 2048 * 16 * 32767 + 10240 * 16 * 511
    assert energy < 1 << (p.energy_bits - 1)


def test_every_parameter_is_in_the_fingerprint() -> None:
    changed = {
        "lanes": 8, "rows": 1024, "words": 4096, "weight_bits": 8, "bias_bits": 12, "beta_bits": 20,
        "beta_frac": 18, "score_frac": 14, "schedule_steps": 256, "max_degree": 1023,
        "max_group": 128, "payload_words": 512, "hash_rounds": 2,
        "noise_index_bits": 6, "noise_tail_bits": 5,
    }  # fmt: skip
    fingerprints = {
        GraphParameters(**{name: value}).fingerprint() for name, value in changed.items()
    }
    assert len(fingerprints | {GraphParameters().fingerprint()}) == len(changed) + 1
    assert set(changed) == set(GraphParameters.__dataclass_fields__)
