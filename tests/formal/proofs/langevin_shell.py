"""LangevinShell between its parts: one answer a command, and nothing changes under a run.

The engine and the responder are cut away and do anything that `proofs.responder` and the engine's
contract allow; loader, settings, sizes, payload memory and the shell's own machine are real. That
the loader writes nothing of a packet that it refuses is proven in `proofs.langevin_loader`.
"""

from amaranth.asserts import AnyConst, AnySeq
from amaranth.hdl import Const, Module, Mux, Signal
from proofs.jobs import Harness, Inside
from proofs.shell import Free

from gibbsite_hw.device_responder import DeviceResponder
from gibbsite_hw.langevin import LangevinEngine
from gibbsite_hw.langevin_shell import LangevinShell
from gibbsite_hw.langevin_signatures import LangevinMemories
from gibbsite_hw.spec.langevin_packets import LangevinOpcode, LangevinResponse
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.packets import Engine
from gibbsite_hw.spec.registers import State

__all__ = ["LangevinShellHarness"]

Op = LangevinOpcode
_MUST_LOAD = (Op.UNITS, Op.WEIGHTS, Op.BIASES, Op.CONSTRAINTS)
_ANY_TIME = (Op.IDENTIFY, Op.READ, Op.ABORT)


class LangevinShellHarness(Harness):
    """Any words on the command port at any pace, runs that end when they like."""

    def __init__(self, parameters: LangevinParameters, component: type = LangevinShell) -> None:
        super().__init__()
        self._parameters = parameters
        self._component = component

    def properties(self, m: Module) -> None:
        parameters = self._parameters
        engine = Free(LangevinEngine(parameters))
        responder = Free(DeviceResponder(12, engine=Engine.LANGEVIN))
        names = self._component.elaborate.__globals__
        cut = {
            "LangevinEngine": lambda _: engine,
            "DeviceResponder": lambda _, engine: responder,
        }
        whole = {name: names[name] for name in cut}
        names.update(cut)
        try:
            dut = self._component(parameters, 1)
            inside = Inside(dut)
        finally:
            names.update(whole)
        m.submodules.dut = inside.netlist
        command = dut.command
        m.d.comb += [
            command.valid.eq(AnySeq(1)),
            command.payload.as_value().eq(AnySeq(33)),
            dut.response.ready.eq(AnySeq(1)),
            engine.finished.eq(AnySeq(1)),
            engine.aborted.eq(AnySeq(1)),
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
        tag = Signal(8)
        opening = Signal(init=1)
        with m.If(taken):
            m.d.sync += opening.eq(command.payload.last)
            with m.If(opening):
                m.d.sync += tag.eq(command.payload.word[16:24])

        receiver, loader, size = dut._receiver, dut._loader, dut._size
        settings = dut._settings.settings
        changed = Const(0, 1)
        held = [settings, size.units, size.constraints, size.coupled, size.shifts, size.words]
        for number, now in enumerate(held):
            now = getattr(now, "as_value", lambda now=now: now)()
            before = Signal(len(now), name=f"before{number}")
            m.d.sync += before.eq(now)
            changed = changed | (before != now)
        was_running = Signal()
        m.d.sync += was_running.eq(running & ~engine.finished)

        answers = (LangevinResponse.OK, LangevinResponse.ERROR, LangevinResponse.INFO)
        kinds = responder.identify
        for kind in answers:
            kinds = kinds | (responder.kind == kind)
        state, opcode, error = dut._state, receiver.opcode, inside["error"]
        in_run = state == State.RUNNING

        def within(*names: str):
            holds = Const(0, 1)
            for name in names:
                holds = holds | inside.state(name)
            return holds

        def one_of(codes):
            holds = Const(0, 1)
            for code in codes:
                holds = holds | (opcode == code)
            return holds

        loads = one_of(dut._limits)
        accepted = within("ACCEPT") | (within("ANSWER") & (error == 0))
        starting = (opcode == Op.RUN) & accepted & ~in_run
        complete = Const(1, 1)
        for part in _MUST_LOAD:
            complete = complete & (dut._loaded[part] == dut._limits[part])
        runnable = (
            (settings.entries != 0)
            & (settings.entries <= dut._loaded[Op.SCHEDULE])
            & (settings.pairs <= dut._loaded[Op.PAIRS])
        )
        # The size, and the coupling words that follow it a cycle later.
        sized = Signal(init=1)
        m.d.sync += sized.eq(~size.take)
        row, column = (
            (count + parameters.multipliers - 1) // parameters.multipliers
            for count in (size.units, size.constraints)
        )
        words = size.constraints * row + size.units * (Mux(size.coupled, row, 0) + column)
        within_loads = Const(1, 1)
        for part, count in dut._loaded.items():
            within_loads = within_loads & (~sized | (count <= dut._limits[part]))
        clearing = within("CLEAR")
        write = engine.write
        cleared = write.enable & (write.data == 0) & (write.address < size.units)
        memories = (write.memory == LangevinMemories.CLAMPS) | (
            write.memory == LangevinMemories.STATE
        )
        loading, walk = within("LOAD"), inside.part(loader)
        # the loader has taken the address of its packet, or has written it
        placed = (inside.state("WALK", "loader") & walk["live"] & (walk["here"] != 0)) | (
            inside.state("DONE", "loader") & (loader.error == 0)
        )

        self.always(
            # One command, one answer.
            one_at_a_time=~(command.ready & (owed | asked)),
            answers_commands=~responder.start | (owed & ~asked),
            answer_kinds=~responder.start | kinds,
            answer_lengths=~responder.start | responder.identify | (responder.length <= 2),
            same_tag=~asked | (responder.tag == tag),
            one_end=~(engine.finished & ended),
            # Nothing changes under a run, and a run is of something that was loaded.
            no_write_in_a_run=~(write.enable & running),
            settings_stay=~was_running | ~changed,
            no_start_in_a_run=~(engine.start & (running | ended)),
            run_is_complete=~engine.start | (complete & runnable),
            # Only what was accepted writes.
            writers=~write.enable | loading | clearing,
            refusals_write_nothing=~(within("REFUSE") & write.enable),
            clears=~clearing | (cleared & memories & (opcode == Op.BEGIN)),
            # Invariants.
            some_state=inside.in_some_state() & inside.in_some_state("receiver"),
            loader_state=inside.in_some_state("loader"),
            held=receiver.held == (owed | asked),
            asked=asked == within("ANSWER"),
            one=~(owed & asked) & ~(running & ended),
            acting=within("WAIT") | receiver.held,
            opening=opening
            == (inside.state("HEADER", "receiver") | inside.state("HELD", "receiver")),
            tag=(opening & ~receiver.held) | (receiver.tag == tag),
            in_run=(running | ended) == in_run,
            harmless=~(within("FETCH", "ACT") & in_run) | one_of(_ANY_TIME),
            idle_in_run=~((loading | clearing) & in_run),
            run_accepted=~(in_run & (opcode == Op.RUN)) | ~accepted,
            run_ready=~((opcode == Op.RUN) & within("FETCH", "ACT")) | (state == State.READY),
            started=~starting | (runnable & (state == State.READY)),
            refused=within("REFUSE", "ANSWER", "WAIT") | (error == 0),
            why=~within("REFUSE") | (error != 0),
            idle_loader=inside.state("IDLE", "loader") | loading,
            loading=~loading | loads,
            clearing=~clearing | ((inside["unit"] < size.units) & (state == State.LOADING)),
            cleared=clearing | ((inside["unit"] == 0) & (inside["memory"] == 0)),
            sized=sized | clearing,
            words=~sized | (size.words == words),
            no_more=within_loads,
            complete=~((state == State.READY) | in_run) | complete,
            begun=~(loads & within("FETCH", "ACT", "LOAD")) | (state != State.EMPTY),
            whole_records=~(loads & within("FETCH", "ACT", "LOAD")) | loader.fits,
            placed=~placed | (loader.loaded <= loader.limit),
        )
        self.can(
            program_begun=size.take,
            register_written=dut._settings.write & (dut._settings.error == 0),
            refused=within("ANSWER") & (error != 0) & responder.answered,
        )
