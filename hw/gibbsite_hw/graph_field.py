"""Adds up the neighbour terms of a row's slots: the first stages of the graph engine.

Twin: ``GraphEngine.field`` of `gibbsite_models.golden.graph`.
"""

from amaranth.hdl import Cat, Module, Mux, Signal, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gibbsite_hw.spec.parameters import GraphParameters

__all__ = ["GraphField"]


class GraphField(wiring.Component):
    """Fields ``f = b + sum w v`` of the L slots of a row.

    Cycle 1 of the pipeline: ``valid``, ``opens``, ``row`` and each lane's ``entry`` (just read
    from the coupling memory); ``address`` goes to the spin memory, whose word ``spins`` comes in
    cycle 2, when the terms are added. In cycle 3 ``fold`` and ``bias`` are given and ``field``
    (combinational) is the field of the row whose last word was in cycle 1 two cycles before. With
    ``starting`` high only neighbours in rows before ``row`` count. ``terms`` is the number of
    entries of non-zero weight in the word of cycle 1.
    """

    def __init__(self, parameters: GraphParameters) -> None:
        self._parameters = parameters
        lanes = parameters.lanes
        super().__init__(
            {
                "starting": In(1),
                "valid": In(1),
                "opens": In(1),
                "row": In(parameters.row_bits),
                "entry": In(unsigned(parameters.address_bits + parameters.weight_bits + 1)).array(
                    lanes
                ),
                "terms": Out(range(lanes + 1)),
                "address": Out(unsigned(parameters.row_bits)).array(lanes),
                "spins": In(unsigned(lanes)).array(lanes),
                "fold": In(range(parameters.lane_bits + 1)),
                "bias": In(signed(parameters.bias_bits)).array(lanes),
                "field": Out(signed(parameters.field_bits)).array(lanes),
            }
        )

    def elaborate(self, platform):
        m = Module()
        parameters = self._parameters
        lanes = parameters.lanes
        valid2, opens2 = Signal(), Signal()
        m.d.sync += [valid2.eq(self.valid), opens2.eq(self.opens)]
        sums = []
        present = []
        for lane in range(lanes):
            entry = self.entry[lane]
            place = entry[: parameters.lane_bits]
            row = entry[parameters.lane_bits : parameters.address_bits]
            weight = entry[parameters.address_bits :][: parameters.weight_bits].as_signed()
            m.d.comb += self.address[lane].eq(row)
            present.append(weight != 0)
            place2 = Signal(parameters.lane_bits, name=f"place2_{lane}")
            weight2 = Signal(signed(parameters.weight_bits), name=f"weight2_{lane}")
            state2 = Signal(name=f"state2_{lane}")
            counts = ~self.starting | (row < self.row)
            m.d.sync += [
                place2.eq(place),
                weight2.eq(Mux(counts, weight, 0)),
                state2.eq(entry[-1]),
            ]
            total = Signal(signed(parameters.field_bits), name=f"total{lane}")
            spin, down = Signal(name=f"spin{lane}"), Signal(name=f"down{lane}")
            term = Signal(signed(parameters.weight_bits), name=f"term{lane}")
            # a p-bit that is -1 adds the weight's complement and one
            m.d.comb += [
                spin.eq(self.spins[lane].bit_select(place2, 1)),
                down.eq(~spin & ~state2),
                term.eq(Mux(spin, weight2, Mux(state2, 0, ~weight2))),
            ]
            before = Mux(opens2, 0, total)
            with m.If(valid2):
                m.d.sync += total.eq(
                    (Cat(down, before).as_signed() + Cat(down, term).as_signed()) >> 1
                )
            sums.append(total)
        m.d.comb += self.terms.eq(sum(present))

        # Level k holds, at lanes that are multiples of 2^k, the sum of the 2^k lanes from there.
        levels = [sums]
        for level in range(parameters.lane_bits):
            below = levels[-1]
            half = 1 << level
            row_sums = []
            for lane in range(lanes):
                if lane % (2 * half):
                    row_sums.append(None)
                    continue
                both = Signal(signed(parameters.field_bits), name=f"fold{level + 1}_{lane}")
                m.d.comb += both.eq(below[lane] + below[lane + half])
                row_sums.append(both)
            levels.append(row_sums)
        for lane in range(lanes):
            chosen = levels[0][lane]
            for level in range(1, parameters.lane_bits + 1):
                if levels[level][lane] is not None:
                    chosen = Mux(self.fold >= level, levels[level][lane], chosen)
            m.d.comb += self.field[lane].eq(chosen + self.bias[lane])
        return m
