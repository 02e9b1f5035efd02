"""Any program that the device accepts, as constants of a proof, and what accepting means.

Written from `docs/graph-engine.md`, not from the checker: `proofs.checker` proves
that DeviceChecker lets exactly these programs through, and `proofs.decide` assumes one of them.
"""

from amaranth.asserts import AnyConst
from amaranth.hdl import Array, Const, Module, Mux, Signal
from amaranth.lib import data

from gibbsite_hw.graph_signatures import descriptor_layout
from gibbsite_hw.spec.parameters import GraphParameters

__all__ = ["Program"]


class Program:
    """Rows, clamps and initial state of an arbitrary program of ``size`` rows (1 to all).

    ``group_of[r]`` numbers groups and rows of p-bits from 0: equal numbers, same group.
    """

    def __init__(self, m: Module, parameters: GraphParameters) -> None:
        self._m = m
        self._parameters = parameters
        depth, lanes = parameters.rows, parameters.lanes
        layout = descriptor_layout(parameters)
        self.rows = [Signal(layout, name=f"row{n}") for n in range(depth)]
        self.on = [Signal(lanes, name=f"on{n}") for n in range(depth)]
        self.off = [Signal(lanes, name=f"off{n}") for n in range(depth)]
        self.state = [Signal(lanes, name=f"state{n}") for n in range(depth)]
        self.size = Signal(range(depth + 1), name="program_rows")
        for signal in (*self.on, *self.off, *self.state, self.size):
            m.d.comb += signal.eq(AnyConst(len(signal)))
        for row in self.rows:
            m.d.comb += row.as_value().eq(AnyConst(layout.size))
        self.live = [Signal(name=f"live{n}") for n in range(depth)]
        m.d.comb += [live.eq(n < self.size) for n, live in enumerate(self.live)]
        self.group_of = [Const(0, parameters.row_bits)]
        for n in range(1, depth):
            number = Signal(parameters.row_bits, name=f"group_of{n}")
            starts = ~self.rows[n].group | self.rows[n].first
            m.d.comb += number.eq(self.group_of[-1] + starts)
            self.group_of.append(number)
        self.given = Signal(name="state_is_given")
        m.d.comb += self.given.eq(AnyConst(1))
        self._rules()

    def row(self, number: Signal) -> data.View:
        """The descriptor of row ``number``."""
        layout = descriptor_layout(self._parameters)
        return data.View(layout, Array(row.as_value() for row in self.rows)[number])

    def pick(self, words: list[Signal], number: Signal):
        """``words[number]``."""
        return Array(words)[number]

    @property
    def fits(self):
        """What ROWS lets through of each row alone, as far as these proofs need it."""
        holds = (self.size >= 1) & (self.size <= self._parameters.rows)
        for live, row in zip(self.live, self.rows, strict=True):
            alone = (row.length != 0) & (row.mask != 0) & (row.group | ~(row.first | row.last))
            holds = holds & (~live | alone)
        return holds

    @property
    def structured(self):
        """COMMIT: every row follows the one before it as the rules of groups and classes say."""
        return self._all(self.structure_rule)

    @property
    def conditioned(self):
        """RUN: clamps leave each p-bit and group a choice; a given state is one that they allow."""
        return self._all(self.condition_rule)

    def _all(self, rules: list[Signal]):
        holds = Const(1, 1)
        for live, rule in zip(self.live, rules, strict=True):
            holds = holds & (~live | rule)
        return holds

    def _rules(self) -> None:
        """Go down the rows: ``opened[r]`` etc. tell of the group that is open before row r."""
        m, lanes = self._m, self._parameters.lanes
        self.structure_rule, self.condition_rule = [], []
        self.opened, self.states = [Const(0, 1)], [Const(0, 8)]
        self.pins, self.free, self.chosen = [Const(0, 8)], [Const(0, 1)], [Const(0, 8)]
        self.length = [Const(0, 16)]
        for n, row in enumerate(self.rows):
            on, off, state = self.on[n] & row.mask, self.off[n] & row.mask, self.state[n]
            states, pins, chosen = (Signal(8, name=f"{k}{n}") for k in ("states", "pins", "chosen"))
            free, opened, length = Signal(name=f"free{n}"), Signal(name=f"opened{n}"), Signal(16)
            carry = ~row.first & self.opened[-1]
            m.d.comb += [
                opened.eq(row.group & ~row.last),
                states.eq(Mux(carry, self.states[-1], 0) + sum(row.mask)),
                pins.eq(Mux(carry, self.pins[-1], 0) + sum(on[k] for k in range(lanes))),
                chosen.eq(Mux(carry, self.chosen[-1], 0) + sum(state[k] for k in range(lanes))),
                free.eq((carry & self.free[-1]) | (row.mask & ~off).any()),
                length.eq(self.length[-1] + row.length),
            ]
            structure, condition = Signal(name=f"structure{n}"), Signal(name=f"condition{n}")
            m.d.comb += [
                structure.eq(
                    Mux(row.group, row.first != self.opened[-1], ~self.opened[-1])
                    & ~(row.group & ~row.last & row.barrier)
                    & ((self.size != n + 1) | (row.barrier & (row.last | ~row.group)))
                    & (~row.group | (states <= self._parameters.max_group))
                ),
                condition.eq(
                    ((on & off) == 0)
                    & (~row.group | (pins <= 1))
                    & (~(row.group & row.last) | free)
                    & (~self.given | (((state & ~row.mask) | (state & off) | (on & ~state)) == 0))
                    & (~(self.given & row.group) | (chosen <= 1))
                    & (~(self.given & row.group & row.last) | (chosen == 1))
                ),
            ]
            self.structure_rule.append(structure)
            self.condition_rule.append(condition)
            for chain, link in (
                (self.opened, opened),
                (self.states, states),
                (self.pins, pins),
                (self.free, free),
                (self.chosen, chosen),
                (self.length, length),
            ):
                chain.append(link)
