"""`LatticeBank` against the golden sweep: every spin, energies, and the best state so far."""

from random import Random
from typing import Any

import cocotb
import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.lattice_entries import table_copies
from gibbsite_hw.lattice_noise import stream_pairs
from gibbsite_hw.lattice_plan import LatticePlan
from gibbsite_hw.lattice_thresholds import table_write_layout
from gibbsite_hw.spec.lattice_program import LatticeConditions
from gibbsite_hw.spec.lattice_tables import BETA_MAX, UNIFORM_BITS, thresholds
from gibbsite_hw.spec.lattice_timing import gap_cycles, streams_through
from gibbsite_models.golden.lattice import LatticeChains, LatticeEngine, pack_columns
from gibbsite_models.golden.lattice_noise import step_lattice_streams
from gibbsite_sim.cosim.clocked import Clocked, read
from gibbsite_sim.cosim.lattice_ports import signed_port, slot_bits
from gibbsite_sim.cosim.run import lattice_parameters_here
from gibbsite_sim.cosim.scoreboard import Scoreboard

P = lattice_parameters_here()
PLAN = LatticePlan(P)
LANES, WORD = P.lanes, (1 << 64) - 1
WIDTHS = (2, 4, P.columns, P.columns)
BURSTS, SETTLED = 5, PLAN.energy + 4
"""Bursts of sweeps a program; cycles until all that was decided is in memory and added up."""

Cycle = dict[str, Any]
"""What happens in a cycle: of ``slot``, ``turn``, ``select``, ``clear``, ``load``, ``word``,
``table`` and, as (column, whether of the best state), ``read``."""


class Program:
    """Random couplings, biases and clamps of a lattice, as the store gives them by column."""

    def __init__(self, rng: Random, columns: int) -> None:
        self.columns = columns
        numbers = np.random.default_rng(rng.getrandbits(32))
        shape, most = (columns, P.rows), [P.coupling_max, P.bias_max]
        most = [rng.choice([m, (m + 1) // 2]) for m in most]
        self.couplings = numbers.integers(-most[0], most[0] + 1, (*shape, P.neighbours), np.int8)
        self.biases = numbers.integers(-most[1], most[1] + 1, shape)
        kinds = numbers.choice(3, shape, p=[0.8, 0.1, 0.1])
        self.on, self.off = ((kinds == kind).astype(np.uint8) for kind in (1, 2))
        self.state = numbers.integers(0, 2, shape, np.uint8)
        self.engine = LatticeEngine(P, self.couplings)
        on, off = (pack_columns(bits.T) for bits in (self.on, self.off))
        self.engine.condition(LatticeConditions(self.biases.ravel(), on, off))

    def pairs(self, number: int, slot: dict[str, int]) -> int:
        """Sums and differences of the pair's couplings, with half of their range added."""
        bits, pair, word = P.coupling_bits + 1, PLAN.pairs[number], 0
        for lane, codes in enumerate(self.couplings[slot["column"], slot["x"] :: 2]):
            a, b = int(codes[pair.a]), int(codes[pair.b])
            plus, minus = (value + (1 << bits - 1) for value in (a + b, a - b))
            place = lane * PLAN.record_bits + number * PLAN.pair_bits
            word |= plus << place | minus << place + bits
        return word

    def bias(self, bits: int, slot: dict[str, int]) -> int:
        """The lanes' biases as codes of ``bits``, with half of that range added."""
        codes = self.biases[slot["column"], slot["x"] :: 2]
        return sum(int(code) + (1 << bits - 1) << bits * lane for lane, code in enumerate(codes))

    def lanes(self, bits: NDArray[np.uint8], slot: dict[str, int]) -> int:
        """The bits of the slot's lanes as a word."""
        found = bits[slot["column"], slot["x"] :: 2]
        return sum(int(bit) << lane for lane, bit in enumerate(found))


class Bank:
    """Plays passes, store, schedule and seeder, from a queue of cycles."""

    def __init__(self, clocked: Clocked) -> None:
        self.dut: Any = clocked.dut
        self.clocked = clocked
        self.rng = Random(52)
        self.program = Program(self.rng, 2)
        self.given = False
        self.queue: list[Cycle] = []
        self.past: list[Cycle] = [{} for _ in range(SETTLED)]
        self.slots = [self.garbage() for _ in range(SETTLED)]
        self.chains: LatticeChains | None = None
        self.words: Scoreboard[tuple[int, int, int]] = Scoreboard("words")
        self.drive()
        clocked.agents.append(self)

    def garbage(self) -> dict[str, int]:
        """A slot in which nothing is."""
        bits, column = self.rng.getrandbits(8), self.rng.randrange(P.columns)
        names = ("colour", "x", "first", "last", "start", "half", "near", "far")
        fields = {name: bits >> number & 1 for number, name in enumerate(names)}
        return {**fields, "valid": 0, "column": column}

    def sample(self) -> None:
        read_ = self.past[-3].get("read")
        if read_ is None or "read" not in self.past[-4]:
            return  # a cycle passes before the ports show what is read
        column, best = read_
        assert self.chains is not None
        bits = self.chains.best_bits if best else self.chains.bits
        assert bits is not None
        for colour in range(2):
            place = {"column": column, "x": (column + colour) % 2}
            self.words.expect((column, colour, self.program.lanes(bits[0].T, place)))
            self.words.saw((column, colour, read(getattr(self.dut, f"words__{colour}"))))

    def drive(self) -> None:
        dut, rng, program = self.dut, self.rng, self.program
        now = self.queue.pop(0) if self.queue else {}
        slot = now.get("slot") or self.garbage()
        self.past, self.slots = [*self.past[1:], now], [*self.slots[1:], slot]
        for number in range(PLAN.energy + 2):
            getattr(dut, f"slots__{number}").value = slot_bits(P, **self.slots[-1 - number])
        dut.turn.value = now.get("turn", 0)
        dut.reading.value = int("read" in now)
        column, best = now.get("read", (0, rng.randrange(2)))
        dut.show_best.value = best
        for number, offset in enumerate(PLAN.column_offsets):
            at = (slot["column"] + offset) % program.columns, 1 - slot["colour"]
            if "read" in now:
                at = column, number % 2
            getattr(dut, f"columns__{number}").value = at[0]
            getattr(dut, f"colours__{number}").value = at[1]

        def give(name: str, cycle: int, model: Any) -> None:
            """What belongs to the slot that is in this cycle of the plan; else garbage."""
            port, place = getattr(dut, name), self.slots[-1 - cycle]
            port.value = model(place) if place["valid"] else rng.getrandbits(len(port))

        for number, pair in enumerate(PLAN.pairs):
            give(f"pairs__{number}", 2 + pair.level, lambda s, n=number: program.pairs(n, s))
        give("bias", 3, lambda s: program.bias(P.bias_bits, s))
        give("bias_late", PLAN.spin, lambda s: program.bias(P.field_bits, s))
        give("fixed", PLAN.field + 2, lambda s: self.clamps(s)[0])
        give("value", PLAN.field + 2, lambda s: self.clamps(s)[1])
        every = (1 << P.streams) - 1
        give("tossed", PLAN.field + 1, lambda s: s["start"] * every)
        give("passing", PLAN.spin, lambda s: s["colour"] * every)
        for name in ("clear", "load"):
            getattr(dut, name).value = now.get(name, 0)
        dut.select.value = now.get("select", rng.getrandbits(P.streams))
        for number in range(stream_pairs(P.streams)):
            getattr(dut, f"seed_words__{number}").value = self.past[-2].get("word", 0)
        for number in range(table_copies(P)):
            getattr(dut, f"table__{number}").value = now.get("table", 0)

    def clamps(self, slot: dict[str, int]) -> tuple[int, int]:
        """Which lanes are fixed, and at what: in a start sweep from a given state all of them."""
        bits = (self.program.on, self.program.off, self.program.state)
        on, off, state = (self.program.lanes(part, slot) for part in bits)
        if self.given and slot["start"]:
            return (1 << LANES) - 1, on | (state & ~off)
        return on | off, on

    # --- what is queued ---------------------------------------------------------------------------

    def seed(self, chains: LatticeChains) -> None:
        """Every stream of the bank, as `LatticeSeeder` does it."""
        for stream in range(P.streams):
            s0, s1 = (int(word) for word in chains.streams[:, 0, stream])
            first = (s1 >> 37 | s1 << 27) & WORD
            state = np.array([[first], [0]], dtype=np.uint64)
            step_lattice_streams(state)
            order = {"select": 1 << stream, "load": 1}
            self.queue += [{"select": 1 << stream, "clear": 1}, {**order, "word": first}]
            self.queue += [{**order, "word": s0 ^ int(state[0, 0])}, {"select": 1 << stream}]
        self.queue += [{}, {}]

    def table(self, beta_code: int, half: int) -> None:
        """All entries of a table: T(\\|f\\|), the sign of f above it, at the address of f."""
        bits, found = P.field_bits, thresholds(beta_code, P.field_max)
        entries = [0] * (1 << bits)
        for field in range(-P.field_max, P.field_max + 1):
            at = field + PLAN.offset & (1 << bits) - 1
            entries[at] = found[abs(field)] | (field < 0) << UNIFORM_BITS
        for place in range(1 << bits - 1):
            low, high = entries[2 * place : 2 * place + 2]
            fields = {"enable": 1, "half": half, "place": place, "low": low, "high": high}
            self.queue.append({"table": table_write_layout(P).const(fields).as_bits()})

    def sweep(self, start: bool, half: int, follows: bool) -> None:
        """Both passes, column by column; ``follows``: right behind another sweep."""
        columns = self.program.columns
        close, gap = streams_through(P, columns), gap_cycles(P, columns)
        if not follows:
            self.queue.append({})
        for colour in range(2):
            self.queue[-1]["turn"] = 1
            for column in range(columns):
                young = int(close and (follows or colour == 1))
                slot = {
                    "valid": 1, "colour": colour, "column": column, "x": (column + colour) % 2,
                    "first": int(not colour and not column),
                    "last": int(colour and column == columns - 1), "start": int(start),
                    "half": half, "near": young * (column == 0), "far": young * (column < 4),
                }  # fmt: skip
                self.queue.append({"slot": slot})
            self.queue += [{} for _ in range(gap)]

    async def rest(self) -> None:
        """All that is queued is done, and settled."""
        await self.clocked.until(lambda: not self.queue, 20_000, "rest")
        await self.clocked.wait(SETTLED)


@cocotb.test()
async def sweeps(dut: Any) -> None:
    """Programs of all widths; after bursts of sweeps at one beta both energies and both states."""
    clocked = Clocked(dut)
    bank = Bank(clocked)
    rng = bank.rng
    await clocked.start()
    wanted = better = worse = 0
    for number, columns in enumerate(WIDTHS):
        program = bank.program = Program(rng, columns)
        bank.given = number % 2 == 1
        dut.preset.value = -(columns * P.rows << P.field_bits - 1) & (1 << P.energy_bits) - 1
        chain = np.array([rng.getrandbits(32)], dtype=np.uint64)
        chains = bank.chains = program.engine.seed(rng.getrandbits(64), chain, best=True)
        bank.seed(chains)
        for burst in range(BURSTS):
            beta = rng.choice([0, BETA_MAX // 64, BETA_MAX // 8, rng.randrange(BETA_MAX)])
            half = rng.randrange(P.tables)
            bank.table(beta, half)
            count = 1 if burst == 1 else rng.randrange(2, 6)
            for sweep in range(count):
                start = burst == sweep == 0
                bank.sweep(start, half, follows=sweep > 0)
                if start:
                    given = [int(word) for word in pack_columns(program.state.T)]
                    program.engine.start(chains, given if bank.given else None)
                else:
                    program.engine.sweep(chains, beta)
                better += chains.energy[0] == chains.best_energy[0]
                worse += chains.energy[0] > chains.best_energy[0]
            await bank.rest()
            energies = int(chains.energy[0]), int(chains.best_energy[0])
            seen = signed_port(dut.energy), signed_port(dut.best_energy)
            assert seen == energies, f"energies {seen}, not {energies}, after burst {burst}"
            for best in range(2):
                bank.queue += [{"read": (column, best)} for column in (0, *range(columns))]
                wanted += 2 * columns
                await bank.rest()
    assert streams_through(P, WIDTHS[-1])
    assert not streams_through(P, WIDTHS[0])
    bank.words.finish(wanted)
    assert better > len(WIDTHS) < worse
