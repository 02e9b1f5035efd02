"""LangevinLoader writes only words that fit, in their places, and all of a packet or none of it."""

from amaranth.asserts import AnyConst, AnySeq
from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from proofs.jobs import Harness, Inside

from gibbsite_hw.langevin_loader import LangevinLoader
from gibbsite_hw.spec.langevin_formats import (
    COEFFICIENT_MAX,
    REPEAT_MAX,
    RESIDUAL_MAX,
    SHIFT_MAX,
    STATE_MAX,
    STRENGTH_MAX,
)
from gibbsite_hw.spec.langevin_packets import LANGEVIN_RECORDS, LangevinErrorCode, LangevinOpcode
from gibbsite_hw.spec.langevin_parameters import LangevinParameters

__all__ = ["LangevinLoaderHarness"]

Op = LangevinOpcode


class LangevinLoaderHarness(Harness):
    """Any payload of whole records, any place that it may have to begin or end at."""

    def __init__(self, parameters: LangevinParameters, component: type = LangevinLoader) -> None:
        super().__init__()
        self._parameters = parameters
        self._component = component
        self._records = {**LANGEVIN_RECORDS, Op.WEIGHTS: parameters.multipliers // 2}

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
        for name in ("opcode", "words", "expected", "limit", "units"):
            m.d.comb += getattr(dut, name).eq(AnyConst(len(getattr(dut, name))))
        m.d.sync += dut.word.eq(Array(payload)[dut.address])
        ends = self._of_record(m, "ends", lambda size, n: n > 0 and n % size == 0)
        slots = self._of_record(m, "slots", lambda size, n: (n - 1) % size if n else 0)
        done = self._of_record(m, "done", lambda size, n: (n - 1) // size if n else 0)
        whole = self._of_record(m, "whole", lambda size, n: n // size)
        longer = self._of_record(m, "longer", lambda size, n: n > size)
        known = Const(0, 1)
        for code in self._records:
            known = known | (dut.opcode == code)
        by_lane = dut.opcode == Op.WEIGHTS
        rest = (dut.words - 1)[: len(dut.words)]
        deepest = max(parameters.weight_words, parameters.pairs)
        self.given(
            known=known,
            whole_records=(dut.words > 1) & ends[rest],
            in_memory=dut.words <= depth,
            limits=(dut.limit <= deepest) & (dut.units >= 1) & (dut.units <= parameters.units),
        )

        here, live, writing = inside["here"], inside["live"], inside["writing"]
        slot, target, held = dut._slot, inside["target"], inside["held"]
        walking = inside.state("WALK")
        looking = walking & live
        index = here[: (depth - 1).bit_length()]
        before = (index - 1)[: len(index)]
        first = payload[0]
        placed = Signal()
        m.d.comb += placed.eq(
            (dut.any_place | Mux(dut.at_most, first <= dut.expected, first == dut.expected))
            & (first + whole[rest] <= dut.limit)
        )
        good = [Signal(name=f"good{n}") for n in range(depth)]
        m.d.comb += good[0].eq(placed)
        for n in range(1, depth):
            m.d.comb += good[n].eq(self._fits(m, n, payload[n]))
        seen, all_good = Const(1, 1), Const(1, 1)
        for n in range(depth):
            seen = seen & (~(n < here) | good[n])
            all_good = all_good & (~(n < dut.words) | good[n])
        wrote = Signal()
        with m.If(dut.write.enable):
            m.d.sync += wrote.eq(1)
        with m.Elif(inside.state("IDLE")):
            m.d.sync += wrote.eq(0)
        place = first + done[index]
        word = Array(payload)[index]
        # payload words of the record at hand that have passed, and where its words belong
        begin = (index - slots[index])[: len(index)]
        record = [Array(payload)[(begin + k)[: len(index)]] for k in range(len(held) + 1)]
        kept, right = Const(1, 1), Const(1, 1)
        for k, old in enumerate(held):
            kept = kept & (~(k < slot) | (old == record[k]))
        for k in range(len(record)):
            right = right & (~(k <= slot) | (dut.write.data.word_select(k, 32) == record[k]))
        write = dut.write
        self.always(
            fits=dut.fits,
            only_good_packets=~write.enable | all_good,
            in_place=~write.enable
            | ((target == place) & (place < dut.limit) & (write.address == place)),
            right_time=~write.enable | by_lane | ends[index],
            right_lane=~(write.enable & by_lane) | (write.lane == slots[index]),
            right_data=~write.enable | Mux(by_lane, write.data[:32] == word, right),
            whole_or_nothing=~(dut.done & (dut.error != 0)) | ~wrote,
            refused_for_a_reason=~(dut.done & (dut.error != 0)) | ~all_good,
            named=~(dut.done & (dut.error == LangevinErrorCode.BAD_VALUE))
            | (placed & (dut.detail == before) & ~Array(good)[before]),
            written=~(dut.done & (dut.error == 0)) | (wrote & all_good),
            loaded=~(dut.done & (dut.error == 0)) | (dut.loaded == first + whole[rest]),
            # Invariants.
            some_state=inside.in_some_state(),
            nothing_yet=~(walking & ~writing) | ~wrote,
            checked=~(walking & writing) | all_good,
            looked=~looking
            | (seen & (here < dut.words) & (inside["at"] == here + 1) & (dut.word == word)),
            fresh=~(walking & ~live) | ((inside["at"] == 0) & (slot == 0)),
            slot=~looking | (slot == slots[index]),
            target=~(looking & (here != 0)) | ((target == place) & (inside["first"] == first)),
            kept=~(looking & (here != 0)) | kept,
            halfway=~(looking & writing & Mux(by_lane, here > 1, longer[index])) | wrote,
            refusal=~(inside.state("DONE") & (dut.error != 0))
            | ((dut.error == LangevinErrorCode.BAD_ADDRESS) & ~placed)
            | ((dut.error == LangevinErrorCode.BAD_VALUE) & (before < dut.words) & (before != 0)),
        )
        self.can(
            written=dut.done & (dut.error == 0) & (dut.opcode == Op.CONSTRAINTS),
            late_refusal=dut.done & (dut.error != 0) & (here == 4),
        )

    def _of_record(self, m: Module, name: str, value) -> Array:
        """A table over payload indices, for the record length of the opcode at hand."""
        table = []
        for n in range(self._parameters.payload_words):
            entry = Signal(8, name=f"{name}{n}")
            with m.Switch(self.dut.opcode):
                for code, size in self._records.items():
                    with m.Case(code):
                        m.d.comb += entry.eq(int(value(size, n)))
            table.append(entry)
        return Array(table)

    def _fits(self, m: Module, n: int, word: Signal):
        """The rule for payload word n, from `docs/langevin-engine.md`."""
        fits = Signal(name=f"fits{n}")
        with m.Switch(self.dut.opcode):
            for code, size in self._records.items():
                with m.Case(code):
                    m.d.comb += fits.eq(self._rule(code, (n - 1) % size, word))
        return fits

    def _rule(self, code: LangevinOpcode, place: int, word: Signal):
        units, value = self.dut.units, word.as_signed()

        def within(most: int):
            return (value <= most) & (value >= -most)

        if code is Op.WEIGHTS:
            most = self._parameters.weight_max
            halves = (word[:16].as_signed(), word[16:].as_signed())
            return Cat((half <= most) & (half >= -most) for half in halves).all()
        if code is Op.PAIRS:
            return (word[:12] < units) & (word[12:24] < units) & (word < 1 << 25)
        if code is Op.SCHEDULE and place == 0:
            repeat = word & 0x7FFF_FFFF
            return (repeat >= 1) & (repeat <= REPEAT_MAX)
        if code is Op.SCHEDULE and place < 3:
            return word < SHIFT_MAX + 1 << 18
        if place == 0 and code in (Op.CLAMPS, Op.CONSTRAINTS):
            return (word == 0) | (word == 1)
        if code is Op.CONSTRAINTS and place == 1:
            return (value >= 0) & (value <= COEFFICIENT_MAX)
        return within(
            {
                **{Op.UNITS: COEFFICIENT_MAX, Op.BIASES: COEFFICIENT_MAX, Op.CLAMPS: STATE_MAX},
                **{Op.STATE: STATE_MAX, Op.SCHEDULE: STRENGTH_MAX, Op.CONSTRAINTS: RESIDUAL_MAX},
            }[code]
        )
