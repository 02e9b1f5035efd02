"""LatticeLoader writes only words that fit, in their places, and all of a packet or none of it."""

from amaranth.asserts import AnyConst, AnySeq
from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from proofs.jobs import Harness, Inside

from gibbsite_hw.lattice_loader import LOADING, PACE, LatticeLoader
from gibbsite_hw.spec.lattice_packets import LatticeErrorCode, LatticeOpcode, lattice_record_words
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.lattice_tables import BETA_MAX

__all__ = ["LatticeLoaderHarness"]

Op = LatticeOpcode
SETTLED = 4
"""Cycles that what a packet is held against stands before ``start``."""


class LatticeLoaderHarness(Harness):
    """Any payload of whole records, any place that it may have to begin or end at."""

    def __init__(self, parameters: LatticeParameters, component: type = LatticeLoader) -> None:
        super().__init__()
        self._parameters = parameters
        self._component = component
        self._records = {code: lattice_record_words(parameters, code) for code in LOADING}

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
        for name in ("opcode", "words", "expected", "limit"):
            m.d.comb += getattr(dut, name).eq(AnyConst(len(getattr(dut, name))))
        m.d.sync += dut.word.eq(Array(payload)[dut.address])
        settled = Signal(range(SETTLED + 1))
        m.d.sync += settled.eq(settled + (settled != SETTLED))

        def of_record(name: str, value) -> Array:
            """A table over payload indices, for the record length of the opcode at hand."""
            table = [Signal(8, name=f"{name}{n}") for n in range(depth)]
            with m.Switch(dut.opcode):
                for code, size in self._records.items():
                    with m.Case(code):
                        m.d.comb += [entry.eq(int(value(size, n))) for n, entry in enumerate(table)]
            return Array(table)

        ends = of_record("ends", lambda size, n: n > 0 and n % size == 0)
        slots = of_record("slots", lambda size, n: (n - 1) % size if n else 0)
        done = of_record("done", lambda size, n: (n - 1) // size if n else 0)
        whole = of_record("whole", lambda size, n: n // size)
        known = Const(0, 1)
        for code in LOADING:
            known = known | (dut.opcode == code)
        by_word = (dut.opcode == Op.CLAMPS) | (dut.opcode == Op.STATE)
        scheduled = dut.opcode == Op.SCHEDULE
        clamps = dut.opcode == Op.CLAMPS
        rest = (dut.words - 1)[: len(dut.words)]
        deepest = parameters.rows * parameters.columns
        self.given(
            known=known,
            whole_records=(dut.words > 1) & ends[rest],
            in_memory=dut.words <= depth,
            limits=dut.limit
            <= Mux(
                scheduled,
                parameters.schedule_steps,
                Mux(by_word, parameters.words * parameters.columns, deepest),
            ),
            stands=~dut.start | (settled == SETTLED),
        )

        # The rules, word by word.
        first = payload[0]
        rows_of_column = Mux(by_word, parameters.words, parameters.rows)
        placed = Signal()
        m.d.comb += placed.eq(
            (dut.any_place | Mux(dut.at_most, first <= dut.expected, first == dut.expected))
            & (first + whole[rest] <= dut.limit)
        )
        good, clash = Signal(depth), Signal(depth)
        m.d.comb += good[0].eq(1)
        for n in range(1, depth):
            m.d.comb += good[n].eq(self._fits(m, n, payload[n], first))
            if n % 2 == 0:
                m.d.comb += clash[n].eq(clamps & ((payload[n - 1] & payload[n]) != 0))

        here, writing, slot = inside["here"], inside["writing"], dut._slot
        column, row, second, kept = dut._column, dut._row, dut._second, dut._kept
        index = here[: (depth - 1).bit_length()]
        of_packet, before = Signal(depth), Signal(depth)
        m.d.comb += [
            of_packet.eq(Cat(n < dut.words for n in range(depth))),
            before.eq(Cat(n < here for n in range(depth))),
        ]
        sound = (good | ~of_packet).all()
        clean = ~(clash & of_packet).any()
        accepted = placed & sound & clean
        wrote = Signal()
        with m.If(dut.write.enable):
            m.d.sync += wrote.eq(1)
        with m.Elif(inside.state("IDLE")):
            m.d.sync += wrote.eq(0)
        idle, place, seek, walk, twice, over = (
            inside.state(name) for name in ("IDLE", "PLACE", "SEEK", "WALK", "SECOND", "DONE")
        )
        walking = walk | twice
        acting = inside["acting"]
        number = Signal(32)  # of the record at hand
        m.d.comb += number.eq(first + done[index])
        begin = (index - slots[index])[: len(index)]
        record = [Array(payload)[(begin + k)[: len(index)]] for k in range(len(kept) + 1)]
        held, right = Const(1, 1), Const(1, 1)
        for k, old in enumerate(kept):
            held = held & (~(k < slot) | (old == record[k]))
        for k in range(len(record)):
            right = right & (
                ~(k <= slots[index]) | (dut.write.data.word_select(k, 32) == record[k])
            )
        at_place = Mux(
            scheduled,
            (row == number) & (column == 0),
            (row < rows_of_column)
            & (column <= parameters.columns)
            & (column * rows_of_column + row == number),
        )
        # Steps and cycles since the start, and how many steps a packet takes at most.
        steps, cycles = Signal(16), Signal(16)
        with m.If(idle):
            m.d.sync += [steps.eq(0), cycles.eq(0)]
        with m.Else():
            m.d.sync += [steps.eq(steps + acting), cycles.eq(cycles + 1)]
        columns, checked, records = Signal(16), Signal(16), Signal(16)
        few = first[: (deepest + parameters.schedule_steps).bit_length()]
        m.d.comb += [
            columns.eq(
                Mux(
                    scheduled,
                    0,
                    Mux(by_word, few // parameters.words, few // parameters.rows),
                )
            ),
            checked.eq(1 + columns + dut.words),
            records.eq(Mux(by_word, whole[rest], 0)),
        ]
        walked_steps = 1 + columns + here + Mux(writing & by_word, done[index], 0) + twice
        write = dut.write
        refused = dut.done & (dut.error != 0)
        valued = dut.error == LatticeErrorCode.BAD_VALUE
        told = dut.detail[: len(index)]
        until = Signal(depth)
        m.d.comb += until.eq(Cat(n < dut.detail for n in range(depth)))
        self.always(
            fits=(settled < 2) | dut.fits,
            only_accepted=~write.enable | accepted,
            read_in_payload=~(walking & acting) | (here < dut.words),
            in_place=~write.enable | (at_place & (number < dut.limit)),
            on_port=~write.enable | Mux(scheduled, write.step == row, write.column == column),
            both_rows=~(write.enable & by_word) | ((write.x == twice) & (write.place == row)),
            one_row=~(write.enable & ~by_word & ~scheduled)
            | ((write.x == row[0]) & (write.place == row >> 1)),
            right_time=~write.enable | (ends[index] & acting),
            right_data=~write.enable | right,
            whole_or_nothing=~refused | ~wrote,
            refused_for_a_reason=~refused | ~accepted,
            written=~(dut.done & (dut.error == 0)) | (wrote & accepted),
            loaded=~(dut.done & (dut.error == 0)) | (dut.loaded == first + whole[rest]),
            named=~(refused & valued)
            | (
                placed
                & (dut.detail < dut.words)
                & Mux(
                    sound,
                    Array(clash)[told] & ~(clash & until).any(),
                    ~Array(good)[told] & (good | ~until).all(),
                )
            ),
            done_in_time=idle | (cycles <= PACE * (2 * checked + records)),
            # Invariants.
            timed=idle | over | (cycles == PACE * steps + inside["pace"]),
            ended=~over | (cycles <= PACE * (2 * checked + records)),
            steps_placing=~place | (steps == Mux(writing, checked, 0)),
            steps_seeking=~seek
            | ((steps == Mux(writing, checked, 0) + 1 + column) & (column <= columns)),
            steps_walking=~walking | (steps == Mux(writing, checked, 0) + walked_steps),
            some_state=inside.in_some_state(),
            pace=acting == (inside["pace"] == PACE - 1),
            stood=idle | (settled == SETTLED),
            begins=~(place | seek) | (slot == 0),
            once=twice | ~second,
            refusal=~(over & (dut.error != 0))
            | ((dut.error == LatticeErrorCode.BAD_ADDRESS) & ~placed & (dut.detail == first))
            | valued,
            nothing_yet=~((place | seek | walking) & ~writing) | ~wrote,
            checked=~((place | seek | walking) & writing) | accepted,
            at_first=~place | (here == 0),
            no_clash_yet=~(place | seek) | writing | ~inside["clashed"],
            sought=~seek
            | (
                placed
                & (here == 1)
                & (slot == 0)
                & (inside["first"] == first)
                & (column <= parameters.columns)
                & (row <= first)
                & Mux(scheduled, column == 0, column * rows_of_column + row == first)
            ),
            walked=~walking
            | (placed & (here != 0) & (here < dut.words) & (inside["first"] == first)),
            slot=~walking | (slot == slots[index]),
            held=~walking | held,
            target=~walking | at_place,
            seen=~walking | (good | ~before).all(),
            clashes=~walk
            | writing
            | Mux(
                inside["clashed"],
                (inside["clash"] < here)
                & Array(clash)[inside["clash"][: len(index)]]
                & ~(clash & Cat(n < inside["clash"] for n in range(depth))).any(),
                ~(clash & before).any(),
            ),
            doubled=~twice | (writing & by_word & ends[index] & second & wrote),
            halfway=~(walking & writing & (done[index] != 0)) | wrote,
        )
        self.can(
            written=dut.done & (dut.error == 0) & by_word,
            late_refusal=refused & (here == 3),
        )

    def _fits(self, m: Module, n: int, word: Signal, first: Signal):
        """The rule for payload word n, from `docs/lattice-engine.md`; clashes of clamps apart."""
        parameters = self._parameters
        fits, value = Signal(name=f"fits{n}"), word.as_signed()
        last = (1 << parameters.rows - 32 * (parameters.words - 1)) - 1
        with m.Switch(self.dut.opcode):
            with m.Case(Op.COUPLINGS):
                most = parameters.coupling_max
                codes = [word.word_select(k, 8).as_signed() for k in range(4)]
                m.d.comb += fits.eq(Cat((code <= most) & (code >= -most) for code in codes).all())
            with m.Case(Op.BIASES):
                most = parameters.bias_max
                m.d.comb += fits.eq((value <= most) & (value >= -most))
            with m.Case(Op.SCHEDULE):
                m.d.comb += fits.eq(word <= BETA_MAX)
            for code in (Op.CLAMPS, Op.STATE):
                with m.Case(code):
                    number = first + (n - 1) // self._records[code]
                    ends_column = number % parameters.words == parameters.words - 1
                    m.d.comb += fits.eq(~ends_column | (word <= last))
        return fits
