"""One bank: the spins of a chain, its lanes and their threshold tables.

`lattice_plan` has the cycles. The spin memory holds three states in turn: a sweep reads the one
before it and writes to the one that is neither this nor the best so far, so that a new best state
costs neither a copy nor a wait.

Twin: ``sweep`` of `gibbsite_models.golden.lattice.LatticeEngine`.
"""

from amaranth.hdl import Cat, Module, Mux, Signal, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gibbsite_hw.lattice_delays import held, later
from gibbsite_hw.lattice_energy import LatticeEnergy
from gibbsite_hw.lattice_entries import LatticeEntries, table_copies
from gibbsite_hw.lattice_memory import block_memory, read_word
from gibbsite_hw.lattice_noise import LatticeNoise, stream_pairs
from gibbsite_hw.lattice_plan import LatticePlan
from gibbsite_hw.lattice_signatures import slot_layout
from gibbsite_hw.lattice_thresholds import ENTRY_BITS, table_write_layout
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.lattice_tables import UNIFORM_BITS

__all__ = ["LatticeBank"]

_STATES = 4
"""States that the spin memory has room for; three are used."""


class LatticeBank(wiring.Component):
    """``slots[t]`` is the slot in cycle t of the plan; words of the store come as it gives them.

    ``columns`` and ``colours`` are what each port of the spin memory reads, ``turn`` stands before
    the first column of a pass. ``table``, ``seed_words`` and, a bit for four lanes, ``tossed`` (the
    slot behind the field is a start sweep's) and ``passing`` (the colour of the slot of the new
    spins) are copies for the parts of the chip. While
    ``reading``, the words that come back two cycles later as ``words`` are those of the newest
    state, or of the best one with ``show_best``. ``energy`` and ``best_energy`` are right once the
    bank is settled.
    """

    def __init__(self, parameters: LatticeParameters) -> None:
        self._parameters = parameters
        self._plan = plan = LatticePlan(parameters)
        lanes, ports = parameters.lanes, len(plan.column_offsets)
        super().__init__(
            {
                "slots": In(slot_layout(parameters)).array(plan.energy + 2),
                "turn": In(1),
                "reading": In(1),
                "show_best": In(1),
                "columns": In(range(parameters.columns)).array(ports),
                "colours": In(1).array(ports),
                "pairs": In(unsigned(lanes * plan.record_bits)).array(len(plan.pairs)),
                "bias": In(lanes * parameters.bias_bits),
                "bias_late": In(lanes * parameters.field_bits),
                "preset": In(signed(parameters.energy_bits)),
                "fixed": In(lanes),
                "value": In(lanes),
                "table": In(table_write_layout(parameters)).array(table_copies(parameters)),
                "tossed": In(parameters.streams),
                "passing": In(parameters.streams),
                "select": In(parameters.streams),
                "clear": In(1),
                "load": In(1),
                "seed_words": In(unsigned(64)).array(stream_pairs(parameters.streams)),
                "words": Out(unsigned(lanes)).array(2),
                "energy": Out(signed(parameters.energy_bits)),
                "best_energy": Out(signed(parameters.energy_bits)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        parameters, plan = self._parameters, self._plan
        m.submodules.noise = noise = LatticeNoise(parameters.streams)
        m.submodules.energies = energies = LatticeEnergy(parameters)
        m.d.comb += [
            noise.step.eq(self.slots[plan.spin - 2].valid),
            noise.select.eq(self.select),
            noise.clear.eq(self.clear),
            noise.load.eq(self.load),
            *(a.eq(b) for a, b in zip(noise.added, self.seed_words, strict=True)),
            energies.slot.eq(self.slots[plan.energy]),
            energies.preset.eq(self.preset),
            self.energy.eq(energies.energy),
            self.best_energy.eq(energies.best_energy),
        ]
        self._lanes = range(parameters.lanes)
        self._new = Signal(parameters.lanes)  # the words decided, a cycle before they are there
        self._spins = held(m, "decided", self._new)
        around = self._memory(m, energies.lower)
        fields = self._fields(m, around)
        self._decide(m, noise, fields)
        self._values(m, energies, fields)
        return m

    def _memory(self, m, lower):
        """The spin memory; returns its words in cycle 2, by column offset."""
        parameters, plan = self._parameters, self._plan
        newest, best, source, ended = Signal(2), Signal(2), Signal(2), Signal(2)
        with m.If(self.reading):
            m.d.sync += source.eq(Mux(self.show_best, best, newest))
        with m.Elif(self.turn):
            m.d.sync += source.eq(newest)
        deciding = self.slots[plan.spin - 1]
        with m.If(deciding.valid & deciding.first):
            # the lowest number of a state that is neither of the two
            taken = [(newest == n) | (best == n) for n in range(2)]
            m.d.sync += newest.eq(Mux(taken[0], Mux(taken[1], 2, 1), 0))
        decided = self.slots[plan.spin]
        with m.If(decided.valid & decided.last):
            m.d.sync += ended.eq(newest)
        with m.If(lower):
            m.d.sync += best.eq(ended)

        # of colours, states and columns: the last are filled up to a power of two
        width = (parameters.columns - 1).bit_length()
        depth = 2 * _STATES << width
        m.submodules.spins = memory = block_memory(unsigned(parameters.lanes), depth)
        port = memory.write_port()
        m.d.comb += [
            port.addr.eq(Cat(decided.column, decided.colour, newest)),
            port.data.eq(self._spins),
            port.en.eq(decided.valid),
        ]
        words = {}
        for number, offset in enumerate(plan.column_offsets):
            address = Cat(self.columns[number], self.colours[number], source)
            out = read_word(m, memory, address, f"spins_out{number}")
            words[offset] = held(m, f"spins{number}", out)
        m.d.comb += [self.words[n].eq(words[n]) for n in range(2)]
        return words

    # --- fields -----------------------------------------------------------------------------------

    def _chosen(self, around, number, slot):
        """The spins that offset ``number`` finds, one bit a lane; rows are chosen by x."""
        row, column = self._parameters.offsets[number]
        even, odd = (
            around[column].rotate_right((row + x) // 2 % len(self._lanes)) for x in range(2)
        )
        return even if row % 2 == 0 else Mux(slot.x, odd, even)

    def _fields(self, m, around):
        """Every lane's field, ``plan.offset`` added."""
        plan, parameters = self._plan, self._parameters
        spins = {}
        for number, (_, column) in enumerate(parameters.offsets):
            if column == -1:
                continue
            level = next((p.level for p in plan.early if number in (p.a, p.b)), 1)
            found = dict(around)
            words = later(m, f"waiting{number}", found[column], level - 1)
            found[column] = words
            if column == -4:
                found[column] = Mux(self.slots[plan.levels].far, self._spins, words)
            spins[number] = self._chosen(found, number, self.slots[level + 1])

        # What a term needs beside its couplings: whether it takes M, and whether it is negated.
        signs = []
        for number, pair in enumerate(plan.early):
            first, second = spins[pair.a], spins[pair.b]
            signs.append(
                (
                    held(m, f"differ{number}", (first ^ second)[: parameters.lanes]),
                    held(m, f"negative{number}", (~first)[: parameters.lanes]),
                )
            )
        signs.append(self._late_signs(m, around, spins))

        sums = []
        for lane in self._lanes:
            terms = [self._term(lane, number, *signs[number]) for number in range(len(plan.pairs))]
            bias = self.bias.word_select(lane, parameters.bias_bits)
            early = self._sum(m, lane, bias, terms[:-1])
            field = self._register(f"field{lane}")
            term, carry = terms[-1]
            m.d.sync += field.eq(early + term + carry)
            sums.append(field)
        return sums

    def _late_signs(self, m, around, spins):
        """The same for the late pair, in the cycle of the last sum."""
        plan = self._plan
        # Words one column behind: in the first column of a pass, those being decided just now.
        waiting = later(m, "behind", around[-1], plan.levels)
        fresh = self.slots[plan.last - 1].near
        behind = held(m, "behind", Mux(fresh, self._new, waiting))
        words = {-1: behind}
        ends = []
        for number in (plan.late.a, plan.late.b):
            if number in spins:
                ends.append(later(m, "late", spins[number], plan.levels + 1))
            else:
                ends.append(self._chosen(words, number, self.slots[plan.last]))
        first, second = ends
        return first ^ second, ~first

    def _term(self, lane, number, differ, negative):
        """``s_a (P or M)`` but for the carry, and the carry."""
        bits = self._parameters.coupling_bits
        plan = self._plan
        at = lane * plan.record_bits + number * plan.pair_bits
        plus, minus = (self.pairs[number][at + k * (bits + 1) :][: bits + 1] for k in range(2))
        carry = negative[lane]
        chosen = Mux(differ[lane], minus, plus) ^ carry.replicate(bits + 1)
        return chosen, carry

    def _sum(self, m, lane, bias, terms):
        """Bias and early terms, level by level; a carry is added with the sum that has room."""
        nodes = [(bias, None)]
        terms = list(terms)
        for level in range(1, self._plan.levels + 1):
            while terms and self._plan.early[len(self._plan.early) - len(terms)].level == level:
                nodes.append(terms.pop(0))
            following = []
            for at in range(0, len(nodes), 2):
                number = f"{lane}_{level}_{at // 2}"
                values, carries = zip(*nodes[at : at + 2], strict=True)
                total = self._register(f"sum{number}")
                first, *more = [carry for carry in carries if carry is not None] or [0]
                m.d.sync += total.eq(sum(values) + first)
                following.append((total, held(m, f"carry{number}", more[0]) if more else None))
            nodes = following
        ((total, none_left),) = nodes
        assert none_left is None, "there is a sum for every carry"
        return total

    def _register(self, name):
        """A register for a field; all sums are unsigned and go around at its width."""
        return Signal(self._parameters.field_bits, name=name, reset_less=True)

    # --- decisions --------------------------------------------------------------------------------

    def _decide(self, m, noise, fields):
        """Thresholds of the fields, compared with the uniforms; clamps win."""
        plan = self._plan
        m.submodules.entries = entries = LatticeEntries(self._parameters)
        m.d.comb += [
            *(a.eq(b) for a, b in zip(entries.table, self.table, strict=True)),
            entries.half.eq(self.slots[plan.field].half),
        ]
        decisions = []
        for lane, field in enumerate(fields):
            m.d.comb += entries.fields[lane].eq(field)
            entry = Signal(ENTRY_BITS, name=f"entry{lane}", reset_less=True)
            m.d.sync += entry.eq(entries.found[lane])
            with m.If(self.tossed[lane // 4]):
                m.d.sync += entry.eq(1 << (UNIFORM_BITS - 1))
            uniform = noise.words[lane // 4].word_select(lane % 4, UNIFORM_BITS)
            decisions.append(entry[UNIFORM_BITS] ^ (uniform < entry[:UNIFORM_BITS]))
        m.d.comb += self._new.eq((Cat(decisions) & ~self.fixed) | (self.value & self.fixed))

    def _values(self, m, energies, fields):
        """What each lane gives to the energy: b of colour 0, f of colour 1, half a range added."""
        parameters, plan = self._parameters, self._plan
        bits = parameters.field_bits
        half = 1 << (bits - 1)
        m.d.comb += energies.spins.eq(self._spins)
        for lane, field in enumerate(fields):
            value = later(m, f"value{lane}", field, plan.spin - plan.field)
            if plan.offset % (1 << bits) != half:
                value = (value + half - plan.offset)[:bits]
            bias = self.bias_late.word_select(lane, bits)
            m.d.comb += energies.values[lane].eq(Mux(self.passing[lane // 4], value, bias))
