"""Scores, decisions and commits: the last stages of the graph engine.

Twin: ``score``, ``_decide_pbits``, ``_decide_group`` and ``_add_energy`` of
`gibbsite_models.golden.graph`.
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from gibbsite_hw.graph_signatures import row_end_layout
from gibbsite_hw.spec.parameters import GraphParameters

__all__ = ["GraphDecide"]


def _stage(m, name, signals):
    """Registers that hold ``signals`` one cycle longer."""
    held = []
    for number, signal in enumerate(signals):
        register = Signal(signal.shape(), name=f"{name}_{number}")
        m.d.sync += register.eq(signal)
        held.append(register)
    return held


class GraphDecide(wiring.Component):
    """Cycles 4 to 9 of the pipeline: from fields to committed rows and the energy.

    Cycle 4: ``valid``, ``row_end``, ``field``, the row's clamps ``on`` and ``off`` and its
    ``given`` bits. Cycle 5: the lanes' noise, ``-noise = against + more``, and the row's ``old``
    word. ``copy`` asks to keep ``copy_word`` at ``copy_row`` in the best memory (cycle 6).
    Cycles 8 and 9: ``write`` puts ``write_word`` at ``write_row`` of the spin memory. ``energy``
    follows; ``pass_ended`` is high for one cycle when the energy of a whole pass stands there.
    """

    def __init__(self, parameters: GraphParameters) -> None:
        self._parameters = parameters
        lanes = parameters.lanes
        noise_bits = 7 + parameters.score_frac
        super().__init__(
            {
                "starting": In(1),
                "use_given": In(1),
                "clear": In(1),
                "beta": In(parameters.beta_bits),
                "valid": In(1),
                "row_end": In(row_end_layout(parameters)),
                "field": In(signed(parameters.field_bits)).array(lanes),
                "on": In(lanes),
                "off": In(lanes),
                "given": In(lanes),
                "against": In(signed(noise_bits)).array(lanes),
                "more": In(lanes),
                "old": In(lanes),
                "copy": Out(1),
                "copy_row": Out(parameters.row_bits),
                "copy_word": Out(lanes),
                "write": Out(1),
                "write_row": Out(parameters.row_bits),
                "write_word": Out(lanes),
                "energy": Out(signed(parameters.energy_bits)),
                "pass_ended": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        parameters = self._parameters
        lanes = parameters.lanes
        score_bits = parameters.score_bits
        delta_bits = parameters.field_bits + 1 + parameters.lane_bits

        # Cycle 4: times beta. A p-bit's energy difference is 2 f, a state's energy is f.
        fields5, products5 = [], []
        for lane in range(lanes):
            field = self.field[lane]
            difference = Mux(self.row_end.group, field, field << 1)
            # without a reset, so that it may lie in the multiplier
            product = Signal(signed(score_bits), name=f"product{lane}", reset_less=True)
            m.d.sync += product.eq((difference * self.beta) >> parameters.beta_shift)
            products5.append(product)
            fields5.extend(_stage(m, f"field5_{lane}", [field]))
        layout = row_end_layout(parameters)
        valid5, end5, on5, off5, given5 = _stage(
            m, "s5", [self.valid, self.row_end.as_value(), self.on, self.off, self.given]
        )
        end5 = data.View(layout, end5)
        forced = Signal()
        m.d.comb += forced.eq(self.starting & self.use_given)

        # Cycle 5: scores, negative so that nothing is subtracted; a p-bit decides here, a state
        # gets a key: rank (2 pinned, 1 free, 0 none) above the score as an unsigned number.
        word6 = Signal(lanes)
        keys6, fields6 = [], []
        for lane in range(lanes):
            score = Signal(signed(score_bits), name=f"score{lane}")  # its negative
            more = self.more[lane]
            total = (
                Cat(more, products5[lane]).as_signed() + Cat(more, self.against[lane]).as_signed()
            )
            m.d.comb += score.eq(total >> 1)
            used = end5.mask[lane]
            up = Mux(forced, given5[lane], ~off5[lane] & (on5[lane] | score[-1]))
            pinned = used & Mux(forced, given5[lane], on5[lane])
            free = used & ~forced & ~off5[lane]
            key = Signal(score_bits + 2, name=f"key{lane}")
            ranked = Cat(~score[:-1], score[-1], free & ~pinned, pinned)
            m.d.sync += [
                word6[lane].eq(used & up),
                key.eq(~ranked if _turned(lane, lanes) else ranked),
            ]
            keys6.append(key)
            fields6.extend(_stage(m, f"field6_{lane}", [fields5[lane]]))
        valid6, end6, old6 = _stage(m, "s6", [valid5, end5.as_value(), self.old])
        end6 = data.View(layout, end6)

        # Cycle 6: the energy of turned p-bits; half of the tournament; the group's old state.
        m.d.comb += [
            self.copy.eq(valid6 & ~self.starting),
            self.copy_row.eq(end6.row),
            self.copy_word.eq(old6),
        ]
        changes, downs, olds = [], [], []
        for lane in range(lanes):
            field = fields6[lane]
            change = Signal(signed(parameters.field_bits + 1), name=f"change{lane}")
            gain = Mux(self.starting, field, field << 1)
            moves = end6.mask[lane] & (self.starting | (word6[lane] ^ old6[lane]))
            # a p-bit that turns down adds the gain's complement and one
            m.d.comb += change.eq(Mux(moves, Mux(word6[lane], gain, ~gain), 0))
            changes.append(change)
            downs.append(moves & ~word6[lane])
            olds.append(Mux(old6[lane] & end6.mask[lane], field, 0))
        delta7, downs7 = Signal(signed(delta_bits)), Signal(range(lanes + 1))
        old_field7 = Signal(signed(parameters.field_bits))
        held7 = Signal()
        old_value = Const(0, signed(parameters.field_bits))
        for value in olds:
            old_value = old_value | value
        m.d.sync += [
            delta7.eq(sum(changes)),
            downs7.eq(sum(downs)),
            old_field7.eq(old_value),
            held7.eq((old6 & end6.mask).any()),
        ]
        valid7, end7, word7 = _stage(m, "s7", [valid6, end6.as_value(), word6])
        end7 = data.View(layout, end7)
        candidates = [
            (keys6[lane], Const(lane, parameters.lane_bits), fields6[lane]) for lane in range(lanes)
        ]
        half = (parameters.lane_bits + 1) // 2
        for level in range(half):
            candidates = self._round(m, candidates, f"early{level}")
        candidates = [_stage(m, f"c7_{n}", list(c)) for n, c in enumerate(candidates)]

        # Cycle 7: the other half, against the best of the group's earlier rows.
        for level in range(parameters.lane_bits - half):
            candidates = self._round(m, candidates, f"late{level}")
        key7, lane7, field7 = candidates[0]
        valid8 = Signal()
        end8 = Signal(layout)
        word8 = Signal(lanes)
        delta8 = Signal(signed(delta_bits))
        worst_key = Signal(score_bits + 2)  # the complement of the best one
        best_lane = Signal(parameters.lane_bits)
        best_row = Signal(parameters.row_bits)
        best_field = Signal(signed(parameters.field_bits))
        old_row = Signal(parameters.row_bits)
        lost_field = Signal(signed(parameters.field_bits))  # the complement of the old one, or of 0
        has_old = Signal()
        m.d.sync += [
            valid8.eq(valid7),
            end8.eq(end7),
            word8.eq(word7),
            delta8.eq(delta7 + downs7),
        ]
        with m.If(valid7 & end7.group):
            with m.If(end7.first | _above(key7, worst_key)):
                m.d.sync += [
                    worst_key.eq(~key7),
                    best_lane.eq(lane7),
                    best_row.eq(end7.row),
                    best_field.eq(field7),
                ]
            with m.If(end7.first | held7):
                m.d.sync += [
                    old_row.eq(end7.row),
                    lost_field.eq(Mux(self.starting, -1, ~old_field7)),
                    has_old.eq(held7),
                ]

        # Cycle 8: commit. A group whose winner lies in another row than its old state takes two
        # writes; it has at least two rows, so one waiting place is enough for any mix of rows.
        commit_bits, commit_group = Signal(), Signal()
        turn = Signal()
        m.d.comb += [
            commit_bits.eq(valid8 & ~end8.group),
            commit_group.eq(valid8 & end8.group & end8.last),
            turn.eq(has_old & (old_row != best_row)),
        ]
        wait = Signal()
        wait_row = Signal(parameters.row_bits)
        wait_word = Signal(lanes)
        new_row = Signal(parameters.row_bits)
        new_word = Signal(lanes)
        m.d.comb += [
            new_row.eq(Mux(end8.group, best_row, end8.row)),
            new_word.eq(Mux(end8.group, 1 << best_lane, word8)),
            self.write.eq(wait | commit_bits | commit_group),
        ]
        m.d.sync += wait.eq(0)
        with m.If(wait):
            m.d.comb += [self.write_row.eq(wait_row), self.write_word.eq(wait_word)]
            m.d.sync += wait.eq(commit_bits | commit_group)
        with m.Elif(commit_group & turn):
            m.d.comb += [self.write_row.eq(old_row), self.write_word.eq(0)]
            m.d.sync += wait.eq(1)
        with m.Else():
            m.d.comb += [self.write_row.eq(new_row), self.write_word.eq(new_word)]
        m.d.sync += [wait_row.eq(new_row), wait_word.eq(new_word)]

        gained = Signal(signed(max(delta_bits, parameters.field_bits + 1)))
        m.d.comb += gained.eq(Mux(end8.group, best_field + lost_field + 1, delta8))
        with m.If(commit_bits | commit_group):
            m.d.sync += self.energy.eq(self.energy + gained)
        m.d.sync += self.pass_ended.eq(valid8 & end8.pass_end)
        with m.If(self.clear):
            m.d.sync += self.energy.eq(0)
        return m

    def _round(self, m, candidates, name):
        """One round of the tournament: the larger key goes on, the earlier one when equal."""
        winners = []
        pairs = list(zip(candidates[::2], candidates[1::2], strict=True))
        for number, ((key, lane, field), (other_key, other_lane, other_field)) in enumerate(pairs):
            other = Signal(name=f"{name}_{number}")
            m.d.comb += other.eq(_above(other_key, key))
            winner = Mux(other, other_key, ~key)
            if _turned(number, len(pairs)):
                winner = Mux(other, ~other_key, key)
            winners.append(
                [
                    _named(m, f"{name}_key{number}", winner),
                    _named(m, f"{name}_lane{number}", Mux(other, other_lane, lane)),
                    _named(m, f"{name}_field{number}", Mux(other, other_field, field)),
                ]
            )
        return winners


def _turned(number, count):
    """Whether a candidate's key is kept as its complement: those that others are compared with."""
    return count > 1 and number % 2 == 0


def _above(key, complement):
    """``key > other``, from the complement of the other: the carry of a sum."""
    return (key + complement)[len(key)]


def _named(m, name, value):
    shape = value.shape()
    signal = Signal(signed(shape.width) if shape.signed else unsigned(shape.width), name=name)
    m.d.comb += signal.eq(value)
    return signal
