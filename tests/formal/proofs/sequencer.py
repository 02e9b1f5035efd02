"""GraphSequencer feeds rows as `proofs.decide` assumes: in order, whole, late after a barrier."""

from amaranth.asserts import AnySeq
from amaranth.hdl import Module, Mux, Signal
from proofs.jobs import Harness, Inside
from proofs.program import Program

from gibbsite_hw.graph_sequencer import GraphSequencer
from gibbsite_hw.graph_signatures import BARRIER_CYCLES
from gibbsite_hw.spec.parameters import GraphParameters

__all__ = ["SequencerHarness"]


class SequencerHarness(Harness):
    """Any accepted program; passes behind each other, with or without pauses for draws."""

    def __init__(self, parameters: GraphParameters, component: type = GraphSequencer) -> None:
        super().__init__()
        self._parameters = parameters
        self._component = component

    def properties(self, m: Module) -> None:
        parameters = self._parameters
        dut = self._component(parameters)
        inside = Inside(dut)
        m.submodules.dut = inside.netlist
        program = Program(m, parameters)
        m.d.comb += [
            dut.rows.eq(program.size),
            dut.rewind.eq(AnySeq(1)),
            dut.go.eq(AnySeq(1)),
        ]
        m.d.sync += dut.row_data.eq(program.row(dut.row_address))

        # The engine: rewind while seeding, the first word four cycles later or more; `go` may fall
        # after the last cycle of a pass only.
        ready = Signal(range(5))  # 4: rewound and settled
        was_go, was_done = Signal(), Signal()
        with m.If(dut.rewind):
            m.d.sync += ready.eq(1)
        with m.Elif((ready != 0) & (ready != 4)):
            m.d.sync += ready.eq(ready + 1)
        m.d.sync += [was_go.eq(dut.go), was_done.eq(dut.pass_done)]
        at_rest = Signal(init=1)  # no pass is under way
        with m.If(dut.pass_done):
            m.d.sync += at_rest.eq(1)
        with m.Elif(dut.go):
            m.d.sync += at_rest.eq(0)
        self.given(
            fits=program.fits,
            structured=program.structured,
            settled=~dut.go | (ready == 4),
            whole_passes=dut.go | at_rest,
            rewound_at_rest=~dut.rewind | (at_rest & ~dut.go),
        )

        # Ghosts: the row that is due, its words so far, cycles to wait after a barrier.
        due = Signal(parameters.row_bits)
        words = Signal(11)
        pause = Signal(range(BARRIER_CYCLES + 1))
        row = program.row(due)
        last = due + 1 == dut.rows
        with m.If(dut.rewind):
            m.d.sync += [due.eq(0), words.eq(0), pause.eq(0)]
        with m.Elif(dut.valid):
            m.d.sync += words.eq(Mux(dut.ends, 0, words + 1))
            with m.If(dut.ends):
                m.d.sync += [
                    due.eq(Mux(last, 0, due + 1)),
                    pause.eq(Mux(row.barrier, BARRIER_CYCLES, 0)),
                ]
        with m.Elif(pause != 0):
            m.d.sync += pause.eq(pause - 1)
        end = dut.row_end
        in_time = ready == 4
        following = inside["following"]
        previous = Mux(due == 0, dut.rows - 1, due - 1)
        address = Signal(parameters.row_bits)
        m.d.sync += address.eq(dut.row_address)
        self.always(
            word_a_cycle=~dut.go | (dut.valid == (pause == 0)),
            only_when_asked=~dut.valid | dut.go,
            first_word=~dut.valid | (dut.opens == (words == 0)),
            last_word=~dut.go | (dut.ends == (dut.valid & (words + 1 == row.length))),
            right_row=~dut.valid
            | (
                (dut.row == due)
                & (end.row == due)
                & (end.mask == row.mask)
                & (end.group == row.group)
                & (end.first == row.first)
                & (end.last == row.last)
                & (end.fold == row.fold)
                & (end.pass_end == last)
            ),
            pass_done=dut.pass_done == (dut.go & (pause == 1) & (due == 0)),
            # Invariants.
            due=(due < dut.rows) & (words < Mux(words == 0, 1, row.length)),
            counted=~in_time | ((inside["index"] == words) & (inside["wait"] == pause)),
            settling=~in_time | (inside["settle"] == 0),
            settle_steps=~((ready == 1) | (ready == 2) | (ready == 3))
            | (
                (inside["settle"] == Mux(ready == 3, 0, ready))
                & (inside["index"] == 0)
                & (inside["wait"] == 0)
                & (due == 0)
                & (words == 0)
                & (pause == 0)
            ),
            first_fetch=~(ready == 1) | ((following == 0) & (address == 0)),
            first_row=~((ready == 2) | (ready == 3)) | self._holds(inside, program, due, dut),
            pausing=(pause == 0) | (words == 0),
            resting=~at_rest | ((words == 0) & (due == 0) & (pause == 0)),
            paused=~in_time | (pause == 0) | (inside["row"] == previous),
            held=~(in_time & (pause == 0)) | self._holds(inside, program, due, dut),
            following=~(in_time & (pause != 0)) | (following == due),
            fetched=~self.started | (dut.row_data.as_value() == program.row(address).as_value()),
            next_fetched=~(in_time | (ready == 2) | (ready == 3)) | (address == following),
            ready=ready <= 4,
            not_running=in_time | at_rest,
        )
        passed = Signal()
        with m.If(dut.pass_done):
            m.d.sync += passed.eq(1)
        self.can(
            rows_without_pause=dut.pass_done & (dut.rows >= 2) & ~program.rows[0].barrier,
            second_pass=passed & dut.ends,
            back_to_back=was_go & was_done & dut.go & dut.valid,
        )

    @staticmethod
    def _holds(inside: Inside, program: Program, due: Signal, dut):
        after = Mux(due + 1 == dut.rows, 0, due + 1)
        return (
            (inside["current"].as_value() == program.row(due).as_value())
            & (inside["row"] == due)
            & (inside["following"] == after)
        )
