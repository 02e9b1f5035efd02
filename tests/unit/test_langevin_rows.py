"""Constraint rows of unlike strength and size share formats: what is kept, and what is refused."""

import numpy as np
import pytest

from gibbsite.langevin_compiler import compile_potential
from gibbsite.langevin_rows import most_missed, row_scales
from gibbsite_hw.spec.errors import ProgramError
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_models.energies.potential import Potential
from gibbsite_models.golden.langevin_arithmetic import Saturations
from gibbsite_models.golden.langevin_field import Field, Weights

P = LangevinParameters()


@pytest.mark.parametrize("ratio", [1.0, 30.0, 1e4])
def test_a_weak_row_beside_a_strong_one_keeps_its_force(ratio: float) -> None:
    """Multipliers of all rows share one scale; powers of two move bits where entries stay exact."""
    model = Potential.build(2, J2=0.05, K=[[np.sqrt(ratio), 0], [0, 1]], lam=1.0)
    compiled = compile_potential(model, P)
    field = Field(Weights.of(compiled.program))
    field.condition(compiled.program.conditions)
    s, c = compiled.scales.length, compiled.scales.energy
    x = np.rint(np.array([[0.0], [0.5]]) / s * 2**14).astype(np.int64)
    force = field.look(x, Saturations(1), False).forces[4]
    assert force is not None
    # 2 lambda z = 1; a row that was left the range of the strong one has steps of 1/4 at 1e4
    assert force[1, 0] / 2**20 / (c * s) == pytest.approx(1.0, rel=0.05)


def test_a_hinge_that_never_pulls_takes_no_range() -> None:
    idle = Potential.build(1, J2=0.5, K=[[1.0], [1.0]], d=[1e4, 0.0], lam=[1e4, 1.0], hinge=True)
    assert most_missed(idle, 1.0, 1.0)[0] == 0
    busy = Potential.build(1, J2=0.5, K=[[1.0]], d=[0.0], lam=[1.0], hinge=True)
    both = compile_potential(idle, P).scales.multiplier
    assert both >= compile_potential(busy, P).scales.multiplier - 1


def test_rows_keep_their_meaning_under_their_scales() -> None:
    rng = np.random.default_rng(4)
    K = rng.normal(size=(5, 3)) * np.array([[0.1], [1], [8], [1], [3]])
    model = Potential.build(3, J2=1.0, K=K, d=rng.normal(size=5), lam=[1, 2, 0.1, 5, 0.4])
    q = row_scales(model, P, 1.0, 1.0)
    assert (np.log2(q) == np.rint(np.log2(q))).all()
    held = compile_potential(model, P).held
    z = rng.normal(size=(20, 3))
    assert held.energy(z) == pytest.approx(model.energy(z), rel=0.02)


def test_rows_too_far_apart_are_refused() -> None:
    beside = Potential.build(2, J2=1.0, K=[[1, 1], [1.3, 0.7]], d=[0, 1e6])
    with pytest.raises(ProgramError, match=r"constraint 1 has d = 1e\+06 .* cannot hold both"):
        compile_potential(beside, P)
    uneven = Potential.build(2, J2=1.0, K=[[1, 0], [0, 1]], lam=[1.0, 1e-7])
    with pytest.raises(ProgramError, match=r"constraint 1 pulls .* less than the strongest one"):
        compile_potential(uneven, P)


def test_rows_of_zeros_and_clamped_units_compile() -> None:
    assert compile_potential(Potential.build(1), P, clamps={0: 1.0}).program.conditions.clamps
    zero = Potential.build(1, J2=1.0, K=[[0.0]], d=0.0, lam=1.0)
    assert compile_potential(zero, P).held.K.tolist() == [[0.0]]
