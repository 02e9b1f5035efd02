"""Walks through the schedule: settings of this step and the one before, draws that are due.

Twin: ``Schedule`` of `gibbsite_models.golden.langevin_schedule`.
"""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gibbsite_hw.langevin_signatures import (
    LangevinMemories,
    entry_layout,
    langevin_write_signature,
    scale_layout,
    strengths_layout,
)
from gibbsite_hw.spec.langevin_parameters import LangevinParameters

__all__ = ["LangevinSchedule"]


class LangevinSchedule(wiring.Component):
    """At step p of a chain: settings, and whether a draw is ``due`` at pass p.

    While ``idle`` the strengths of the last entry are read, from ``open`` (the first cycle after
    it) on they stand in ``strengths_end``. ``rewind``, two cycles or more later, goes to step 0;
    ``advance`` to the next step; ``drawn`` with or before it says that the draw was sent. On the
    ``final`` pass, that of the last draw, there is no step and the new strengths are the old ones.
    """

    def __init__(self, parameters: LangevinParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "write": In(langevin_write_signature(parameters)),
                "entries": In(32),
                "thin": In(32),
                "moment_every": In(32),
                "trajectory": In(1),
                "last_draw": In(1),
                "idle": In(1),
                "open": In(1),
                "seeding": In(1),
                "rewind": In(1),
                "looked": In(1),
                "advance": In(1),
                "drawn": In(1),
                "step": Out(32),
                "due": Out(1),
                "final": Out(1),
                "adding": Out(1),
                "measured_old": Out(1),
                "measured_new": Out(1),
                "rate": Out(scale_layout),
                "noise": Out(scale_layout),
                "strengths_old": Out(strengths_layout()),
                "strengths_new": Out(strengths_layout()),
                "strengths_end": Out(strengths_layout()),
            }
        )

    def elaborate(self, platform):
        m = Module()
        depth = self._parameters.schedule_entries
        m.submodules.entries = memory = Memory(shape=entry_layout(), depth=depth, init=[])
        write, write_port, port = self.write, memory.write_port(), memory.read_port()
        words = [write.data[32 * n : 32 * n + 32] for n in range(9)]
        m.d.comb += [
            write_port.addr.eq(write.address),
            write_port.data.repeat.eq(words[0]),
            write_port.data.measure.eq(words[0][31]),
            write_port.data.rate.eq(words[1]),
            write_port.data.noise.eq(words[2]),
            *(write_port.data.strengths[n].eq(words[3 + n]) for n in range(6)),
            write_port.en.eq(write.enable & (write.memory == LangevinMemories.SCHEDULE)),
        ]
        entry = Signal(range(depth + 1))
        now = Signal(entry_layout())
        left = Signal.like(now.repeat)
        m.d.comb += [
            port.addr.eq(Mux(self.idle, self.entries - 1, Mux(self.seeding, 0, entry))),
            self.rate.eq(now.rate),
            self.noise.eq(now.noise),
            self.measured_new.eq(now.measure & ~self.final),
            self.strengths_new.eq(Mux(self.final, self.strengths_old, now.strengths)),
        ]
        # Draws: the first one when the schedule is through, or at once; then every `thin` steps.
        armed, wait = Signal(), Signal(32)
        m.d.comb += [
            self.due.eq(armed & (wait == 0)),
            self.final.eq(self.due & self.last_draw),
        ]
        # Moments: after every so many measured steps.
        counted = Signal(32)
        m.d.comb += self.adding.eq(self.measured_old & (counted + 1 == self.moment_every))
        with m.If(self.looked & self.measured_old):
            m.d.sync += counted.eq(Mux(self.adding, 0, counted + 1))

        with m.If(self.open):
            m.d.sync += self.strengths_end.eq(port.data.strengths)
        with m.If(self.rewind):
            m.d.sync += [
                now.eq(port.data),
                left.eq(port.data.repeat),
                entry.eq(1),
                self.strengths_old.eq(port.data.strengths),
                self.measured_old.eq(0),
                self.step.eq(0),
                armed.eq(self.trajectory),
                wait.eq(0),
                counted.eq(0),
            ]
        with m.If(self.advance):
            m.d.sync += [
                self.step.eq(self.step + 1),
                self.strengths_old.eq(now.strengths),
                self.measured_old.eq(now.measure),
                left.eq(left - 1),
            ]
            # The entry behind the one at hand has been read since this one began.
            with m.If(left == 1):
                with m.If(entry != self.entries):
                    m.d.sync += [now.eq(port.data), left.eq(port.data.repeat), entry.eq(entry + 1)]
                with m.Else():
                    m.d.sync += armed.eq(1)
            with m.If(self.drawn):
                m.d.sync += wait.eq(self.thin - 1)
            with m.Elif(wait != 0):
                m.d.sync += wait.eq(wait - 1)
        return m
