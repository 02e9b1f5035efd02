"""The Langevin engine's shell: packets of words in, packets of words out.

`gibbsite_hw.spec.langevin_packets` lists commands, answers, legal states and error codes; "The
shell" in docs/langevin-engine.md has what each command checks. A refused command changes nothing.
Settings, counters and identity are read from the books (`gibbsite_hw.device_books`).

Twin: `gibbsite_models.golden.langevin_shell`.
"""

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from gibbsite_hw.device_books import DeviceBooks
from gibbsite_hw.device_checks import length_fits, may_come
from gibbsite_hw.device_receiver import DeviceReceiver
from gibbsite_hw.device_responder import DeviceResponder
from gibbsite_hw.device_run import connect_counters, end_run
from gibbsite_hw.langevin import LangevinEngine
from gibbsite_hw.langevin_answer import Detail, LangevinAnswer, Reply
from gibbsite_hw.langevin_loader import LangevinLoader
from gibbsite_hw.langevin_progress import LangevinProgress
from gibbsite_hw.langevin_settings import LangevinSettings, books_words
from gibbsite_hw.langevin_signatures import LangevinMemories, counters
from gibbsite_hw.langevin_size import BEGIN_WORDS, LangevinSize
from gibbsite_hw.spec.langevin_packets import (
    LANGEVIN_FIXED_LENGTHS,
    LANGEVIN_LEGAL_STATES,
    LANGEVIN_RECORDS,
    LangevinErrorCode,
    LangevinOpcode,
)
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.langevin_registers import LangevinRegister
from gibbsite_hw.spec.packets import Engine
from gibbsite_hw.spec.registers import State
from gibbsite_hw.words import word_layout

__all__ = ["LangevinShell"]

_LOADING = (*LANGEVIN_RECORDS, LangevinOpcode.WEIGHTS)
"""The commands that fill memories."""

_E, _O, _R = LangevinErrorCode, LangevinOpcode, LangevinRegister
_SIZES = ("units", "constraints", "coupled", "shifts")
_SETTINGS = ("first_chain", "chains", "entries", "thin", "flags", "moment_every", "pairs")


class LangevinShell(wiring.Component):
    """The Langevin engine behind a word stream: ``command`` in, ``response`` out.

    Both are Amaranth streams of ``word`` (32 bits) and ``last``. Every port may stall at any time.
    After reset it is EMPTY. IDENTIFY tells ``fingerprint``, that of the device it is part of.
    """

    def __init__(self, parameters: LangevinParameters, fingerprint: int) -> None:
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
        parameters, counted = self._parameters, counters(self._parameters)
        m.submodules.engine = self._engine = LangevinEngine(parameters)
        m.submodules.receiver = self._receiver = DeviceReceiver(
            parameters.payload_words, LangevinOpcode
        )
        m.submodules.loader = self._loader = LangevinLoader(parameters)
        m.submodules.books = self._books = DeviceBooks(
            books_words(parameters, self._fingerprint), list(counted.values())
        )
        m.submodules.responder = self._responder = DeviceResponder(
            2 * len(counted), engine=Engine.LANGEVIN
        )
        m.submodules.size = self._size = LangevinSize(parameters)
        m.submodules.progress = self._progress = LangevinProgress(parameters)
        m.submodules.settings = self._settings = LangevinSettings(parameters)

        self._state = Signal(State, init=State.EMPTY)
        self._abort = Signal()
        self._run_tag = Signal(8)
        self._connect_engine(m)
        self._connect_parts(m)
        self._commands(m)
        return m

    def _connect_engine(self, m):
        """Settings, sizes and shifts of a run; what it counts, and its end."""
        engine, books, responder = self._engine, self._books, self._responder
        settings = self._settings.settings
        m.d.comb += [
            *(getattr(engine, name).eq(getattr(self._size, name)) for name in _SIZES),
            *(getattr(engine, name).eq(settings[name]) for name in _SETTINGS),
            engine.seed.eq(Cat(settings.seed_low, settings.seed_high)),
            engine.number_of_draws.eq(settings.draws),
            engine.start_noise.eq(settings.start),
            engine.abort.eq(self._abort),
            engine.tag.eq(self._run_tag),
            *connect_counters(engine, books, counters(self._parameters)),
        ]
        self._turns = end_run(m, engine, books, responder)
        m.d.comb += responder.run_tag.eq(self._run_tag)
        connect(m, engine.draws, responder.draws)

    def _connect_parts(self, m):
        """The command at hand, and the streams."""
        receiver, loader, responder = self._receiver, self._loader, self._responder
        progress, size = self._progress, self._size
        m.d.comb += [
            progress.opcode.eq(receiver.opcode),
            progress.ready.eq(self._state == State.READY),
            progress.units.eq(size.units),
            progress.constraints.eq(size.constraints),
            progress.words.eq(size.words),
            progress.end.eq(loader.loaded),
            loader.opcode.eq(receiver.opcode),
            loader.words.eq(receiver.length),
            loader.word.eq(receiver.word),
            loader.units.eq(size.units),
            loader.expected.eq(progress.expected),
            loader.any_place.eq(progress.any_place),
            loader.at_most.eq(progress.at_most),
            loader.limit.eq(progress.limit),
            responder.tag.eq(receiver.tag),
        ]
        connect(m, flipped(self.command), receiver.command)
        connect(m, responder.response, flipped(self.response))

    def _commands(self, m):
        """One command after the other: check, fetch, act, answer."""
        engine, receiver, books = self._engine, self._receiver, self._books
        loader, responder, size = self._loader, self._responder, self._size
        opcode, length = receiver.opcode, receiver.length
        payload = [Signal(32, name=f"payload{n}") for n in range(BEGIN_WORDS)]
        m.d.comb += [
            self._settings.offset.eq(payload[0]),
            self._settings.word.eq(payload[1]),
            *(size.payload[n].eq(word) for n, word in enumerate(payload)),
            books.value.eq(payload[1]),
            books.shell.valid.eq(responder.fetch),
            books.shell.source.eq(responder.source),
            books.shell.target.eq(payload[0]),
        ]
        at = Signal(range(BEGIN_WORDS))
        self._answer = answer = LangevinAnswer(max(16, len(size.words)))
        unit, memory = Signal(range(self._parameters.units + 1)), Signal()
        legal = may_come(m, opcode, self._state, LANGEVIN_LEGAL_STATES)
        fits = length_fits(m, opcode, length, LANGEVIN_FIXED_LENGTHS, {_LOADING: loader.fits})
        answer.connect(m, responder, books, opcode, payload[0])

        def refuse(code, value):
            answer.refuse(m, code, value)
            m.next = "ANSWER"

        with m.If(responder.run_answered):
            m.d.sync += self._state.eq(State.READY)
        with m.FSM():
            with m.State("WAIT"):
                answer.clear(m)
                m.d.sync += at.eq(0)
                with m.If(receiver.held):
                    m.next = "FETCH"
                    with m.If(receiver.error != 0):
                        refuse(receiver.error, receiver.detail)
                    with m.Elif(~legal):
                        refuse(_E.WRONG_STATE, self._state)
                    with m.Elif(~fits):
                        refuse(_E.BAD_LENGTH, length)
            with m.State("FETCH"):
                # Payload word `at` is out, the next one is being read.
                m.d.comb += receiver.address.eq(at + 1)
                m.d.sync += [Array(payload)[at].eq(receiver.word), at.eq(at + 1)]
                with m.If(at == Mux(opcode == _O.BEGIN, BEGIN_WORDS - 1, 1)):
                    m.next = "ACT"
            with m.State("ACT"):
                self._act(m, payload, refuse)
            with m.State("STORE"):
                m.d.comb += [
                    books.shell.valid.eq(1),
                    books.shell.write.eq(1),
                    books.shell.outside.eq(1),
                ]
                with m.If(books.shell.done):
                    m.d.comb += self._settings.write.eq(1)
                    m.next = "ANSWER"
            for name, register, code, loaded, following in (
                ("ENTRIES", _R.ENTRIES, _E.NO_SCHEDULE, self._progress.entries, "PAIRS"),
                ("PAIRS", _R.PAIRS, _E.NO_PAIRS, self._progress.pairs, "ANSWER"),
            ):
                with m.State(name):
                    m.d.comb += [books.shell.valid.eq(1), books.shell.source.eq(register)]
                    none = books.zero if name == "ENTRIES" else 0
                    with m.If(books.shell.done):
                        m.next = following
                        with m.If(none | (books.word > loaded)):
                            refuse(code, Detail.BOOKS)
            with m.State("CLEAR"):
                # BEGIN: neither clamps nor states outlive a program.
                m.d.comb += [
                    engine.write.enable.eq(1),
                    engine.write.address.eq(unit),
                    engine.write.memory.eq(
                        Mux(memory, LangevinMemories.STATE, LangevinMemories.CLAMPS)
                    ),
                ]
                m.d.sync += memory.eq(~memory)
                with m.If(memory):
                    m.d.sync += unit.eq(unit + 1)
                    with m.If(unit + 1 == size.units):
                        m.d.sync += unit.eq(0)
                        m.next = "ANSWER"
            with m.State("LOAD"):
                m.d.comb += receiver.address.eq(loader.address)
                m.d.comb += [
                    getattr(engine.write, name).eq(getattr(loader.write, name))
                    for name in ("enable", "memory", "address", "lane", "data")
                ]
                with m.If(loader.done):
                    with m.If(loader.error == _E.BAD_ADDRESS):
                        refuse(_E.BAD_ADDRESS, Detail.PAYLOAD)
                    with m.Elif(loader.error != 0):
                        refuse(loader.error, loader.detail)
                    with m.Else():
                        m.d.comb += self._progress.grow.eq(1)
                        m.next = "ANSWER"
            with m.State("ANSWER"):
                m.d.comb += responder.start.eq(1)
                m.next = "ANSWERING"
            with m.State("ANSWERING"), m.If(responder.answered):
                m.d.comb += receiver.release.eq(1)
                m.next = "WAIT"
                with m.If((opcode == _O.RUN) & (answer.reply == Reply.OK)):
                    m.d.comb += books.restart.eq(1)
                    m.d.sync += [
                        self._run_tag.eq(receiver.tag),
                        self._abort.eq(0),
                        self._state.eq(State.RUNNING),
                    ]
                    m.next = "RESTART"
            with m.State("RESTART"), m.If(~books.restarting):
                m.d.comb += engine.start.eq(1)
                m.next = "WAIT"

    def _act(self, m, payload, refuse):
        """What each command does, once it is legal and of a fitting length."""
        answer, settings = self._answer, self._settings
        size, progress = self._size, self._progress
        m.next = "ANSWER"
        with m.Switch(self._receiver.opcode):
            with m.Case(_O.IDENTIFY):
                m.d.sync += answer.reply.eq(Reply.BOOKS)
            with m.Case(_O.READ):
                m.d.sync += answer.reply.eq(Mux(settings.shown, Reply.NUMBER, Reply.BOOKS))
                with m.Switch(payload[0][:2]):
                    for register, value in (
                        (_R.STATE, self._state),
                        (_R.UNITS, size.units),
                        (_R.CONSTRAINTS, size.constraints),
                        (_R.WORDS, size.words),
                    ):
                        with m.Case(register & 3):
                            m.d.sync += answer.number.eq(value)
                with m.If(~settings.known):
                    refuse(_E.BAD_REGISTER, Detail.PAYLOAD)
            with m.Case(_O.WRITE):
                m.next = "STORE"
                with m.If(settings.error == _E.BAD_VALUE):
                    refuse(_E.BAD_VALUE, 1)
                with m.Elif(settings.error != 0):
                    refuse(settings.error, Detail.PAYLOAD)
            with m.Case(_O.BEGIN):
                with m.If(size.bad):
                    refuse(_E.BAD_SIZE, size.bad_at)
                with m.Else():
                    m.d.comb += [size.take.eq(1), progress.forget.eq(1)]
                    m.d.sync += self._state.eq(State.LOADING)
                    m.next = "CLEAR"
            with m.Case(*_LOADING):
                m.d.comb += self._loader.start.eq(1)
                m.next = "LOAD"
            with m.Case(_O.COMMIT):
                with m.If(progress.incomplete):
                    refuse(_E.INCOMPLETE, progress.missing)
                with m.Else():
                    m.d.sync += self._state.eq(State.READY)
            with m.Case(_O.RUN):
                m.next = "ENTRIES"
            with m.Case(_O.ABORT):
                m.d.sync += self._abort.eq(1)
