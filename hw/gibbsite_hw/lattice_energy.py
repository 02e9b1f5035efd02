"""The energy of a bank, and which state is the best: ``E = sum_A b s + sum_B f s``, exact.

``s v`` is v or its complement plus one; the ones of a tree of sums come in as the carries of its
sums, one of them with the last sum. Values come with half their range added, which leaves them as
they are under the complement and takes the signs out of the tree; ``preset`` takes all of it off.

Twin: ``energy`` in `gibbsite_models.golden.lattice.LatticeEngine.sweep`.
"""

from amaranth.hdl import Module, Mux, Signal, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gibbsite_hw.lattice_delays import held
from gibbsite_hw.lattice_plan import LatticePlan
from gibbsite_hw.lattice_signatures import slot_layout
from gibbsite_hw.spec.lattice_parameters import LatticeParameters

__all__ = ["LatticeEnergy"]


class LatticeEnergy(wiring.Component):
    """``spins`` and ``values`` come in the plan's cycle ``spin``, ``slot`` in its cycle ``energy``.

    A cycle behind the last slot of a sweep ``energy`` is right; one more, and ``lower`` says for a
    cycle that it is the lowest so far, which then becomes ``best_energy``. A start sweep begins
    anew.
    """

    def __init__(self, parameters: LatticeParameters) -> None:
        self._parameters = parameters
        self._tree = LatticePlan(parameters).tree
        super().__init__(
            {
                "spins": In(parameters.lanes),
                "values": In(unsigned(parameters.field_bits)).array(parameters.lanes),
                "preset": In(signed(parameters.energy_bits)),
                "slot": In(slot_layout(parameters)),
                "energy": Out(signed(parameters.energy_bits)),
                "best_energy": Out(signed(parameters.energy_bits)),
                "lower": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        total, carry = self._add_up(m)
        slot, energy, best = self.slot, self.energy, self.best_energy
        ended, started = Signal(), Signal()
        with m.If(slot.valid):
            m.d.sync += energy.eq(Mux(slot.first, self.preset, energy) + total + carry)
        m.d.sync += [ended.eq(slot.valid & slot.last), started.eq(slot.start)]
        m.d.comb += self.lower.eq(ended & (started | (energy < best)))
        with m.If(self.lower):
            m.d.sync += best.eq(energy)
        return m

    def _add_up(self, m):
        """The sum of all lanes but for one carry, and this."""
        nodes, bits = [], self._parameters.field_bits
        for lane in range(self._parameters.lanes):
            minus = ~self.spins[lane]
            value = self.values[lane] ^ minus.replicate(bits)
            nodes.append((value, minus))
        for level in range(self._tree):
            following = []
            for at in range(0, len(nodes), 2):
                (left, first), *rest = nodes[at : at + 2]
                name = f"{level}_{at // 2}"
                total = Signal(bits + level + 1, name=f"sum{name}", reset_less=True)
                right, second = rest[0] if rest else (0, 0)
                # a lane alone keeps its carry
                m.d.sync += total.eq(left + right + (first if rest else 0))
                following.append((total, held(m, f"one{name}", second if rest else first)))
            nodes = following
        ((total, carry),) = nodes
        return total, carry
