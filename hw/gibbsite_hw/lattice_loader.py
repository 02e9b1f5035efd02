"""Checks the payload of a loading command word by word, then writes it into the lattice engine.

A step of a walk takes PACE cycles: its address is out, its word comes, what the word means comes.
All of these stand in registers, so that a fast clock is not held up here; words come from a line
that is far slower.

Twin: the ``_load_...`` functions of `gibbsite_models.golden.lattice_shell`.
"""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gibbsite_hw.lattice_delays import held
from gibbsite_hw.lattice_signatures import LatticeMemories, lattice_write_signature
from gibbsite_hw.spec.lattice_packets import (
    LatticeErrorCode,
    LatticeOpcode,
    lattice_record_words,
)
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.lattice_tables import BETA_MAX

__all__ = ["LOADING", "LatticeLoader"]

LOADING = (
    LatticeOpcode.COUPLINGS,
    LatticeOpcode.BIASES,
    LatticeOpcode.CLAMPS,
    LatticeOpcode.SCHEDULE,
    LatticeOpcode.STATE,
)
"""The commands it loads."""

PACE = 4
"""Cycles of a step."""

_BY_WORD = (LatticeOpcode.CLAMPS, LatticeOpcode.STATE)


class LatticeLoader(wiring.Component):
    """Two walks over the payload memory: the first only checks, the second writes.

    ``fits`` says whether ``words`` payload words are an address and whole records of ``opcode``,
    one at least. ``start`` begins with such a packet. The records must begin at ``expected`` (or at
    most there, with ``at_most``) and end within ``limit``; ``any_place`` skips the first rule.
    ``done`` comes with ``error`` (0 if written) and ``detail``; ``loaded`` is the end of what was
    written. ``address`` and ``word`` read the payload memory (synchronous). All other inputs stand
    for four cycles before ``start``, and until ``done``.
    """

    def __init__(self, parameters: LatticeParameters) -> None:
        self._parameters = parameters
        self._records = {code: lattice_record_words(parameters, code) for code in LOADING}
        self._longest = max(self._records.values())
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
                "address": Out(range(parameters.payload_words)),
                "word": In(32),
                "write": Out(lattice_write_signature(parameters)),
                "done": Out(1),
                "error": Out(8),
                "detail": Out(32),
                "loaded": Out(32),
            }
        )

    def elaborate(self, platform):
        m = Module()
        parameters = self._parameters
        self._word = held(m, "word", self.word)
        self._slot = Signal(range(max(2, self._longest)))
        self._record_end = Signal()
        self._count(m)
        self._column, self._row = Signal(32), Signal(32)
        self._by_word, memory = Signal(), Signal.like(self.write.memory)
        m.d.sync += self._by_word.eq(0)
        with m.Switch(self.opcode):
            with m.Case(*_BY_WORD):
                m.d.sync += self._by_word.eq(1)
        with m.Switch(self.opcode):
            for opcode in LOADING:
                with m.Case(opcode):
                    m.d.sync += memory.eq(getattr(LatticeMemories, opcode.name))
        self._second = Signal()  # the records of the sites with x = 1 of a word are written
        m.d.comb += [
            self.write.memory.eq(memory),
            self.write.column.eq(self._column),
            self.write.x.eq(Mux(self._by_word, self._second, self._row[0])),
            self.write.place.eq(Mux(self._by_word, self._row, self._row >> 1)),
            self.write.step.eq(self._row),
            self.write.data.eq(self._record(m)),
        ]
        limit = Mux(self._by_word, parameters.words, parameters.rows)
        self._limit_of_rows = held(m, "limit_of_rows", limit)
        return self._walk(m)

    def _count(self, m):
        """Records of the packet, and whether the word at hand ends one."""
        rest, whole = Signal(16), Signal()
        self._number = Signal(16)
        m.d.sync += rest.eq(self.words - 1)
        m.d.comb += self.fits.eq(whole & (self.words > 1))
        with m.Switch(self.opcode):
            for length in sorted(set(self._records.values())):
                codes = [code for code, n in self._records.items() if n == length]
                # a quotient by 3: a product with 2^17 / 3, exact for 16 bits
                number = {1: rest, 2: rest >> 1, 3: rest * 43691 >> 17}[length]
                with m.Case(*codes):
                    m.d.sync += self._number.eq(number)
                    m.d.comb += [
                        whole.eq(self._number * length == rest),
                        self._record_end.eq(self._slot == length - 1),
                    ]

    def _record(self, m):
        """The words of the record, the one at hand at its place."""
        kept = self._kept = [Signal(32, name=f"held{n}") for n in range(self._longest - 1)]
        for number, old in enumerate(kept):
            with m.If((self._slot == number) & ~self._second):
                m.d.sync += old.eq(self._word)
        words = [Mux(self._slot == n, self._word, old) for n, old in enumerate(kept)]
        return Cat(*words, self._word)

    def _walk(self, m):
        """Word 0, the address, then record by record; the walk that checks comes first."""
        here, ending = Signal(range(self._parameters.payload_words + 1)), Signal()
        writing = Signal()
        first, wrong_place = Signal(32), Signal()
        word, slot, by_word = self._word, self._slot, self._by_word
        scheduled = held(m, "scheduled", self.opcode == LatticeOpcode.SCHEDULE)
        expected, limit = held(m, "expected", self.expected), held(m, "limit", self.limit)
        pace = Signal(range(PACE))
        acting = Signal()
        # The first word of clamps off that meets its word of clamps on: it answers only if no
        # word is out of range.
        clashed, clash = Signal(), Signal(16)
        meets = Signal()

        # What stands beside `acting`, from the word and from what a step before it left.
        ends_column = held(m, "ends_column", ~scheduled & (self._row + 1 == self._limit_of_rows))
        in_column = held(m, "in_column", scheduled | (self._row < self._limit_of_rows))
        bad = held(m, "bad", self._bad_word(m))
        m.d.comb += self.address.eq(here)
        m.d.sync += [
            pace.eq(pace + 1),
            acting.eq(pace == PACE - 2),
            self.loaded.eq(first + self._number),
            ending.eq(here + 1 == self.words),
            wrong_place.eq(~self.any_place & Mux(self.at_most, word > expected, word != expected)),
            meets.eq(
                (self.opcode == LatticeOpcode.CLAMPS)
                & self._record_end
                & ((self._kept[0] & word) != 0)
            ),
        ]
        room = held(m, "room", limit - self._number)
        outside = held(m, "outside", word > room)

        def next_record():
            m.d.sync += [slot.eq(0), self._row.eq(self._row + 1)]
            with m.If(ends_column):
                m.d.sync += [self._row.eq(0), self._column.eq(self._column + 1)]

        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [here.eq(0), writing.eq(0), slot.eq(0), clashed.eq(0)]
                with m.If(self.start):
                    m.d.sync += [pace.eq(0), acting.eq(0)]
                    m.next = "PLACE"
            with m.State("PLACE"), m.If(acting):
                m.d.sync += [
                    first.eq(word),
                    self._column.eq(0),
                    self._row.eq(word),
                    here.eq(1),
                ]
                m.next = "SEEK"
                with m.If(wrong_place | outside):
                    m.d.sync += [
                        self.error.eq(LatticeErrorCode.BAD_ADDRESS),
                        self.detail.eq(word),
                    ]
                    m.next = "DONE"
            with m.State("SEEK"), m.If(acting):
                # column and row of the first record: a division by as many subtractions
                with m.If(in_column):
                    m.next = "WALK"
                with m.Else():
                    m.d.sync += [
                        self._row.eq(self._row - self._limit_of_rows),
                        self._column.eq(self._column + 1),
                    ]
            with m.State("WALK"), m.If(acting):
                m.d.comb += self.write.enable.eq(writing & self._record_end)
                m.d.sync += slot.eq(slot + 1)
                with m.If(writing & by_word):
                    # this word again, for the sites with x = 1
                    m.d.sync += [slot.eq(slot), self._second.eq(self._record_end)]
                    with m.If(self._record_end):
                        m.next = "SECOND"
                    with m.Else():
                        m.d.sync += [here.eq(here + 1), slot.eq(slot + 1)]
                with m.Else():
                    m.d.sync += here.eq(here + 1)
                    with m.If(self._record_end):
                        next_record()
                with m.If(meets & ~clashed):
                    m.d.sync += [clashed.eq(1), clash.eq(here)]
                with m.If(bad & ~writing):
                    m.d.sync += [
                        self.error.eq(LatticeErrorCode.BAD_VALUE),
                        self.detail.eq(here),
                    ]
                    m.next = "DONE"
                with m.Elif(ending & ~(writing & by_word)):
                    m.d.sync += [here.eq(0), slot.eq(0), writing.eq(1)]
                    m.next = "PLACE"
                    with m.If(writing):
                        m.d.sync += self.error.eq(0)
                        m.next = "DONE"
                    with m.Elif(clashed | meets):
                        m.d.sync += [
                            self.error.eq(LatticeErrorCode.BAD_VALUE),
                            self.detail.eq(Mux(clashed, clash, here)),
                        ]
                        m.next = "DONE"
            with m.State("SECOND"), m.If(acting):
                m.d.comb += self.write.enable.eq(1)
                m.d.sync += [self._second.eq(0), here.eq(here + 1)]
                next_record()
                m.next = "WALK"
                with m.If(ending):
                    m.d.sync += self.error.eq(0)
                    m.next = "DONE"
            with m.State("DONE"):
                m.d.comb += self.done.eq(1)
                m.next = "IDLE"
        return m

    def _bad_word(self, m):
        """Whether the payload word at hand may not be written, from its place in its record."""
        parameters, word = self._parameters, self._word
        bad, above = Signal(), Signal()
        value = word.as_signed()
        rest = parameters.words * 32 - parameters.rows
        if rest:
            m.d.comb += above.eq((self._row == parameters.words - 1) & (word[32 - rest :] != 0))
        with m.Switch(self.opcode):
            with m.Case(LatticeOpcode.COUPLINGS):
                codes = [word[8 * k :][:8].as_signed() for k in range(4)]
                most = parameters.coupling_max
                m.d.comb += bad.eq(Cat((c > most) | (c < -most) for c in codes).any())
            with m.Case(LatticeOpcode.BIASES):
                most = parameters.bias_max
                m.d.comb += bad.eq((value > most) | (value < -most))
            with m.Case(LatticeOpcode.CLAMPS):
                m.d.comb += bad.eq(above)
            with m.Case(LatticeOpcode.STATE):
                m.d.comb += bad.eq(above)
            with m.Case(LatticeOpcode.SCHEDULE):
                m.d.comb += bad.eq(word > BETA_MAX)
        return bad
