"""GraphReadout sends one whole draw for each start; its words are those of the memories."""

from amaranth.asserts import AnyConst, AnySeq
from amaranth.hdl import Array, Module, Mux, Signal, signed
from proofs.jobs import Harness, Inside
from proofs.streams import PacketMonitor, kept

from gibbsite_hw.graph_readout import GraphReadout
from gibbsite_hw.spec.packets import Response
from gibbsite_hw.spec.parameters import GraphParameters

__all__ = ["ReadoutHarness"]


class ReadoutHarness(Harness):
    """Any state and energies, any flags, a reader that stalls as it likes.

    The two memories hold any words; their output follows the address by a cycle, as in the engine.
    The engine starts a draw only when the one before it is done, and holds all inputs meanwhile.
    """

    def __init__(self, parameters: GraphParameters, component: type = GraphReadout) -> None:
        super().__init__()
        self._parameters = parameters
        self._component = component

    def properties(self, m: Module) -> None:
        parameters = self._parameters
        dut = self._component(parameters)
        inside = Inside(dut)
        m.submodules.dut = inside.netlist
        words = dut.words
        monitor = PacketMonitor(m, words, "draw")

        running = Signal()
        with m.If(dut.start):
            m.d.sync += running.eq(1)
        with m.If(monitor.closes):
            m.d.sync += running.eq(0)
        spins = Array(AnyConst(parameters.lanes) for _ in range(parameters.rows))
        best = Array(AnyConst(parameters.lanes) for _ in range(parameters.rows))
        m.d.sync += [dut.spins.eq(spins[dut.address]), dut.best.eq(best[dut.address])]
        last_address = Signal(parameters.row_bits)
        m.d.sync += last_address.eq(dut.address)
        m.d.comb += [
            words.ready.eq(AnySeq(1)),
            dut.start.eq(AnySeq(1)),
        ]
        # What the books hold, and their word, which stays once it was fetched.
        chain, draw = AnyConst(32), AnyConst(32)
        word = Signal(32)
        m.d.comb += [dut.fetched.eq(AnySeq(1)), dut.word.eq(word)]
        with m.If(dut.fetch & dut.fetched):
            m.d.sync += word.eq(Mux(dut.fetch_draw, draw, chain))
        for name in ("tag", "samples", "with_best", "current", "rows"):
            m.d.comb += getattr(dut, name).eq(AnyConst(len(getattr(dut, name))))
        for name in ("energy", "best_energy"):
            m.d.comb += getattr(dut, name).eq(AnyConst(parameters.energy_bits))
        self.given(
            one_at_a_time=~(dut.start & running),
            some_rows=(dut.rows >= 1) & (dut.rows <= parameters.rows),
        )

        # What the packet must say, word by word.
        energy, best_energy = Signal(signed(64)), Signal(signed(64))
        length = Signal(16)
        rows = dut.rows
        after = 5 + Mux(dut.samples, rows, 0)  # index of the best energy
        at = Signal(16)
        expected = Signal(32)
        m.d.comb += [
            energy.eq(dut.energy),
            best_energy.eq(dut.best_energy),
            length.eq(4 + Mux(dut.samples, rows, 0) + Mux(dut.with_best, rows + 2, 0)),
            at.eq(Mux(monitor.inside, monitor.index, 0)),
        ]
        with m.If(at == 0):
            m.d.comb += expected.eq(Response.DRAW << 24 | dut.tag << 16 | length)
        with m.Elif(at == 1):
            m.d.comb += expected.eq(chain)
        with m.Elif(at == 2):
            m.d.comb += expected.eq(draw)
        with m.Elif(at == 3):
            m.d.comb += expected.eq(energy[:32])
        with m.Elif(at == 4):
            m.d.comb += expected.eq(energy[32:])
        with m.Elif(dut.samples & (at < 5 + rows)):
            m.d.comb += expected.eq(spins[(at - 5)[: parameters.row_bits]])
        with m.Elif(at == after):
            m.d.comb += expected.eq(best_energy[:32])
        with m.Elif(at == after + 1):
            m.d.comb += expected.eq(best_energy[32:])
        with m.Else():
            row = (at - after - 2)[: parameters.row_bits]
            m.d.comb += expected.eq(Mux(dut.current, spins[row], best[row]))

        self.always(
            kept=kept(m, self.started, words, "draws"),
            shaped=monitor.shaped,
            content=~words.valid | (words.payload.word == expected),
            nothing_invented=words.valid == (running & ~dut.fetch),
            fetched_chain=~inside.state("CHAIN") | (word == chain),
            fetched_draw=~inside.state("DRAW") | (word == draw),
            fetching=dut.fetch == (inside.state("FETCH_CHAIN") | inside.state("FETCH_DRAW")),
            done_with_last=dut.done == monitor.closes,
            announced=~monitor.inside | (monitor.left + monitor.index == length + 1),
            # What ties the states to the packet, so that induction starts from real ones.
            memory_follows=~self.started
            | ((dut.spins == spins[last_address]) & (dut.best == best[last_address])),
            some_state=inside.in_some_state(),
            whole=~monitor.inside | running,
            idle=inside.state("IDLE") == ~running,
            header=~running | (inside.state("HEADER") == ~monitor.inside),
            **self._states(inside, monitor, dut, after),
            index=inside["index"]
            == Mux(
                inside.state("SPINS"),
                (at - 5)[: parameters.row_bits],
                Mux(inside.state("BEST"), (at - after - 2)[: parameters.row_bits], 0),
            ),
            fetched=~(inside.state("SPINS") | inside.state("BEST"))
            | (last_address == inside["index"]),
        )
        full = Signal()
        with m.If(monitor.closes & dut.samples & dut.with_best & (rows > 1)):
            m.d.sync += full.eq(1)
        stalled = Signal()
        with m.If(words.valid & ~words.ready & monitor.inside):
            m.d.sync += stalled.eq(1)
        self.can(full_draw=full, full_draw_with_stall=full & stalled)

    @staticmethod
    def _states(inside: Inside, monitor: PacketMonitor, dut, after):
        at, rows = monitor.index, dut.rows
        places = {
            "FETCH_CHAIN": at == 1,
            "CHAIN": at == 1,
            "FETCH_DRAW": at == 2,
            "DRAW": at == 2,
            "ENERGY_LOW": at == 3,
            "ENERGY_HIGH": at == 4,
            "SPINS": dut.samples & (at >= 5) & (at < 5 + rows),
            "BEST_LOW": dut.with_best & (at == after),
            "BEST_HIGH": dut.with_best & (at == after + 1),
            "BEST": dut.with_best & (at >= after + 2) & (at < after + 2 + rows),
        }
        return {
            f"in_{name.lower()}": ~inside.state(name) | (monitor.inside & place)
            for name, place in places.items()
        }
