"""Checks the payload of a loading command word by word, then writes it into the Langevin engine.

Twin: ``_load`` in `gibbsite_models.golden.langevin_shell`.
"""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gibbsite_hw.langevin_signatures import LangevinMemories, langevin_write_signature
from gibbsite_hw.spec.langevin_formats import (
    COEFFICIENT_MAX,
    MANTISSA_BITS,
    REPEAT_MAX,
    RESIDUAL_MAX,
    SHIFT_MAX,
    STATE_MAX,
    STRENGTH_MAX,
)
from gibbsite_hw.spec.langevin_packets import (
    LANGEVIN_RECORDS,
    LangevinErrorCode,
    LangevinOpcode,
)
from gibbsite_hw.spec.langevin_parameters import LangevinParameters

__all__ = ["LangevinLoader", "quotient"]

_LONGEST = max(LANGEVIN_RECORDS.values())
_MEMORIES = {
    code: getattr(LangevinMemories, code.name)
    for code in (*LANGEVIN_RECORDS, LangevinOpcode.WEIGHTS)
}
_SIGNED = {
    LangevinOpcode.UNITS: (COEFFICIENT_MAX,) * 3,
    LangevinOpcode.BIASES: (COEFFICIENT_MAX,),
    LangevinOpcode.CLAMPS: (None, STATE_MAX),
    LangevinOpcode.SCHEDULE: (None,) * 3 + (STRENGTH_MAX,) * 6,
    LangevinOpcode.STATE: (STATE_MAX,),
    LangevinOpcode.CONSTRAINTS: (None, None, RESIDUAL_MAX),
}
"""Largest magnitude of the signed words of a record; None: a word with a rule of its own."""


def quotient(value, divisor: int):
    """``value // divisor`` for a constant divisor, by one product instead of a divider.

    With m = ceil(2^s / d), ``v m >> s`` is the quotient for all v < 2^b once m d - 2^s <= 2^(s-b).
    """
    bits = len(value)
    shift = bits
    while -(1 << shift) % divisor > 1 << (shift - bits):
        shift += 1
    return (value * -(-(1 << shift) // divisor) >> shift)[:bits]


class LangevinLoader(wiring.Component):
    """Two walks over the payload memory: the first only checks, the second writes.

    ``fits`` says whether ``words`` payload words are an address and whole records of ``opcode``,
    one at least. ``start`` begins with such a packet. The records must begin at ``expected`` (or at
    most there, with ``at_most``) and end within ``limit``; ``any_place`` skips the first rule.
    ``done`` comes with ``error`` (0 if written) and ``detail``; ``loaded`` is the end of what was
    written. ``address`` and ``word`` read the payload memory (synchronous). ``units`` is the size
    of the program.
    """

    def __init__(self, parameters: LangevinParameters) -> None:
        self._parameters = parameters
        self._records = {**LANGEVIN_RECORDS, LangevinOpcode.WEIGHTS: parameters.multipliers // 2}
        super().__init__(
            {
                "start": In(1),
                "opcode": In(8),
                "words": In(range(parameters.payload_words + 1)),
                "fits": Out(1),
                "expected": In(32),
                "any_place": In(1),
                "at_most": In(1),
                "limit": In(32),
                "units": In(range(parameters.units + 1)),
                "address": Out(range(parameters.payload_words)),
                "word": In(32),
                "write": Out(langevin_write_signature(parameters)),
                "done": Out(1),
                "error": Out(8),
                "detail": Out(32),
                "loaded": Out(32),
            }
        )

    def elaborate(self, platform):
        m = Module()
        self._slot = Signal(range(max(_LONGEST, self._parameters.multipliers // 2)))
        records, record_end = self._records_of(m)
        bad = self._bad_word(m)
        target = Signal(32)
        with m.Switch(self.opcode):
            for opcode, number in _MEMORIES.items():
                with m.Case(opcode):
                    m.d.comb += self.write.memory.eq(number)
        m.d.comb += [
            self.write.address.eq(target),
            self.write.lane.eq(self._slot),
            self.write.data.eq(self._record(m)),
        ]
        self._walk(m, records, record_end, bad, target)
        return m

    def _records_of(self, m):
        """Number of records in the packet, and whether the word at hand ends one."""
        rest, records, record_end = Signal(16), Signal(16), Signal()
        whole = Signal()
        m.d.comb += [rest.eq(self.words - 1), self.fits.eq(whole & (self.words > 1))]
        with m.Switch(self.opcode):
            for length in sorted(set(self._records.values())):
                with m.Case(*(code for code, n in self._records.items() if n == length)):
                    m.d.comb += [
                        records.eq(quotient(rest, length)),
                        whole.eq(records * length == rest),
                        record_end.eq(self._slot == length - 1),
                    ]
        return records, record_end

    def _record(self, m):
        """The words of the record so far, the one at hand at its place; of WEIGHTS this word."""
        held = [Signal(32, name=f"held{n}") for n in range(_LONGEST - 1)]
        by_lane = self.opcode == LangevinOpcode.WEIGHTS
        words = [Mux((self._slot == n) | by_lane, self.word, old) for n, old in enumerate(held)]
        for number, old in enumerate(held):
            with m.If(self._slot == number):
                m.d.sync += old.eq(self.word)
        return Cat(*words, self.word)

    def _walk(self, m, records, record_end, bad, target):
        """Word 0, the address, then record by record; the walk that checks comes first."""
        at, here = Signal(range(self._parameters.payload_words + 1)), Signal(16)
        live, writing = Signal(), Signal()
        first, wrong_place = Signal(32), Signal()
        slot = self._slot
        m.d.comb += [
            self.address.eq(at),
            self.loaded.eq(first + records),
            wrong_place.eq(
                ~self.any_place
                & Mux(self.at_most, self.word > self.expected, self.word != self.expected)
            ),
        ]
        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [at.eq(0), live.eq(0), writing.eq(0), slot.eq(0)]
                with m.If(self.start):
                    m.next = "WALK"
            with m.State("WALK"):
                m.d.sync += [at.eq(at + 1), here.eq(at), live.eq(1)]
                with m.If(live & (here == 0)):
                    m.d.sync += [first.eq(self.word), target.eq(self.word)]
                    with m.If(wrong_place | (self.word + records > self.limit)):
                        m.d.sync += [
                            self.error.eq(LangevinErrorCode.BAD_ADDRESS),
                            self.detail.eq(self.word),
                        ]
                        m.next = "DONE"
                with m.Elif(live):
                    by_lane = self.opcode == LangevinOpcode.WEIGHTS
                    m.d.comb += self.write.enable.eq(writing & (record_end | by_lane))
                    m.d.sync += slot.eq(slot + 1)
                    with m.If(record_end):
                        m.d.sync += [slot.eq(0), target.eq(target + 1)]
                    with m.If(bad & ~writing):
                        m.d.sync += [
                            self.error.eq(LangevinErrorCode.BAD_VALUE),
                            self.detail.eq(here),
                        ]
                        m.next = "DONE"
                    with m.Elif(here + 1 == self.words):
                        m.d.sync += [at.eq(0), live.eq(0), slot.eq(0), writing.eq(1)]
                        with m.If(writing):
                            m.d.sync += self.error.eq(0)
                            m.next = "DONE"
            with m.State("DONE"):
                m.d.comb += self.done.eq(1)
                m.next = "IDLE"

    def _bad_word(self, m):
        """Whether the payload word at hand may not be written, from its place in its record."""
        parameters, word, slot = self._parameters, self.word, self._slot
        bad = Signal()
        value, largest = word.as_signed(), Signal(signed(32), init=0)
        out_of_range = Signal()
        m.d.comb += out_of_range.eq((value > largest) | (value < -largest))
        with m.Switch(self.opcode):
            for opcode, limits in _SIGNED.items():
                with m.Case(opcode), m.Switch(slot):
                    for place, limit in enumerate(limits):
                        with m.Case(place):
                            if limit is None:
                                m.d.comb += bad.eq(self._breaks_rule(opcode, place))
                            else:
                                m.d.comb += [largest.eq(limit), bad.eq(out_of_range)]
            with m.Case(LangevinOpcode.WEIGHTS):
                codes = [half.as_signed() for half in (word[:16], word[16:])]
                most = parameters.weight_max
                m.d.comb += bad.eq(Cat((code > most) | (code < -most) for code in codes).any())
            with m.Case(LangevinOpcode.PAIRS):
                m.d.comb += bad.eq(
                    (word[:12] >= self.units) | (word[12:24] >= self.units) | (word[25:] != 0)
                )
        return bad

    def _breaks_rule(self, opcode: LangevinOpcode, place: int):
        """The words that are no signed codes."""
        word = self.word
        if opcode is LangevinOpcode.SCHEDULE:
            if place == 0:
                repeat = word[: REPEAT_MAX.bit_length()]
                return (repeat == 0) | (word[len(repeat) : 31] != 0)
            shift = word[MANTISSA_BITS : MANTISSA_BITS + SHIFT_MAX.bit_length()]
            return (shift > SHIFT_MAX) | (word[MANTISSA_BITS + len(shift) :] != 0)
        if opcode is LangevinOpcode.CONSTRAINTS and place == 1:
            return word > COEFFICIENT_MAX
        return word > 1  # hinge, clamped
