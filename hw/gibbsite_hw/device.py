"""The shell: packets of words in, packets of words out, around the graph engine.

`gibbsite_hw.spec.packets` lists commands, answers, legal states and error codes; `docs/graph-engine.md`
has the order in which a command is checked. A refused command changes nothing.

Twin: `gibbsite_models.golden.device`.
"""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out, connect

from gibbsite_hw.device_checker import DeviceChecker
from gibbsite_hw.device_loader import DeviceLoader
from gibbsite_hw.device_responder import DeviceResponder
from gibbsite_hw.graph import COUNTERS, GraphEngine
from gibbsite_hw.graph_signatures import Memories
from gibbsite_hw.spec.packets import LEGAL_STATES, MAGIC, ErrorCode, Opcode, Response
from gibbsite_hw.spec.parameters import SPEC_VERSION, GraphParameters
from gibbsite_hw.spec.registers import REGISTERS, Register, RunFlags, State
from gibbsite_hw.words import word_layout

__all__ = ["DeviceShell"]

_LOADING = (
    Opcode.ROWS,
    Opcode.ENTRIES,
    Opcode.BIASES,
    Opcode.CLAMPS,
    Opcode.SCHEDULE,
    Opcode.STATE,
)
_LENGTHS = {
    Opcode.IDENTIFY: 0,
    Opcode.READ: 1,
    Opcode.WRITE: 2,
    Opcode.BEGIN: 2,
    Opcode.COMMIT: 0,
    Opcode.RUN: 0,
    Opcode.ABORT: 0,
}


class DeviceShell(wiring.Component):
    """A device behind a word stream: ``command`` in, ``response`` out.

    Both are Amaranth streams of ``word`` (32 bits) and ``last``. Every port may stall at any time.
    """

    def __init__(self, parameters: GraphParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "command": In(stream.Signature(word_layout)),
                "response": Out(stream.Signature(word_layout)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        parameters = self._parameters
        m.submodules.engine = engine = GraphEngine(parameters)
        m.submodules.loader = loader = DeviceLoader(parameters)
        m.submodules.checker = checker = DeviceChecker(parameters)
        m.submodules.responder = responder = DeviceResponder()
        m.submodules.payload = payload = Memory(shape=32, depth=parameters.payload_words, init=[])
        payload_write, payload_read = payload.write_port(), payload.read_port()

        state = Signal(State, init=State.EMPTY)
        rows, words = Signal(range(parameters.rows + 1)), Signal(range(parameters.words + 1))
        loaded = {
            Opcode.ROWS: Signal(range(parameters.rows + 1), name="rows_loaded"),
            Opcode.ENTRIES: Signal(range(parameters.words + 1), name="words_loaded"),
            Opcode.BIASES: Signal(range(parameters.rows + 1), name="biases_loaded"),
            Opcode.SCHEDULE: Signal(range(parameters.schedule_steps + 1), name="steps_loaded"),
        }
        registers = {
            register: Signal(32, name=f"register_{register.name.lower()}", init=info.reset)
            for register, info in REGISTERS.items()
            if info.writable
        }
        counters = [half for name in COUNTERS for half in self._halves(getattr(engine, name))]
        abort = Signal()

        m.d.comb += [
            engine.rows.eq(rows),
            engine.seed.eq(Cat(registers[Register.SEED_LOW], registers[Register.SEED_HIGH])),
            engine.first_chain.eq(registers[Register.FIRST_CHAIN]),
            engine.chains.eq(registers[Register.CHAINS]),
            engine.number_of_draws.eq(registers[Register.DRAWS]),
            engine.steps.eq(registers[Register.STEPS]),
            engine.sweeps_per_step.eq(registers[Register.SWEEPS_PER_STEP]),
            engine.thin.eq(registers[Register.THIN]),
            engine.flags.eq(registers[Register.FLAGS]),
            engine.abort.eq(abort),
            engine.check_row.eq(checker.row),
            checker.descriptor.eq(engine.check_descriptor),
            checker.on.eq(engine.check_on),
            checker.off.eq(engine.check_off),
            checker.state.eq(engine.check_state),
            checker.rows.eq(rows),
            checker.words.eq(words),
            checker.given.eq((registers[Register.FLAGS] & RunFlags.GIVEN_STATE) != 0),
            loader.rows.eq(rows),
            loader.word.eq(payload_read.data),
        ]

        # Receive a packet: its words go to the payload memory, faults of framing are noted.
        opcode, tag, length = Signal(8), Signal(8), Signal(16)
        count = Signal(range(parameters.payload_words + 1))
        too_long, truncated, oversized = Signal(), Signal(), Signal()
        command = self.command
        fire = Signal()
        run_tag = Signal(8)
        m.d.comb += [
            fire.eq(command.valid & command.ready),
            payload_write.addr.eq(count),
            payload_write.data.eq(command.payload.word),
            engine.tag.eq(run_tag),
        ]
        error, detail = Signal(8), Signal(32)
        first, second = Signal(32), Signal(32)
        index = Signal(range(parameters.rows + 1))
        memory = Signal(2)
        begin_rows, begin_words = Signal(32), Signal(32)

        legal = self._legal(m, opcode, state)
        length_fits = self._length_fits(m, opcode, length)

        def refuse(code, value):
            m.d.sync += [error.eq(code), detail.eq(value)]
            m.next = "REFUSE"

        with m.FSM():
            with m.State("HEADER"):
                m.d.comb += command.ready.eq(1)
                word = command.payload.word
                n = word[:16]
                with m.If(fire):
                    m.d.sync += [
                        opcode.eq(word[24:]),
                        tag.eq(word[16:24]),
                        length.eq(n),
                        count.eq(0),
                        too_long.eq(n > parameters.payload_words),
                        truncated.eq(command.payload.last & (n != 0)),
                        oversized.eq(~command.payload.last & (n == 0)),
                    ]
                    with m.If(command.payload.last):
                        m.next = "DECIDE"
                    with m.Elif((n == 0) | (n > parameters.payload_words)):
                        m.next = "DROP"
                    with m.Else():
                        m.next = "PAYLOAD"
            with m.State("PAYLOAD"):
                m.d.comb += [command.ready.eq(1), payload_write.en.eq(fire)]
                with m.If(fire):
                    m.d.sync += count.eq(count + 1)
                    with m.If(command.payload.last):
                        m.d.sync += truncated.eq(count + 1 != length)
                        m.next = "DECIDE"
                    with m.Elif(count + 1 == length):
                        m.d.sync += oversized.eq(1)
                        m.next = "DROP"
            with m.State("DROP"):
                m.d.comb += command.ready.eq(1)
                with m.If(fire & command.payload.last):
                    m.next = "DECIDE"
            with m.State("DECIDE"):
                m.next = "FIRST"
                with m.If(too_long):
                    refuse(ErrorCode.TOO_LONG, length)
                with m.Elif(~self._known(opcode)):
                    refuse(ErrorCode.UNKNOWN_OPCODE, opcode)
                with m.Elif(truncated):
                    refuse(ErrorCode.TRUNCATED, count)
                with m.Elif(oversized):
                    refuse(ErrorCode.OVERSIZED, length)
                with m.Elif(~legal):
                    refuse(ErrorCode.WRONG_STATE, state)
                with m.Elif(~length_fits):
                    refuse(ErrorCode.BAD_LENGTH, length)
                m.d.comb += payload_read.addr.eq(0)
            with m.State("FIRST"):
                # The first payload word is out, the second is being read.
                m.d.comb += payload_read.addr.eq(1)
                m.d.sync += first.eq(payload_read.data)
                m.next = "SECOND"
            with m.State("SECOND"):
                m.d.sync += second.eq(payload_read.data)
                m.next = "ACT"
            with m.State("ACT"):
                with m.Switch(opcode):
                    with m.Case(Opcode.IDENTIFY):
                        m.d.comb += responder.start.eq(1)
                        m.d.comb += responder.identify.eq(1)
                        m.next = "ANSWER"
                    with m.Case(Opcode.READ):
                        value = Signal(32)
                        known = Signal()
                        with m.Switch(first):
                            for register, source in {
                                **registers,
                                Register.STATE: state,
                                Register.ROWS: rows,
                                Register.WORDS: words,
                                **{
                                    Register(Register.CYCLES_LOW + k): half
                                    for k, half in enumerate(counters)
                                },
                            }.items():
                                with m.Case(register):
                                    m.d.comb += [value.eq(source), known.eq(1)]
                        m.d.comb += [
                            responder.start.eq(known),
                            responder.kind.eq(Response.INFO),
                            responder.length.eq(1),
                            responder.words[0].eq(value),
                        ]
                        m.next = "ANSWER"
                        with m.If(~known):
                            refuse(ErrorCode.BAD_REGISTER, first)
                    with m.Case(Opcode.WRITE):
                        with m.Switch(first):
                            for register, info in REGISTERS.items():
                                with m.Case(register):
                                    if not info.writable:
                                        refuse(ErrorCode.READ_ONLY, first)
                                    else:
                                        with m.If(
                                            (second < info.minimum) | (second > info.maximum)
                                        ):
                                            refuse(ErrorCode.BAD_VALUE, 1)
                                        with m.Else():
                                            m.d.sync += registers[register].eq(second)
                                            m.next = "ACCEPT"
                            with m.Default():
                                refuse(ErrorCode.BAD_REGISTER, first)
                    with m.Case(Opcode.BEGIN):
                        m.d.sync += [index.eq(0), memory.eq(0)]
                        with m.If((first == 0) | (first > parameters.rows)):
                            refuse(ErrorCode.BAD_SIZE, 0)
                        with m.Elif((second == 0) | (second > parameters.words)):
                            refuse(ErrorCode.BAD_SIZE, 1)
                        with m.Else():
                            m.d.sync += [rows.eq(first), words.eq(second)]
                            m.d.sync += [count_loaded.eq(0) for count_loaded in loaded.values()]
                            m.d.sync += state.eq(State.LOADING)
                            m.next = "CLEAR"
                    with m.Case(*_LOADING):
                        m.d.comb += loader.start.eq(1)
                        m.next = "LOAD"
                    with m.Case(Opcode.COMMIT):
                        with m.If(
                            (loaded[Opcode.ROWS] != rows)
                            | (loaded[Opcode.ENTRIES] != words)
                            | (loaded[Opcode.BIASES] != rows)
                        ):
                            refuse(ErrorCode.BAD_ROWS, rows)
                        with m.Else():
                            m.d.comb += [checker.start.eq(1), checker.structure.eq(1)]
                            m.next = "CHECK"
                    with m.Case(Opcode.RUN):
                        with m.If(registers[Register.STEPS] > loaded[Opcode.SCHEDULE]):
                            refuse(ErrorCode.NO_SCHEDULE, registers[Register.STEPS])
                        with m.Else():
                            m.d.comb += checker.start.eq(1)
                            m.next = "CHECK"
                    with m.Case(Opcode.ABORT):
                        m.d.sync += abort.eq(1)
                        m.next = "ACCEPT"
            with m.State("CLEAR"):
                m.d.comb += [
                    engine.write.enable.eq(1),
                    engine.write.address.eq(index),
                    engine.write.memory.eq(
                        Array([Memories.CLAMPS, Memories.STATE, Memories.SPINS, 0])[memory]
                    ),
                ]
                m.d.sync += memory.eq(memory + 1)
                with m.If(memory == 2):
                    m.d.sync += [memory.eq(0), index.eq(index + 1)]
                    with m.If(index + 1 == rows):
                        m.next = "ACCEPT"
            with m.State("LOAD"):
                m.d.comb += payload_read.addr.eq(loader.address)
                connect_write = [
                    getattr(engine.write, name).eq(getattr(loader.write, name))
                    for name in ("enable", "memory", "address", "lane", "data")
                ]
                m.d.comb += connect_write
                with m.If(loader.done):
                    with m.If(loader.error != 0):
                        refuse(loader.error, loader.detail)
                    with m.Else():
                        with m.Switch(opcode):
                            for load_opcode, count_loaded in loaded.items():
                                with m.Case(load_opcode):
                                    with m.If(count_loaded < loader.loaded):
                                        m.d.sync += count_loaded.eq(loader.loaded)
                        m.next = "ACCEPT"
            with m.State("CHECK"):
                m.d.comb += checker.structure.eq(opcode == Opcode.COMMIT)
                with m.If(checker.done):
                    with m.If(checker.error != 0):
                        refuse(checker.error, checker.detail)
                    with m.Else():
                        with m.If(opcode == Opcode.COMMIT):
                            m.d.sync += state.eq(State.READY)
                        m.next = "ACCEPT"
            with m.State("ACCEPT"):
                m.d.comb += [
                    responder.start.eq(1),
                    responder.kind.eq(Response.OK),
                    responder.length.eq(0),
                ]
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
            with m.State("ANSWER"):
                with m.If(responder.answered):
                    m.next = "HEADER"
                    with m.If((opcode == Opcode.RUN) & (error == 0)):
                        m.d.comb += engine.start.eq(1)
                        m.d.sync += [run_tag.eq(tag), abort.eq(0), state.eq(State.RUNNING)]
                    m.d.sync += error.eq(0)

        m.d.comb += [
            loader.opcode.eq(opcode),
            loader.words.eq(length),
            loader.any_place.eq(
                (opcode == Opcode.CLAMPS)
                | (opcode == Opcode.STATE)
                | ((opcode == Opcode.BIASES) & (state == State.READY))
            ),
            loader.at_most.eq(opcode == Opcode.SCHEDULE),
            responder.tag.eq(tag),
        ]
        with m.Switch(opcode):
            for load_opcode, count_loaded in loaded.items():
                with m.Case(load_opcode):
                    m.d.comb += loader.expected.eq(count_loaded)
        with m.Switch(opcode):
            with m.Case(Opcode.ENTRIES):
                m.d.comb += loader.limit.eq(words)
            with m.Case(Opcode.SCHEDULE):
                m.d.comb += loader.limit.eq(parameters.schedule_steps)
            with m.Default():
                m.d.comb += loader.limit.eq(rows)

        # Responses: answers, draws, and DONE when the engine has finished.
        identity = [MAGIC, SPEC_VERSION]
        fingerprint = parameters.fingerprint()
        identity += [fingerprint & 0xFFFF_FFFF, fingerprint >> 32]
        identity += [parameters.lanes, parameters.rows, parameters.words, parameters.schedule_steps]
        m.d.comb += [
            *(responder.identity[n].eq(Const(value, 32)) for n, value in enumerate(identity)),
            *(responder.counters[n].eq(half) for n, half in enumerate(counters)),
            responder.finished.eq(engine.finished),
            responder.aborted.eq(engine.aborted),
            responder.run_tag.eq(run_tag),
        ]
        connect(m, engine.draws, responder.draws)
        connect(m, responder.response, wiring.flipped(self.response))
        with m.If(responder.run_answered):
            m.d.sync += state.eq(State.READY)
        return m

    @staticmethod
    def _halves(value):
        return value[:32], value[32:]

    @staticmethod
    def _known(opcode):
        known = Const(0, 1)
        for code in Opcode:
            known = known | (opcode == code)
        return known

    @staticmethod
    def _legal(m, opcode, state):
        legal = Signal()
        with m.Switch(opcode):
            for code, states in LEGAL_STATES.items():
                with m.Case(code):
                    allowed = Const(0, 1)
                    for one in sorted(states):
                        allowed = allowed | (state == one)
                    m.d.comb += legal.eq(allowed)
        return legal

    def _length_fits(self, m, opcode, length):
        """Fixed lengths, or one word and then whole records."""
        fits = Signal()
        rest = (length - 1)[:16]
        with m.Switch(opcode):
            for code, number in _LENGTHS.items():
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
