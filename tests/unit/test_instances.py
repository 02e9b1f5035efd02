"""Benchmark files: what is read is what the format says, and what is wrong is named by its line."""

from itertools import product
from pathlib import Path

import dimod
import numpy as np
import pytest

from gibbsite.instances import (
    Instance,
    InstanceError,
    edwards_anderson,
    planar_torus,
    read_best_known,
    read_ea3d,
    read_folder,
    read_maxcut,
)

TRIANGLE = "3 3\n1 2 1\n2 3 -2\n1 3 4\n"
"""Weights 1, -2, 4."""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder of two families."""
    for family, table, text in (
        ("maxcut", "instance,cut\nT,5\n", TRIANGLE),
        ("ea3d", "instance,energy\nT,-3\n", "3 3\n0 1 1\n1 2 -1\n0 2 1\n"),
    ):
        home = tmp_path / family
        home.mkdir()
        name = "best_known.csv" if family == "maxcut" else "ground_energy.csv"
        (home / name).write_text(table)
        (home / "T.txt").write_text(text)
    return tmp_path


def test_every_cut_of_a_triangle_is_the_sum_of_the_weights_that_it_cuts(data: Path) -> None:
    found = read_maxcut(data / "maxcut" / "T.txt")
    edges = {(0, 1): 1, (1, 2): -2, (0, 2): 4}
    for spins in product((-1, 1), repeat=3):
        cut = sum(w for (i, j), w in edges.items() if spins[i] != spins[j])
        energy = found.model.energy(dict(enumerate(spins)))
        assert found.value(energy) == cut
        assert found.energy(cut) == energy


def test_a_spin_glass_has_minus_its_couplings(data: Path) -> None:
    (found,) = read_folder(data, "ea3d")
    assert found.model.quadratic == {(0, 1): -1.0, (1, 2): 1.0, (0, 2): -1.0}
    assert found.best_known == -3
    assert found.value(-3.0) == -3
    assert found.quality(-1) == pytest.approx(1 / 3)


def test_reference_values_belong_to_their_instances(data: Path) -> None:
    (found,) = read_folder(data, "maxcut")
    # the optimum of the triangle: 1 and 4 are cut, -2 is not
    assert found.best_known == found.value(dimod.ExactSolver().sample(found.model).first.energy)
    with pytest.raises(InstanceError, match="T has no best known value: give its table"):
        read_maxcut(data / "maxcut" / "T.txt").quality(1)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", r"line 1 is '' and needs 2 whole numbers: write `spins edges` there"),
        ("3 2\n1 2 1\n", r"line 1 announces 2 edges and 1 lines follow: fetch the whole file"),
        ("3 1\n1 2\n", r"line 2 is '1 2' and needs 3 whole numbers: write `i j weight` there"),
        ("x" * 5000 + "\n", r"line 1 is 'x{40}\.\.\.' and needs 2 whole numbers"),
        ("3 1\n1 2 0.5\n", r"line 2 has '0.5' where weight stands: give a whole number"),
        ("3 1\n0 2 1\n", r"line 2 couples 0 and 2, and spins are .* in 1\.\.3: correct the line"),
        ("3 1\n2 2 1\n", r"line 2 couples 2 and 2"),
        ("3 2\n1 2 1\n2 1 1\n", r"line 3 couples 2 and 1 again, as line 2 did: leave one"),
    ],
)
def test_a_broken_file_is_refused_by_its_line(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "broken.txt"
    path.write_text(text)
    with pytest.raises(InstanceError, match=sentence):
        read_maxcut(path)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InstanceError, match=r"no\.txt cannot be read: No such file [a-z ]*; check"):
        read_ea3d(tmp_path / "no.txt")
    with pytest.raises(InstanceError, match=r"there is no folder .*maxcut: .* with --data"):
        read_folder(tmp_path, "maxcut")
    with pytest.raises(InstanceError, match=r"t\.csv cannot be read"):
        read_best_known(tmp_path / "t.csv")
    (tmp_path / "b.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(InstanceError, match=r"b\.txt is no text in UTF-8 \(byte 0\): give a file"):
        read_ea3d(tmp_path / "b.txt")
    (tmp_path / "t.csv").write_text("instance,cut\nG1\n")
    with pytest.raises(InstanceError, match=r"line 2 has 1 cells and needs 2"):
        read_best_known(tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("made", "degree_sum"),
    [(planar_torus(4, 6, 1), 4 * 24), (edwards_anderson(4, 1), 2 * (2 * 48 + 64))],
)
def test_generated_instances_have_the_degrees_of_their_lattice(
    made: Instance, degree_sum: int
) -> None:
    degrees = np.bincount(np.concatenate([made.low, made.high]), minlength=made.spins)
    assert degrees.sum() == degree_sum
    assert set(made.weight.tolist()) == {-1, 1}
    assert len({*zip(made.low.tolist(), made.high.tolist(), strict=True)}) == len(made.low)
    assert (made.low < made.high).all()
