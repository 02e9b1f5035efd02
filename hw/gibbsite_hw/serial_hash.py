"""The seed hash a byte at a time: Threefry-2x64-20 in one memory, with one adder of 8 bits.

For builds that count their cells. A program of vector operations works on vectors of eight bytes:

    ADD     d = a + b                 ROTXOR  d = a ^ rotl(b, 8 q + s)
    UNLOAD  four bytes of a into the register that seeds a stream

Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
Twin: `gibbsite_models.golden.noise.seed_streams`; `gibbsite_hw.spec.seeding` has its time.
"""

from enum import IntEnum

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gibbsite_hw.spec.seeding import SERIAL_OPERATIONS

__all__ = ["CHAIN_BYTE", "SEED_BYTE", "SerialSeedHash"]

_ROTATIONS = (16, 42, 12, 31, 16, 32, 24, 21)
_PARITY = 0x1BD11BDAA9FC1A22
_SHIFTS = (0, 2, 4, 5, 7)
"""Bits by which bytes are shifted in these rotations."""


class _V(IntEnum):
    """Vectors in the memory. ROTXOR writes to the vector whose number differs in both low bits."""

    CHAIN = 0
    X1A = 1
    X1B = 2
    X0 = 3
    K0 = 4
    K1 = 5
    CONSTANT = 6
    K2 = 7
    LANE = 8
    TURN = 10  # and the four behind it: the numbers 1 to 5


SEED_BYTE, CHAIN_BYTE = 8 * _V.K0, 8 * _V.CHAIN
"""Where the bytes of the seed (eight) and of the chain's number (four) are written."""

_ADD, _ROTXOR, _UNLOAD = range(3)
_LAST = 18
_END = 63

operation_layout = data.StructLayout({"kind": 2, "a": 4, "b": 4, "d": 4, "spare": 2})
turn_layout = data.StructLayout({"kind": 2, "a": 4, "b": 4, "skip": 3, "shift": 3})
unload_layout = data.StructLayout({"kind": 2, "a": 4, "half": 1, "keep": 1, "take": 4, "spare": 4})


def _program() -> list[int]:
    """All operations of a hash, encoded."""

    def add(a: int, b: int, d: int) -> int:
        return operation_layout.const({"kind": _ADD, "a": a, "b": b, "d": d}).as_value().value

    def rotxor(a: int, b: int, left: int) -> int:
        bits = {"skip": left // 8, "shift": _SHIFTS.index(left % 8)}
        return turn_layout.const({"kind": _ROTXOR, "a": a, "b": b, **bits}).as_value().value

    def unload(a: int, half: int, keep: int, take: int | None) -> int:
        bits = {"half": half, "keep": keep, "take": 0 if take is None else 1 << take}
        return unload_layout.const({"kind": _UNLOAD, "a": a, **bits}).as_value().value

    keys = (_V.K0, _V.K1, _V.K2)
    x1 = _V.X1A
    words = [
        rotxor(_V.CONSTANT, _V.K0, 0),
        add(_V.CHAIN, _V.K0, _V.X0),
        add(_V.LANE, _V.K1, x1),
    ]
    for number in range(20):
        words += [add(_V.X0, x1, _V.X0), rotxor(_V.X0, x1, _ROTATIONS[number % 8])]
        x1 = _V(x1 ^ 3)
        if number % 4 == 3:
            turn = (number + 1) // 4
            words += [
                add(_V.X0, keys[turn % 3], _V.X0),
                add(x1, keys[(turn + 1) % 3], x1),
                add(x1, _V.TURN + turn - 1, x1),
            ]
    # A stream at zero takes s3, s2, s1, s0 through the exclusive ors of its own step.
    words += [
        unload(x1, 1, 0, 3),
        unload(x1, 0, 0, 2),
        unload(_V.X0, 1, 1, 1),
        unload(x1, 0, 1, None),
        unload(x1, 1, 1, None),
        unload(_V.X0, 0, 1, 0),
    ]
    assert len(words) == SERIAL_OPERATIONS
    return words


class SerialSeedHash(wiring.Component):
    """Seeds one lane's stream at a time.

    While idle ``load`` writes ``byte`` at ``place``: the seed's bytes from `SEED_BYTE`, the chain
    number's from `CHAIN_BYTE`; all others stay what they are. ``start`` hashes with ``lane`` and
    sets ``clear``, upon which the lane's stream becomes zero. A bit of ``take`` then asks word n of
    the stream to step by itself, with ``inject`` exclusive-ored to what the step gives; ``inject``
    is zero at all other times. ``done`` comes with the last one, and ``start`` may follow at once.
    """

    def __init__(self, engine: int) -> None:
        self._engine = engine
        super().__init__(
            {
                "load": In(1),
                "place": In(7),
                "byte": In(8),
                "start": In(1),
                "lane": In(8),
                "clear": Out(1),
                "take": Out(4),
                "inject": Out(32),
                "done": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        vectors = {
            _V.K1: self._engine,
            _V.CONSTANT: _PARITY ^ self._engine,
            **{_V.TURN + n: n + 1 for n in range(5)},
        }
        init = [vectors.get(place // 8, 0) >> 8 * (place % 8) & 0xFF for place in range(128)]
        m.submodules.bytes = memory = Memory(shape=8, depth=128, init=init)
        m.submodules.program = program = Memory(
            shape=16, depth=SERIAL_OPERATIONS, init=_program(), attrs={"rom_style": "block"}
        )
        read, write, fetch = memory.read_port(), memory.write_port(), program.read_port()
        code = Signal(16)
        operation = data.View(operation_layout, code)
        turn = data.View(turn_layout, code)
        unload = data.View(unload_layout, code)
        at, cycle = Signal(range(SERIAL_OPERATIONS)), Signal(range(_LAST + 1))
        busy = Signal()
        step, phase = cycle[1:], cycle[0]
        turns = operation.kind == _ROTXOR
        m.d.comb += [fetch.addr.eq(at), code.eq(fetch.data)]

        # Two reads a byte: of b, then of a; their result is written when a is out.
        number, skip = Signal(3), Signal(3)
        m.d.comb += [
            number.eq(step - 1),
            skip.eq(Mux(turns, turn.skip, 0)),
            read.addr.eq(
                Mux(phase, Cat(number, operation.a), Cat((number - skip)[:3], operation.b))
            ),
        ]
        b, before = Signal(8), Signal(8)
        carry, total = Signal(), Signal(9)
        pair = Cat(before, b)
        rotated = Array(pair[8 - left : 16 - left] for left in _SHIFTS)[turn.shift]
        writes = Signal()
        m.d.comb += [
            total.eq(read.data + b + carry),
            writes.eq(busy & ~phase & (step >= 2)),
        ]
        with m.If(phase):
            m.d.sync += [b.eq(read.data), before.eq(b)]
        with m.If(writes):
            m.d.sync += carry.eq(total[8])
        with m.If(step == 0):
            m.d.sync += carry.eq(0)
        m.d.comb += [
            write.addr.eq(
                Cat(
                    (step - 2)[:3],
                    Mux(turns, operation.b ^ 3, operation.d),
                )
            ),
            write.data.eq(Mux(turns, read.data ^ rotated, total[:8])),
            write.en.eq(writes & (operation.kind != _UNLOAD)),
        ]

        # Unloading: four bytes shifted in, on top of what was there or alone.
        held, nothing = Signal(32), Signal()
        ends = cycle == _LAST
        taking = busy & (operation.kind == _UNLOAD)
        shifts = taking & writes & ((step - 2)[2] == unload.half)
        seeding = Signal(4)
        with m.If(shifts):
            m.d.sync += held.eq(Cat(held[8:], read.data ^ Mux(unload.keep, held[:8], 0)))
            with m.If(read.data != 0):
                m.d.sync += nothing.eq(0)
        m.d.sync += seeding.eq(Mux(taking & ends, unload.take, 0))
        m.d.comb += [
            self.take.eq(seeding),
            self.inject.eq(held | (nothing & seeding[0])),
            self.done.eq(seeding[0]),
            self.clear.eq(self.start),
        ]

        with m.If(busy):
            m.d.sync += cycle.eq(cycle + 1)
            with m.If(cycle == _LAST - 1):
                m.d.sync += at.eq(at + 1)
            with m.If(ends):
                m.d.sync += cycle.eq(0)
                with m.If(at == 0):
                    m.d.sync += busy.eq(0)
        with m.If(self.done):
            m.d.sync += held.eq(0)
        with m.If(self.start):
            m.d.sync += [busy.eq(1), nothing.eq(1), held.eq(0)]
        with m.If(~busy):
            m.d.comb += [
                write.addr.eq(Mux(self.load, self.place, 8 * _V.LANE)),
                write.data.eq(Mux(self.load, self.byte, self.lane)),
                write.en.eq(self.load | self.start),
            ]
        return m
