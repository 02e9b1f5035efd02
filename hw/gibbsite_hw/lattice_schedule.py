"""The beta schedule: memory, whose step's table is computed, and which of the tables holds it.

Twin: ``waits`` in `gibbsite_hw.spec.lattice_timing.group_cycles`.
"""

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gibbsite_hw.lattice_delays import held
from gibbsite_hw.lattice_memory import block_memory, read_word
from gibbsite_hw.lattice_signatures import LatticeMemories, lattice_write_signature
from gibbsite_hw.lattice_thresholds import LatticeThresholds, table_write_layout
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.lattice_tables import BETA_BITS
from gibbsite_hw.spec.lattice_timing import table_cycles

__all__ = ["LatticeSchedule"]


class LatticeSchedule(wiring.Component):
    """``rewind`` goes back to step 0, three cycles or more before ``begin``, which stands before
    the first cycle of seeding. ``enter`` stands before the first cycle of a step.

    The table that comes next is ``fresh`` until a step enters it, and ``ready`` if it may enter
    behind the cycle at hand, by the cycles that ``counting`` counts. ``last``: no step comes
    behind the one at hand. ``half`` is the table in use, from the cycle behind ``enter`` on.

    In a build with one table a lane, ``leave`` stands in the last cycle of a step, ahead of one
    that needs a table: this is begun now. Lanes look up their last fields before its first entries
    come.
    """

    def __init__(self, parameters: LatticeParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "write": In(lattice_write_signature(parameters)),
                "steps": In(32),
                "rewind": In(1),
                "begin": In(1),
                "enter": In(1),
                "leave": In(1),
                "counting": In(1),
                "fresh": Out(1),
                "ready": Out(1),
                "last": Out(1),
                "half": Out(1),
                "table": Out(table_write_layout(parameters)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        parameters, write = self._parameters, self.write
        m.submodules.thresholds = thresholds = LatticeThresholds(parameters)
        m.submodules.betas = betas = block_memory(unsigned(BETA_BITS), parameters.schedule_steps)
        port = betas.write_port()
        m.d.comb += [
            port.addr.eq(write.step),
            port.data.eq(write.data),
            port.en.eq(write.enable & (write.memory == LatticeMemories.SCHEDULE)),
        ]
        step = Signal(32)  # whose table comes next
        beta = held(m, "beta", read_word(m, betas, step[: len(port.addr)], "beta_out"))
        more, none, further = Signal(), Signal(), Signal()
        m.d.sync += [
            more.eq(step != self.steps),
            none.eq(self.steps == 0),
            further.eq(more & ~none),
        ]

        compute = Signal()
        left = Signal(range(table_cycles(parameters) + 1))
        none_left, one_left = Signal(init=1), Signal()  # as `left` says
        counted = self.counting
        twice = parameters.tables == 2
        written = held(m, "written_half", Mux(self.enter, self.half, ~self.half)) if twice else 0
        ready = none_left | (one_left & counted)
        m.d.comb += [
            compute.eq(self.begin | (self.enter & further if twice else self.leave)),
            self.ready.eq(ready if twice else ready & self.fresh),
            # a cycle later: the last entries come one before the first lane looks for them
            thresholds.begin.eq(held(m, "begun", compute)),
            thresholds.beta.eq(Mux(none, 0, beta)),
            thresholds.half.eq(written),
            self.table.eq(thresholds.write),
        ]
        m.d.sync += [
            none_left.eq((left == 0) | ((left == 1) & counted)),
            one_left.eq(Mux(counted, left == 2, left == 1)),
        ]
        with m.If(counted & (left != 0)):
            m.d.sync += left.eq(left - 1)
        with m.If(self.enter):
            m.d.sync += [self.fresh.eq(0), self.last.eq(~more)]
            if twice:
                m.d.sync += self.half.eq(~self.half)
        with m.If(compute):
            m.d.sync += [
                step.eq(step + 1),
                self.fresh.eq(1),
                left.eq(table_cycles(parameters)),
                none_left.eq(0),
                one_left.eq(0),
            ]
        with m.If(self.rewind):
            m.d.sync += step.eq(0)
        return m
