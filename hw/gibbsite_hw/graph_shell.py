"""The graph engine's shell: packets of words in, packets of words out.

`gibbsite_hw.spec.packets` lists commands, answers, legal states and error codes;
`docs/graph-engine.md` has the order in which a command is checked. A refused command changes
nothing.

Twin: `gibbsite_models.golden.graph_shell`.
"""

from enum import IntEnum

from amaranth.hdl import Array, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from gibbsite_hw.device_books import FIRST_COUNTER, IDENTITY
from gibbsite_hw.device_checker import DeviceChecker
from gibbsite_hw.device_checks import length_fits, may_come
from gibbsite_hw.device_loader import DeviceLoader
from gibbsite_hw.device_receiver import DeviceReceiver
from gibbsite_hw.device_responder import DeviceResponder
from gibbsite_hw.graph import GraphEngine
from gibbsite_hw.graph_signatures import Memories
from gibbsite_hw.spec.packets import (
    FIXED_LENGTHS,
    LEGAL_STATES,
    MAGIC,
    ErrorCode,
    Opcode,
    Response,
)
from gibbsite_hw.spec.parameters import SPEC_VERSION, GraphParameters
from gibbsite_hw.spec.registers import REGISTERS, Register, RunFlags, State
from gibbsite_hw.words import word_layout

__all__ = ["GraphShell"]

_LOADING = (
    Opcode.ROWS,
    Opcode.ENTRIES,
    Opcode.BIASES,
    Opcode.CLAMPS,
    Opcode.SCHEDULE,
    Opcode.STATE,
)


class _Reply(IntEnum):
    """What goes back to the command: nothing, an error, words of the books, or a number."""

    OK = 0
    ERROR = 1
    BOOKS = 2
    NUMBER = 3


class _Detail(IntEnum):
    """The detail of an error: a number of 16 bits, payload word 0, or the word from the books."""

    NUMBER = 0
    PAYLOAD = 1
    BOOKS = 2


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
        m.submodules.engine = self._engine = GraphEngine(parameters, self._identity())
        m.submodules.receiver = self._receiver = DeviceReceiver(parameters.payload_words, Opcode)
        m.submodules.loader = self._loader = DeviceLoader(parameters)
        m.submodules.checker = self._checker = DeviceChecker(parameters)
        m.submodules.responder = self._responder = DeviceResponder()

        self._state = Signal(State, init=State.EMPTY)
        self._rows = Signal(range(parameters.rows + 1))
        self._words = Signal(range(parameters.words + 1))
        self._loaded = {
            Opcode.ROWS: Signal(range(parameters.rows + 1), name="rows_loaded"),
            Opcode.ENTRIES: Signal(range(parameters.words + 1), name="words_loaded"),
            Opcode.BIASES: Signal(range(parameters.rows + 1), name="biases_loaded"),
            Opcode.SCHEDULE: Signal(range(parameters.schedule_steps + 1), name="steps_loaded"),
        }
        self._flags = Signal(3, init=REGISTERS[Register.FLAGS].reset)
        self._abort = Signal()
        self._run_tag = Signal(8)
        self._connect_engine(m)
        self._connect_parts(m)
        self._commands(m)
        return m

    def _identity(self):
        """The words of the books that IDENTIFY is answered with."""
        parameters, fingerprint = self._parameters, self._fingerprint
        identity = [
            MAGIC,
            SPEC_VERSION,
            fingerprint & 0xFFFF_FFFF,
            fingerprint >> 32,
            parameters.lanes,
            parameters.rows,
            parameters.words,
            parameters.schedule_steps,
        ]
        return {IDENTITY + n: word for n, word in enumerate(identity)}

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
        parameters, engine = self._parameters, self._engine
        receiver, loader, responder = self._receiver, self._loader, self._responder
        opcode = receiver.opcode
        m.d.comb += [
            loader.opcode.eq(opcode),
            loader.words.eq(receiver.length),
            loader.word.eq(receiver.word),
            loader.rows.eq(self._rows),
            loader.limit.eq(self._rows),
            loader.any_place.eq(
                (opcode == Opcode.CLAMPS)
                | (opcode == Opcode.STATE)
                | ((opcode == Opcode.BIASES) & (self._state == State.READY))
            ),
            loader.at_most.eq(opcode == Opcode.SCHEDULE),
            responder.word.eq(engine.word),
            responder.fetched.eq(engine.books.done),
            engine.held.eq(responder.held | responder.fetch),
            responder.tag.eq(receiver.tag),
            responder.finished.eq(engine.finished),
            responder.aborted.eq(engine.aborted),
            responder.run_tag.eq(self._run_tag),
        ]
        with m.Switch(opcode):
            for load_opcode, loaded in self._loaded.items():
                with m.Case(load_opcode):
                    m.d.comb += loader.expected.eq(loaded)
        with m.If(opcode == Opcode.ENTRIES):
            m.d.comb += loader.limit.eq(self._words)
        with m.Elif(opcode == Opcode.SCHEDULE):
            m.d.comb += loader.limit.eq(parameters.schedule_steps)
        connect(m, flipped(self.command), receiver.command)
        connect(m, engine.draws, responder.draws)
        connect(m, responder.response, flipped(self.response))

    def _commands(self, m):
        """One command after the other: check, act, answer."""
        engine, receiver = self._engine, self._receiver
        loader, checker, responder = self._loader, self._checker, self._responder
        opcode, length = receiver.opcode, receiver.length
        reply, error, detail = Signal(_Reply), Signal(8), Signal(_Detail)
        number, offset = Signal(16), Signal(6)
        row, memory = Signal(range(self._parameters.rows + 1)), Signal(2)
        legal = may_come(m, opcode, self._state, LEGAL_STATES)
        fits = length_fits(m, opcode, length, FIXED_LENGTHS, self._whole_records(length))

        def refuse(code, value):
            """An error whose detail is a small number, or one of `_Detail`."""
            m.d.sync += [error.eq(code), reply.eq(_Reply.ERROR)]
            if isinstance(value, _Detail):
                m.d.sync += detail.eq(value)
            else:
                m.d.sync += [number.eq(value), detail.eq(_Detail.NUMBER)]
            m.next = "ANSWER"

        asked = engine.books
        m.d.comb += [
            # Payload word 0 stands at the memory's output wherever no other is addressed.
            engine.value.eq(receiver.word),
            asked.valid.eq(responder.fetch),
            asked.source.eq(responder.source),
            asked.target.eq(offset),
            responder.kind.eq(Response.INFO),
            responder.length.eq(1),
            responder.given.eq(reply != _Reply.BOOKS),
            responder.first.eq(Mux(opcode == Opcode.IDENTIFY, IDENTITY, offset)),
            responder.error.eq(error),
            responder.detail.eq(number),
        ]
        with m.If(detail == _Detail.PAYLOAD):
            m.d.comb += responder.detail.eq(receiver.word)
        with m.Elif(detail == _Detail.BOOKS):
            m.d.comb += responder.detail.eq(engine.word)
        with m.Switch(reply):
            with m.Case(_Reply.OK):
                m.d.comb += [responder.kind.eq(Response.OK), responder.length.eq(0)]
            with m.Case(_Reply.ERROR):
                m.d.comb += [responder.kind.eq(Response.ERROR), responder.length.eq(2)]
            with m.Case(_Reply.BOOKS), m.If(opcode == Opcode.IDENTIFY):
                m.d.comb += responder.length.eq(8)

        with m.If(responder.run_answered):
            m.d.sync += self._state.eq(State.READY)
        with m.FSM():
            with m.State("WAIT"):
                m.d.sync += [reply.eq(_Reply.OK), detail.eq(_Detail.NUMBER)]
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
                self._act(m, reply, number, offset, refuse)
            with m.State("VALUE"):
                m.d.comb += receiver.address.eq(1)
                with m.If(self._out_of_range(m, offset, receiver.word)):
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
                with m.If(_bad_size(receiver.word, self._parameters.words)):
                    refuse(ErrorCode.BAD_SIZE, 1)
                with m.Else():
                    m.d.sync += self._words.eq(receiver.word)
                    m.next = "ROWS"
            with m.State("ROWS"):
                m.d.sync += [self._rows.eq(receiver.word), self._state.eq(State.LOADING)]
                m.d.sync += [count.eq(0) for count in self._loaded.values()]
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
                        refuse(ErrorCode.BAD_ADDRESS, _Detail.PAYLOAD)
                    with m.Elif(loader.error != 0):
                        refuse(loader.error, loader.detail)
                    with m.Else():
                        m.next = "ANSWER"
                        with m.If(loader.expected < loader.loaded), m.Switch(opcode):
                            for load_opcode, loaded in self._loaded.items():
                                with m.Case(load_opcode):
                                    m.d.sync += loaded.eq(loader.loaded)
            with m.State("STEPS"):
                m.d.comb += [asked.valid.eq(1), asked.source.eq(Register.STEPS)]
                with m.If(asked.done):
                    with m.If(_above(engine.word, self._loaded[Opcode.SCHEDULE])):
                        refuse(ErrorCode.NO_SCHEDULE, _Detail.BOOKS)
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
                with m.If((opcode == Opcode.RUN) & (reply == _Reply.OK)):
                    m.d.comb += engine.start.eq(1)
                    m.d.sync += [
                        self._run_tag.eq(receiver.tag),
                        self._abort.eq(0),
                        self._state.eq(State.RUNNING),
                    ]

    def _act(self, m, reply, number, offset, refuse):
        """What each command does, once it is legal and of a fitting length."""
        loaded, checker, receiver = self._loaded, self._checker, self._receiver
        word = receiver.word
        known, writable, status = self._registers(m, word)
        m.d.sync += offset.eq(word)
        m.next = "ANSWER"
        with m.Switch(receiver.opcode):
            with m.Case(Opcode.IDENTIFY):
                m.d.sync += reply.eq(_Reply.BOOKS)
            with m.Case(Opcode.READ):
                m.d.sync += reply.eq(Mux(status, _Reply.NUMBER, _Reply.BOOKS))
                with m.Switch(word[:2]):
                    for register, value in (
                        (Register.STATE, self._state),
                        (Register.ROWS, self._rows),
                        (Register.WORDS, self._words),
                    ):
                        with m.Case(register & 3):
                            m.d.sync += number.eq(value)
                with m.If(~known):
                    refuse(ErrorCode.BAD_REGISTER, _Detail.PAYLOAD)
            with m.Case(Opcode.WRITE):
                m.d.comb += receiver.address.eq(1)
                m.next = "VALUE"
                with m.If(~known):
                    refuse(ErrorCode.BAD_REGISTER, _Detail.PAYLOAD)
                with m.Elif(~writable):
                    refuse(ErrorCode.READ_ONLY, _Detail.PAYLOAD)
            with m.Case(Opcode.BEGIN):
                m.d.comb += receiver.address.eq(1)
                m.next = "SIZE"
                with m.If(_bad_size(word, self._parameters.rows)):
                    refuse(ErrorCode.BAD_SIZE, 0)
            with m.Case(*_LOADING):
                m.d.comb += self._loader.start.eq(1)
                m.next = "LOAD"
            with m.Case(Opcode.COMMIT):
                with m.If(
                    (loaded[Opcode.ROWS] != self._rows)
                    | (loaded[Opcode.ENTRIES] != self._words)
                    | (loaded[Opcode.BIASES] != self._rows)
                ):
                    refuse(ErrorCode.BAD_ROWS, self._rows)
                with m.Else():
                    m.d.comb += checker.start.eq(1)
                    m.next = "CHECK"
            with m.Case(Opcode.RUN):
                m.next = "STEPS"
            with m.Case(Opcode.ABORT):
                m.d.sync += self._abort.eq(1)

    def _registers(self, m, offset):
        """Whether there is a register at this offset, it may be written, it stands in the shell."""
        known, writable, status = Signal(), Signal(), Signal()
        shown = (Register.STATE, Register.ROWS, Register.WORDS)
        with m.If(offset[6:] == 0), m.Switch(offset[:6]):
            with m.Case(*(r for r in REGISTERS if REGISTERS[r].writable)):
                m.d.comb += [known.eq(1), writable.eq(1)]
            with m.Case(*shown):
                m.d.comb += [known.eq(1), status.eq(1)]
            with m.Case(*(r for r in REGISTERS if r >= FIRST_COUNTER)):
                m.d.comb += known.eq(1)
        return known, writable, status

    def _out_of_range(self, m, offset, value):
        """Whether a register may not take this value."""
        bad = Signal()
        limits = {}
        for register, info in REGISTERS.items():
            if info.writable:
                limits.setdefault((info.minimum, info.maximum), []).append(register)
        with m.Switch(offset):
            for (least, most), registers in limits.items():
                with m.Case(*registers):
                    m.d.comb += bad.eq(((value == 0) if least else 0) | _above(value, most))
        return bad

    def _whole_records(self, length):
        """By opcode: whether there is one word and then whole records, one at least."""
        rest = (length - 1)[:16]
        lane = rest[: self._parameters.lane_bits]
        return {
            (Opcode.ROWS, Opcode.CLAMPS): (length > 1) & ~rest[0],
            (Opcode.ENTRIES, Opcode.BIASES): (length > 1) & (lane == 0),
            (Opcode.SCHEDULE, Opcode.STATE): length > 1,
        }


def _above(value, limit):
    """``value > limit`` without a comparator where no bit of ``limit`` can be."""
    bits = limit.bit_length() if isinstance(limit, int) else len(limit)
    if isinstance(limit, int) and limit == (1 << bits) - 1:
        return value[bits:].any()
    return value[bits:].any() | (value[:bits] > limit)


def _bad_size(value, most):
    return (value == 0) | _above(value, most)
