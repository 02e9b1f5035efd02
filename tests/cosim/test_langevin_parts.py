"""Parts of the Langevin shell in Amaranth's simulator: quick to build, so mutants meet them."""

from collections.abc import Awaitable, Callable
from random import Random

import pytest
from amaranth.sim import Simulator

from gibbsite_hw.langevin_settings import LangevinSettings, settings_layout
from gibbsite_hw.langevin_size import LangevinSize
from gibbsite_hw.spec.langevin_formats import SHIFT_MAX
from gibbsite_hw.spec.langevin_packets import LangevinErrorCode
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.langevin_program import Shifts
from gibbsite_hw.spec.langevin_registers import LANGEVIN_REGISTERS, LangevinRegister
from gibbsite_models.golden.checks import Refused
from gibbsite_models.golden.langevin_checks import check_begin
from gibbsite_sim.cosim.registers import RegisterModel

WORD = 0xFFFF_FFFF


def simulate(dut: object, bench: Callable[..., Awaitable[None]]) -> None:
    """Run one testbench with a clock."""
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


def refusal(words: list[int], units: int, constraints: int) -> int | None:
    """The payload index that the golden check names."""
    try:
        check_begin(words, units, constraints)
    except Refused as refused:
        return refused.detail
    return None


@pytest.mark.parametrize(
    "parameters",
    [
        LangevinParameters(units=12, constraints=6, multipliers=4, payload_words=64),
        LangevinParameters(units=9, constraints=0, multipliers=2, pairs=0, payload_words=64),
        LangevinParameters(),
    ],
)
def test_sizes(parameters: LangevinParameters) -> None:
    """BEGIN against the golden check: sizes, shifts and the number of coupling words."""
    rng = Random(3)
    n, m = parameters.units, parameters.constraints
    dut = LangevinSize(parameters)
    seen = {"good": 0, "bad": 0}

    def payload() -> list[int]:
        words = [rng.choice([1, n, rng.randint(1, n)]), rng.choice([0, m, rng.randint(0, m)])]
        words += [
            rng.randrange(2),
            *Shifts(*(rng.choice([0, SHIFT_MAX]) for _ in range(9))).encode(),
        ]
        if rng.random() < 0.5:
            at = rng.randrange(6)
            wrong = [[0, n + 1, WORD], [m + 1, WORD], [2, WORD]]
            place, wide = 8 * rng.randrange(4), rng.choice([1, SHIFT_MAX + 1, 0x80])
            words[at] = rng.choice(wrong[at]) if at < 3 else words[at] | wide << place
        return words

    async def bench(ctx) -> None:
        for _ in range(600):
            words = payload()
            for place, word in enumerate(words):
                ctx.set(dut.payload[place], word)
            wrong_at = refusal(words, n, m)
            assert ctx.get(dut.bad) == (wrong_at is not None), words
            if wrong_at is not None:
                assert ctx.get(dut.bad_at) == wrong_at, words
                seen["bad"] += 1
                continue
            ctx.set(dut.take, 1)
            await ctx.tick()
            ctx.set(dut.take, 0)
            await ctx.tick()
            units, constraints, coupled = words[:3]
            rows, columns = parameters.words(units), parameters.words(constraints)
            assert ctx.get(dut.words) == constraints * rows + units * (coupled * rows + columns)
            got = (ctx.get(dut.units), ctx.get(dut.constraints), ctx.get(dut.coupled))
            assert got == (units, constraints, coupled)
            shifts = Shifts.decode(words[3:])
            for name in Shifts.__slots__:
                assert ctx.get(dut.shifts[name]) == getattr(shifts, name), name
            seen["good"] += 1

    simulate(dut, bench)
    assert min(seen.values()) > 150, seen


def test_registers() -> None:
    """Every bound of every register from both sides, what is read only, and what is not there."""
    parameters = LangevinParameters(schedule_entries=100, pairs=0)
    dut = LangevinSettings(parameters)
    model = RegisterModel(LANGEVIN_REGISTERS)
    probes = RegisterModel.probes(LANGEVIN_REGISTERS)
    checked = {"written": 0, "refused": 0}
    widths: dict[str, int] = {}

    async def bench(ctx) -> None:
        for offset, word in probes:
            ctx.set(dut.offset, offset)
            ctx.set(dut.word, word)
            error, detail = model.write(offset, word)
            assert ctx.get(dut.error) == (error or 0), (offset, word)
            if error is not None:
                assert detail == (1 if error == LangevinErrorCode.BAD_VALUE else offset)
            ctx.set(dut.write, 1)
            await ctx.tick()
            ctx.set(dut.write, 0)
            code, value = model.read(offset)
            assert ctx.get(dut.known) == (offset in LANGEVIN_REGISTERS)
            status = {*(r for r, info in LANGEVIN_REGISTERS.items() if not info.writable)}
            shown = offset in status and offset < LangevinRegister.CYCLES_LOW
            assert ctx.get(dut.shown) == shown
            if code is None and value is not None:
                name = LangevinRegister(offset).name.lower()
                width = settings_layout(parameters)[name].width
                assert ctx.get(dut.settings[name]) == value % (1 << width)
                widths[name] = width
            checked["written" if error is None else "refused"] += 1

    simulate(dut, bench)
    assert min(checked.values()) > 30, checked
    # what a run cannot have is cut off, and nothing else
    short = {"entries": 7, "pairs": 1, "start": 24, "flags": 3}
    assert len(widths) == 11
    assert {name: width for name, width in widths.items() if width < 32} == short
