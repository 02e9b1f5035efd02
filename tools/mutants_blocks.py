"""Mutants of the books and their responder, of the lattice's loader, hash, memories and bank."""

from mutants_table import Mutant

__all__ = ["BLOCK_MUTANTS"]

BOOKS = "tests/cosim/test_device_parts.py::test_books[device_books]"
RESPONDER = "tests/cosim/test_device_parts.py::test_responder[short]"
BANK = "tests/cosim/test_lattice_blocks.py::test_bank[four]"
WIDE_BANK = "tests/cosim/test_lattice_blocks.py::test_bank[twelve]"
HASH = "tests/cosim/test_lattice_parts.py::test_hash[2]"
LOADER = "tests/cosim/test_lattice_parts.py::test_loader[four]"
READOUT = "tests/cosim/test_lattice_memories.py::test_readout[6-short]"
STORE = "tests/cosim/test_lattice_memories.py::test_store[four]"

BLOCK_MUTANTS = (
    Mutant(
        "books_lose_a_carry",
        "device_books.py",
        "addend = Signal(max(widths))",
        "addend = Signal(16)",
        "of what a counter gathered, only 16 bits are added",
        BOOKS,
    ),
    Mutant(
        "books_unheld",
        "device_books.py",
        "self.engine.valid & ~self.held",
        "self.engine.valid",
        "the engine's operation takes the word that the shell still needs",
        BOOKS,
    ),
    Mutant(
        "books_counters_survive",
        "device_books.py",
        "Mux(blanking, 0, found),",
        "found,",
        "counters go on from the run before",
        BOOKS,
    ),
    Mutant(
        "books_half_restored",
        "device_books.py",
        "with m.If(~configured | (place == end - 1)):",
        "with m.If(~configured | (place == end - 2)):",
        "after a reset the last byte is what it was",
        BOOKS,
    ),
    Mutant(
        "responder_lets_go",
        "device_responder.py",
        "self.held.eq(1),",
        "self.held.eq(given),",
        "a word of the books changes while it is offered",
        RESPONDER,
    ),
    Mutant(
        "responder_end_first",
        "device_responder.py",
        "with m.Elif(self.draws.valid):",
        "with m.Elif(self.draws.valid & ~ending):",
        "the end of a run overtakes its last draw",
        RESPONDER,
    ),
    Mutant(
        "lattice_hash_key",
        "lattice_hash.py",
        "seconds = Array(keys[(j + 1) % 3]",
        "seconds = Array(keys[j % 3]",
        "the second key of an addition is the first one",
        HASH,
    ),
    Mutant(
        "lattice_hash_done_late",
        "lattice_hash.py",
        "last.eq(count == cycles - 2)",
        "last.eq(count == cycles - 1)",
        "the end of a hash is told a cycle late",
        HASH,
    ),
    Mutant(
        "lattice_unchecked_word",
        "lattice_loader.py",
        "with m.If(bad & ~writing):",
        "with m.If(bad & writing):",
        "words before a bad one are written before the command is refused",
        LOADER,
    ),
    Mutant(
        "lattice_last_clash",
        "lattice_loader.py",
        "with m.If(meets & ~clashed):",
        "with m.If(meets):",
        "clamps on and off at once are refused with the last such word",
        LOADER,
    ),
    Mutant(
        "lattice_readout_early",
        "lattice_readout.py",
        "_LATENCY = 4",
        "_LATENCY = 3",
        "a column's spins are taken before they are there",
        READOUT,
    ),
    Mutant(
        "lattice_readout_unswapped",
        "lattice_readout.py",
        "swap = self.column[0]",
        "swap = Const(0)",
        "in odd columns the rows of a lane are exchanged",
        READOUT,
    ),
    Mutant(
        "lattice_off_ignored",
        "lattice_store.py",
        "on | (given & state & ~off)",
        "on | (given & state)",
        "a given spin wins over a clamp",
        STORE,
    ),
    Mutant(
        "lattice_bias_late",
        "lattice_store.py",
        "plan.spin - 3",
        "plan.spin - 2",
        "the energy's bias is that of the column before",
        STORE,
    ),
    Mutant(
        "lattice_best_overwritten",
        "lattice_bank.py",
        "Mux(taken[0], Mux(taken[1], 2, 1), 0)",
        "Mux(taken[0], 1, 0)",
        "a sweep goes to the place of the best state",
        BANK,
    ),
    Mutant(
        "lattice_young_words",
        "lattice_bank.py",
        "Mux(fresh, self._new, waiting)",
        "waiting",
        "a pass's first column does not see the spins decided just now",
        BANK,
    ),
    Mutant(
        "lattice_far_words",
        "lattice_bank.py",
        "Mux(self.slots[plan.levels].far, self._spins, words)",
        "words",
        "a pass's first four columns do not see those four columns behind",
        WIDE_BANK,
    ),
)
