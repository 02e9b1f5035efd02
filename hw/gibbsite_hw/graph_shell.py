"""The graph engine's shell: packets of words in, packets of words out.

`gibbsite_hw.spec.packets` lists commands, answers, legal states and error codes;
`docs/graph-engine.md` has the order in which a command is checked. A refused command changes
nothing.

Twin: `gibbsite_models.golden.graph_shell`.
"""

from amaranth.hdl import Array, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from gibbsite_hw.device_checker import DeviceChecker
from gibbsite_hw.device_checks import length_fits, may_come
from gibbsite_hw.device_loader import DeviceLoader
from gibbsite_hw.device_receiver import DeviceReceiver
from gibbsite_hw.device_responder import DeviceResponder
from gibbsite_hw.graph import GraphEngine
from gibbsite_hw.graph_answer import GraphAnswer
from gibbsite_hw.graph_progress import LOADING, GraphProgress, whole_records
from gibbsite_hw.graph_settings import above, bad_size, identity_words, out_of_range, registers_at
from gibbsite_hw.graph_signatures import Memories
from gibbsite_hw.spec.packets import (
    FIXED_LENGTHS,
    LEGAL_STATES,
    ErrorCode,
    Opcode,
)
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.registers import REGISTERS, Register, RunFlags, State
from gibbsite_hw.words import word_layout

__all__ = ["GraphShell"]


class GraphShell(wiring.Component):
    """The graph engine behind a word stream: ``command`` in, ``response`` out.

    Both are Amaranth streams of ``word`` (32 bits) and ``last``. Every port may stall at any time.
    After reset it is EMPTY. IDENTIFY tells ``fingerprint``, that of the device it is part of;
    None: a device with this engine alone.
    """

    def __init__(self, parameters: GraphParameters, fingerprint: int | None = None) -> None:
        self._parameters = parameters
        self._fingerprint = parameters.fingerprint() if fingerprint is None else fingerprint
        super().__init__(
            {
                "command": In(stream.Signature(word_layout)),
                "response": Out(stream.Signature(word_layout)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        parameters = self._parameters
        m.submodules.engine = self._engine = GraphEngine(
            parameters, identity_words(parameters, self._fingerprint)
        )
        m.submodules.receiver = self._receiver = DeviceReceiver(parameters.payload_words, Opcode)
        m.submodules.loader = self._loader = DeviceLoader(parameters)
        m.submodules.checker = self._checker = DeviceChecker(parameters)
        m.submodules.responder = self._responder = DeviceResponder()

        self._state = Signal(State, init=State.EMPTY)
        self._rows = Signal(range(parameters.rows + 1))
        self._words = Signal(range(parameters.words + 1))
        self._progress = GraphProgress(parameters, self._rows, self._words)
        self._flags = Signal(3, init=REGISTERS[Register.FLAGS].reset)
        self._abort = Signal()
        self._run_tag = Signal(8)
        self._connect_engine(m)
        self._connect_parts(m)
        self._commands(m)
        return m

    def _connect_engine(self, m):
        """Conditions of a run; the memories that the checker reads."""
        engine, checker = self._engine, self._checker
        m.d.comb += [
            engine.rows.eq(self._rows),
            engine.flags.eq(self._flags),
            engine.abort.eq(self._abort),
            engine.tag.eq(self._run_tag),
            engine.check_row.eq(checker.row),
            checker.descriptor.eq(engine.check_descriptor),
            checker.on.eq(engine.check_on),
            checker.off.eq(engine.check_off),
            checker.state.eq(engine.check_state),
            checker.rows.eq(self._rows),
            checker.words.eq(self._words),
            checker.given.eq((self._flags & RunFlags.GIVEN_STATE) != 0),
        ]

    def _connect_parts(self, m):
        """Streams, the loader's limits, and what the responder tells."""
        engine, receiver = self._engine, self._receiver
        loader, responder = self._loader, self._responder
        opcode = receiver.opcode
        m.d.comb += [
            loader.opcode.eq(opcode),
            loader.words.eq(receiver.length),
            loader.word.eq(receiver.word),
            loader.rows.eq(self._rows),
        ]
        self._progress.allow(m, loader, opcode, self._state == State.READY)
        m.d.comb += [
            responder.word.eq(engine.word),
            responder.fetched.eq(engine.books.done),
            engine.held.eq(responder.held | responder.fetch),
            responder.tag.eq(receiver.tag),
            responder.finished.eq(engine.finished),
            responder.aborted.eq(engine.aborted),
            responder.run_tag.eq(self._run_tag),
        ]
        self._progress.bound(m, loader, opcode)
        connect(m, flipped(self.command), receiver.command)
        connect(m, engine.draws, responder.draws)
        connect(m, responder.response, flipped(self.response))

    def _commands(self, m):
        """One command after the other: check, act, answer."""
        engine, receiver = self._engine, self._receiver
        loader, checker, responder = self._loader, self._checker, self._responder
        opcode, length = receiver.opcode, receiver.length
        self._answer = answer = GraphAnswer()
        offset = answer.offset
        row, memory = Signal(range(self._parameters.rows + 1)), Signal(2)
        legal = may_come(m, opcode, self._state, LEGAL_STATES)
        records = whole_records(self._parameters, length)
        fits = length_fits(m, opcode, length, FIXED_LENGTHS, records)

        def refuse(code, value):
            answer.refuse(m, code, value)
            m.next = "ANSWER"

        asked = engine.books
        m.d.comb += [
            # Payload word 0 stands at the memory's output wherever no other is addressed.
            engine.value.eq(receiver.word),
            asked.valid.eq(responder.fetch),
            asked.source.eq(responder.source),
            asked.target.eq(offset),
        ]
        answer.connect(m, responder, opcode, receiver.word, engine.word)

        with m.If(responder.run_answered):
            m.d.sync += self._state.eq(State.READY)
        with m.FSM():
            with m.State("WAIT"):
                answer.clear(m)
                with m.If(receiver.held):
                    m.next = "FIRST"
                    with m.If(receiver.error != 0):
                        refuse(receiver.error, receiver.detail)
                    with m.Elif(~legal):
                        refuse(ErrorCode.WRONG_STATE, self._state)
                    with m.Elif(~fits):
                        refuse(ErrorCode.BAD_LENGTH, length)
            with m.State("FIRST"):
                m.next = "SECOND"
            with m.State("SECOND"):
                m.next = "ACT"
            with m.State("ACT"):
                self._act(m, refuse)
            with m.State("VALUE"):
                m.d.comb += receiver.address.eq(1)
                with m.If(out_of_range(m, offset, receiver.word)):
                    refuse(ErrorCode.BAD_VALUE, 1)
                with m.Else():
                    m.next = "STORE"
            with m.State("STORE"):
                m.d.comb += [
                    receiver.address.eq(1),
                    asked.valid.eq(1),
                    asked.write.eq(1),
                    asked.outside.eq(1),
                ]
                with m.If(asked.done):
                    with m.If(offset == Register.FLAGS):
                        m.d.sync += self._flags.eq(receiver.word)
                    m.next = "ANSWER"
            with m.State("SIZE"):
                with m.If(bad_size(receiver.word, self._parameters.words)):
                    refuse(ErrorCode.BAD_SIZE, 1)
                with m.Else():
                    m.d.sync += self._words.eq(receiver.word)
                    m.next = "ROWS"
            with m.State("ROWS"):
                m.d.sync += [self._rows.eq(receiver.word), self._state.eq(State.LOADING)]
                self._progress.forget(m)
                m.next = "CLEAR"
            with m.State("CLEAR"):
                # BEGIN: neither clamps nor states outlive a program.
                cleared = (Memories.CLAMPS, Memories.STATE, Memories.SPINS)
                m.d.comb += [
                    engine.write.enable.eq(1),
                    engine.write.address.eq(row),
                    engine.write.memory.eq(Array(cleared)[memory]),
                ]
                m.d.sync += memory.eq(memory + 1)
                with m.If(memory == len(cleared) - 1):
                    m.d.sync += [memory.eq(0), row.eq(row + 1)]
                    with m.If(row + 1 == self._rows):
                        m.d.sync += row.eq(0)
                        m.next = "ANSWER"
            with m.State("LOAD"):
                m.d.comb += receiver.address.eq(loader.address)
                m.d.comb += [
                    getattr(engine.write, name).eq(getattr(loader.write, name))
                    for name in ("enable", "memory", "address", "lane", "data")
                ]
                with m.If(loader.done):
                    with m.If(loader.error == ErrorCode.BAD_ADDRESS):
                        refuse(ErrorCode.BAD_ADDRESS, answer.PAYLOAD)
                    with m.Elif(loader.error != 0):
                        refuse(loader.error, loader.detail)
                    with m.Else():
                        m.next = "ANSWER"
                        self._progress.grow(m, loader, opcode)
            with m.State("STEPS"):
                m.d.comb += [asked.valid.eq(1), asked.source.eq(Register.STEPS)]
                with m.If(asked.done):
                    with m.If(above(engine.word, self._progress.steps)):
                        refuse(ErrorCode.NO_SCHEDULE, answer.BOOKS)
                    with m.Else():
                        m.d.comb += checker.start.eq(1)
                        m.next = "CHECK"
            with m.State("CHECK"):
                m.d.comb += checker.structure.eq(opcode == Opcode.COMMIT)
                with m.If(checker.done):
                    with m.If(checker.error != 0):
                        refuse(checker.error, checker.detail)
                    with m.Else():
                        m.next = "ANSWER"
                        with m.If(opcode == Opcode.COMMIT):
                            m.d.sync += self._state.eq(State.READY)
            with m.State("ANSWER"):
                m.d.comb += responder.start.eq(1)
                m.next = "ANSWERING"
            with m.State("ANSWERING"), m.If(responder.answered):
                m.d.comb += receiver.release.eq(1)
                m.next = "WAIT"
                with m.If((opcode == Opcode.RUN) & answer.is_ok):
                    m.d.comb += engine.start.eq(1)
                    m.d.sync += [
                        self._run_tag.eq(receiver.tag),
                        self._abort.eq(0),
                        self._state.eq(State.RUNNING),
                    ]

    def _act(self, m, refuse):
        """What each command does, once it is legal and of a fitting length."""
        answer, checker, receiver = self._answer, self._checker, self._receiver
        word = receiver.word
        known, writable, status = registers_at(m, word)
        m.d.sync += answer.offset.eq(word)
        m.next = "ANSWER"
        with m.Switch(receiver.opcode):
            with m.Case(Opcode.IDENTIFY):
                answer.books(m)
            with m.Case(Opcode.READ):
                answer.register(m, status)
                with m.Switch(word[:2]):
                    for register, value in (
                        (Register.STATE, self._state),
                        (Register.ROWS, self._rows),
                        (Register.WORDS, self._words),
                    ):
                        with m.Case(register & 3):
                            m.d.sync += answer.number.eq(value)
                with m.If(~known):
                    refuse(ErrorCode.BAD_REGISTER, answer.PAYLOAD)
            with m.Case(Opcode.WRITE):
                m.d.comb += receiver.address.eq(1)
                m.next = "VALUE"
                with m.If(~known):
                    refuse(ErrorCode.BAD_REGISTER, answer.PAYLOAD)
                with m.Elif(~writable):
                    refuse(ErrorCode.READ_ONLY, answer.PAYLOAD)
            with m.Case(Opcode.BEGIN):
                m.d.comb += receiver.address.eq(1)
                m.next = "SIZE"
                with m.If(bad_size(word, self._parameters.rows)):
                    refuse(ErrorCode.BAD_SIZE, 0)
            with m.Case(*LOADING):
                m.d.comb += self._loader.start.eq(1)
                m.next = "LOAD"
            with m.Case(Opcode.COMMIT):
                with m.If(self._progress.incomplete):
                    refuse(ErrorCode.BAD_ROWS, self._rows)
                with m.Else():
                    m.d.comb += checker.start.eq(1)
                    m.next = "CHECK"
            with m.Case(Opcode.RUN):
                m.next = "STEPS"
            with m.Case(Opcode.ABORT):
                m.d.sync += self._abort.eq(1)
