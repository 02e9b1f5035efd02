"""Walks the rows of a program, one coupling word a cycle, and waits at barriers.

Twin: the cycle formula of `gibbsite_models.golden.graph`.
"""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gibbsite_hw.graph_signatures import BARRIER_CYCLES, descriptor_layout, row_end_layout
from gibbsite_hw.spec.parameters import GraphParameters

__all__ = ["GraphSequencer"]


class GraphSequencer(wiring.Component):
    """Issues the words of a pass.

    ``rewind`` (a cycle, at least four cycles before the first ``go``) puts it before row 0. While
    ``go`` is high it issues words: ``valid`` with ``word`` (the address), ``opens`` on the first
    word of a row and ``ends`` with ``row_end`` on its last one. ``pass_done`` is high in the last
    cycle of a pass, so a pass takes exactly sum(length) + BARRIER_CYCLES * barriers cycles and the
    next may follow at once. The row memory is read through ``row_address`` and ``row_data``
    (synchronous, one cycle).
    """

    def __init__(self, parameters: GraphParameters) -> None:
        self._parameters = parameters
        word_bits = (parameters.words - 1).bit_length()
        super().__init__(
            {
                "rewind": In(1),
                "go": In(1),
                "rows": In(range(parameters.rows + 1)),
                "row_address": Out(parameters.row_bits),
                "row_data": In(descriptor_layout(parameters)),
                "valid": Out(1),
                "word": Out(word_bits),
                "opens": Out(1),
                "ends": Out(1),
                "row": Out(parameters.row_bits),
                "row_end": Out(row_end_layout(parameters)),
                "pass_done": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        parameters = self._parameters
        row = Signal(parameters.row_bits)
        following = Signal(parameters.row_bits)
        current = Signal(descriptor_layout(parameters))
        index = Signal(parameters.max_degree.bit_length())
        wait = Signal(range(BARRIER_CYCLES + 1))
        last_row = Signal()
        settle = Signal(range(4))
        take = Signal()
        after = Signal(parameters.row_bits)
        ends = Signal()

        # The descriptor of the following row is always ready: its address is presented a cycle
        # ahead, so that rows of a single word can follow each other without a gap.
        m.d.comb += [
            after.eq(Mux(following + 1 == self.rows, 0, following + 1)),
            self.row_address.eq(Mux(self.rewind, 0, Mux(take, after, following))),
            last_row.eq(row + 1 == self.rows),
        ]
        with m.If(take):
            m.d.sync += [row.eq(following), following.eq(after), current.eq(self.row_data)]
        with m.If(self.rewind):
            m.d.sync += [following.eq(0), settle.eq(1), index.eq(0), wait.eq(0), self.word.eq(0)]
        with m.Elif(settle != 0):
            # Cycle 1 after rewind: row 0's descriptor is out.
            m.d.comb += take.eq(settle == 1)
            m.d.sync += settle.eq(Mux(settle == 2, 0, settle + 1))

        with m.If(self.go):
            with m.If(wait != 0):
                m.d.sync += wait.eq(wait - 1)
                with m.If(wait == 1):
                    m.d.comb += take.eq(1)
                    m.d.comb += self.pass_done.eq(last_row)
                    with m.If(last_row):
                        m.d.sync += self.word.eq(0)
            with m.Else():
                m.d.comb += [
                    self.valid.eq(1),
                    self.opens.eq(index == 0),
                    ends.eq(index + 1 == current.length),
                ]
                m.d.sync += [index.eq(index + 1), self.word.eq(self.word + 1)]
                with m.If(ends):
                    m.d.sync += index.eq(0)
                    with m.If(current.barrier):
                        m.d.sync += wait.eq(BARRIER_CYCLES)
                    with m.Else():
                        m.d.comb += take.eq(1)
        m.d.comb += [
            self.ends.eq(ends),
            self.row.eq(row),
            self.row_end.row.eq(row),
            self.row_end.fold.eq(current.fold),
            self.row_end.group.eq(current.group),
            self.row_end.first.eq(current.first),
            self.row_end.last.eq(current.last),
            self.row_end.pass_end.eq(last_row),
            self.row_end.mask.eq(current.mask),
        ]
        return m
