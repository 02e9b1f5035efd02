"""The seed hash for a fast clock: Threefry-2x64-20 with one sum of 64 bits between two registers.

    x0' = x0 + x1,  x1' = rotl(x1, r) ^ x0'     a round; behind every fourth, keys are added

Keys are added with the round behind them: x0' = x0 + x1 + (k_j + k_(j+1) + j) in carry-save form,
x1 + (k_(j+1) + j) beside it. Both brackets are got ready in the rounds before, and the last of them
is added while the next hash is loaded.

Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
Twin: `gibbsite_models.golden.noise`, and `gibbsite_hw.noise.SeedHash`, which is for any engine.
"""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gibbsite_hw.lattice_delays import held
from gibbsite_hw.spec.lattice_tables import LATTICE_ENGINE

__all__ = ["LatticeHash"]

_ROTATIONS = (16, 42, 12, 31, 16, 32, 24, 21)
_PARITY = 0x1BD11BDAA9FC1A22
_ROUNDS = 20


class LatticeHash(wiring.Component):
    """``rounds`` rounds a cycle. ``start`` begins the hash of key (``seed``, lattice engine) and
    counter (``chain``, ``stream``), which have stood there for two cycles; ``seed`` stays.

    ``done`` is high in the (20 / rounds)-th cycle behind ``start``, which may come again in the
    next one. ``ready`` is high two cycles behind ``done``, with ``result`` beside it (X0 low, X1
    high), zero replaced by one.
    """

    def __init__(self, rounds: int) -> None:
        if rounds not in (1, 2, 4):
            raise ValueError(f"rounds must be 1, 2 or 4, not {rounds}")
        self._rounds = rounds
        super().__init__(
            {
                "start": In(1),
                "seed": In(64),
                "chain": In(32),
                "stream": In(32),
                "done": Out(1),
                "ready": Out(1),
                "result": Out(128),
            }
        )

    def elaborate(self, platform):
        m = Module()
        cycles = _ROUNDS // self._rounds
        count = Signal(range(cycles + 1), init=cycles)
        x0, x1 = Signal(64), Signal(64)
        first, second, both = self._keys(m, count)

        # the first keys are added to the counter
        begun0 = held(m, "begun0", (self.chain + self.seed)[:64])
        begun1 = held(m, "begun1", self.stream + LATTICE_ENGINE)
        a, b = x0, x1
        period = 8 // self._rounds
        phase = count[: max(1, (period - 1).bit_length())]
        for step in range(self._rounds):
            if step == 0:
                with_keys = Signal(64)
                m.d.comb += with_keys.eq(b + second)
                total = self._sum(m, a, b, both)
            else:
                with_keys, total = b, Signal(64, name=f"total{step}")
                m.d.comb += total.eq(a + b)
            rotated = Array(
                with_keys.rotate_left(_ROTATIONS[turn * self._rounds + step])
                for turn in range(period)
            )
            mixed = Signal(64, name=f"mixed{step}")
            m.d.comb += mixed.eq(rotated[phase] ^ total)
            if step == 0:
                ended1 = with_keys
            a, b = total, mixed

        last = Signal()
        m.d.sync += last.eq(0)
        m.d.comb += self.done.eq(last)
        with m.If(self.start):
            m.d.sync += [x0.eq(begun0), x1.eq(begun1), count.eq(0)]
            if cycles == 1:
                m.d.sync += last.eq(1)
        with m.Elif(count != cycles):
            m.d.sync += [x0.eq(a), x1.eq(b), count.eq(count + 1), last.eq(count == cycles - 2)]

        end0, end1 = held(m, "end0", (x0 + first)[:64]), held(m, "end1", ended1)
        m.d.sync += self.ready.eq(held(m, "ended", last))
        m.d.comb += self.result.eq(Cat(end0, end1) | ~Cat(end0, end1).any())
        return m

    def _sum(self, m, a, b, c):
        """a + b + c, with one carry chain."""
        half, carry, total = (Signal(64, name=n) for n in ("half", "carry", "total"))
        m.d.comb += [
            half.eq(a ^ b ^ c),
            carry.eq(((a & b) | (a & c) | (b & c)) << 1),
            total.eq(half + carry),
        ]
        return total

    def _keys(self, m, count):
        """k_j of the keys added next, k_(j+1) + j and both together in the cycle that adds them."""
        per = 4 // self._rounds
        shift = (per - 1).bit_length()
        keys = [self.seed, Const(LATTICE_ENGINE, 64), self.seed ^ (LATTICE_ENGINE ^ _PARITY)]
        number = Signal(range(_ROUNDS // 4 + 2))
        first, second = Signal(64, name="first"), Signal(64, name="second")
        firsts = Array(keys[j % 3] for j in range(_ROUNDS // 4 + 1))
        seconds = Array(keys[(j + 1) % 3] for j in range(_ROUNDS // 4 + 1))
        m.d.comb += [first.eq(firsts[number]), second.eq((seconds[number] + number)[:64])]
        if self._rounds == 1:  # from one cycle to the next: key, sum, and both in their turn
            m.d.comb += number.eq((count >> shift) + 1)
            first, second = held(m, "first", first), held(m, "second", second)
            both = held(m, "both", (first + second)[:64])
            turn = count[:2] == 3
            return (
                first,
                held(m, "second_now", Mux(turn, second, 0)),
                held(m, "both_now", Mux(turn, both, 0)),
            )
        turn = (count != 0) & (count[:shift] == 0 if shift else 1)
        m.d.comb += number.eq(count >> shift)
        both = (first + second)[:64]
        return first, Mux(turn, second, 0), Mux(turn, both, 0)
