"""The lattice engine's shell: packets of words in, packets of words out.

`gibbsite_hw.spec.lattice_packets` lists commands, answers, legal states and error codes; "The
shell" in docs/lattice-engine.md has what each command checks. A refused command changes nothing.

What a command is checked against stands in registers, SETTLE cycles behind the command itself, and
so do the words of answers: the engine's clock, not the shell, is to be the limit. A command counts
as come when its last word is taken, a run as ended when the last word of DONE is. Settings,
counters and identity are read from the books (`gibbsite_hw.device_books`).

Twin: `gibbsite_models.golden.lattice_shell`.
"""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from gibbsite_hw.device_books import IDENTITY, DeviceBooks
from gibbsite_hw.device_checks import length_fits, may_come
from gibbsite_hw.device_receiver import DeviceReceiver
from gibbsite_hw.device_responder import DeviceResponder
from gibbsite_hw.lattice import LatticeEngine
from gibbsite_hw.lattice_delays import held
from gibbsite_hw.lattice_loader import LOADING, LatticeLoader
from gibbsite_hw.lattice_settings import LatticeSettings
from gibbsite_hw.lattice_signatures import LatticeMemories, counters
from gibbsite_hw.spec.lattice_packets import (
    LATTICE_FIXED_LENGTHS,
    LATTICE_LEGAL_STATES,
    LatticeErrorCode,
    LatticeOpcode,
    LatticeResponse,
)
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.lattice_registers import LATTICE_REGISTERS
from gibbsite_hw.spec.packets import MAGIC, Engine
from gibbsite_hw.spec.parameters import SPEC_VERSION
from gibbsite_hw.spec.registers import State
from gibbsite_hw.word_buffer import WordBuffer
from gibbsite_hw.words import word_layout

__all__ = ["LatticeShell"]

_MUST_LOAD = (LatticeOpcode.COUPLINGS, LatticeOpcode.BIASES)
"""What COMMIT wants complete, numbered as in the detail of INCOMPLETE."""

SETTLE = 4
"""Cycles from a command, or its payload, to all that is said of it."""


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
        m.submodules.books = self._books = DeviceBooks(self._words(), list(counted.values()))
        m.submodules.responder = self._responder = DeviceResponder(
            2 * len(counted), engine=Engine.LATTICE
        )
        m.submodules.settings = self._settings = LatticeSettings()
        m.submodules.responses = self._responses_out = WordBuffer()

        self._state = Signal(State, init=State.EMPTY)
        self._columns = Signal(range(parameters.columns + 1))
        # Where each memory ends, and how much of it is loaded.
        sites = Signal(range(parameters.rows * parameters.columns + 1))
        words = Signal(range(parameters.words * parameters.columns + 1))
        m.d.sync += [
            sites.eq(self._columns * parameters.rows),
            words.eq(self._columns * parameters.words),
        ]
        self._limits = {
            LatticeOpcode.COUPLINGS: sites,
            LatticeOpcode.BIASES: sites,
            LatticeOpcode.CLAMPS: words,
            LatticeOpcode.SCHEDULE: Const(parameters.schedule_steps),
            LatticeOpcode.STATE: words,
        }
        self._loaded = {
            opcode: Signal.like(self._limits[opcode], name=f"{opcode.name.lower()}_loaded")
            for opcode in (*_MUST_LOAD, LatticeOpcode.SCHEDULE)
        }
        self._abort, self._load = Signal(), Signal()
        self._run_tag = Signal(8)
        self._connect_engine(m)
        self._connect_parts(m)
        self._commands(m)
        return m

    def _words(self):
        """Words of the books: settings, and what IDENTIFY is answered with."""
        parameters, fingerprint = self._parameters, self._fingerprint
        identity = [
            MAGIC,
            SPEC_VERSION,
            fingerprint & 0xFFFF_FFFF,
            fingerprint >> 32,
            parameters.rows,
            parameters.columns,
            parameters.neighbours,
            parameters.schedule_steps,
        ]
        words = {int(register): info.reset for register, info in LATTICE_REGISTERS.items()}
        return words | {IDENTITY + n: word for n, word in enumerate(identity)}

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
            *(
                getattr(books, f"event{n}").eq(getattr(engine, name))
                for n, name in enumerate(counters(self._parameters))
            ),
            books.shell.source.eq(responder.source),
            responder.word.eq(books.word),
            responder.fetched.eq(books.shell.done),
            responder.tag.eq(receiver.tag),
            responder.run_tag.eq(self._run_tag),
        ]
        # All that was counted is in the books when the counters went round twice.
        turns = Signal(2)
        with m.If(engine.finished):
            m.d.sync += [turns.eq(1), responder.aborted.eq(engine.aborted)]
        with m.Elif(books.turned):
            m.d.sync += turns.eq(turns << 1)
        m.d.comb += responder.finished.eq(turns[1] & books.turned)
        with m.Switch(opcode):
            for code, limit in self._limits.items():
                with m.Case(code):
                    m.d.comb += loader.limit.eq(limit)
                    if code in self._loaded:
                        m.d.comb += loader.expected.eq(self._loaded[code])
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
        error, detail = responder.error, responder.detail
        column, x = Signal.like(engine.write.column), Signal()
        state_seen = self._ending(m)
        legal = held(m, "legal", may_come(m, opcode, state_seen, LATTICE_LEGAL_STATES))
        fits = held(
            m, "fits", length_fits(m, opcode, length, LATTICE_FIXED_LENGTHS, {LOADING: loader.fits})
        )
        fault, fault_detail = (
            held(m, "fault", receiver.error),
            held(m, "fault_detail", receiver.detail),
        )
        broken = held(m, "broken", receiver.error != 0)
        grows = {
            code: held(m, f"{code.name.lower()}_grows", loaded < loader.loaded)
            for code, loaded in self._loaded.items()
        }
        begins = held(m, "begins", (opcode == LatticeOpcode.RUN) & (error == 0))
        ends_clearing = held(m, "ends_clearing", column + 1 == self._columns)
        found = self._findings(m, payload)
        m.d.comb += [
            books.value.eq(payload[1]),
            books.shell.valid.eq(responder.fetch),
            books.shell.target.eq(payload[0]),
        ]
        m.d.sync += settle.eq(settle + 1)
        settled = held(m, "settled", settle == SETTLE - 2)

        def refuse(code, value):
            m.d.sync += [error.eq(code), detail.eq(value)]
            m.next = "REFUSE"

        with m.FSM():
            with m.State("WAIT"):
                m.d.sync += [error.eq(0), at.eq(0)]
                m.d.sync += settle.eq(0)
                with m.If(receiver.held):
                    m.next = "LOOK"
            with m.State("LOOK"):
                with m.If(settled):
                    m.next = "FETCH"
                    with m.If(broken):
                        refuse(fault, fault_detail)
                    with m.Elif(~legal):
                        refuse(LatticeErrorCode.WRONG_STATE, state_seen)
                    with m.Elif(~fits):
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
                        with m.Switch(opcode):
                            for code, loaded in self._loaded.items():
                                with m.Case(code), m.If(grows[code]):
                                    m.d.sync += loaded.eq(loader.loaded)
            with m.State("STORE"):
                m.d.comb += [
                    books.shell.valid.eq(1),
                    books.shell.write.eq(1),
                    books.shell.outside.eq(1),
                ]
                with m.If(books.shell.done):
                    m.next = "ACCEPT"
            with m.State("ACCEPT"):
                m.d.sync += [responder.kind.eq(LatticeResponse.OK), responder.length.eq(0)]
                m.next = "TELL"
            with m.State("REFUSE"):
                m.d.sync += [
                    responder.kind.eq(LatticeResponse.ERROR),
                    responder.length.eq(2),
                    responder.given.eq(1),
                ]
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
        loaded, responder, settings = self._loaded, self._responder, self._settings
        code = LatticeErrorCode
        with m.Switch(self._receiver.opcode):
            with m.Case(LatticeOpcode.IDENTIFY):
                m.d.sync += [
                    responder.kind.eq(LatticeResponse.INFO),
                    responder.length.eq(8),
                    responder.given.eq(0),
                    responder.first.eq(IDENTITY),
                ]
                m.next = "TELL"
            with m.Case(LatticeOpcode.READ):
                m.d.sync += [
                    responder.kind.eq(LatticeResponse.INFO),
                    responder.length.eq(1),
                    responder.given.eq(found["shown"]),
                    responder.first.eq(payload[0]),
                    responder.detail.eq(found["value"]),
                ]
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
                        *(count.eq(0) for count in loaded.values()),
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

    def _findings(self, m, payload):
        """What the commands with a payload of fixed length are checked against, in registers."""
        loaded, settings = self._loaded, self._settings
        columns, steps = payload[0], settings.settings.steps
        missing = [loaded[part] != self._limits[part] for part in _MUST_LOAD]
        found = {
            "bad_columns": columns[0] | (columns == 0) | (columns > self._parameters.columns),
            "incomplete": Cat(missing).any(),
            "which": Mux(missing[0], 0, 1),
            "too_many": steps > loaded[LatticeOpcode.SCHEDULE],
            "known": settings.known,
            "shown": settings.shown,
            "value": Mux(payload[0][0], self._columns, self._state),
            "unset": settings.error,
            "unset_detail": settings.detail,
        }
        return {name: held(m, name, finding) for name, finding in found.items()}

    def _ending(self, m):
        """READY behind a run; gives the state in which the command at hand came."""
        command, given = self.command, self._responses_out.given
        ending, seen = Signal(), Signal(State)
        # both a cycle late: what comes first stays first
        ended = held(m, "ended", ending & given.valid & given.ready & given.payload.last)
        came = held(m, "came", command.valid & command.ready & command.payload.last)
        with m.If(self._responder.run_answered):
            m.d.sync += ending.eq(1)
        with m.If(ended):
            m.d.sync += [ending.eq(0), self._state.eq(State.READY)]
        with m.If(came):
            m.d.sync += seen.eq(Mux(ended, State.READY, self._state))
        return seen
