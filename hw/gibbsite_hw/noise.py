"""Noise of the lanes: seed hash, uniform streams, and logistic or Gumbel shaping.

Uniforms come from xoshiro128's linear engine (period 2^128 - 1, 32 fresh bits a draw), seeded by
Threefry-2x64-20 of (seed, engine; chain, lane). `gibbsite_hw.spec.tables` has the shaping.

Source: Blackman and Vigna, "Scrambled linear pseudorandom number generators" (2018); Salmon et al.,
"Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
Twin: `gibbsite_models.golden.noise`.
"""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gibbsite_hw.spec import tables

__all__ = ["NoiseShaper", "SeedHash", "xoshiro_step"]

_ROTATIONS = (16, 42, 12, 31, 16, 32, 24, 21)
_PARITY = 0x1BD11BDAA9FC1A22
_ROUNDS = 20


def xoshiro_step(state):
    """The four 32-bit words after one step of the linear engine; the draw is word 0 before it."""
    s0, s1, s2, s3 = state
    t = (s1 << 9)[:32]
    n2 = s2 ^ s0
    n3 = s3 ^ s1
    return [s0 ^ n3, s1 ^ n2, n2 ^ t, n3.rotate_left(11)]


class SeedHash(wiring.Component):
    """Threefry-2x64-20, ``rounds`` rounds a cycle.

    ``start`` loads key (``seed``, ``engine``) and counter (``chain``, ``lane``); 20 / rounds cycles
    later ``done`` is high for one cycle, with the 128-bit ``result`` (X0 low, X1 high) beside it,
    zero replaced by one. ``start`` may be given again in the cycle after ``done``.
    """

    def __init__(self, rounds: int) -> None:
        if rounds not in (1, 2, 4):
            raise ValueError(f"rounds must be 1, 2 or 4, not {rounds}")
        self._rounds = rounds
        super().__init__(
            {
                "start": In(1),
                "seed": In(64),
                "engine": In(64),
                "chain": In(64),
                "lane": In(64),
                "done": Out(1),
                "result": Out(128),
            }
        )

    def elaborate(self, platform):
        m = Module()
        x0, x1 = Signal(64), Signal(64)
        key0, key1 = Signal(64), Signal(64)
        parity = Signal(64)
        cycles = _ROUNDS // self._rounds
        count = Signal(range(cycles))
        busy = Signal()
        keys = (key0, key1, parity)
        m.d.comb += parity.eq(key0 ^ key1 ^ _PARITY)

        # Rotations repeat every 8 rounds; `phase` is the cycle within these 8 rounds.
        period = 8 // self._rounds
        a, b = x0, x1
        for step in range(self._rounds):
            a_next, b_next = Signal(64, name=f"a{step}"), Signal(64, name=f"b{step}")
            m.d.comb += a_next.eq(a + b)
            rotated = Array(
                b.rotate_left(_ROTATIONS[phase * self._rounds + step]) for phase in range(period)
            )
            phase = count[: max(1, (period - 1).bit_length())]
            m.d.comb += b_next.eq(rotated[phase] ^ a_next)
            a, b = a_next, b_next

        # After every fourth round r the key is injected with number (r + 1) / 4.
        injections = Signal(range(_ROUNDS // 4 + 2))
        per = 4 // self._rounds
        inject = Const(1) if per == 1 else count[: (per - 1).bit_length()] == per - 1
        m.d.comb += injections.eq((count >> (per - 1).bit_length()) + 1)
        first = Array(keys[j % 3] for j in range(_ROUNDS // 4 + 2))
        second = Array(keys[(j + 1) % 3] for j in range(_ROUNDS // 4 + 2))
        end0, end1 = Signal(64), Signal(64)
        m.d.comb += [
            end0.eq(Mux(inject, a + first[injections], a)),
            end1.eq(Mux(inject, b + second[injections] + injections, b)),
            self.result.eq(Cat(end0, end1) | ((end0 | end1) == 0)),
            self.done.eq(busy & (count == cycles - 1)),
        ]
        with m.If(busy):
            m.d.sync += [x0.eq(end0), x1.eq(end1), count.eq(count + 1)]
            with m.If(self.done):
                m.d.sync += busy.eq(0)
        with m.If(self.start):
            m.d.sync += [
                key0.eq(self.seed),
                key1.eq(self.engine),
                x0.eq(self.chain + self.seed),
                x1.eq(self.lane + self.engine),
                count.eq(0),
                busy.eq(1),
            ]
        return m


class NoiseShaper(wiring.Component):
    """Turns one uniform a lane into one variate a lane, four cycles later.

    In cycle 0 ``uniform`` (and ``gumbel``, for all lanes) is given, in cycle 4 its code, with
    ``score_frac`` fraction bits, is there as what a subtraction of it adds:

        -noise = against + more,    more = 0 or 1

    which spares the mirrored half an adder, and whoever subtracts another. A new uniform may come
    every cycle. Two lanes share a read-only memory, one at each of its ports.
    """

    def __init__(
        self,
        lanes: int,
        score_frac: int,
        index_bits: int = tables.INDEX_BITS,
        tail_bits: int = tables.INDEX_BITS,
    ) -> None:
        self._lanes = lanes
        self._score_frac = score_frac
        self._segments = (index_bits, tail_bits)
        self._shift = tables.BASE_FRAC - score_frac
        if not 0 <= self._shift:
            raise ValueError(f"score_frac must be at most {tables.BASE_FRAC}, not {score_frac}")
        self._noise_bits = tables.BASE_BITS + 1 - self._shift
        super().__init__(
            {
                "uniform": In(unsigned(32)).array(lanes),
                "gumbel": In(1),
                "against": Out(signed(self._noise_bits)).array(lanes),
                "more": Out(lanes),
            }
        )

    def elaborate(self, platform):
        m = Module()
        base, slope = tables.noise_tables(self._score_frac, *self._segments)
        slope_bits = tables.slope_bits(*self._segments)
        entry = data.StructLayout({"base": signed(tables.BASE_BITS), "slope": signed(slope_bits)})
        init = [{"base": b, "slope": s} for b, s in zip(base, slope, strict=True)]
        place_bits = tables.FRACTION_BITS + 1
        gumbel1 = Signal()
        gumbel2 = Signal()
        gumbel3 = Signal()
        m.d.sync += [gumbel1.eq(self.gumbel), gumbel2.eq(gumbel1), gumbel3.eq(gumbel2)]
        for lane in range(self._lanes):
            if lane % 2 == 0:
                table = Memory(shape=entry, depth=len(init), init=init)
                m.submodules[f"table{lane // 2}"] = table
            port = table.read_port()
            uniform = self.uniform[lane]
            upper = uniform[31]
            number = Cat(Const(1, 1), Mux(upper, ~uniform[:31], uniform[:31]))
            # Cycle 0: normalise, `mantissa` is what stands behind the leading one.
            octave, mantissa = Signal(5, name=f"octave{lane}"), Signal(31, name=f"mantissa{lane}")
            value = number
            zeros = []
            for bits in (16, 8, 4, 2, 1):
                empty = Signal(name=f"empty{lane}_{bits}")
                shifted = Signal(32, name=f"shifted{lane}_{bits}")
                m.d.comb += empty.eq(value[32 - bits :] == 0)
                m.d.comb += shifted.eq(Mux(empty, value << bits, value))
                zeros.insert(0, empty)
                value = shifted
            upper1 = Signal(name=f"upper1_{lane}")
            m.d.sync += [octave.eq(Cat(*zeros)), mantissa.eq(value[:31]), upper1.eq(upper)]
            # Cycle 1: look up the segment.
            kind = Mux(
                gumbel1,
                Mux(upper1, tables.GUMBEL_UPPER, tables.GUMBEL_LOWER),
                tables.LOGISTIC,
            )
            near, far, is_near = self._places(mantissa, octave)
            m.d.comb += port.addr.eq(self._address(kind, octave, near, far, is_near))
            place = Signal(place_bits, name=f"place{lane}")
            upper2 = Signal(name=f"upper2_{lane}")
            fraction = Mux(is_near, near, far)[: tables.FRACTION_BITS]
            m.d.sync += [place.eq(Cat(Const(1, 1), fraction)), upper2.eq(upper1)]
            # Cycle 2: the height within the segment.
            height = Signal(signed(slope_bits + place_bits + 1), name=f"height{lane}")
            base3 = Signal(signed(tables.BASE_BITS), name=f"base3_{lane}")
            upper3 = Signal(name=f"upper3_{lane}")
            m.d.sync += [
                height.eq(port.data.slope * place),
                base3.eq(port.data.base),
                upper3.eq(upper2),
            ]
            # Cycle 3: add, drop the guard bits, mirror the logistic.
            code = Signal(signed(self._noise_bits), name=f"code{lane}")
            mirrored = Signal(name=f"mirrored{lane}")
            m.d.comb += [
                code.eq((base3 + (height >> place_bits)) >> self._shift),
                mirrored.eq(upper3 & ~gumbel3),
            ]
            m.d.sync += [
                self.against[lane].eq(code ^ ~mirrored.replicate(self._noise_bits)),
                self.more[lane].eq(~mirrored),
            ]
        return m

    def _places(self, mantissa, octave):
        """Segment and fraction behind the leading one, by near and far octaves; which it is."""
        near, far = (mantissa[31 - bits - tables.FRACTION_BITS : 31] for bits in self._segments)
        return near, far, octave < tables.NEAR_OCTAVES

    def _address(self, kind, octave, near, far, is_near):
        """`tables.octave_start` and the segment, without an adder where octaves are all alike."""
        index_bits, tail_bits = self._segments
        near, far = near[tables.FRACTION_BITS :], far[tables.FRACTION_BITS :]
        if index_bits == tail_bits:
            return Cat(near, octave, kind)
        starts = [tables.octave_start(k, 0, *self._segments) for k in range(3)]
        beyond = tables.octave_start(0, tables.NEAR_OCTAVES, *self._segments)
        # far octaves stand where octave 0 of the far kind of table would, plus a constant
        shift = beyond - (tables.NEAR_OCTAVES << tail_bits)
        within = Mux(is_near, Cat(near, octave[:3]), Cat(far, octave) + shift)
        return (within + Array(starts)[kind])[: (3 * starts[1] - 1).bit_length()]
