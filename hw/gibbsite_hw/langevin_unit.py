"""The units: what the device holds of each, its step, and its heat.

    z'    = sat((z 2^8 - rs(rate gradient_new) + noise + dither) >> 8)      held units: z' = z
    heat -= rs(rs(kept gradient + gradient_old, 5) rs(z - z_before, 4), 12)

Twin: ``step`` of `gibbsite_models.golden.langevin`.
"""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gibbsite_hw.langevin_arithmetic import delayed, half_shift, round_by, round_half, saturate
from gibbsite_hw.langevin_dot import sum_bits
from gibbsite_hw.langevin_force import (
    FORCE_BITS,
    STATE_BITS,
    LangevinForce,
    unit_layout,
)
from gibbsite_hw.langevin_noise import LangevinNoise
from gibbsite_hw.langevin_residual import ENERGY_SUM_BITS
from gibbsite_hw.langevin_signatures import (
    LangevinMemories,
    langevin_write_signature,
    scale_layout,
    shifts_layout,
    slot_layout,
    strengths_layout,
)
from gibbsite_hw.spec.langevin_formats import (
    ACCUMULATOR_MAX,
    COEFFICIENT_BITS,
    DITHER_BITS,
    MANTISSA_BITS,
    OPERAND_MAX,
    OPERAND_SHIFT,
    STATE_MAX,
    TERMS,
)
from gibbsite_hw.spec.langevin_parameters import LangevinParameters

__all__ = ["HEAT_BITS", "LangevinUnit"]

HEAT_BITS = ACCUMULATOR_MAX.bit_length() + 1
_clamp = data.StructLayout({"clamped": 1, "state": signed(STATE_BITS)})


class LangevinUnit(wiring.Component):
    """Cycle 0: ``slot``. Cycle 6: sums. Cycle 16: the operand of the new state, with ``put``.

    ``starting``: units get their first state; ``stepping``: they move; with neither they are only
    looked at. ``clear`` (before a pass) sets energies and ``heat`` to zero. ``totals_ready``: the
    energies hold all units (cycle 12); ``ended``: everything does (cycle 16). ``copying`` keeps
    the states of the pass before as the best. While ``reading`` the states that the last pass saw
    are read at two addresses, the best ones at the first of these (synchronous).
    """

    def __init__(self, parameters: LangevinParameters) -> None:
        self._parameters = parameters
        layout = slot_layout(parameters)
        index = layout["index"].shape
        super().__init__(
            {
                "write": In(langevin_write_signature(parameters)),
                "seeded": In(1),
                "seed_index": In(index),
                "seed_state": In(128),
                "shifts": In(shifts_layout),
                "strengths_old": In(strengths_layout()),
                "strengths_new": In(strengths_layout()),
                "rate": In(scale_layout),
                "noise": In(scale_layout),
                "starting": In(1),
                "stepping": In(1),
                "heating": In(1),
                "copying": In(1),
                "clear": In(1),
                "slot": In(layout),
                "coupling": In(signed(sum_bits(parameters))),
                "constraint": In(signed(sum_bits(parameters))),
                "put": Out(1),
                "index": Out(index),
                "operand": Out(signed(OPERAND_MAX.bit_length() + 1)),
                "totals_ready": Out(1),
                "ended": Out(1),
                "energies": Out(signed(ENERGY_SUM_BITS)).array(len(TERMS)),
                "heat": Out(signed(HEAT_BITS)),
                "reading": In(1),
                "read_index": In(index).array(2),
                "read_state": Out(signed(STATE_BITS)).array(2),
                "read_best": Out(signed(STATE_BITS)),
                "saturations": Out(4),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.force = force = LangevinForce(self._parameters)
        m.submodules.noise = noise = LangevinNoise(self._parameters)
        valid = delayed(m, "valid", self.slot.unit, 16)
        index = delayed(m, "index", self.slot.index, 16)
        final = delayed(m, "final", self.slot.final, 16)
        states = self._memory(m, "states", signed(STATE_BITS))
        before = self._memory(m, "before", signed(STATE_BITS))
        best = self._memory(m, "best", signed(STATE_BITS))
        kept = self._memory(m, "kept", signed(FORCE_BITS))
        ports = self._loaded(m)
        early_port, state_port, state_write = (
            states.read_port(),
            states.read_port(),
            states.write_port(),
        )
        before_ports = [before.read_port(), before.read_port()]
        before_write, best_write, kept_write = (
            before.write_port(),
            best.write_port(),
            kept.write_port(),
        )
        best_port, kept_port = best.read_port(), kept.read_port()

        m.d.comb += [
            # Cycles 0 to 12: forces.
            early_port.addr.eq(self.slot.index),
            force.shifts.eq(self.shifts),
            force.strengths_old.eq(self.strengths_old),
            force.strengths_new.eq(self.strengths_new),
            force.clear.eq(self.clear),
            force.quiet.eq(self.starting),
            force.valid.eq(self.slot.unit),
            force.state.eq(early_port.data),
            force.coupling.eq(self.coupling),
            force.constraint.eq(self.constraint),
            *(a.eq(b) for a, b in zip(self.energies, force.energies, strict=True)),
            # Cycles 5 to 14: noise.
            noise.seeded.eq(self.seeded),
            noise.seed_index.eq(self.seed_index),
            noise.seed_state.eq(self.seed_state),
            noise.scale.eq(self.noise),
            noise.valid.eq(valid[5]),
            noise.index.eq(index[5]),
            # Cycle 5 and 11: addresses of what the next cycle needs.
            ports["units"].addr.eq(index[5]),
            ports["biases"].addr.eq(index[5]),
            force.unit.eq(ports["units"].data),
            force.bias.eq(ports["biases"].data),
            ports["clamps"].addr.eq(index[11]),
            ports["initial"].addr.eq(index[11]),
            state_port.addr.eq(index[11]),
            kept_port.addr.eq(index[11]),
            before_ports[0].addr.eq(Mux(self.reading, self.read_index[0], index[11])),
            before_ports[1].addr.eq(self.read_index[1]),
            best_port.addr.eq(self.read_index[0]),
            self.read_state[0].eq(before_ports[0].data),
            self.read_state[1].eq(before_ports[1].data),
            self.read_best.eq(best_port.data),
        ]
        # Cycle 12: the state; what the pass leaves behind.
        clamp12 = ports["clamps"].data
        state12, start12 = Signal(signed(STATE_BITS)), Signal(signed(STATE_BITS))
        m.d.comb += [
            start12.eq(Mux(clamp12.clamped, clamp12.state, ports["initial"].data)),
            state12.eq(Mux(self.starting, start12, state_port.data)),
            before_write.addr.eq(index[12]),
            before_write.data.eq(state12),
            before_write.en.eq(valid[12]),
            kept_write.addr.eq(index[12]),
            kept_write.data.eq(force.gradient_new),
            kept_write.en.eq(valid[12]),
            best_write.addr.eq(index[12]),
            best_write.data.eq(before_ports[0].data),
            best_write.en.eq(valid[12] & self.copying),
        ]
        # Cycles 12 to 14: heat.
        push13, way13 = Signal(signed(FORCE_BITS - 3)), Signal(signed(STATE_BITS - 2))
        heat14 = Signal(signed(len(push13) + len(way13)))
        heat15 = Signal(signed(len(heat14) - 11))
        m.d.sync += [
            push13.eq(round_by(kept_port.data + force.gradient_old, 5)),
            way13.eq(round_by(state12 - before_ports[0].data, 4)),
            heat14.eq(push13 * way13),
            heat15.eq(round_by(heat14, 12)),
        ]
        with m.If(self.clear):
            m.d.sync += self.heat.eq(0)
        with m.Elif(valid[15] & self.heating):
            m.d.sync += self.heat.eq(self.heat - heat15)
        # Cycles 12 to 14: the drift, and the sum of everything.
        state = delayed(m, "state_", state12, 3)
        held = delayed(m, "held", clamp12.clamped, 3)
        drift13 = Signal(signed(FORCE_BITS + MANTISSA_BITS + 1))
        drift14 = Signal(signed(FORCE_BITS + MANTISSA_BITS + 2))
        total15 = Signal(signed(len(noise.noise) + 2))
        m.d.sync += [
            drift13.eq(force.gradient_new * self.rate.mantissa),
            drift14.eq(half_shift(drift13, self.rate.shift)),
            total15.eq(
                (state[2] << DITHER_BITS)
                - Mux(self.starting, 0, round_half(drift14))
                + noise.noise
                + noise.dither
            ),
        ]
        # Cycles 15 and 16: saturate and write back.
        moved, saturates = saturate(m, "moved", total15 >> DITHER_BITS, STATE_MAX)
        new16 = Signal(signed(STATE_BITS))
        writing = self.starting | self.stepping
        m.d.sync += new16.eq(Mux(held[3], state[3], moved))
        m.d.comb += [
            self.put.eq(valid[16] & writing),
            self.index.eq(index[16]),
            self.operand.eq(round_by(new16, OPERAND_SHIFT)),
            state_write.addr.eq(index[16]),
            state_write.data.eq(new16),
            state_write.en.eq(self.put),
            self.totals_ready.eq(final[12]),
            self.ended.eq(final[16]),
            self.saturations.eq(force.saturations + (valid[15] & writing & ~held[3] & saturates)),
        ]
        return m

    def _memory(self, m, name, shape):
        memory = Memory(shape=shape, depth=self._parameters.units, init=[])
        m.submodules[name] = memory
        return memory

    def _loaded(self, m):
        """Read ports of the memories that the write port fills."""
        write = self.write
        words = [write.data[32 * n : 32 * n + 32] for n in range(3)]
        fields = {
            "units": dict(zip(("quadratic", "quartic", "force"), words, strict=True)),
            "clamps": {"clamped": words[0][0], "state": words[1]},
        }
        ports = {}
        for number, name, shape in (
            (LangevinMemories.UNITS, "units", unit_layout),
            (LangevinMemories.BIASES, "biases", signed(COEFFICIENT_BITS)),
            (LangevinMemories.CLAMPS, "clamps", _clamp),
            (LangevinMemories.STATE, "initial", signed(STATE_BITS)),
        ):
            memory = self._memory(m, name, shape)
            port, ports[name] = memory.write_port(), memory.read_port()
            m.d.comb += [
                port.addr.eq(write.address),
                port.en.eq(write.enable & (write.memory == number)),
            ]
            if name in fields:
                m.d.comb += [port.data[f].eq(word) for f, word in fields[name].items()]
            else:
                m.d.comb += port.data.eq(words[0])
        return ports
