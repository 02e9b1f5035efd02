"""Seeds the noise streams of all banks, one after the other.

Twin: ``seed`` of `gibbsite_models.golden.lattice.LatticeEngine`.
"""

from amaranth.hdl import Mux, Signal

from gibbsite_hw.lattice_delays import held
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.lattice_timing import seeding_cycles

__all__ = ["seed_banks"]


def seed_banks(
    m,
    parameters: LatticeParameters,
    seed_hash,
    seeder,
    seeding,
    load,
    *,
    seed,
    first,
    active,
    select,
    each,
):
    """While ``seeding``, which ends with the cycle given back; ``load`` is a register for this.

    The banks belong to the chains from number ``first`` on, all of ``seed``. ``select`` is the one
    bit of all streams that says which is at hand. The statement ``each`` is carried out once for
    each of the first ``active`` banks.
    """
    stream = Signal(range(max(2, parameters.streams)))
    bank = Signal(range(max(2, parameters.banks)))
    chain = Signal(32)
    ends_bank = stream == parameters.streams - 1
    # counted, since the hash lies far from what begins then
    left = Signal(range(seeding_cycles(parameters)))
    m.d.sync += left.eq(Mux(seeding, left - 1, seeding_cycles(parameters) - 2))
    over = held(m, "seeded", seeding & (left == 0))
    m.d.comb += [
        seed_hash.seed.eq(seed),
        seed_hash.chain.eq(chain),
        seed_hash.stream.eq(stream),
        seed_hash.start.eq(seeding & load),
        seeder.done.eq(seed_hash.ready),
        seeder.result.eq(seed_hash.result),
    ]
    m.d.sync += load.eq(~seeding | seed_hash.done)
    # The seeder works for six cycles more, and steps the streams that are selected.
    word_over = held(m, "word_over", seeder.load) & ~seeder.load
    with m.If(word_over):
        m.d.sync += select.eq(select.rotate_left(1))
    with m.If(~seeding):
        m.d.sync += [chain.eq(first), stream.eq(0), bank.eq(0)]
    with m.Elif(seed_hash.start):
        # taken: the next one is there when this one is done
        m.d.sync += stream.eq(stream + 1)
        with m.If(ends_bank):
            m.d.sync += [stream.eq(0), bank.eq(bank + 1), chain.eq(chain + 1)]
            with m.If(bank < active):
                m.d.sync += each
    return over
