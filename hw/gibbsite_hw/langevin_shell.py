"""The Langevin engine's shell: packets of words in, packets of words out.

`gibbsite_hw.spec.langevin_packets` lists commands, answers, legal states and error codes; "The
shell" in docs/langevin-engine.md has what each command checks. A refused command changes nothing.

Twin: `gibbsite_models.golden.langevin_shell`.
"""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from gibbsite_hw.device_receiver import DeviceReceiver
from gibbsite_hw.device_responder import DeviceResponder
from gibbsite_hw.langevin import LangevinEngine
from gibbsite_hw.langevin_loader import LangevinLoader
from gibbsite_hw.langevin_settings import LangevinSettings
from gibbsite_hw.langevin_signatures import COUNTERS, LangevinMemories
from gibbsite_hw.langevin_size import BEGIN_WORDS, LangevinSize, first_of
from gibbsite_hw.spec.langevin_packets import (
    LANGEVIN_FIXED_LENGTHS,
    LANGEVIN_LEGAL_STATES,
    LANGEVIN_RECORDS,
    LangevinErrorCode,
    LangevinOpcode,
    LangevinResponse,
)
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.packets import MAGIC, Engine
from gibbsite_hw.spec.parameters import SPEC_VERSION
from gibbsite_hw.spec.registers import State
from gibbsite_hw.words import word_layout

__all__ = ["LangevinShell"]

_LOADING = (*LANGEVIN_RECORDS, LangevinOpcode.WEIGHTS)
_MUST_LOAD = (
    LangevinOpcode.UNITS,
    LangevinOpcode.WEIGHTS,
    LangevinOpcode.BIASES,
    LangevinOpcode.CONSTRAINTS,
)
"""What COMMIT wants complete, numbered as in the detail of INCOMPLETE."""


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
        parameters = self._parameters
        m.submodules.engine = self._engine = LangevinEngine(parameters)
        m.submodules.receiver = self._receiver = DeviceReceiver(
            parameters.payload_words, LangevinOpcode
        )
        m.submodules.loader = self._loader = LangevinLoader(parameters)
        m.submodules.responder = self._responder = DeviceResponder(
            2 * len(COUNTERS), engine=Engine.LANGEVIN
        )
        m.submodules.size = self._size = LangevinSize(parameters)
        m.submodules.settings = self._settings = LangevinSettings()

        self._state = Signal(State, init=State.EMPTY)
        # Where each memory ends, and how much of it is loaded.
        self._limits = {
            LangevinOpcode.UNITS: self._size.units,
            LangevinOpcode.WEIGHTS: self._size.words,
            LangevinOpcode.BIASES: self._size.units,
            LangevinOpcode.CLAMPS: self._size.units,
            LangevinOpcode.SCHEDULE: Const(parameters.schedule_entries),
            LangevinOpcode.STATE: self._size.units,
            LangevinOpcode.CONSTRAINTS: self._size.constraints,
            LangevinOpcode.PAIRS: Const(parameters.pairs),
        }
        self._loaded = {
            opcode: Signal.like(self._limits[opcode], name=f"{opcode.name.lower()}_loaded")
            for opcode in (*_MUST_LOAD, LangevinOpcode.SCHEDULE, LangevinOpcode.PAIRS)
        }
        self._abort = Signal()
        self._run_tag = Signal(8)
        self._connect_engine(m)
        self._connect_parts(m)
        self._commands(m)
        return m

    def _connect_engine(self, m):
        """Registers, sizes and shifts of a run."""
        engine, settings = self._engine, self._settings.settings
        m.d.comb += [
            engine.units.eq(self._size.units),
            engine.constraints.eq(self._size.constraints),
            engine.coupled.eq(self._size.coupled),
            engine.shifts.eq(self._size.shifts),
            engine.seed.eq(Cat(settings.seed_low, settings.seed_high)),
            engine.first_chain.eq(settings.first_chain),
            engine.chains.eq(settings.chains),
            engine.number_of_draws.eq(settings.draws),
            engine.entries.eq(settings.entries),
            engine.start_noise.eq(settings.start),
            engine.thin.eq(settings.thin),
            engine.flags.eq(settings.flags),
            engine.moment_every.eq(settings.moment_every),
            engine.pairs.eq(settings.pairs),
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
            parameters.units,
            parameters.constraints,
            parameters.multipliers,
            parameters.schedule_entries,
        ]
        opcode = receiver.opcode
        anywhere, once_ready = Signal(), Signal()
        with m.Switch(opcode):
            with m.Case(LangevinOpcode.CLAMPS, LangevinOpcode.STATE):
                m.d.comb += anywhere.eq(1)
            with m.Case(LangevinOpcode.BIASES, LangevinOpcode.CONSTRAINTS):
                m.d.comb += once_ready.eq(1)
            with m.Case(LangevinOpcode.SCHEDULE, LangevinOpcode.PAIRS):
                m.d.comb += loader.at_most.eq(1)
        m.d.comb += [
            loader.opcode.eq(opcode),
            loader.words.eq(receiver.length),
            loader.word.eq(receiver.word),
            loader.units.eq(self._size.units),
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
        m.d.comb += [
            status.state.eq(self._state),
            status.units.eq(self._size.units),
            status.constraints.eq(self._size.constraints),
            status.words.eq(self._size.words),
        ]
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
        payload = [Signal(32, name=f"payload{n}") for n in range(BEGIN_WORDS)]
        m.d.comb += [
            self._settings.offset.eq(payload[0]),
            self._settings.word.eq(payload[1]),
            *(self._size.payload[n].eq(word) for n, word in enumerate(payload)),
        ]
        at = Signal(range(BEGIN_WORDS))
        error, detail = Signal(8), Signal(32)
        unit, memory = Signal(range(self._parameters.units + 1)), Signal()
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
                        refuse(LangevinErrorCode.WRONG_STATE, self._state)
                    with m.Elif(~fits):
                        refuse(LangevinErrorCode.BAD_LENGTH, length)
            with m.State("FETCH"):
                # Payload word `at` is out, the next one is being read.
                m.d.comb += receiver.address.eq(at + 1)
                m.d.sync += [Array(payload)[at].eq(receiver.word), at.eq(at + 1)]
                with m.If(at == Mux(opcode == LangevinOpcode.BEGIN, BEGIN_WORDS - 1, 1)):
                    m.next = "ACT"
            with m.State("ACT"):
                self._act(m, payload, refuse)
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
                    with m.If(unit + 1 == self._size.units):
                        m.d.sync += unit.eq(0)
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
                            for code, loaded in self._loaded.items():
                                with m.Case(code), m.If(loaded < loader.loaded):
                                    m.d.sync += loaded.eq(loader.loaded)
            with m.State("ACCEPT"):
                m.d.comb += [responder.start.eq(1), responder.kind.eq(LangevinResponse.OK)]
                m.next = "ANSWER"
            with m.State("REFUSE"):
                m.d.comb += [
                    responder.start.eq(1),
                    responder.kind.eq(LangevinResponse.ERROR),
                    responder.length.eq(2),
                    responder.words[0].eq(error),
                    responder.words[1].eq(detail),
                ]
                m.next = "ANSWER"
            with m.State("ANSWER"), m.If(responder.answered):
                m.d.comb += receiver.release.eq(1)
                m.next = "WAIT"
                with m.If((opcode == LangevinOpcode.RUN) & (error == 0)):
                    m.d.comb += engine.start.eq(1)
                    m.d.sync += [
                        self._run_tag.eq(receiver.tag),
                        self._abort.eq(0),
                        self._state.eq(State.RUNNING),
                    ]

    def _act(self, m, payload, refuse):
        """What each command does, once it is legal and of a fitting length."""
        loaded, responder = self._loaded, self._responder
        settings, size = self._settings, self._size
        code = LangevinErrorCode
        with m.Switch(self._receiver.opcode):
            with m.Case(LangevinOpcode.IDENTIFY):
                m.d.comb += [responder.start.eq(1), responder.identify.eq(1)]
                m.next = "ANSWER"
            with m.Case(LangevinOpcode.READ):
                m.d.comb += [
                    responder.start.eq(settings.known),
                    responder.kind.eq(LangevinResponse.INFO),
                    responder.length.eq(1),
                    responder.words[0].eq(settings.value),
                ]
                m.next = "ANSWER"
                with m.If(~settings.known):
                    refuse(code.BAD_REGISTER, payload[0])
            with m.Case(LangevinOpcode.WRITE):
                m.d.comb += settings.write.eq(1)
                m.next = "ACCEPT"
                with m.If(settings.error != 0):
                    refuse(settings.error, settings.detail)
            with m.Case(LangevinOpcode.BEGIN):
                with m.If(size.bad):
                    refuse(code.BAD_SIZE, size.bad_at)
                with m.Else():
                    m.d.comb += size.take.eq(1)
                    m.d.sync += [count.eq(0) for count in loaded.values()]
                    m.d.sync += self._state.eq(State.LOADING)
                    m.next = "CLEAR"
            with m.Case(*_LOADING):
                m.d.comb += self._loader.start.eq(1)
                m.next = "LOAD"
            with m.Case(LangevinOpcode.COMMIT):
                missing = [loaded[part] != self._limits[part] for part in _MUST_LOAD]
                with m.If(Cat(missing).any()):
                    refuse(code.INCOMPLETE, first_of(missing))
                with m.Else():
                    m.d.sync += self._state.eq(State.READY)
                    m.next = "ACCEPT"
            with m.Case(LangevinOpcode.RUN):
                entries, pairs = settings.settings.entries, settings.settings.pairs
                with m.If((entries == 0) | (entries > loaded[LangevinOpcode.SCHEDULE])):
                    refuse(code.NO_SCHEDULE, entries)
                with m.Elif(pairs > loaded[LangevinOpcode.PAIRS]):
                    refuse(code.NO_PAIRS, pairs)
                with m.Else():
                    m.next = "ACCEPT"
            with m.Case(LangevinOpcode.ABORT):
                m.d.sync += self._abort.eq(1)
                m.next = "ACCEPT"

    def _legal(self, m, opcode):
        """Whether the command may come in this state."""
        legal = Signal()
        with m.Switch(opcode):
            for code, states in LANGEVIN_LEGAL_STATES.items():
                with m.Case(code), m.Switch(self._state), m.Case(*sorted(states)):
                    m.d.comb += legal.eq(1)
        return legal

    def _length_fits(self, m, opcode, length):
        """Fixed lengths, or one word and then whole records."""
        fits = Signal()
        with m.Switch(opcode):
            for code, number in LANGEVIN_FIXED_LENGTHS.items():
                with m.Case(code):
                    m.d.comb += fits.eq(length == number)
            with m.Case(*_LOADING):
                m.d.comb += fits.eq(self._loader.fits)
        return fits
