"""Chains, passes and draws of the graph engine.

What is needed between two passes is held in registers; the numbers of chain and draw, how many of
them are left and all settings lie in the books and are worked on while no cycle is counted.

Twin: ``run`` of `gibbsite_models.golden.graph`.
"""

from enum import IntEnum

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gibbsite_hw.device_books import FIRST_COUNTER, SCRATCH, request_signature
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.registers import Register

__all__ = ["GraphControl", "share_books"]

CHAIN, DRAW, _CHAINS_LEFT, _DRAWS_LEFT = range(SCRATCH, SCRATCH + 4)
"""Words of the books."""
assert SCRATCH > FIRST_COUNTER


class _Line(IntEnum):
    """What the books do before a run, before a chain and after a draw, in this order."""

    FIRST_CHAIN = 0
    CHAINS = 1
    STEPS = 2
    FIRST_DRAW = 3
    DRAWS = 4
    SWEEPS = 5
    SEED_LOW = 6
    SEED_HIGH = 7
    KEY = 8
    NEXT_DRAW = 9
    THIN = 10
    DRAWN = 11
    NEXT_CHAIN = 12
    CHAINED = 13


class GraphControl(wiring.Component):
    """One run after ``start``, until ``finished`` (one cycle, with ``aborted``).

    Before each chain the books' words SEED_LOW, SEED_HIGH and the chain's number are read with
    ``key`` 1, 2 and 3; then ``seed`` comes once a lane, upon which ``seeded`` must come. While
    ``passing``, ``pass_done`` ends a pass. ``draw`` asks for a draw, upon which ``drawn`` must
    come. ``beta`` is that of the pass, ``schedule_address`` reads the schedule (synchronous).
    """

    def __init__(self, parameters: GraphParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "start": In(1),
                "abort": In(1),
                "busy": Out(1),
                "finished": Out(1),
                "aborted": Out(1),
                "books": Out(request_signature),
                "word": In(32),
                "zero": In(1),
                "turned": In(1),
                "restart": Out(1),
                "key": Out(2),
                "lane": Out(parameters.lane_bits),
                "seed": Out(1),
                "seeding": Out(1),
                "seeded": In(1),
                "rewind": Out(1),
                "passing": Out(1),
                "starting": Out(1),
                "sweeping": Out(1),
                "pass_done": In(1),
                "swept": Out(1),
                "schedule_address": Out(range(parameters.schedule_steps)),
                "schedule_beta": In(parameters.beta_bits),
                "beta": Out(parameters.beta_bits),
                "draw": Out(1),
                "drawn": In(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        lanes = self._parameters.lanes
        line = Signal(4)
        steps, step = (Signal(range(self._parameters.schedule_steps + 1)) for _ in range(2))
        sweeps, left = Signal(32), Signal(32)  # passes at a beta or between draws; of them left
        load, settle = Signal(), Signal(2)
        books = self.books
        m.d.comb += self.schedule_address.eq(step)
        with m.Switch(line):
            for at, source in (
                (_Line.FIRST_CHAIN, Register.FIRST_CHAIN),
                (_Line.CHAINS, Register.CHAINS),
                (_Line.STEPS, Register.STEPS),
                (_Line.DRAWS, Register.DRAWS),
                (_Line.SWEEPS, Register.SWEEPS_PER_STEP),
                (_Line.SEED_LOW, Register.SEED_LOW),
                (_Line.SEED_HIGH, Register.SEED_HIGH),
                (_Line.KEY, CHAIN),
                (_Line.NEXT_DRAW, DRAW),
                (_Line.THIN, Register.THIN),
                (_Line.DRAWN, _DRAWS_LEFT),
                (_Line.NEXT_CHAIN, CHAIN),
                (_Line.CHAINED, _CHAINS_LEFT),
            ):
                with m.Case(at):
                    m.d.comb += books.source.eq(source)
        with m.Switch(line):
            for at, target in (
                (_Line.FIRST_CHAIN, CHAIN),
                (_Line.CHAINS, _CHAINS_LEFT),
                (_Line.FIRST_DRAW, DRAW),
                (_Line.DRAWS, _DRAWS_LEFT),
                (_Line.NEXT_DRAW, DRAW),
                (_Line.DRAWN, _DRAWS_LEFT),
                (_Line.NEXT_CHAIN, CHAIN),
                (_Line.CHAINED, _CHAINS_LEFT),
            ):
                with m.Case(at):
                    m.d.comb += [books.write.eq(1), books.target.eq(target)]
        m.d.comb += [
            books.blank.eq(line == _Line.FIRST_DRAW),
            books.more.eq((line == _Line.NEXT_DRAW) | (line == _Line.NEXT_CHAIN)),
            books.less.eq((line == _Line.DRAWN) | (line == _Line.CHAINED)),
        ]
        with m.FSM() as machine:
            m.d.comb += self.busy.eq(~machine.ongoing("IDLE"))
            with m.State("IDLE"):
                m.d.sync += line.eq(0)
                with m.If(self.start):
                    m.d.comb += self.restart.eq(1)
                    m.next = "BOOKS"
            with m.State("BOOKS"):
                m.d.comb += books.valid.eq(1)
                with m.Switch(line):
                    for number, at in enumerate((_Line.SEED_LOW, _Line.SEED_HIGH, _Line.KEY)):
                        with m.Case(at):
                            m.d.comb += self.key.eq(number + 1)
                with m.If(books.done):
                    m.d.sync += line.eq(line + 1)
                    with m.Switch(line):
                        with m.Case(_Line.STEPS):
                            m.d.sync += steps.eq(self.word)
                        with m.Case(_Line.SWEEPS, _Line.THIN):
                            m.d.sync += sweeps.eq(self.word)
                        with m.Case(_Line.KEY):
                            m.d.sync += [load.eq(1), self.lane.eq(0)]
                            m.next = "SEED"
                        with m.Case(_Line.DRAWN), m.If(~self.zero):
                            m.d.sync += left.eq(sweeps)
                            m.next = "PASS"
                            with m.If(self.abort):
                                m.next = "ABORTED"
                        with m.Case(_Line.CHAINED):
                            m.d.sync += line.eq(_Line.FIRST_DRAW)
                            with m.If(self.zero):
                                m.next = "FINISHED"
                            with m.Elif(self.abort):
                                m.next = "ABORTED"
            with m.State("SEED"):
                m.d.comb += [
                    self.seeding.eq(1),
                    self.seed.eq(load),
                    self.rewind.eq(load & (self.lane == 0)),
                ]
                m.d.sync += [
                    load.eq(0),
                    self.starting.eq(1),
                    self.sweeping.eq(0),
                    self.beta.eq(0),
                    step.eq(0),
                    left.eq(1),
                ]
                with m.If(self.seeded):
                    m.d.sync += [self.lane.eq(self.lane + 1), load.eq(1)]
                    with m.If(self.lane == lanes - 1):
                        m.next = "PASS"
            with m.State("PASS"):
                m.d.comb += self.passing.eq(1)
                with m.If(self.pass_done):
                    m.d.comb += self.swept.eq(self.sweeping)
                    m.d.sync += [self.starting.eq(0), self.sweeping.eq(1), left.eq(left - 1)]
                    with m.If(self.abort):
                        m.next = "ABORTED"
                    with m.Elif(left == 1):
                        m.d.sync += left.eq(sweeps)
                        with m.If(step != steps):
                            m.d.sync += [self.beta.eq(self.schedule_beta), step.eq(step + 1)]
                        with m.Else():
                            m.d.sync += settle.eq(0)
                            m.next = "SETTLE"
            with m.State("SETTLE"):
                # The last commit and the comparison with the best energy come to rest.
                m.d.sync += settle.eq(settle + 1)
                with m.If(settle == 2):
                    m.d.comb += self.draw.eq(1)
                    m.next = "DRAW"
            with m.State("DRAW"):
                m.d.sync += line.eq(_Line.NEXT_DRAW)
                with m.If(self.drawn):
                    m.next = "BOOKS"
            for name in ("FINISHED", "ABORTED"):
                with m.State(name):
                    # All that was counted is in the books when the counters went round twice.
                    m.d.sync += line.eq(0)
                    with m.If(self.turned):
                        m.next = f"{name}_TURN"
                with m.State(f"{name}_TURN"), m.If(self.turned):
                    m.d.comb += [self.finished.eq(1), self.aborted.eq(name == "ABORTED")]
                    m.next = "IDLE"
        return m


def share_books(m, books, control, readout):
    """The engine's side of ``books``: the readout asks while the control waits for it."""
    m.d.comb += [
        getattr(books.engine, name).eq(getattr(control.books, name))
        for name in ("target", "write", "blank", "outside", "more", "less")
    ]
    m.d.comb += [
        books.engine.valid.eq(control.books.valid | readout.fetch),
        books.engine.source.eq(control.books.source),
    ]
    with m.If(readout.fetch):
        m.d.comb += [
            books.engine.source.eq(Mux(readout.fetch_draw, DRAW, CHAIN)),
            books.engine.write.eq(0),
            books.engine.more.eq(0),
        ]
