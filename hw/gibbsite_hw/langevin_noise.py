"""The streams of the units, and what a unit takes from its own for one step.

    u = w0 + 2^32 w1,   noise = rs(mantissa gaussian(u) 2^16, shift),   dither = w2 >> 24

Twin: ``draw`` of `gibbsite_models.golden.langevin`; the product with the mantissa in ``move``.
"""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gibbsite_hw.langevin_arithmetic import delayed, half_shift, round_half
from gibbsite_hw.langevin_gauss import GaussianShaper
from gibbsite_hw.langevin_signatures import scale_layout, slot_layout
from gibbsite_hw.noise import xoshiro_step
from gibbsite_hw.spec.langevin_formats import DITHER_BITS, MANTISSA_BITS, NOISE_LIFT
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.langevin_tables import GAUSS_BITS

__all__ = ["NOISE_BITS", "LangevinNoise"]

NOISE_BITS = MANTISSA_BITS + GAUSS_BITS + NOISE_LIFT


class LangevinNoise(wiring.Component):
    """Cycle 5: ``valid`` and ``index`` of a unit. Cycle 14: its ``noise`` and ``dither``.

    Each use takes three words of the unit's stream. ``seeded`` sets the stream of ``seed_index``;
    not while units are on their way.
    """

    def __init__(self, parameters: LangevinParameters) -> None:
        self._parameters = parameters
        index = slot_layout(parameters)["index"].shape
        super().__init__(
            {
                "seeded": In(1),
                "seed_index": In(index),
                "seed_state": In(128),
                "scale": In(scale_layout),
                "valid": In(1),
                "index": In(index),
                "noise": Out(signed(NOISE_BITS)),
                "dither": Out(DITHER_BITS),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.streams = streams = Memory(shape=128, depth=self._parameters.units, init=[])
        m.submodules.shaper = shaper = GaussianShaper()
        read_port, write_port = streams.read_port(), streams.write_port()
        valid6, index6 = Signal(), Signal.like(self.index)
        m.d.sync += [valid6.eq(self.valid), index6.eq(self.index)]
        # Cycle 6: three words; word 0 of a state is what it draws.
        state = [read_port.data[32 * n : 32 * n + 32] for n in range(4)]
        drawn = []
        for step in range(3):
            drawn.append(state[0])
            following = [Signal(32, name=f"after{step}_{n}") for n in range(4)]
            m.d.comb += [w.eq(n) for w, n in zip(following, xoshiro_step(state), strict=True)]
            state = following
        m.d.comb += [
            read_port.addr.eq(self.index),
            write_port.en.eq(self.seeded | valid6),
            write_port.addr.eq(Mux(self.seeded, self.seed_index, index6)),
            write_port.data.eq(Mux(self.seeded, self.seed_state, Cat(*state))),
            shaper.uniform.eq(Cat(drawn[0], drawn[1])),
        ]
        dither6 = Signal(DITHER_BITS)
        m.d.comb += [
            dither6.eq(drawn[2][32 - DITHER_BITS :]),
            self.dither.eq(delayed(m, "dither_", dither6, 8)[-1]),
        ]
        # Cycles 11, 12, 13: times the mantissa, shifted, rounded.
        product12 = Signal(signed(MANTISSA_BITS + GAUSS_BITS + 1))
        half13 = Signal(signed(NOISE_BITS + 2))
        m.d.sync += [
            product12.eq(shaper.gaussian * self.scale.mantissa),
            half13.eq(half_shift(product12 << NOISE_LIFT, self.scale.shift)),
            self.noise.eq(round_half(half13)),
        ]
        return m
