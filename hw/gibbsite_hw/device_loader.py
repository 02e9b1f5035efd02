"""Checks the payload of a loading command word by word, then writes it into the engine.

Twin: the ``_load_...`` functions of `gibbsite_models.golden.graph_shell`, with ``decode_rows`` and
the ``check_...`` of words of `gibbsite_models.golden.checks`.
"""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gibbsite_hw.graph_signatures import Memories, write_signature
from gibbsite_hw.spec.packets import ErrorCode, Opcode
from gibbsite_hw.spec.parameters import GraphParameters

__all__ = ["DeviceLoader"]


class DeviceLoader(wiring.Component):
    """Two walks over the payload memory: the first only checks, the second writes.

    ``start`` begins with ``opcode`` (ROWS, ENTRIES, BIASES, CLAMPS, SCHEDULE or STATE) and the
    number of payload ``words``, whose length is already known to be right. The records must begin
    at ``expected`` (or at most there, with ``at_most``) and end within ``limit``; ``any_place``
    skips the first rule. ``done`` comes with ``error`` (0 if written) and ``detail``, which for
    BAD_ADDRESS is payload word 0, whatever stands there; ``loaded`` is the end of what was written.
    ``address`` and ``word`` read the payload memory (synchronous).
    """

    def __init__(self, parameters: GraphParameters) -> None:
        self._parameters = parameters
        count = range(parameters.payload_words + 1)
        self._place = max(parameters.rows, parameters.words, parameters.schedule_steps).bit_length()
        place = self._place
        super().__init__(
            {
                "start": In(1),
                "opcode": In(8),
                "words": In(count),
                "expected": In(place),
                "any_place": In(1),
                "at_most": In(1),
                "limit": In(place),
                "rows": In(range(parameters.rows + 1)),
                "address": Out(range(parameters.payload_words)),
                "word": In(32),
                "write": Out(write_signature(parameters)),
                "done": Out(1),
                "error": Out(8),
                "detail": Out(count),
                "loaded": Out(place),
            }
        )

    def elaborate(self, platform):
        m = Module()
        parameters = self._parameters
        lane_bits = parameters.lane_bits
        at, here = (Signal(range(parameters.payload_words + 1)) for _ in range(2))
        live, writing = Signal(), Signal()
        slot = Signal(max(lane_bits, 1))
        target, end = Signal(self._place), Signal(self._place + 1)
        records = Signal(range(parameters.payload_words))
        descriptor, over = Signal(max(18, parameters.lanes)), Signal()
        by_lane, by_pair = Signal(), Signal()
        m.d.comb += [
            by_lane.eq((self.opcode == Opcode.ENTRIES) | (self.opcode == Opcode.BIASES)),
            by_pair.eq((self.opcode == Opcode.ROWS) | (self.opcode == Opcode.CLAMPS)),
            records.eq(Mux(by_lane, (self.words - 1) >> lane_bits, (self.words - 1) >> by_pair)),
            self.address.eq(at),
        ]
        record_end = Signal()
        m.d.comb += record_end.eq(
            Mux(by_lane, slot == parameters.lanes - 1, Mux(by_pair, slot == 1, 1))
        )
        bad = self._bad_word(m, descriptor, over, slot)

        memory = Signal(3)
        payload = Signal(self.write.data.shape().width)
        with m.Switch(self.opcode):
            for opcode, number in (
                (Opcode.ROWS, Memories.ROWS),
                (Opcode.ENTRIES, Memories.ENTRIES),
                (Opcode.BIASES, Memories.BIASES),
                (Opcode.CLAMPS, Memories.CLAMPS),
                (Opcode.SCHEDULE, Memories.SCHEDULE),
                (Opcode.STATE, Memories.STATE),
            ):
                with m.Case(opcode):
                    m.d.comb += memory.eq(number)
        lanes = parameters.lanes
        with m.If(self.opcode == Opcode.ROWS):
            m.d.comb += payload.eq(Cat(descriptor[:18], self.word[:lanes]))
        with m.Elif(self.opcode == Opcode.CLAMPS):
            m.d.comb += payload.eq(Cat(descriptor[:lanes], self.word[:lanes]))
        with m.Else():
            m.d.comb += payload.eq(self.word)
        m.d.comb += [
            self.write.memory.eq(memory),
            self.write.address.eq(target),
            self.write.lane.eq(slot),
            self.write.data.eq(payload),
            self.loaded.eq(target),
        ]

        first = self.word[: self._place]
        wrong_place = Signal()
        m.d.comb += [
            end.eq(first + records),
            wrong_place.eq(
                self.word[self._place :].any()
                | (end > self.limit)
                | (
                    ~self.any_place
                    & Mux(self.at_most, first > self.expected, first != self.expected)
                )
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
                    m.d.sync += target.eq(first)
                    with m.If(wrong_place):
                        m.d.sync += self.error.eq(ErrorCode.BAD_ADDRESS)
                        m.next = "DONE"
                with m.Elif(live):
                    m.d.comb += self.write.enable.eq(writing & (record_end | by_lane))
                    m.d.sync += slot.eq(slot + 1)
                    with m.If(slot == 0):
                        m.d.sync += [descriptor.eq(self.word), over.eq(self.word[18:].any())]
                    with m.If(record_end):
                        m.d.sync += [slot.eq(0), target.eq(target + 1)]
                    with m.If(bad & ~writing):
                        m.d.sync += [
                            self.error.eq(ErrorCode.BAD_VALUE),
                            self.detail.eq(here - (self.opcode == Opcode.ROWS)),
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
        return m

    def _bad_word(self, m, descriptor, over, slot):
        """Whether the payload word at hand may not be written; a row is judged with its mask."""
        parameters = self._parameters
        lanes = parameters.lanes
        word = self.word
        bad = Signal()
        length, fold = descriptor[:11], descriptor[11:14]
        group, first, last = descriptor[14], descriptor[15], descriptor[16]
        steps = Array(
            Const(sum(1 << lane for lane in range(0, lanes, 1 << f)), unsigned(32))
            for f in range(parameters.lane_bits + 1)
        )
        allowed = Signal(32)
        m.d.comb += allowed.eq(steps[Mux(fold > parameters.lane_bits, 0, fold)])
        with m.Switch(self.opcode):
            with m.Case(Opcode.ROWS):
                m.d.comb += bad.eq(
                    (slot == 1)
                    & (
                        (length == 0)
                        | (length > parameters.max_degree)
                        | (fold > parameters.lane_bits)
                        | ((length << fold) > parameters.max_degree + lanes)
                        | (word == 0)
                        | ((word & ~allowed) != 0)
                        | (~group & (first | last))
                        | over
                    )
                )
            with m.Case(Opcode.ENTRIES):
                row = word[parameters.lane_bits : parameters.address_bits]
                weight = word[parameters.address_bits :][: parameters.weight_bits]
                used = parameters.address_bits + parameters.weight_bits + 1
                m.d.comb += bad.eq(
                    (row >= self.rows)
                    | (weight == 1 << (parameters.weight_bits - 1))
                    | (word[used:] != 0)
                )
            with m.Case(Opcode.BIASES):
                sign = word[parameters.bias_bits - 1 :]
                m.d.comb += bad.eq(
                    (sign.any() & ~sign.all())
                    | (sign.all() & ~word[: parameters.bias_bits - 1].any())
                )
            with m.Case(Opcode.CLAMPS, Opcode.STATE):
                m.d.comb += bad.eq(word[lanes:] != 0)
            with m.Case(Opcode.SCHEDULE):
                m.d.comb += bad.eq(word[parameters.beta_bits :] != 0)
        return bad
