"""The lattice engine's shell: packets of words in, packets of words out.

`gibbsite_hw.spec.lattice_packets` lists commands, answers, legal states and error codes; "The
shell" in docs/lattice-engine.md has what each command checks. A refused command changes nothing.

What a command is checked against stands in registers, SETTLE cycles behind the command itself, and
so do the words of answers: the engine's clock, not the shell, is to be the limit. A command counts
as come when its last word is taken, a run as ended when the last word of DONE is. Settings,
counters and identity are read from the books (`gibbsite_hw.device_books`).

Twin: `gibbsite_models.golden.lattice_shell`.
"""

from amaranth.hdl import Array, Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from gibbsite_hw.device_books import DeviceBooks
from gibbsite_hw.device_receiver import DeviceReceiver
from gibbsite_hw.device_responder import DeviceResponder
from gibbsite_hw.device_run import connect_counters, end_run
from gibbsite_hw.lattice import LatticeEngine
from gibbsite_hw.lattice_answer import LatticeAnswer
from gibbsite_hw.lattice_checks import SETTLE, ending, findings, first_checks
from gibbsite_hw.lattice_delays import held
from gibbsite_hw.lattice_loader import LOADING, LatticeLoader
from gibbsite_hw.lattice_progress import LatticeProgress
from gibbsite_hw.lattice_settings import LatticeSettings, books_words
from gibbsite_hw.lattice_signatures import LatticeMemories, counters
from gibbsite_hw.spec.lattice_packets import (
    LatticeErrorCode,
    LatticeOpcode,
)
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.packets import Engine
from gibbsite_hw.spec.registers import State
from gibbsite_hw.word_buffer import WordBuffer
from gibbsite_hw.words import word_layout

__all__ = ["LatticeShell"]


class LatticeShell(wiring.Component):
    """The lattice engine behind a word stream: ``command`` in, ``response`` out.

    Both are Amaranth streams of ``word`` (32 bits) and ``last``. Every port may stall at any time.
    After reset it is EMPTY. IDENTIFY tells ``fingerprint``, that of the device it is part of.
    """

    def __init__(self, parameters: LatticeParameters, fingerprint: int) -> None:
        self._parameters = parameters
        self._fingerprint = fingerprint
        super().__init__(
            {
                "command": In(stream.Signature(word_layout)),
                "response": Out(stream.Signature(word_layout)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        parameters = self._parameters
        m.submodules.engine = self._engine = LatticeEngine(parameters)
        m.submodules.receiver = self._receiver = DeviceReceiver(
            parameters.payload_words, LatticeOpcode
        )
        m.submodules.loader = self._loader = LatticeLoader(parameters)
        counted = counters(parameters)
        m.submodules.books = self._books = DeviceBooks(
            books_words(parameters, self._fingerprint), list(counted.values())
        )
        m.submodules.responder = self._responder = DeviceResponder(
            2 * len(counted), engine=Engine.LATTICE
        )
        m.submodules.settings = self._settings = LatticeSettings()
        m.submodules.responses = self._responses_out = WordBuffer()

        self._state = Signal(State, init=State.EMPTY)
        self._columns = Signal(range(parameters.columns + 1))
        self._progress = LatticeProgress(m, parameters, self._columns)
        self._abort, self._load = Signal(), Signal()
        self._run_tag = Signal(8)
        self._connect_engine(m)
        self._connect_parts(m)
        self._commands(m)
        return m

    def _connect_engine(self, m):
        """Registers and sizes of a run."""
        engine, settings = self._engine, self._settings.settings
        m.d.comb += [
            engine.columns.eq(self._columns),
            engine.seed.eq(Cat(settings.seed_low, settings.seed_high)),
            engine.first_chain.eq(settings.first_chain),
            engine.chains.eq(settings.chains),
            engine.number_of_draws.eq(settings.draws),
            engine.steps.eq(settings.steps),
            engine.sweeps_per_step.eq(settings.sweeps_per_step),
            engine.thin.eq(settings.thin),
            engine.flags.eq(settings.flags),
            engine.abort.eq(self._abort),
            engine.tag.eq(self._run_tag),
        ]

    def _connect_parts(self, m):
        """Streams, the loader's limits, the books and what the responder tells."""
        engine, books = self._engine, self._books
        receiver, loader, responder = self._receiver, self._loader, self._responder
        opcode = receiver.opcode
        anywhere, once_ready = Signal(), Signal()
        with m.Switch(opcode):
            with m.Case(LatticeOpcode.CLAMPS, LatticeOpcode.STATE):
                m.d.comb += anywhere.eq(1)
            with m.Case(LatticeOpcode.BIASES):
                m.d.comb += once_ready.eq(1)
            with m.Case(LatticeOpcode.SCHEDULE):
                m.d.comb += loader.at_most.eq(1)
        m.d.comb += [
            loader.start.eq(held(m, "load", self._load)),
            loader.opcode.eq(opcode),
            loader.words.eq(receiver.length),
            loader.word.eq(receiver.word),
            loader.any_place.eq(
                held(m, "any_place", anywhere | (once_ready & (self._state == State.READY)))
            ),
            *connect_counters(engine, books, counters(self._parameters)),
            books.shell.source.eq(responder.source),
            responder.word.eq(books.word),
            responder.fetched.eq(books.shell.done),
            responder.tag.eq(receiver.tag),
            responder.run_tag.eq(self._run_tag),
        ]
        end_run(m, engine, books, responder)
        self._progress.bound(m, loader, opcode)
        connect(m, flipped(self.command), receiver.command)
        connect(m, engine.draws, responder.draws)
        connect(m, responder.response, self._responses_out.taken)
        connect(m, self._responses_out.given, flipped(self.response))

    def _commands(self, m):
        """One command after the other: check, fetch, act, answer."""
        engine, receiver = self._engine, self._receiver
        loader, responder, books = self._loader, self._responder, self._books
        opcode, length = receiver.opcode, receiver.length
        payload = [Signal(32, name=f"payload{n}") for n in range(2)]
        m.d.comb += [self._settings.offset.eq(payload[0]), self._settings.word.eq(payload[1])]
        at, settle = Signal(), Signal(range(SETTLE))
        self._answer = answer = LatticeAnswer(responder)
        column, x = Signal.like(engine.write.column), Signal()
        state_seen = ending(m, self._state, self.command, responder, self._responses_out.given)
        first = first_checks(m, receiver, loader, state_seen)
        self._progress.look(m, loader)
        begins = held(m, "begins", (opcode == LatticeOpcode.RUN) & answer.no_error)
        ends_clearing = held(m, "ends_clearing", column + 1 == self._columns)
        found = findings(m, payload[0], self._columns, self._state, self._settings, self._progress)
        m.d.comb += [
            books.value.eq(payload[1]),
            books.shell.valid.eq(responder.fetch),
            books.shell.target.eq(payload[0]),
        ]
        m.d.sync += settle.eq(settle + 1)
        settled = held(m, "settled", settle == SETTLE - 2)

        def refuse(code, value):
            answer.reason(m, code, value)
            m.next = "REFUSE"

        with m.FSM():
            with m.State("WAIT"):
                answer.clear(m)
                m.d.sync += [at.eq(0), settle.eq(0)]
                with m.If(receiver.held):
                    m.next = "LOOK"
            with m.State("LOOK"):
                with m.If(settled):
                    m.next = "FETCH"
                    with m.If(first["broken"]):
                        refuse(first["fault"], first["fault_detail"])
                    with m.Elif(~first["legal"]):
                        refuse(LatticeErrorCode.WRONG_STATE, state_seen)
                    with m.Elif(~first["fits"]):
                        refuse(LatticeErrorCode.BAD_LENGTH, length)
            with m.State("FETCH"):
                # Payload word `at` is out, the next one is being read.
                m.d.comb += receiver.address.eq(at + 1)
                m.d.sync += [Array(payload)[at].eq(receiver.word), at.eq(at + 1)]
                m.d.sync += settle.eq(0)
                with m.If(at == 1):
                    m.next = "THINK"
            with m.State("THINK"), m.If(settled):
                m.next = "ACT"
            with m.State("ACT"):
                self._act(m, payload, found, refuse)
            with m.State("CLEAR"):
                # BEGIN: neither clamps nor states outlive a program.
                m.d.comb += [
                    engine.write.enable.eq(1),
                    engine.write.column.eq(column),
                    engine.write.x.eq(x),
                    engine.write.memory.eq(LatticeMemories.CLEAR),
                ]
                m.d.sync += x.eq(~x)
                with m.If(x):
                    m.d.sync += column.eq(column + 1)
                    with m.If(ends_clearing):
                        m.d.sync += column.eq(0)
                        m.next = "ACCEPT"
            with m.State("LOAD"):
                m.d.comb += receiver.address.eq(loader.address)
                m.d.comb += [
                    getattr(engine.write, name).eq(getattr(loader.write, name))
                    for name in ("enable", "memory", "column", "x", "place", "step", "data")
                ]
                with m.If(loader.done):
                    with m.If(loader.error != 0):
                        refuse(loader.error, loader.detail)
                    with m.Else():
                        m.next = "ACCEPT"
                        self._progress.grow(m, loader, opcode)
            with m.State("STORE"):
                m.d.comb += [
                    books.shell.valid.eq(1),
                    books.shell.write.eq(1),
                    books.shell.outside.eq(1),
                ]
                with m.If(books.shell.done):
                    m.next = "ACCEPT"
            with m.State("ACCEPT"):
                answer.accept(m)
                m.next = "TELL"
            with m.State("REFUSE"):
                answer.refuse(m)
                m.next = "TELL"
            with m.State("TELL"):
                m.d.comb += responder.start.eq(1)
                m.next = "ANSWER"
            with m.State("ANSWER"), m.If(responder.answered):
                m.d.comb += receiver.release.eq(1)
                m.next = "WAIT"
                with m.If(begins):
                    m.d.comb += books.restart.eq(1)
                    m.next = "RESTART"
                    m.d.sync += [
                        self._run_tag.eq(receiver.tag),
                        self._abort.eq(0),
                        self._state.eq(State.RUNNING),
                    ]
            with m.State("RESTART"), m.If(~books.restarting):
                m.d.comb += engine.start.eq(1)
                m.next = "WAIT"

    def _act(self, m, payload, found, refuse):
        """What each command does, once it is legal and of a fitting length."""
        answer, settings = self._answer, self._settings
        code = LatticeErrorCode
        with m.Switch(self._receiver.opcode):
            with m.Case(LatticeOpcode.IDENTIFY):
                answer.identity(m)
                m.next = "TELL"
            with m.Case(LatticeOpcode.READ):
                answer.register(m, payload[0], found["shown"], found["value"])
                m.next = "TELL"
                with m.If(~found["known"]):
                    refuse(code.BAD_REGISTER, payload[0])
            with m.Case(LatticeOpcode.WRITE):
                m.d.comb += settings.write.eq(found["unset"] == 0)
                m.next = "STORE"
                with m.If(found["unset"] != 0):
                    refuse(found["unset"], found["unset_detail"])
            with m.Case(LatticeOpcode.BEGIN):
                with m.If(found["bad_columns"]):
                    refuse(code.BAD_SIZE, 0)
                with m.Else():
                    m.d.comb += self._engine.sized.eq(1)
                    m.d.sync += [
                        self._columns.eq(payload[0]),
                        *self._progress.forget(),
                        self._state.eq(State.LOADING),
                    ]
                    m.next = "CLEAR"
            with m.Case(*LOADING):
                m.d.comb += self._load.eq(1)
                m.next = "LOAD"
            with m.Case(LatticeOpcode.COMMIT):
                with m.If(found["incomplete"]):
                    refuse(code.INCOMPLETE, found["which"])
                with m.Else():
                    m.d.sync += self._state.eq(State.READY)
                    m.next = "ACCEPT"
            with m.Case(LatticeOpcode.RUN):
                with m.If(found["too_many"]):
                    refuse(code.NO_SCHEDULE, settings.settings.steps)
                with m.Else():
                    m.next = "ACCEPT"
            with m.Case(LatticeOpcode.ABORT):
                m.d.sync += self._abort.eq(1)
                m.next = "ACCEPT"
