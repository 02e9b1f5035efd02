"""The lattice engine's shell: packets of words in, packets of words out.

`gibbsite_hw.spec.lattice_packets` lists commands, answers, legal states and error codes; "The
shell" in docs/lattice-engine.md has what each command checks. A refused command changes nothing.

Twin: `gibbsite_models.golden.lattice_shell`.
"""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from gibbsite_hw.device_receiver import DeviceReceiver
from gibbsite_hw.device_responder import DeviceResponder
from gibbsite_hw.lattice import LatticeEngine
from gibbsite_hw.lattice_loader import LOADING, LatticeLoader
from gibbsite_hw.lattice_settings import LatticeSettings
from gibbsite_hw.lattice_signatures import COUNTERS, LatticeMemories
from gibbsite_hw.spec.lattice_packets import (
    LATTICE_FIXED_LENGTHS,
    LATTICE_LEGAL_STATES,
    LatticeErrorCode,
    LatticeOpcode,
    LatticeResponse,
)
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.packets import MAGIC, Engine
from gibbsite_hw.spec.parameters import SPEC_VERSION
from gibbsite_hw.spec.registers import State
from gibbsite_hw.words import word_layout

__all__ = ["LatticeShell"]

_MUST_LOAD = (LatticeOpcode.COUPLINGS, LatticeOpcode.BIASES)
"""What COMMIT wants complete, numbered as in the detail of INCOMPLETE."""


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
        m.submodules.responder = self._responder = DeviceResponder(
            2 * len(COUNTERS), engine=Engine.LATTICE
        )
        m.submodules.settings = self._settings = LatticeSettings()

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
        self._abort = Signal()
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
        """Streams, the loader's limits, and what the responder tells."""
        parameters, engine = self._parameters, self._engine
        receiver, loader, responder = self._receiver, self._loader, self._responder
        fingerprint = self._fingerprint
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
            loader.opcode.eq(opcode),
            loader.words.eq(receiver.length),
            loader.word.eq(receiver.word),
            loader.any_place.eq(anywhere | (once_ready & (self._state == State.READY))),
            *(responder.identity[n].eq(Const(value, 32)) for n, value in enumerate(identity)),
            responder.tag.eq(receiver.tag),
            responder.finished.eq(engine.finished),
            responder.aborted.eq(engine.aborted),
            responder.run_tag.eq(self._run_tag),
        ]
        with m.Switch(opcode):
            for code, limit in self._limits.items():
                with m.Case(code):
                    m.d.comb += loader.limit.eq(limit)
                    if code in self._loaded:
                        m.d.comb += loader.expected.eq(self._loaded[code])
        status = self._settings.status
        m.d.comb += [status.state.eq(self._state), status.columns.eq(self._columns)]
        for n, name in enumerate(COUNTERS):
            for half, part in enumerate(("low", "high")):
                word = getattr(engine, name)[32 * half :][:32]
                m.d.comb += [
                    responder.counters[2 * n + half].eq(word),
                    status[f"{name}_{part}"].eq(word),
                ]
        connect(m, flipped(self.command), receiver.command)
        connect(m, engine.draws, responder.draws)
        connect(m, responder.response, flipped(self.response))

    def _commands(self, m):
        """One command after the other: check, fetch, act, answer."""
        engine, receiver = self._engine, self._receiver
        loader, responder = self._loader, self._responder
        opcode, length = receiver.opcode, receiver.length
        payload = [Signal(32, name=f"payload{n}") for n in range(2)]
        m.d.comb += [self._settings.offset.eq(payload[0]), self._settings.word.eq(payload[1])]
        at = Signal()
        error, detail = Signal(8), Signal(32)
        column, x = Signal.like(engine.write.column), Signal()
        legal, fits = self._legal(m, opcode), self._length_fits(m, opcode, length)

        def refuse(code, value):
            m.d.sync += [error.eq(code), detail.eq(value)]
            m.next = "REFUSE"

        with m.If(responder.run_answered):
            m.d.sync += self._state.eq(State.READY)
        with m.FSM():
            with m.State("WAIT"):
                m.d.sync += [error.eq(0), at.eq(0)]
                with m.If(receiver.held):
                    m.next = "FETCH"
                    with m.If(receiver.error != 0):
                        refuse(receiver.error, receiver.detail)
                    with m.Elif(~legal):
                        refuse(LatticeErrorCode.WRONG_STATE, self._state)
                    with m.Elif(~fits):
                        refuse(LatticeErrorCode.BAD_LENGTH, length)
            with m.State("FETCH"):
                # Payload word `at` is out, the next one is being read.
                m.d.comb += receiver.address.eq(at + 1)
                m.d.sync += [Array(payload)[at].eq(receiver.word), at.eq(at + 1)]
                with m.If(at == 1):
                    m.next = "ACT"
            with m.State("ACT"):
                self._act(m, payload, refuse)
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
                    with m.If(column + 1 == self._columns):
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
                                with m.Case(code), m.If(loaded < loader.loaded):
                                    m.d.sync += loaded.eq(loader.loaded)
            with m.State("ACCEPT"):
                m.d.comb += [responder.start.eq(1), responder.kind.eq(LatticeResponse.OK)]
                m.next = "ANSWER"
            with m.State("REFUSE"):
                m.d.comb += [
                    responder.start.eq(1),
                    responder.kind.eq(LatticeResponse.ERROR),
                    responder.length.eq(2),
                    responder.words[0].eq(error),
                    responder.words[1].eq(detail),
                ]
                m.next = "ANSWER"
            with m.State("ANSWER"), m.If(responder.answered):
                m.d.comb += receiver.release.eq(1)
                m.next = "WAIT"
                with m.If((opcode == LatticeOpcode.RUN) & (error == 0)):
                    m.d.comb += engine.start.eq(1)
                    m.d.sync += [
                        self._run_tag.eq(receiver.tag),
                        self._abort.eq(0),
                        self._state.eq(State.RUNNING),
                    ]

    def _act(self, m, payload, refuse):
        """What each command does, once it is legal and of a fitting length."""
        loaded, responder, settings = self._loaded, self._responder, self._settings
        code = LatticeErrorCode
        with m.Switch(self._receiver.opcode):
            with m.Case(LatticeOpcode.IDENTIFY):
                m.d.comb += [responder.start.eq(1), responder.identify.eq(1)]
                m.next = "ANSWER"
            with m.Case(LatticeOpcode.READ):
                m.d.comb += [
                    responder.start.eq(settings.known),
                    responder.kind.eq(LatticeResponse.INFO),
                    responder.length.eq(1),
                    responder.words[0].eq(settings.value),
                ]
                m.next = "ANSWER"
                with m.If(~settings.known):
                    refuse(code.BAD_REGISTER, payload[0])
            with m.Case(LatticeOpcode.WRITE):
                m.d.comb += settings.write.eq(1)
                m.next = "ACCEPT"
                with m.If(settings.error != 0):
                    refuse(settings.error, settings.detail)
            with m.Case(LatticeOpcode.BEGIN):
                columns = payload[0]
                with m.If(columns[0] | (columns == 0) | (columns > self._parameters.columns)):
                    refuse(code.BAD_SIZE, 0)
                with m.Else():
                    m.d.comb += self._engine.sized.eq(1)
                    m.d.sync += [
                        self._columns.eq(columns),
                        *(count.eq(0) for count in loaded.values()),
                        self._state.eq(State.LOADING),
                    ]
                    m.next = "CLEAR"
            with m.Case(*LOADING):
                m.d.comb += self._loader.start.eq(1)
                m.next = "LOAD"
            with m.Case(LatticeOpcode.COMMIT):
                missing = [loaded[part] != self._limits[part] for part in _MUST_LOAD]
                with m.If(Cat(missing).any()):
                    refuse(code.INCOMPLETE, Mux(missing[0], 0, 1))
                with m.Else():
                    m.d.sync += self._state.eq(State.READY)
                    m.next = "ACCEPT"
            with m.Case(LatticeOpcode.RUN):
                steps = settings.settings.steps
                with m.If(steps > loaded[LatticeOpcode.SCHEDULE]):
                    refuse(code.NO_SCHEDULE, steps)
                with m.Else():
                    m.next = "ACCEPT"
            with m.Case(LatticeOpcode.ABORT):
                m.d.sync += self._abort.eq(1)
                m.next = "ACCEPT"

    def _legal(self, m, opcode):
        """Whether the command may come in this state."""
        legal = Signal()
        with m.Switch(opcode):
            for code, states in LATTICE_LEGAL_STATES.items():
                with m.Case(code), m.Switch(self._state), m.Case(*sorted(states)):
                    m.d.comb += legal.eq(1)
        return legal

    def _length_fits(self, m, opcode, length):
        """Fixed lengths, or one word and then whole records."""
        fits = Signal()
        with m.Switch(opcode):
            for code, number in LATTICE_FIXED_LENGTHS.items():
                with m.Case(code):
                    m.d.comb += fits.eq(length == number)
            with m.Case(*LOADING):
                m.d.comb += fits.eq(self._loader.fits)
        return fits
