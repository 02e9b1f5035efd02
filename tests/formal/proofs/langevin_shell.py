"""LangevinShell between its parts: one answer a command, and nothing changes under a run.

The engine, the books and the responder are cut away and do anything that their contracts allow;
loader, settings, sizes, payload memory and the shell's own machine are real. Of the books it is
assumed that ENTRIES and PAIRS are read as they were written. That the loader writes nothing of a
packet that it refuses is proven in `proofs.langevin_loader`.
"""

from amaranth.asserts import AnyConst, AnySeq
from amaranth.hdl import Cat, Const, Module, Mux, Signal
from proofs.jobs import Harness, Inside
from proofs.shell import Free

from gibbsite_hw.device_books import DeviceBooks
from gibbsite_hw.device_responder import DeviceResponder
from gibbsite_hw.langevin import LangevinEngine
from gibbsite_hw.langevin_answer import Reply
from gibbsite_hw.langevin_progress import MUST_LOAD
from gibbsite_hw.langevin_shell import LangevinShell
from gibbsite_hw.langevin_signatures import LangevinMemories, counters
from gibbsite_hw.spec.langevin_packets import LangevinOpcode, LangevinResponse
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.langevin_registers import LangevinRegister
from gibbsite_hw.spec.registers import State

__all__ = ["LangevinShellHarness"]

Op = LangevinOpcode
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
        books = Free(DeviceBooks({}, list(counters(parameters).values())))
        responder = Free(DeviceResponder())
        names = self._component.elaborate.__globals__
        cut = {
            "LangevinEngine": lambda _: engine,
            "DeviceBooks": lambda *_: books,
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
            books.shell.done.eq(AnySeq(1)),
            books.word.eq(AnySeq(32)),
            books.zero.eq(books.word == 0),
            books.restarting.eq(AnySeq(1)),
            books.turned.eq(AnySeq(1)),
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
        # A run was accepted, is under way, is over but for its counters; its end has not left yet.
        begun, running, turning, ended = (Signal() for _ in range(4))
        taken = command.valid & command.ready
        with m.If(taken & command.payload.last):
            m.d.sync += owed.eq(1)
        with m.If(responder.start):
            m.d.sync += [owed.eq(0), asked.eq(1)]
        with m.If(responder.answered):
            m.d.sync += asked.eq(0)
        with m.If(books.restart):
            m.d.sync += begun.eq(1)
        with m.If(engine.start):
            m.d.sync += [begun.eq(0), running.eq(1)]
        with m.If(engine.finished):
            m.d.sync += [running.eq(0), turning.eq(1)]
        with m.If(responder.finished):
            m.d.sync += [turning.eq(0), ended.eq(1)]
        with m.If(responder.run_answered):
            m.d.sync += ended.eq(0)
        whole_run = Cat(begun, running, turning, ended)
        once = Signal()  # the counters went round since the run was over
        with m.If(engine.finished | responder.finished):
            m.d.sync += once.eq(0)
        with m.Elif(turning & books.turned):
            m.d.sync += once.eq(1)
        # ENTRIES and PAIRS as the books keep them.
        asking, settings = books.shell, dut._settings.settings
        premises, cut_short = Const(1, 1), Const(1, 1)
        for register, setting in (
            (LangevinRegister.ENTRIES, settings.entries),
            (LangevinRegister.PAIRS, settings.pairs),
        ):
            kept = Signal(32, name=f"kept_{register.name.lower()}")
            with m.If(asking.valid & asking.done & asking.write & (asking.target == register)):
                m.d.sync += kept.eq(books.value)
            reads = asking.valid & asking.done & ~asking.write & (asking.source == register)
            premises = premises & (~reads | (books.word == kept))
            cut_short = cut_short & (setting == kept[: len(setting)])
        self.given(
            answers_what_is_asked=~responder.answered | asked,
            fetches_for_an_answer=~responder.fetch | asked | ended,
            serves_what_is_asked=~asking.done | asking.valid,
            reads_what_was_written=premises,
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
        progress, reply = dut._progress, dut._answer
        changed = Const(0, 1)
        held = [settings, size.units, size.constraints, size.coupled, size.shifts, size.words]
        for number, now in enumerate(held):
            now = getattr(now, "as_value", lambda now=now: now)()
            before = Signal(len(now), name=f"before{number}")
            m.d.sync += before.eq(now)
            changed = changed | (before != now)
        was_running = Signal()
        m.d.sync += was_running.eq((begun | running) & ~engine.finished)

        answers = (LangevinResponse.OK, LangevinResponse.ERROR, LangevinResponse.INFO)
        kinds = Const(0, 1)
        for kind in answers:
            kinds = kinds | (responder.kind == kind)
        state, opcode = dut._state, receiver.opcode
        refused = reply.reply == Reply.ERROR
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

        loads = one_of(progress.limits)
        last = within("ANSWER", "ANSWERING")
        accepted = last & (reply.reply == Reply.OK)
        starting = (opcode == Op.RUN) & accepted & ~in_run
        complete = Const(1, 1)
        for part in MUST_LOAD:
            complete = complete & (progress.loaded[part] == progress.limits[part])
        runnable = (
            (settings.entries != 0)
            & (settings.entries <= progress.loaded[Op.SCHEDULE])
            & (settings.pairs <= progress.loaded[Op.PAIRS])
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
        for part, count in progress.loaded.items():
            within_loads = within_loads & (~sized | (count <= progress.limits[part]))
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

        storing, checking = within("STORE"), within("ENTRIES", "PAIRS")
        shown = refused & last
        loaded_entries = progress.loaded[Op.SCHEDULE]
        fits = (settings.entries != 0) & (settings.entries <= loaded_entries)
        self.always(
            # One command, one answer.
            one_at_a_time=~(command.ready & (owed | asked)),
            answers_commands=~responder.start | (owed & ~asked),
            answer_kinds=~responder.start | kinds,
            answer_lengths=~responder.start | ~responder.given | (responder.length <= 2),
            same_tag=~asked | (responder.tag == tag),
            one_end=~(responder.finished & ended),
            all_is_counted=~responder.finished | (turning & books.turned & once),
            # Nothing changes under a run, and a run is of something that was loaded.
            no_write_in_a_run=~(write.enable & (begun | running)),
            settings_stay=~was_running | ~changed,
            books_stay=~(whole_run.any() & asking.valid & asking.write),
            no_start_in_a_run=~(engine.start & (running | turning | ended)),
            counters_stay=~(books.restart & whole_run.any()),
            starts_from_zero=~engine.start | ~books.restarting,
            run_is_complete=~engine.start | (complete & runnable),
            # Only what was accepted writes.
            writers=~write.enable | loading | clearing,
            refusals_write_nothing=~(refused & (write.enable | asking.write)),
            clears=~clearing | (cleared & memories & (opcode == Op.BEGIN)),
            # Invariants.
            some_state=inside.in_some_state() & inside.in_some_state("receiver"),
            loader_state=inside.in_some_state("loader"),
            held=receiver.held == (owed | asked),
            asked=asked == within("ANSWERING"),
            one=~(owed & asked) & ((whole_run == 0) | (whole_run & (whole_run - 1)[:4] == 0)),
            acting=within("WAIT", "RESTART") | receiver.held,
            restarting=begun == within("RESTART"),
            restarted=~begun | runnable,
            turns=dut._turns == Mux(turning, Mux(once, 2, 1), 0),
            turned=~once | turning,
            cut_short=cut_short,
            opening=opening
            == (inside.state("HEADER", "receiver") | inside.state("HELD", "receiver")),
            tag=(opening & ~receiver.held) | (receiver.tag == tag),
            in_run=whole_run.any() == in_run,
            harmless=~(within("FETCH", "ACT") & in_run) | one_of(_ANY_TIME),
            idle_in_run=~((loading | clearing | storing | checking) & in_run),
            storing=~storing | ((opcode == Op.WRITE) & (dut._settings.error == 0)),
            checking=~checking | ((opcode == Op.RUN) & (state == State.READY)),
            checked=~within("PAIRS") | fits,
            run_accepted=~(in_run & (opcode == Op.RUN)) | ~accepted,
            run_ready=~((opcode == Op.RUN) & within("FETCH", "ACT")) | (state == State.READY),
            started=~starting | (runnable & (state == State.READY)),
            refused=last | within("WAIT", "RESTART") | (reply.reply == Reply.OK),
            why=~shown | (reply.error != 0),
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
            refused=within("ANSWERING") & refused & responder.answered,
        )
