"""The graph engine's shell: packets of words in, packets of words out.

`gibbsite_hw.spec.packets` lists commands, answers, legal states and error codes;
`docs/graph-engine.md` has the order in which a command is checked. A refused command changes
nothing.

Twin: `gibbsite_models.golden.graph_shell`.
"""

from amaranth.hdl import Array, Cat, Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from gibbsite_hw.device_checker import DeviceChecker
from gibbsite_hw.device_loader import DeviceLoader
from gibbsite_hw.device_receiver import DeviceReceiver
from gibbsite_hw.device_responder import DeviceResponder
from gibbsite_hw.graph import COUNTERS, GraphEngine
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
        m.submodules.engine = self._engine = GraphEngine(parameters)
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
        self._registers = {
            register: Signal(32, name=f"register_{register.name.lower()}", init=info.reset)
            for register, info in REGISTERS.items()
            if info.writable
        }
        self._counters = [
            half
            for name in COUNTERS
            for half in (getattr(self._engine, name)[:32], getattr(self._engine, name)[32:])
        ]
        self._abort = Signal()
        self._run_tag = Signal(8)
        self._connect_engine(m)
        self._connect_parts(m)
        self._commands(m)
        return m

    def _connect_engine(self, m):
        """Registers and conditions of a run; the memories that the checker reads."""
        engine, checker, registers = self._engine, self._checker, self._registers
        m.d.comb += [
            engine.rows.eq(self._rows),
            engine.seed.eq(Cat(registers[Register.SEED_LOW], registers[Register.SEED_HIGH])),
            engine.first_chain.eq(registers[Register.FIRST_CHAIN]),
            engine.chains.eq(registers[Register.CHAINS]),
            engine.number_of_draws.eq(registers[Register.DRAWS]),
            engine.steps.eq(registers[Register.STEPS]),
            engine.sweeps_per_step.eq(registers[Register.SWEEPS_PER_STEP]),
            engine.thin.eq(registers[Register.THIN]),
            engine.flags.eq(registers[Register.FLAGS]),
            engine.abort.eq(self._abort),
            engine.tag.eq(self._run_tag),
            engine.check_row.eq(checker.row),
            checker.descriptor.eq(engine.check_descriptor),
            checker.on.eq(engine.check_on),
            checker.off.eq(engine.check_off),
            checker.state.eq(engine.check_state),
            checker.rows.eq(self._rows),
            checker.words.eq(self._words),
            checker.given.eq((registers[Register.FLAGS] & RunFlags.GIVEN_STATE) != 0),
        ]

    def _connect_parts(self, m):
        """Streams, the loader's limits, and what the responder tells."""
        parameters, engine = self._parameters, self._engine
        receiver, loader, responder = self._receiver, self._loader, self._responder
        fingerprint = self._fingerprint
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
            *(responder.identity[n].eq(Const(value, 32)) for n, value in enumerate(identity)),
            *(responder.counters[n].eq(half) for n, half in enumerate(self._counters)),
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
        first, second = Signal(32), Signal(32)
        error, detail = Signal(8), Signal(32)
        row, memory = Signal(range(self._parameters.rows + 1)), Signal(2)
        legal, fits = self._legal(m, opcode), self._length_fits(m, opcode, length)

        def refuse(code, value):
            m.d.sync += [error.eq(code), detail.eq(value)]
            m.next = "REFUSE"

        with m.If(responder.run_answered):
            m.d.sync += self._state.eq(State.READY)
        with m.FSM():
            with m.State("WAIT"):
                m.d.sync += error.eq(0)
                with m.If(receiver.held):
                    m.next = "FIRST"
                    with m.If(receiver.error != 0):
                        refuse(receiver.error, receiver.detail)
                    with m.Elif(~legal):
                        refuse(ErrorCode.WRONG_STATE, self._state)
                    with m.Elif(~fits):
                        refuse(ErrorCode.BAD_LENGTH, length)
            with m.State("FIRST"):
                # The first payload word is out, the second is being read.
                m.d.comb += receiver.address.eq(1)
                m.d.sync += first.eq(receiver.word)
                m.next = "SECOND"
            with m.State("SECOND"):
                m.d.sync += second.eq(receiver.word)
                m.next = "ACT"
            with m.State("ACT"):
                self._act(m, first, second, refuse)
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
                        m.next = "ACCEPT"
            with m.State("LOAD"):
                m.d.comb += receiver.address.eq(loader.address)
                m.d.comb += [
                    getattr(engine.write, name).eq(getattr(loader.write, name))
                    for name in ("enable", "memory", "address", "lane", "data")
                ]
                with m.If(loader.done):
                    with m.If(loader.error != 0):
                        refuse(loader.error, loader.detail)
                    with m.Else():
                        m.next = "ACCEPT"
                        with m.Switch(opcode):
                            for load_opcode, loaded in self._loaded.items():
                                with m.Case(load_opcode), m.If(loaded < loader.loaded):
                                    m.d.sync += loaded.eq(loader.loaded)
            with m.State("CHECK"):
                m.d.comb += checker.structure.eq(opcode == Opcode.COMMIT)
                with m.If(checker.done):
                    with m.If(checker.error != 0):
                        refuse(checker.error, checker.detail)
                    with m.Else():
                        m.next = "ACCEPT"
                        with m.If(opcode == Opcode.COMMIT):
                            m.d.sync += self._state.eq(State.READY)
            with m.State("ACCEPT"):
                m.d.comb += [responder.start.eq(1), responder.kind.eq(Response.OK)]
                m.next = "ANSWER"
            with m.State("REFUSE"):
                m.d.comb += [
                    responder.start.eq(1),
                    responder.kind.eq(Response.ERROR),
                    responder.length.eq(2),
                    responder.words[0].eq(error),
                    responder.words[1].eq(detail),
                ]
                m.next = "ANSWER"
            with m.State("ANSWER"), m.If(responder.answered):
                m.d.comb += receiver.release.eq(1)
                m.next = "WAIT"
                with m.If((opcode == Opcode.RUN) & (error == 0)):
                    m.d.comb += engine.start.eq(1)
                    m.d.sync += [
                        self._run_tag.eq(receiver.tag),
                        self._abort.eq(0),
                        self._state.eq(State.RUNNING),
                    ]

    def _act(self, m, first, second, refuse):
        """What each command does, once it is legal and of a fitting length."""
        registers, loaded = self._registers, self._loaded
        checker, responder = self._checker, self._responder
        with m.Switch(self._receiver.opcode):
            with m.Case(Opcode.IDENTIFY):
                m.d.comb += [responder.start.eq(1), responder.identify.eq(1)]
                m.next = "ANSWER"
            with m.Case(Opcode.READ):
                value, known = self._readable(m, first)
                m.d.comb += [
                    responder.start.eq(known),
                    responder.kind.eq(Response.INFO),
                    responder.length.eq(1),
                    responder.words[0].eq(value),
                ]
                m.next = "ANSWER"
                with m.If(~known):
                    refuse(ErrorCode.BAD_REGISTER, first)
            with m.Case(Opcode.WRITE), m.Switch(first):
                for register, info in REGISTERS.items():
                    with m.Case(register):
                        if not info.writable:
                            refuse(ErrorCode.READ_ONLY, first)
                            continue
                        with m.If((second < info.minimum) | (second > info.maximum)):
                            refuse(ErrorCode.BAD_VALUE, 1)
                        with m.Else():
                            m.d.sync += registers[register].eq(second)
                            m.next = "ACCEPT"
                with m.Default():
                    refuse(ErrorCode.BAD_REGISTER, first)
            with m.Case(Opcode.BEGIN):
                with m.If((first == 0) | (first > self._parameters.rows)):
                    refuse(ErrorCode.BAD_SIZE, 0)
                with m.Elif((second == 0) | (second > self._parameters.words)):
                    refuse(ErrorCode.BAD_SIZE, 1)
                with m.Else():
                    m.d.sync += [self._rows.eq(first), self._words.eq(second)]
                    m.d.sync += [count.eq(0) for count in loaded.values()]
                    m.d.sync += self._state.eq(State.LOADING)
                    m.next = "CLEAR"
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
                with m.If(registers[Register.STEPS] > loaded[Opcode.SCHEDULE]):
                    refuse(ErrorCode.NO_SCHEDULE, registers[Register.STEPS])
                with m.Else():
                    m.d.comb += checker.start.eq(1)
                    m.next = "CHECK"
            with m.Case(Opcode.ABORT):
                m.d.sync += self._abort.eq(1)
                m.next = "ACCEPT"

    def _readable(self, m, offset):
        """The value of a register, and whether there is one at this offset."""
        value, known = Signal(32), Signal()
        sources = {
            **self._registers,
            Register.STATE: self._state,
            Register.ROWS: self._rows,
            Register.WORDS: self._words,
            **{Register.CYCLES_LOW + n: half for n, half in enumerate(self._counters)},
        }
        with m.Switch(offset):
            for register, source in sources.items():
                with m.Case(register):
                    m.d.comb += [value.eq(source), known.eq(1)]
        return value, known

    def _legal(self, m, opcode):
        """Whether the command may come in this state."""
        legal = Signal()
        with m.Switch(opcode):
            for code, states in LEGAL_STATES.items():
                with m.Case(code), m.Switch(self._state), m.Case(*sorted(states)):
                    m.d.comb += legal.eq(1)
        return legal

    def _length_fits(self, m, opcode, length):
        """Fixed lengths, or one word and then whole records."""
        fits = Signal()
        rest = (length - 1)[:16]
        with m.Switch(opcode):
            for code, number in FIXED_LENGTHS.items():
                with m.Case(code):
                    m.d.comb += fits.eq(length == number)
            with m.Case(Opcode.ROWS, Opcode.CLAMPS):
                m.d.comb += fits.eq((length > 1) & ~rest[0])
            with m.Case(Opcode.ENTRIES, Opcode.BIASES):
                lane = rest[: self._parameters.lane_bits]
                m.d.comb += fits.eq((length > 1) & (lane == 0))
            with m.Case(Opcode.SCHEDULE, Opcode.STATE):
                m.d.comb += fits.eq(length > 1)
        return fits
