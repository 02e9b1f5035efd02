"""The program's memories: couplings, biases, clamps and given spins of all sites.

A word holds what all lanes need in one column of a pass; its address is (column, x). All banks
share what is read.

Twin: ``condition`` of `gibbsite_models.golden.lattice.LatticeEngine`.
"""

from amaranth.hdl import Cat, Module, Signal, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gibbsite_hw.lattice_delays import copied, held, later
from gibbsite_hw.lattice_memory import block_memory, read_word
from gibbsite_hw.lattice_plan import LatticePlan
from gibbsite_hw.lattice_signatures import LatticeMemories, lattice_write_signature
from gibbsite_hw.spec.lattice_parameters import LatticeParameters

__all__ = ["LatticeStore"]

_WORD_LANES = 16
"""Lanes of a packet word of 32 rows."""
_GROUP_LANES = 8
"""Lanes that are written through registers of their own."""


class LatticeStore(wiring.Component):
    """Reads at ``column`` and ``x`` (cycle 0 of the plan), ``given`` as it is in all of a run.

    ``pairs[n]`` are the couplings of all lanes when pair n is added, the late one's last;
    ``bias`` in cycle 3, ``bias_late`` beside the new spins. ``fixed`` sites become ``value``, two
    cycles behind the field.
    """

    def __init__(self, parameters: LatticeParameters) -> None:
        self._parameters = parameters
        self._plan = plan = LatticePlan(parameters)
        lanes = parameters.lanes
        super().__init__(
            {
                "write": In(lattice_write_signature(parameters)),
                "column": In(range(parameters.columns)),
                "x": In(1),
                "given": In(1),
                "pairs": Out(unsigned(lanes * plan.record_bits)).array(len(plan.pairs)),
                "bias": Out(lanes * parameters.bias_bits),
                "bias_late": Out(lanes * parameters.field_bits),
                "fixed": Out(lanes),
                "value": Out(lanes),
            }
        )

    def elaborate(self, platform):
        m = Module()
        parameters, plan = self._parameters, self._plan
        address = Cat(self.x, self.column)
        depth = 2 * parameters.columns
        write = self._registered_write(m)
        lanes = parameters.lanes
        groups = -(-lanes // _GROUP_LANES)
        early = held(m, "address_early", Cat(write["x"], write["column"]))
        addresses = copied(m, "address", early, groups)

        coupled, biased = self._lane_enables(m, write)
        # Pairs of a lane lie side by side, since a block memory writes bytes of nine bits.
        record = Cat(self._pair(m, write["data"], pair) for pair in plan.pairs)
        records = copied(m, "record", held(m, "record_early", record), groups)
        found = self._field(m, "couplings", depth, address, coupled, addresses, records)
        behind = [found]
        for level in range(plan.late.level):
            behind.append(held(m, f"couplings{level}", behind[-1]))
        m.d.comb += [self.pairs[n].eq(behind[pair.level]) for n, pair in enumerate(plan.pairs)]
        bias = _offset(write["data"][: parameters.bias_bits])
        biases = copied(m, "bias_written", held(m, "bias_early_written", bias), groups)
        found = self._field(m, "bias", depth, address, biased, addresses, biases)
        soon = held(m, "bias_early", found)
        # At the width of a field and with half of its range added: the sign is copied up.
        more = parameters.field_bits - parameters.bias_bits
        wide = []
        for lane in range(parameters.lanes):
            code = soon.word_select(lane, parameters.bias_bits)
            wide.append(Cat(code[:-1], (~code[-1]).replicate(more), code[-1]))
        m.d.comb += [
            self.bias.eq(soon),
            self.bias_late.eq(later(m, "bias_late", Cat(wide), plan.spin - 3)),
        ]

        on, off, state = self._bits(m, depth, address, write, addresses)
        # from cycle 2 to the one before the comparison
        cycles = plan.field + 1 - 2
        on, off, state = (
            later(m, name, word, cycles)
            for name, word in (("on", on), ("off", off), ("state", state))
        )
        given = self.given.replicate(parameters.lanes)
        m.d.comb += [
            self.fixed.eq(held(m, "fixed_word", on | off | given)),
            self.value.eq(held(m, "value_word", on | (given & state & ~off))),
        ]
        return m

    def _registered_write(self, m):
        """The write port, one cycle later."""
        copies = {}
        for name in ("enable", "memory", "column", "x", "place", "data"):
            source = getattr(self.write, name)
            copies[name] = Signal.like(source, name=f"write_{name}")
            m.d.sync += copies[name].eq(source)
        return copies

    def _lane_enables(self, m, write):
        """One bit a lane, two cycles late: its coupling or its bias is written."""
        lanes = self._parameters.lanes
        coupled, biased = Signal(lanes), Signal(lanes)
        for enables, memory in (
            (coupled, LatticeMemories.COUPLINGS),
            (biased, LatticeMemories.BIASES),
        ):
            chosen = Signal(name=f"chosen{memory}")
            m.d.comb += chosen.eq(write["enable"] & (write["memory"] == memory))
            m.d.sync += [enables[n].eq(chosen & (write["place"] == n)) for n in range(lanes)]
        return held(m, "coupled", coupled), held(m, "biased", biased)

    def _pair(self, m, record, pair):
        """A pair as memory holds it, from the record of COUPLINGS."""
        bits = self._parameters.coupling_bits
        a, b = (record[8 * k :][:bits].as_signed() for k in (pair.a, pair.b))
        plus, minus = Signal(signed(bits + 1)), Signal(signed(bits + 1))
        m.d.comb += [plus.eq(a + b), minus.eq(a - b)]
        return _offset(plus, minus)

    def _field(self, m, name, depth, address, enables, addresses, words):
        """One field of all lanes, a memory a group; a register stands behind the memories."""
        found = []
        for group, word in enumerate(words):
            first, bits = _GROUP_LANES * group, len(word)
            mine = enables[first : first + _GROUP_LANES]
            memory = block_memory(unsigned(len(mine) * bits), depth)
            m.submodules[f"{name}{group}"] = memory
            port = memory.write_port(granularity=bits)
            m.d.comb += [
                port.addr.eq(addresses[group]),
                port.en.eq(mine),
                port.data.eq(word.replicate(len(mine))),
            ]
            found.append(read_word(m, memory, address, f"{name}{group}_out"))
        return held(m, f"{name}_word", Cat(found))

    def _bits(self, m, depth, address, write, addresses):
        """On, off and state bits of all lanes, in cycle 2."""
        lanes, words = self._parameters.lanes, self._parameters.words
        clearing = write["enable"] & (write["memory"] == LatticeMemories.CLEAR)
        data = write["data"]
        first, second = Signal(_WORD_LANES), Signal(_WORD_LANES)
        for bits, word in ((first, data[:32]), (second, data[32:64])):
            mine = [word[2 * n + 1] & write["x"] | word[2 * n] & ~write["x"] for n in range(16)]
            m.d.sync += bits.eq(Cat(mine) & ~clearing.replicate(_WORD_LANES))
        first, second = held(m, "first_bits", first), held(m, "second_bits", second)
        found = {"on": [], "off": [], "state": []}
        for number in range(words):
            here = min(_WORD_LANES, lanes - _WORD_LANES * number)
            for memory, names in (
                (LatticeMemories.CLAMPS, ("on", "off")),
                (LatticeMemories.STATE, ("state",)),
            ):
                enable = Signal(name=f"{names[0]}{number}_enable")
                m.d.sync += enable.eq(
                    clearing
                    | (write["enable"] & (write["memory"] == memory) & (write["place"] == number))
                )
                block = block_memory(unsigned(here * len(names)), depth)
                m.submodules[f"{names[0]}{number}"] = block
                port = block.write_port()
                m.d.comb += [
                    port.addr.eq(addresses[_WORD_LANES // _GROUP_LANES * number]),
                    port.en.eq(held(m, f"{names[0]}{number}_on_time", enable)),
                    port.data.eq(Cat(first[:here], second[:here])),
                ]
                out = read_word(m, block, address, f"{names[0]}{number}_out")
                word = held(m, f"{names[0]}{number}_word", out)
                for place, name in enumerate(names):
                    found[name].append(word[here * place :][:here])
        return (Cat(*found[name]) for name in ("on", "off", "state"))


def _offset(*codes):
    """Codes side by side, each with half of its range added: its sign turned."""
    return Cat(Cat(code[:-1], ~code[-1]) for code in codes)
