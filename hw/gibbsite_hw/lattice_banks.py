"""The banks of a lattice engine: what all of them hear, and which of them is read."""

from amaranth.hdl import Array, Cat

from gibbsite_hw.lattice_delays import copied, held
from gibbsite_hw.lattice_entries import table_copies
from gibbsite_hw.lattice_noise import stream_pairs
from gibbsite_hw.lattice_plan import LatticePlan
from gibbsite_hw.spec.lattice_parameters import LatticeParameters

__all__ = ["read_bank", "tell_banks"]


def tell_banks(
    m,
    parameters: LatticeParameters,
    banks,
    slots,
    passes,
    store,
    schedule,
    seeder,
    readout,
    *,
    preset,
    reading,
    select,
):
    """All banks hear the same, some of it by copies of their own; ``slots`` are those of the
    pipeline, and of ``select`` each bank has the bits of its streams."""
    plan, streams = LatticePlan(parameters), parameters.streams
    early = held(m, "table_early", schedule.table)
    tables = copied(m, "table", early, table_copies(parameters))
    tossed = copied(m, "tossed", slots[plan.field].start, streams)
    passing = copied(m, "colour", slots[plan.spin - 1].colour, streams)
    words = copied(m, "seed_word", seeder.word, stream_pairs(streams))
    for number, bank in enumerate(banks):
        m.d.comb += [
            *(bank.slots[n].eq(slot) for n, slot in enumerate(slots)),
            *(bank.pairs[n].eq(store.pairs[n]) for n in range(len(plan.pairs))),
            *(bank.columns[n].eq(passes.ports[n]) for n in range(len(plan.column_offsets))),
            *(bank.colours[n].eq(passes.colours[n]) for n in range(len(plan.column_offsets))),
            bank.turn.eq(passes.turn),
            bank.preset.eq(preset),
            bank.reading.eq(reading),
            bank.show_best.eq(readout.show_best),
            bank.bias.eq(store.bias),
            bank.bias_late.eq(store.bias_late),
            bank.fixed.eq(store.fixed),
            bank.value.eq(store.value),
            *(bank.table[n].eq(table) for n, table in enumerate(tables)),
            bank.tossed.eq(Cat(tossed)),
            bank.passing.eq(Cat(passing)),
            bank.select.eq(select[streams * number :][:streams]),
            bank.clear.eq(seeder.clear),
            bank.load.eq(seeder.load),
            *(bank.seed_words[n].eq(word) for n, word in enumerate(words)),
        ]


def read_bank(m, banks, readout, number):
    """``readout`` sees energies and words of bank ``number``, a cycle later."""
    for name in ("energy", "best_energy"):
        chosen = Array(getattr(bank, name) for bank in banks)[number]
        m.d.comb += getattr(readout, name).eq(held(m, name, chosen))
    for n in range(2):
        chosen = Array(bank.words[n] for bank in banks)[number]
        m.d.comb += readout.spins[n].eq(held(m, f"spins{n}", chosen))
