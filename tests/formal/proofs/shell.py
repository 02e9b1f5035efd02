"""GraphShell between its parts: one answer a command, and nothing changes under a run.

The engine and the responder are cut away and do anything that their contracts and `proofs.readout`
allow; loader, checker, payload memory and the shell's own machine are real. What is proven here is
what other proofs assume.
"""

from amaranth.asserts import AnyConst, AnySeq
from amaranth.hdl import Const, Module, Signal
from amaranth.lib import wiring
from proofs.jobs import Harness, Inside

import gibbsite_hw.graph_shell
from gibbsite_hw.device_receiver import DeviceReceiver
from gibbsite_hw.device_responder import DeviceResponder
from gibbsite_hw.graph import GraphEngine
from gibbsite_hw.spec.packets import Opcode, Response
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.registers import State

__all__ = ["Free", "ShellHarness"]


class Free(wiring.Component):
    """A part cut away: its ports, all of whose outputs are driven by the harness."""

    def __init__(self, whole: wiring.Component) -> None:
        whole._MustUse__silence = True  # made for its signature only
        super().__init__(whole.signature)

    def elaborate(self, platform):
        return Module()


class ShellHarness(Harness):
    """Any words on the command port at any pace, runs that end when they like."""

    def __init__(self, parameters: GraphParameters, component: type = DeviceReceiver) -> None:
        super().__init__()
        self._parameters = parameters
        self._receiver = component

    def properties(self, m: Module) -> None:
        parameters = self._parameters
        engine, responder = Free(GraphEngine(parameters)), Free(DeviceResponder())
        cut = {
            "GraphEngine": lambda *_: engine,
            "DeviceResponder": lambda: responder,
            "DeviceReceiver": self._receiver,
        }
        whole = {name: getattr(gibbsite_hw.graph_shell, name) for name in cut}
        vars(gibbsite_hw.graph_shell).update(cut)
        try:
            dut = gibbsite_hw.graph_shell.GraphShell(parameters)
            inside = Inside(dut)
        finally:
            vars(gibbsite_hw.graph_shell).update(whole)
        m.submodules.dut = inside.netlist
        command = dut.command
        m.d.comb += [
            command.valid.eq(AnySeq(1)),
            command.payload.as_value().eq(AnySeq(33)),
            dut.response.ready.eq(AnySeq(1)),
            engine.finished.eq(AnySeq(1)),
            engine.aborted.eq(AnySeq(1)),
            engine.check_descriptor.as_value().eq(
                AnySeq(engine.check_descriptor.as_value().shape())
            ),
            engine.check_on.eq(AnySeq(parameters.lanes)),
            engine.check_off.eq(AnySeq(parameters.lanes)),
            engine.check_state.eq(AnySeq(parameters.lanes)),
            engine.books.done.eq(AnySeq(1)),
            engine.word.eq(AnySeq(32)),
            responder.fetch.eq(AnySeq(1)),
            responder.source.eq(AnySeq(6)),
            responder.held.eq(AnySeq(1)),
            responder.answered.eq(AnySeq(1)),
            responder.run_answered.eq(AnySeq(1)),
            responder.response.valid.eq(AnySeq(1)),
            responder.response.payload.as_value().eq(AnyConst(33)),
            responder.draws.ready.eq(AnySeq(1)),
        ]

        owed = Signal()  # a command was taken whole and its answer was not asked for yet
        asked = Signal()  # an answer was asked for and has not left yet
        running, ended = Signal(), Signal()  # a run is under way; its end has not left yet
        taken = command.valid & command.ready
        with m.If(taken & command.payload.last):
            m.d.sync += owed.eq(1)
        with m.If(responder.start):
            m.d.sync += [owed.eq(0), asked.eq(1)]
        with m.If(responder.answered):
            m.d.sync += asked.eq(0)
        with m.If(engine.start):
            m.d.sync += running.eq(1)
        with m.If(engine.finished):
            m.d.sync += [running.eq(0), ended.eq(1)]
        with m.If(responder.run_answered):
            m.d.sync += ended.eq(0)
        self.given(
            answers_what_is_asked=~responder.answered | asked,
            ends_what_runs=~engine.finished | running,
            ends_once=~responder.run_answered | ended,
        )
        # The last check of the clamps, and whether anything was written since.
        checked, changed_since = Signal(), Signal()
        checker = dut._checker
        with m.If(checker.done):
            m.d.sync += [checked.eq((checker.error == 0) & ~checker.structure), changed_since.eq(0)]
        with m.If(engine.write.enable):
            m.d.sync += changed_since.eq(1)
        tag = Signal(8)
        opening = Signal(init=1)
        with m.If(taken):
            m.d.sync += opening.eq(command.payload.last)
            with m.If(opening):
                m.d.sync += tag.eq(command.payload.word[16:24])
        shell, receiver = dut, dut._receiver
        before = Signal(3)
        m.d.sync += before.eq(shell._flags)
        was_running = Signal()
        m.d.sync += was_running.eq(running & ~engine.finished)
        answers = (Response.OK, Response.ERROR, Response.INFO)
        kinds = Const(0, 1)
        for kind in answers:
            kinds = kinds | (responder.kind == kind)
        in_run = shell._state == State.RUNNING
        opcode, error, reply = receiver.opcode, dut._answer.error, dut._answer.reply
        harmless = Const(0, 1)
        for code in (Opcode.IDENTIFY, Opcode.READ, Opcode.ABORT):
            harmless = harmless | (opcode == code)

        def within(*names: str):
            holds = Const(0, 1)
            for name in names:
                holds = holds | inside.state(name)
            return holds

        busy = ("LOAD", "CHECK", "CLEAR", "VALUE", "STORE", "SIZE", "ROWS", "STEPS")
        last = ("ANSWER", "ANSWERING")
        self.always(
            # One command, one answer.
            one_at_a_time=~(command.ready & (owed | asked)),
            answers_commands=~responder.start | (owed & ~asked),
            answer_kinds=~responder.start | kinds,
            answer_lengths=~responder.start | ~responder.given | (responder.length <= 2),
            same_tag=~asked | (responder.tag == tag),
            one_end=~(engine.finished & ended),
            # Nothing changes under a run.
            no_write_in_a_run=~(engine.write.enable & running),
            settings_stay=~was_running | (before == shell._flags),
            books_stay=~(running & engine.books.valid & engine.books.write),
            no_start_in_a_run=~(engine.start & (running | ended)),
            run_is_checked=~engine.start | (checked & ~changed_since),
            # Invariants.
            some_state=inside.in_some_state() & inside.in_some_state("receiver"),
            held=receiver.held == (owed | asked),
            asked=asked == inside.state("ANSWERING"),
            one=~(owed & asked) & ~(running & ended),
            acting=inside.state("WAIT") | receiver.held,
            opening=opening
            == (inside.state("HEADER", "receiver") | inside.state("HELD", "receiver")),
            tag=(opening & ~receiver.held) | (receiver.tag == tag),
            in_run=(running | ended) == in_run,
            harmless=~(within("FIRST", "SECOND", "ACT") & in_run) | harmless,
            idle_in_run=~(within(*busy) & in_run),
            storing=~within("VALUE", "STORE") | (opcode == Opcode.WRITE),
            sizing=~within("SIZE", "ROWS", "CLEAR") | (opcode == Opcode.BEGIN),
            counting=~within("STEPS") | (opcode == Opcode.RUN),
            run_accepted=~(in_run & (opcode == Opcode.RUN)) | ~(within(*last) & (reply == 0)),
            refused=within(*last, "WAIT") | (reply == 0),
            why=~(within(*last) & (reply == 1)) | (error != 0),
            idle_parts=(inside.state("IDLE", "checker") == ~within("CHECK"))
            & (inside.state("IDLE", "loader") == ~within("LOAD")),
            loading=~(within("LOAD", "CLEAR") & (opcode == Opcode.RUN)),
            checking=~within("CHECK") | (opcode == Opcode.RUN) | (opcode == Opcode.COMMIT),
            checked=~((opcode == Opcode.RUN) & within(*last) & (reply == 0))
            | (checked & ~changed_since & ~engine.write.enable),
        )
        begun = shell._state == State.LOADING
        self.can(
            program_begun=begun & within("ANSWERING") & (reply == 0),
            refused=within("ANSWERING") & (reply == 1) & responder.answered,
        )
