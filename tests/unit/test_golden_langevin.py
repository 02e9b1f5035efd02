"""The golden Langevin engine against a scalar interpreter of its page, chain by chain."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langevin_parts.against_page import assert_same, golden, ordinary
from langevin_parts.random_programs import programs, requests
from langevin_parts.scalar import threefry

from gibbsite_models.golden import langevin as golden_langevin
from gibbsite_models.golden.langevin import LangevinEngine, Walkers


@given(st.data())
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_random_programs_give_the_bits_of_the_page(data: st.DataObject) -> None:
    program = data.draw(programs())
    assert_same(program, data.draw(requests(program.units)))


@pytest.mark.nightly
@given(st.data())
@settings(max_examples=10_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_many_random_programs_give_the_bits_of_the_page(data: st.DataObject) -> None:
    program = data.draw(programs())
    assert_same(program, data.draw(requests(program.units)))


# --- an ordinary program, and what must make a difference in it ---------------------------------


def test_an_ordinary_program_moves_and_does_not_saturate() -> None:
    program, request = ordinary()
    for trajectory in (False, True):
        assert not assert_same(program, replace(request, trajectory=trajectory)).total()
    draws, (moments, additions), _ = golden(program, request)[0]
    assert [draw[0] for draw in draws] == [14, 17, 20, 23]
    assert additions == 22 // 2
    assert all(moments)
    assert all(draw[2] and draw[3] for draw in draws)  # work and heat
    assert len({draw[4][0] for draw in draws}) == 4
    assert all(draw[4][2] == 150_000_000 for draw in draws)


def test_a_chain_is_the_same_alone_and_beside_others() -> None:
    program, request = ordinary()
    beside = golden(program, request)
    for chain in range(request.chains):
        first = (request.first_chain + chain) % 2**32
        assert golden(program, replace(request, first_chain=first, chains=1)) == [beside[chain]]


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    program, request = ordinary()
    beside = golden(program, request)
    monkeypatch.setattr(golden_langevin, "MOST_CHAINS", 1)
    assert golden(program, request) == beside


def test_a_clamp_says_where_its_unit_starts() -> None:
    program, request = ordinary()
    draw = golden(program, replace(request, trajectory=True, draws=1))[0][0][0]
    assert draw[0] == 0
    assert draw[4][2] == 150_000_000


def test_a_draw_at_step_0_of_no_steps() -> None:
    program, request = ordinary()
    still = replace(request, trajectory=True, draws=1, start=(0, 0))
    draws, (moments, additions), _ = golden(program, still)[0]
    assert draws[0][0] == draws[0][2] == draws[0][3] == additions == 0
    assert moments == [0, 0, 0]
    assert draws[0][4] == [1 << 28, 0, 150_000_000, -9]
    assert_same(program, still)


# --- the hash, and faults that must show --------------------------------------------------------


def test_the_scalar_s_hash_gives_a_published_value() -> None:
    key = (0xA4093822299F31D0, 0x082EFA98EC4E6C89)
    counter = (0x243F6A8885A308D3, 0x13198A2E03707344)
    assert threefry(key, counter) == (0x263C7D30BB0F0AF1, 0x56BE8361D3311526)


class Truncating(LangevinEngine):
    """The planted fault: no dither, so that states are rounded down."""

    def draw(self, streams: Any) -> Any:
        xi, dither = super().draw(streams)
        return xi, dither * 0


class LeftPoint(LangevinEngine):
    """The planted fault: heat by the left-point sum."""

    def heat(self, walkers: Walkers, gradient: Any) -> Any:
        return super().heat(walkers, walkers.kept)


@pytest.mark.parametrize("fault", [Truncating, LeftPoint])
def test_a_broken_engine_differs(fault: type[LangevinEngine]) -> None:
    program, request = ordinary()
    with pytest.raises(AssertionError):
        assert_same(program, request, fault)
