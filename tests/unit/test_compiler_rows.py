"""Rows: the cut is the best there is, and where rows run out they are bought with words."""

import itertools

import dimod
import numpy as np
import pytest

from gibbsite.compiler import compile_model
from gibbsite.rows import cut_rows
from gibbsite_hw.spec.errors import ProgramError
from gibbsite_hw.spec.parameters import GraphParameters


def best_by_force(degrees: list[int], lanes: int) -> int:
    """The fewest words over every partition of the sorted slots into rows of any fold and size."""
    count = len(degrees)
    folds = range(lanes.bit_length())
    best = None
    for cuts in itertools.product([False, True], repeat=count - 1):
        ends = [k + 1 for k, cut in enumerate(cuts) if cut] + [count]
        total, begin = 0, 0
        for end in ends:
            choices = [
                max(1, -(-degrees[begin] >> fold)) for fold in folds if end - begin <= lanes >> fold
            ]
            if not choices:
                break
            total, begin = total + min(choices), end
        else:
            best = total if best is None else min(best, total)
    assert best is not None
    return best


@pytest.mark.parametrize("lanes", [2, 4, 8])
def test_the_cut_is_optimal(lanes: int) -> None:
    rng = np.random.default_rng(lanes)
    for _ in range(30):
        degrees = sorted(rng.geometric(0.15, int(rng.integers(1, 10))).tolist(), reverse=True)
        cuts = cut_rows(degrees, lanes)
        assert sum(cut.count for cut in cuts) == len(degrees)
        assert sum(cut.length for cut in cuts) == best_by_force(degrees, lanes)


def test_a_price_on_rows_makes_fewer_of_them() -> None:
    degrees = [9, 5, 3, 3, 2, 2, 1, 1]
    free, dear = cut_rows(degrees, 8), cut_rows(degrees, 8, row_price=100)
    assert len(dear) == 1 < len(free)
    assert sum(cut.length for cut in dear) > sum(cut.length for cut in free)


def test_rows_are_bought_with_words_where_they_run_out() -> None:
    # eight stars of 1 to 8 leaves: hubs take fewer words on two rows than on one
    model = dimod.BinaryQuadraticModel("SPIN")
    for star in range(1, 9):
        model.add_quadratic_from([((star, 0), (star, leaf), 1.0) for leaf in range(1, star + 1)])
    plenty = compile_model(model, GraphParameters(lanes=16, rows=64, words=512))
    tight = compile_model(model, GraphParameters(lanes=16, rows=4, words=512))
    assert len(tight.program.rows) == 4 < len(plenty.program.rows)
    assert tight.sweep_cycles > plenty.sweep_cycles
    with pytest.raises(ProgramError, match="needs 4 rows of 16 slots and the device has 3"):
        compile_model(model, GraphParameters(lanes=16, rows=3, words=512))
