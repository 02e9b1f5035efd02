"""Leads the columns of a program past the lanes, pass by pass: one slot a cycle.

Cycles as in `gibbsite_hw.spec.lattice_timing`.
"""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gibbsite_hw.lattice_delays import later
from gibbsite_hw.lattice_plan import LatticePlan
from gibbsite_hw.lattice_signatures import slot_layout
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.lattice_timing import GAP, SHORT, reach

__all__ = ["LatticePasses"]


class LatticePasses(wiring.Component):
    """``begin`` starts a sweep in the next cycle, from rest or in the cycle of ``ending``, the last
    one of the sweep before it. ``slot`` is what enters the pipeline: cycle 0 of the plan.

    ``columns`` is the program's size, ``sized`` comes before a new one, at least twice as many
    cycles before a sweep as lanes look ahead, and four. ``turn`` stands in the cycle before a pass.
    ``ports`` are the columns that the ports of the spin memories read, ``colours`` their colour;
    while ``reading`` that is ``read_column``, colour 0 and 1 on the first two ports.
    """

    def __init__(self, parameters: LatticeParameters) -> None:
        self._parameters = parameters
        self._offsets = LatticePlan(parameters).column_offsets
        column = range(parameters.columns)
        super().__init__(
            {
                "columns": In(range(parameters.columns + 1)),
                "sized": In(1),
                "begin": In(1),
                "start": In(1),
                "half": In(1),
                "ending": Out(1),
                "turn": Out(1),
                "slot": Out(slot_layout(parameters)),
                "reading": In(1),
                "read_column": In(column),
                "ports": Out(column).array(len(self._offsets)),
                "colours": Out(1).array(len(self._offsets)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        ahead = reach(self._parameters)
        tick = Signal(range(self._parameters.columns + 2 * ahead + SHORT))
        running, colour, valid, start = Signal(), Signal(), Signal(), Signal()
        streaming = Signal()
        last_column, wide = Signal.like(self.columns), Signal()
        column_before, tick_before = Signal.like(tick), Signal.like(tick)
        at_last_column, over, second, ending = (
            Signal(name=n) for n in ("at_last_column", "over", "second", "ending")
        )
        ends = (tick == tick_before) & ~self.turn & running
        m.d.sync += [
            last_column.eq(self.columns - 1),
            wide.eq(self.columns >= 2 * ahead + SHORT),
            column_before.eq(self.columns - 2),
            tick_before.eq(column_before + Mux(wide, GAP, 2 * ahead + SHORT)),
            # what the comparisons with the tick at hand would give, there from the cycle's start
            at_last_column.eq((tick == column_before) & ~self.turn),
            over.eq(ends),
            second.eq(ends & ~colour),
            ending.eq(ends & colour),
        ]
        m.d.comb += [self.ending.eq(ending), self.turn.eq(second | self.begin)]
        m.d.sync += tick.eq(tick + 1)
        with m.If(self.turn):
            m.d.sync += [
                tick.eq(0),
                valid.eq(1),
                colour.eq(second),
                running.eq(1),
                # the pass before this one ends just now
                streaming.eq(wide & running),
            ]
        with m.Else():
            with m.If(at_last_column):
                m.d.sync += valid.eq(0)
            with m.If(over):
                m.d.sync += running.eq(0)
        with m.If(self.begin):
            m.d.sync += start.eq(self.start)
        column = tick[: len(self.ports[0])]
        m.d.comb += [
            self.slot.valid.eq(valid),
            self.slot.colour.eq(colour),
            self.slot.x.eq(column[0] ^ colour),
            self.slot.column.eq(column),
            self.slot.first.eq((tick == 0) & ~colour),
            self.slot.last.eq(at_last_column & colour),
            self.slot.start.eq(start),
            self.slot.half.eq(self.half),
            self.slot.near.eq(streaming & (tick == 0)),
            self.slot.far.eq(streaming & (tick < 4)),
        ]
        self._ports(m, last_column, colour)
        return m

    def _ports(self, m, last_column, colour):
        """A column for each port, on the torus; a pass begins with ``offset mod columns``."""
        # After a new size both count from column 0, one up, one down: after n cycles they stand at
        # n and -n on the torus.
        count = Signal(range(reach(self._parameters) + 2))
        up, down = (Signal.like(self.ports[0], name=name) for name in ("up", "down"))
        with m.If(later(m, "sized", self.sized, 2)):
            m.d.sync += [count.eq(0), up.eq(0), down.eq(0)]
        with m.Elif(count != reach(self._parameters) + 1):
            m.d.sync += [
                count.eq(count + 1),
                up.eq(Mux(up == last_column, 0, up + 1)),
                down.eq(Mux(down == 0, last_column, down - 1)),
            ]
        for number, offset in enumerate(self._offsets):
            port = Signal.like(self.ports[0], name=f"port{number}")
            first = Signal.like(port, name=f"first{number}")
            odd = Signal(name=f"colour{number}")
            with m.If(count == abs(offset)):
                m.d.sync += first.eq(up if offset >= 0 else down)
            m.d.sync += port.eq(Mux(port == last_column, 0, port + 1))
            with m.If(self.turn):
                # a pass of colour 0 comes behind one of colour 1 and reads that
                m.d.sync += [port.eq(first), odd.eq(self.begin)]
            with m.If(self.reading):
                m.d.sync += [port.eq(self.read_column), odd.eq(number)]
            m.d.comb += [self.ports[number].eq(port), self.colours[number].eq(odd)]
