"""The order of cells along their wires, and where a pipeline's multipliers are put."""

import random
from functools import partial
from itertools import pairwise

import pytest
from scipy.sparse.linalg import eigsh

from gibbsite_hw.spec.errors import DeviceError
from gibbsite_sim.netlist import spectral
from gibbsite_sim.netlist.multipliers import BLOCKS, ROWS, multiplier_places
from gibbsite_sim.netlist.spectral import spectral_order

STAGES = 60


def pipeline(stages: int = STAGES, seed: int = 1, spare: int = 0) -> dict[str, dict[str, object]]:
    """A multiplier a stage, each followed by a few gates and a register; cells in random order.

    A clock joins all registers, as it would join any order with any other.
    """
    cells: dict[str, dict[str, object]] = {}
    for n in range(stages):
        wire = 10 * n
        cells[f"product{n}"] = {
            "type": "MULT18X18D",
            "connections": {"A": [wire, wire + 1], "P": [wire + 2, wire + 3]},
        }
        for k in range(2):
            cells[f"gate{n}.{k}"] = {
                "type": "LUT4",
                "connections": {"A": [wire + 2 + k], "B": ["0"], "Z": [wire + 4 + k]},
            }
            cells[f"register{n}.{k}"] = {
                "type": "TRELLIS_FF",
                "connections": {"DI": [wire + 4 + k], "CLK": [1_000_000], "Q": [wire + 10 + k]},
            }
    for n in range(spare):
        cells[f"alone{n}"] = {"type": "MULT18X18D", "connections": {"A": [2_000_000 + n]}}
    names = list(cells)
    random.Random(seed).shuffle(names)
    return {name: cells[name] for name in names}


def products(cells: dict[str, dict[str, object]]) -> list[str]:
    return [name for name, cell in cells.items() if cell["type"] == "MULT18X18D"]


@pytest.mark.parametrize("seed", range(3))
def test_a_pipeline_is_found_stage_after_stage(seed: int) -> None:
    cells = pipeline(seed=seed)
    order = spectral_order(cells, products(cells))
    assert order == [f"product{n}" for n in range(STAGES)]


@pytest.mark.parametrize("seed", range(4))
def test_the_first_name_is_on_the_left_of_two(seed: int) -> None:
    """Of two, either sign of the eigenvector puts one in each half."""
    cells = pipeline(stages=2, seed=seed)
    assert spectral_order(cells, products(cells)) == ["product0", "product1"]


def test_a_wire_across_is_seen() -> None:
    """Planted: a stage whose product goes to the other end of the pipeline moves there."""
    cells = pipeline()
    cells["product1"]["connections"] = {"A": [10 * STAGES], "P": [10 * STAGES + 1, 900]}
    order = spectral_order(cells, products(cells))
    assert abs(order.index("product1") - order.index(f"product{STAGES - 1}")) <= 2


def test_what_hangs_together_with_nothing_comes_last() -> None:
    cells = pipeline(spare=3)
    order = spectral_order(cells, products(cells))
    assert order[-3:] == ["alone0", "alone1", "alone2"]
    lonely = pipeline(stages=0, spare=3)
    assert spectral_order(lonely, lonely) == ["alone0", "alone1", "alone2"]


@pytest.mark.parametrize("joined", [2, 3, 4])
def test_of_few_cells_any_order_will_do(joined: int) -> None:
    """Of two ARPACK would find no two eigenvectors."""
    cells: dict[str, dict[str, object]] = {
        f"product{n}": {"type": "MULT18X18D", "connections": {"A": [n], "P": [n + 1]}}
        for n in reversed(range(joined))
    }
    assert spectral_order(cells, products(cells)) == [f"product{n}" for n in range(joined)]


def test_an_order_that_is_not_found_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """ARPACK, given one step in which to converge."""
    hurried = partial(eigsh, maxiter=1, ncv=3)
    monkeypatch.setattr(spectral, "eigsh", hurried)
    cells = pipeline()
    with pytest.raises(
        DeviceError, match=r"no order was found for the 60 multipliers .* let nextpnr alone"
    ):
        multiplier_places(cells)


def test_the_places_are_a_line_in_the_middle_of_the_rows() -> None:
    places = multiplier_places(pipeline(stages=81))
    assert len(set(places.values())) == 81
    spots = []
    for n in range(81):
        column, row, number = places[f"product{n}"].replace("MULT18_", "").split("/")
        x, y = int(column[1:]), int(row[1:])
        assert y in ROWS
        assert x - int(number) in BLOCKS
        spots.append((x, y))
    # neighbours of the pipeline are neighbours on the chip: in a row a block apart at most, or
    # above one another at a row's end
    for (x, y), (u, v) in pairwise(spots):
        assert abs(x - u) <= 9 if y == v else x == u
    assert {y for _, y in spots} == set(ROWS)


def test_more_than_the_chip_has_are_refused() -> None:
    with pytest.raises(DeviceError, match="holds 156 multipliers and this build needs 157"):
        multiplier_places(pipeline(stages=157))
