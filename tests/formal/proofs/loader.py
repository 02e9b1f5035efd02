"""DeviceLoader writes only words that fit, in their places, and all of a packet or none of it."""

from amaranth.asserts import AnyConst, AnySeq
from amaranth.hdl import Array, Const, Module, Mux, Signal
from proofs.jobs import Harness, Inside

from gibbsite_hw.device_loader import DeviceLoader
from gibbsite_hw.spec.packets import Opcode
from gibbsite_hw.spec.parameters import GraphParameters

__all__ = ["LoaderHarness"]

_OPCODES = (
    Opcode.ROWS,
    Opcode.ENTRIES,
    Opcode.BIASES,
    Opcode.CLAMPS,
    Opcode.SCHEDULE,
    Opcode.STATE,
)


class LoaderHarness(Harness):
    """Any payload of a fitting length, any place that it may have to begin or end at."""

    def __init__(self, parameters: GraphParameters, component: type = DeviceLoader) -> None:
        super().__init__()
        self._parameters = parameters
        self._component = component

    def properties(self, m: Module) -> None:
        parameters = self._parameters
        self.dut = dut = self._component(parameters)
        inside = Inside(dut)
        m.submodules.dut = inside.netlist
        depth = parameters.payload_words
        payload = [Signal(32, name=f"payload{n}") for n in range(depth)]
        m.d.comb += [word.eq(AnyConst(32)) for word in payload]
        m.d.comb += [
            dut.start.eq(AnySeq(1)),
            dut.any_place.eq(AnyConst(1)),
            dut.at_most.eq(AnyConst(1)),
        ]
        for name in ("opcode", "words", "expected", "limit", "rows"):
            m.d.comb += getattr(dut, name).eq(AnyConst(len(getattr(dut, name))))
        m.d.sync += dut.word.eq(Array(payload)[dut.address])
        known = Const(0, 1)
        for code in _OPCODES:
            known = known | (dut.opcode == code)
        single = (dut.opcode == Opcode.SCHEDULE) | (dut.opcode == Opcode.STATE)
        # with two lanes a record of ENTRIES or BIASES has two words, as one of ROWS or CLAMPS
        assert parameters.lanes == 2
        self.given(
            known=known,
            whole_records=(dut.words > 1) & (single | dut.words[0]),
            in_memory=dut.words <= depth,
            limits=(dut.limit <= max(parameters.rows, parameters.schedule_steps))
            & (dut.rows >= 1)
            & (dut.rows <= parameters.rows),
        )

        here, live, writing = inside["here"], inside["live"], inside["writing"]
        walking = inside.state("WALK")
        looking = walking & live
        records = Mux(single, dut.words - 1, (dut.words - 1) >> 1)
        first = payload[0]
        placed = Signal()
        m.d.comb += placed.eq(
            (dut.any_place | Mux(dut.at_most, first <= dut.expected, first == dut.expected))
            & (first + records <= dut.limit)
        )
        good = [Signal(name=f"good{n}") for n in range(depth)]
        m.d.comb += good[0].eq(placed)
        for n in range(1, depth):
            m.d.comb += good[n].eq(self._fits(m, n, payload[n - 1], payload[n]))
        seen, all_good = Const(1, 1), Const(1, 1)
        for n in range(depth):
            seen = seen & (~(n < here) | good[n])
            all_good = all_good & (~(n < dut.words) | good[n])
        wrote = Signal()
        with m.If(dut.write.enable):
            m.d.sync += wrote.eq(1)
        with m.Elif(inside.state("IDLE")):
            m.d.sync += wrote.eq(0)
        before = (here - 1)[: len(here)]
        place = first + Mux(single, before, before >> 1)
        word = Array(payload)[here[: (depth - 1).bit_length()]]
        previous = Array(payload)[before[: (depth - 1).bit_length()]]
        write = dut.write
        self.always(
            only_good_packets=~write.enable | all_good,
            in_place=~write.enable
            | ((inside["target"] == place) & (place < dut.limit) & (write.address == place)),
            right_lane=~(write.enable & inside["by_lane"]) | (write.lane == before[0]),
            right_data=~write.enable | (write.data == self._data(previous, word)),
            whole_or_nothing=~(dut.done & (dut.error != 0)) | ~wrote,
            refused_for_a_reason=~(dut.done & (dut.error != 0)) | ~all_good,
            written=~(dut.done & (dut.error == 0)) | (wrote & all_good),
            # Invariants.
            some_state=inside.in_some_state(),
            nothing_yet=~(walking & ~writing) | ~wrote,
            checked=~(walking & writing) | all_good,
            looked=~looking
            | (seen & (here < dut.words) & (inside["at"] == here + 1) & (dut.word == word)),
            fresh=~(walking & ~live) | ((inside["at"] == 0) & (inside["slot"] == 0)),
            slot=~looking | (inside["slot"] == Mux((here == 0) | single, 0, before[0])),
            target=~(looking & (here != 0)) | (inside["target"] == place),
            descriptor=~(looking & (inside["slot"] == 1))
            | ((inside["descriptor"] == previous[:18]) & (inside["over"] == previous[18:].any())),
            halfway=~(looking & writing & (here >= Mux(single, 2, 3))) | wrote,
        )
        self.can(
            rows_written=dut.done & (dut.error == 0) & (dut.opcode == Opcode.ROWS),
            late_refusal=dut.done & (dut.error != 0) & (here == 4),
        )

    def _data(self, previous, word):
        """What a record is in its memory."""
        lanes, opcode = self._parameters.lanes, self.dut.opcode
        row = previous[:18] | (word[:lanes] << 18)
        clamps = previous[:lanes] | (word[:lanes] << lanes)
        return Mux(opcode == Opcode.ROWS, row, Mux(opcode == Opcode.CLAMPS, clamps, word))

    def _fits(self, m: Module, n: int, previous: Signal, word: Signal):
        """The rule for payload word n, from `docs/graph-engine.md`."""
        p, opcode = self._parameters, self.dut.opcode
        fits = Signal(name=f"fits{n}")
        length, fold = previous[:11], previous[11:14]
        group, first, last = previous[14], previous[15], previous[16]
        allowed = Mux(fold == 0, (1 << p.lanes) - 1, 1)
        row = word[p.lane_bits : p.address_bits]
        weight = word[p.address_bits :][: p.weight_bits]
        with m.Switch(opcode):
            with m.Case(Opcode.ROWS):
                if n % 2:
                    m.d.comb += fits.eq(1)  # a descriptor is judged with its mask
                else:
                    m.d.comb += fits.eq(
                        (length >= 1)
                        & (length <= p.max_degree)
                        & (fold <= p.lane_bits)
                        & ((length << fold) <= p.max_degree + p.lanes)
                        & (word != 0)
                        & (word < 1 << p.lanes)
                        & ((word[: p.lanes] & ~allowed) == 0)
                        & (group | ~(first | last))
                        & (previous[18:] == 0)
                    )
            with m.Case(Opcode.ENTRIES):
                used = p.address_bits + p.weight_bits + 1
                m.d.comb += fits.eq(
                    (row < self.dut.rows)
                    & (weight != 1 << (p.weight_bits - 1))
                    & (word[used:] == 0)
                )
            with m.Case(Opcode.BIASES):
                m.d.comb += fits.eq(
                    (word.as_signed() <= p.bias_max) & (word.as_signed() >= -p.bias_max)
                )
            with m.Case(Opcode.CLAMPS, Opcode.STATE):
                m.d.comb += fits.eq(word < 1 << p.lanes)
            with m.Case(Opcode.SCHEDULE):
                m.d.comb += fits.eq(word <= p.beta_max)
        return fits
