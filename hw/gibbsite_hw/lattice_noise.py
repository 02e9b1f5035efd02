"""The lattice engine's noise: a stream of 64 bits a cycle for every four lanes of a bank.

    x = s0 ^ s1;  s0' = rotl(s0, 24) ^ x ^ (x << 16);  s1' = rotl(x, 37)

and the word is s0 before the step. The engine is linear, so a stream is seeded through one word
that is added to s0': from zero with ``a = rotr(X1, 37)``, then with ``X0 ^ rotl(a, 24) ^ a ^ (a <<
16)``, two steps make s0 = X0 and s1 = X1. No register needs a way in of its own.

Source: Blackman and Vigna, "Scrambled linear pseudorandom number generators" (2018).
Twin: `gibbsite_models.golden.lattice_noise`.
"""

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gibbsite_hw.lattice_delays import held

__all__ = ["LatticeNoise", "LatticeSeeder", "stream_pairs"]


def stream_pairs(streams: int) -> int:
    """Registers that bring a seed's words: one for two streams of each bank."""
    return -(-streams // 2)


def _spread(word):
    """What a word in s0 gives to s0 of the next step."""
    return word.rotate_left(24) ^ word ^ (word << 16)[:64]


class LatticeSeeder(wiring.Component):
    """Takes a seed hash's ``result`` when it is ``done``, then steers the stream at hand.

    ``clear``, then two cycles of ``load`` with ``word``; all are over four cycles after ``done``.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "done": In(1),
                "result": In(128),
                "clear": Out(1),
                "load": Out(1),
                "word": Out(64),
            }
        )

    def elaborate(self, platform):
        m = Module()
        low, high = Signal(64), Signal(64)
        phase = Signal(3)
        last = Signal(64)
        first = high.rotate_right(37)
        m.d.sync += [
            phase.eq(phase << 1 | self.done),
            self.clear.eq(phase[0]),
            self.load.eq(phase[1] | phase[2]),
            self.word.eq(Mux(phase[1], first, Mux(phase[2], last, 0))),
            last.eq(low ^ _spread(first)),
        ]
        with m.If(self.done):
            m.d.sync += [low.eq(self.result[:64]), high.eq(self.result[64:])]
        return m


class LatticeNoise(wiring.Component):
    """Streams of one bank: ``words`` are there at any time, ``step`` goes to the next ones a cycle
    later.

    ``clear`` zeroes the streams that ``select`` names, ``load`` steps them with ``added`` added,
    each a cycle later; ``added`` comes in that cycle, the same for all streams, and is else zero.
    """

    def __init__(self, streams: int) -> None:
        self._streams = streams
        super().__init__(
            {
                "step": In(1),
                "select": In(streams),
                "clear": In(1),
                "load": In(1),
                "added": In(unsigned(64)).array(stream_pairs(streams)),
                "words": Out(unsigned(64)).array(streams),
            }
        )

    def elaborate(self, platform):
        m = Module()
        for number in range(self._streams):
            s0, s1, x = (
                Signal(64, name=f"{n}_{number}", reset_less=True) for n in ("s0", "s1", "x")
            )
            mine = self.select[number]
            m.d.comb += [x.eq(s0 ^ s1), self.words[number].eq(s0)]
            # registers of each stream's own, beside it
            steps = held(m, f"steps_{number}", self.step | (self.load & mine))
            clears = held(m, f"clears_{number}", self.clear & mine)
            with m.If(steps):
                m.d.sync += [
                    s0.eq(s0.rotate_left(24) ^ (x ^ (x << 16)[:64]) ^ self.added[number // 2]),
                    s1.eq(x.rotate_left(37)),
                ]
            with m.If(clears):
                m.d.sync += [s0.eq(0), s1.eq(0)]
        return m
