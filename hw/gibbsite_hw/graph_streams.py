"""The random streams of the graph engine: one a lane, seeded from seed, chain and lane.

Twin: ``seed_streams`` and ``step_streams`` of `gibbsite_models.golden.noise`.
Source: docs/noise.md.
"""

from amaranth.hdl import Cat, Mux, Signal

from gibbsite_hw.noise import SeedHash, xoshiro_step
from gibbsite_hw.serial_hash import CHAIN_BYTE, SEED_BYTE, SerialSeedHash
from gibbsite_hw.spec.tables import GRAPH_ENGINE

__all__ = ["noise_streams"]


def noise_streams(m, parameters, control, books, steps):
    """The uniform of each lane, new after each of ``steps``; seeded as ``control`` asks."""
    streams = [
        [Signal(32, name=f"stream{lane}_{n}") for n in range(4)] for lane in range(parameters.lanes)
    ]
    key = control.key
    if parameters.hash_rounds == 0:
        m.submodules.hash = hash_ = SerialSeedHash(GRAPH_ENGINE)
        place = Mux(key == 3, CHAIN_BYTE, Mux(key == 2, SEED_BYTE + 4, SEED_BYTE))
        m.d.comb += [
            hash_.load.eq(books.fresh & (key != 0)),
            hash_.place.eq(place | books.index),
            hash_.byte.eq(books.byte),
        ]
    else:
        m.submodules.hash = hash_ = SeedHash(parameters.hash_rounds)
        seed, chain = Signal(64), Signal(32)
        with m.If(books.engine.done & (key != 0)):
            with m.Switch(key):
                with m.Case(1):
                    m.d.sync += seed[:32].eq(books.word)
                with m.Case(2):
                    m.d.sync += seed[32:].eq(books.word)
                with m.Case(3):
                    m.d.sync += chain.eq(books.word)
        m.d.comb += [
            hash_.seed.eq(seed),
            hash_.engine.eq(GRAPH_ENGINE),
            hash_.chain.eq(chain),
        ]
    m.d.comb += [
        hash_.start.eq(control.seed),
        hash_.lane.eq(control.lane),
        control.seeded.eq(hash_.done),
    ]
    for lane, words in enumerate(streams):
        here = control.lane == lane
        following = xoshiro_step(words)
        if parameters.hash_rounds:
            with m.If(hash_.done & here):
                m.d.sync += Cat(*words).eq(hash_.result)
            with m.Elif(steps):
                m.d.sync += [w.eq(n) for w, n in zip(words, following, strict=True)]
            continue
        for n, word in enumerate(words):
            with m.If(hash_.clear & here):
                m.d.sync += word.eq(0)
            with m.Elif(steps | (hash_.take[n] & here)):
                m.d.sync += word.eq(following[n] ^ hash_.inject)
    return [words[0] for words in streams]
