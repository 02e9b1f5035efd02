"""The graph engine: Gibbs sampling on any graph, p-bits and one-hot groups alike.

Draws from ``P(v) ~ exp(-beta E(v))``, ``E(v) = sum b v + sum w v v``; `docs/graph-engine.md` has
the exact meaning, the cycles and the pipeline.

Twin: `gibbsite_models.golden.graph`.
"""

from amaranth.hdl import Cat, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out, connect, flipped

from gibbsite_hw.graph_decide import GraphDecide
from gibbsite_hw.graph_field import GraphField
from gibbsite_hw.graph_readout import GraphReadout
from gibbsite_hw.graph_sequencer import GraphSequencer
from gibbsite_hw.graph_signatures import (
    Memories,
    descriptor_layout,
    row_end_layout,
    word_write_signature,
    write_signature,
)
from gibbsite_hw.noise import NoiseShaper, SeedHash, xoshiro_step
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.registers import RunFlags
from gibbsite_hw.spec.tables import GRAPH_ENGINE
from gibbsite_hw.words import word_layout

__all__ = ["COUNTERS", "GraphEngine"]

COUNTERS = ("cycles", "sweep_cycles", "terms", "updates", "sweeps", "reads")
"""The 64-bit counters, in the order of DONE."""


class GraphEngine(wiring.Component):
    """Runs the loaded program.

    ``write`` fills the memories while idle. ``start`` (one cycle, while not ``busy``) begins a
    run with the settings beside it, which stay as they are until ``finished`` (one cycle, with
    ``aborted``). ``abort`` ends the run after the pass at hand. Draws leave on ``draws``. While
    idle the memories that a check needs are read at ``check_row`` (synchronous).
    """

    def __init__(self, parameters: GraphParameters) -> None:
        self._parameters = parameters
        lanes = parameters.lanes
        super().__init__(
            {
                "write": In(write_signature(parameters)),
                "start": In(1),
                "abort": In(1),
                "busy": Out(1),
                "finished": Out(1),
                "aborted": Out(1),
                "tag": In(8),
                "seed": In(64),
                "first_chain": In(32),
                "chains": In(32),
                "number_of_draws": In(32),
                "steps": In(32),
                "sweeps_per_step": In(32),
                "thin": In(32),
                "flags": In(3),
                "rows": In(range(parameters.rows + 1)),
                "check_row": In(parameters.row_bits),
                "check_descriptor": Out(descriptor_layout(parameters)),
                "check_on": Out(lanes),
                "check_off": Out(lanes),
                "check_state": Out(lanes),
                "draws": Out(stream.Signature(word_layout)),
                **{name: Out(64) for name in COUNTERS},
            }
        )

    def elaborate(self, platform):
        m = Module()
        parameters = self._parameters
        lanes = parameters.lanes
        layout = row_end_layout(parameters)
        m.submodules.sequencer = sequencer = GraphSequencer(parameters)
        m.submodules.field = field = GraphField(parameters)
        m.submodules.decide = decide = GraphDecide(parameters)
        m.submodules.shaper = shaper = NoiseShaper(
            lanes,
            parameters.score_frac,
            parameters.noise_index_bits,
            parameters.noise_tail_bits,
        )
        m.submodules.hash = seed_hash = SeedHash(parameters.hash_rounds)
        m.submodules.readout = readout = GraphReadout(parameters)

        starting, sweeping = Signal(), Signal()
        beta = Signal(parameters.beta_bits)
        schedule_address = Signal(range(parameters.schedule_steps))

        # Memories, each with the one port that the pipeline reads.
        write = self.write
        rows_memory = Memory(shape=descriptor_layout(parameters), depth=parameters.rows, init=[])
        clamps_memory = Memory(shape=unsigned(2 * lanes), depth=parameters.rows, init=[])
        state_memory = Memory(shape=unsigned(lanes), depth=parameters.rows, init=[])
        schedule_memory = Memory(
            shape=unsigned(parameters.beta_bits), depth=parameters.schedule_steps, init=[]
        )
        best_memory = Memory(shape=unsigned(lanes), depth=parameters.rows, init=[])
        m.submodules.rows = rows_memory
        m.submodules.clamps = clamps_memory
        m.submodules.state = state_memory
        m.submodules.schedule = schedule_memory
        m.submodules.best = best_memory
        for number, memory in (
            (Memories.ROWS, rows_memory),
            (Memories.CLAMPS, clamps_memory),
            (Memories.STATE, state_memory),
            (Memories.SCHEDULE, schedule_memory),
        ):
            port = memory.write_port()
            m.d.comb += [
                port.addr.eq(write.address),
                data.View(port.data.shape(), port.data).as_value().eq(write.data)
                if isinstance(port.data, data.View)
                else port.data.eq(write.data),
                port.en.eq(write.enable & (write.memory == number)),
            ]
        row_port = rows_memory.read_port()
        clamp_port = clamps_memory.read_port()
        state_port = state_memory.read_port()
        schedule_port = schedule_memory.read_port()
        spin_write = word_write_signature(parameters.row_bits, lanes).create()
        spin_row_port = self._spin_copy(m, "spins", spin_write)
        best_write = best_memory.write_port()
        best_port = best_memory.read_port()
        m.d.comb += schedule_port.addr.eq(schedule_address)

        # Cycle 0: the sequencer's word goes to the coupling memories.
        m.d.comb += [
            sequencer.rows.eq(self.rows),
            sequencer.row_data.eq(row_port.data),
            row_port.addr.eq(Mux(self.busy, sequencer.row_address, self.check_row)),
            self.check_descriptor.eq(row_port.data),
        ]
        valid1, opens1, ends1 = Signal(), Signal(), Signal()
        row1 = Signal(parameters.row_bits)
        ends2, ends3, ends4 = Signal(), Signal(), Signal()
        end1, end2, end3, end4 = (Signal(layout, name=f"end{n}") for n in range(1, 5))
        m.d.sync += [
            valid1.eq(sequencer.valid),
            opens1.eq(sequencer.opens),
            row1.eq(sequencer.row),
            Cat(ends1, ends2, ends3, ends4).eq(Cat(sequencer.ends, ends1, ends2, ends3)),
            end1.eq(sequencer.row_end),
            end2.eq(end1),
            end3.eq(end2),
            end4.eq(end3),
        ]
        m.d.comb += [
            field.starting.eq(starting),
            field.valid.eq(valid1),
            field.opens.eq(opens1),
            field.row.eq(row1),
            field.fold.eq(end3.fold),
            shaper.gumbel.eq(end1.group),
        ]
        lane_number = Signal(parameters.lane_bits)
        entry_bits = parameters.address_bits + parameters.weight_bits + 1
        for lane in range(lanes):
            entries = Memory(shape=unsigned(entry_bits), depth=parameters.words, init=[])
            biases = Memory(shape=signed(parameters.bias_bits), depth=parameters.rows, init=[])
            m.submodules[f"entries{lane}"] = entries
            m.submodules[f"biases{lane}"] = biases
            entry_write, entry_port = entries.write_port(), entries.read_port()
            bias_write, bias_port = biases.write_port(), biases.read_port()
            spin_port = self._spin_copy(m, f"spins{lane}", spin_write)
            here = write.enable & (write.lane == lane)
            m.d.comb += [
                entry_write.addr.eq(write.address),
                entry_write.data.eq(write.data),
                entry_write.en.eq(here & (write.memory == Memories.ENTRIES)),
                bias_write.addr.eq(write.address),
                bias_write.data.eq(write.data),
                bias_write.en.eq(here & (write.memory == Memories.BIASES)),
                entry_port.addr.eq(sequencer.word),
                field.entry[lane].eq(entry_port.data),
                spin_port.addr.eq(field.address[lane]),
                field.spins[lane].eq(spin_port.data),
                bias_port.addr.eq(end2.row),
                field.bias[lane].eq(bias_port.data),
            ]
            m.d.sync += decide.field[lane].eq(field.field[lane])
            # Cycle 1: the noise stream of the lane steps at the end of each row.
            words = [Signal(32, name=f"stream{lane}_{n}") for n in range(4)]
            m.d.comb += shaper.uniform[lane].eq(words[0])
            with m.If(seed_hash.done & (lane_number == lane)):
                m.d.sync += Cat(*words).eq(seed_hash.result)
            with m.Elif(ends1):
                m.d.sync += [w.eq(n) for w, n in zip(words, xoshiro_step(words), strict=True)]
            m.d.comb += decide.noise[lane].eq(shaper.noise[lane])

        # Cycles 3 to 9: conditions are read, rows are decided and committed.
        check_or = Mux(self.busy, end3.row, self.check_row)
        m.d.comb += [
            clamp_port.addr.eq(check_or),
            state_port.addr.eq(check_or),
            Cat(self.check_on, self.check_off).eq(clamp_port.data),
            self.check_state.eq(state_port.data),
            decide.starting.eq(starting),
            decide.use_given.eq((self.flags & RunFlags.GIVEN_STATE) != 0),
            decide.beta.eq(beta),
            decide.valid.eq(ends4),
            decide.row_end.eq(end4),
            Cat(decide.on, decide.off).eq(clamp_port.data),
            decide.given.eq(state_port.data),
            decide.old.eq(spin_row_port.data),
        ]
        with m.If(self.busy):
            m.d.comb += [
                spin_write.en.eq(decide.write),
                spin_write.addr.eq(decide.write_row),
                spin_write.data.eq(decide.write_word),
            ]
        with m.Else():
            m.d.comb += [
                spin_write.en.eq(write.enable & (write.memory == Memories.SPINS)),
                spin_write.addr.eq(write.address),
                spin_write.data.eq(write.data),
            ]

        # The best state: the pass after a new lowest energy copies each row's old word on its way.
        best_energy = Signal(signed(parameters.energy_bits))
        current_is_best, fresh = Signal(), Signal()
        m.d.comb += [
            best_write.en.eq(decide.copy & current_is_best),
            best_write.addr.eq(decide.copy_row),
            best_write.data.eq(decide.copy_word),
        ]
        with m.If(decide.pass_ended):
            m.d.sync += [current_is_best.eq(0), fresh.eq(0)]
            with m.If(fresh | (decide.energy < best_energy)):
                m.d.sync += [best_energy.eq(decide.energy), current_is_best.eq(1)]

        self._control(
            m, sequencer, seed_hash, readout, decide, starting, sweeping, beta,
            schedule_address, schedule_port, lane_number, fresh,
        )  # fmt: skip
        drawing = Signal()
        m.d.comb += [
            drawing.eq(~sequencer.go),
            spin_row_port.addr.eq(Mux(drawing, readout.address, end4.row)),
            best_port.addr.eq(readout.address),
            readout.spins.eq(spin_row_port.data),
            readout.best.eq(best_port.data),
            readout.current.eq(current_is_best),
            readout.energy.eq(decide.energy),
            readout.best_energy.eq(best_energy),
            readout.rows.eq(self.rows),
            readout.tag.eq(self.tag),
            readout.samples.eq((self.flags & RunFlags.SAMPLES) != 0),
            readout.with_best.eq((self.flags & RunFlags.BEST) != 0),
        ]
        connect(m, readout.words, flipped(self.draws))
        with m.If(sweeping):
            with m.If(valid1):
                m.d.sync += self.terms.eq(self.terms + field.terms)
            with m.If(ends1):
                m.d.sync += self.updates.eq(self.updates + sum(end1.mask))
        return m

    def _spin_copy(self, m, name, write):
        """The read port of one more copy of the spin memory: a block memory reads one word a cycle,
        and synthesis does not always see by itself how many copies that takes."""
        parameters = self._parameters
        memory = Memory(shape=unsigned(parameters.lanes), depth=parameters.rows, init=[])
        m.submodules[name] = memory
        port = memory.write_port()
        m.d.comb += [
            port.en.eq(write.en),
            port.addr.eq(write.addr),
            port.data.eq(write.data),
        ]
        return memory.read_port()

    def _control(
        self, m, sequencer, seed_hash, readout, decide, starting, sweeping, beta,
        schedule_address, schedule_port, lane_number, fresh,
    ):  # fmt: skip
        """Chains, passes, draws and counters."""
        lanes = self._parameters.lanes
        chain, draw = Signal(32), Signal(32)
        left, step = Signal(32), Signal(32)
        load, settle = Signal(), Signal(2)
        m.d.comb += [
            schedule_address.eq(step),
            seed_hash.seed.eq(self.seed),
            seed_hash.engine.eq(GRAPH_ENGINE),
            seed_hash.chain.eq((self.first_chain + chain)[:32]),
            seed_hash.lane.eq(lane_number),
            readout.chain.eq(self.first_chain + chain),
            readout.draw.eq(draw),
        ]
        with m.FSM() as machine:
            m.d.comb += self.busy.eq(~machine.ongoing("IDLE"))
            with m.State("IDLE"):
                with m.If(self.start):
                    m.d.sync += [chain.eq(0), load.eq(1), lane_number.eq(0)]
                    m.d.sync += [getattr(self, name).eq(0) for name in COUNTERS]
                    m.next = "SEED"
            with m.State("SEED"):
                m.d.sync += self.cycles.eq(self.cycles + 1)
                m.d.comb += [
                    seed_hash.start.eq(load),
                    sequencer.rewind.eq(load & (lane_number == 0)),
                    decide.clear.eq(load),
                ]
                m.d.sync += [
                    load.eq(0), starting.eq(1), sweeping.eq(0), beta.eq(0), fresh.eq(1),
                    draw.eq(0), step.eq(0), left.eq(0),
                ]  # fmt: skip
                with m.If(seed_hash.done):
                    m.d.sync += [lane_number.eq(lane_number + 1), load.eq(1)]
                    with m.If(lane_number == lanes - 1):
                        m.next = "PASS"
            with m.State("PASS"):
                m.d.comb += sequencer.go.eq(1)
                m.d.sync += self.cycles.eq(self.cycles + 1)
                with m.If(sweeping):
                    m.d.sync += self.sweep_cycles.eq(self.sweep_cycles + 1)
                with m.If(sequencer.pass_done):
                    with m.If(sweeping):
                        m.d.sync += self.sweeps.eq(self.sweeps + 1)
                    m.d.sync += [starting.eq(0), sweeping.eq(1)]
                    with m.If(self.abort):
                        m.next = "ABORTED"
                    with m.Elif(left != 0):
                        m.d.sync += left.eq(left - 1)
                    with m.Elif(step != self.steps):
                        m.d.sync += [
                            beta.eq(schedule_port.data),
                            step.eq(step + 1),
                            left.eq(self.sweeps_per_step - 1),
                        ]
                    with m.Else():
                        m.d.sync += settle.eq(0)
                        m.next = "SETTLE"
            with m.State("SETTLE"):
                # The last commit and the comparison with the best energy come to rest.
                m.d.sync += settle.eq(settle + 1)
                with m.If(settle == 2):
                    m.d.comb += readout.start.eq(1)
                    m.next = "DRAW"
            with m.State("DRAW"):
                with m.If(readout.done):
                    m.d.sync += [
                        self.reads.eq(self.reads + 1),
                        draw.eq(draw + 1),
                        left.eq(self.thin - 1),
                        load.eq(1),
                    ]
                    with m.If(draw + 1 != self.number_of_draws):
                        m.next = "PASS"
                    with m.Elif(chain + 1 != self.chains):
                        m.d.sync += chain.eq(chain + 1)
                        m.next = "SEED"
                    with m.Else():
                        m.next = "FINISHED"
                    with m.If(
                        self.abort
                        & ((draw + 1 != self.number_of_draws) | (chain + 1 != self.chains))
                    ):
                        m.next = "ABORTED"
            with m.State("FINISHED"):
                m.d.comb += self.finished.eq(1)
                m.next = "IDLE"
            with m.State("ABORTED"):
                m.d.comb += [self.finished.eq(1), self.aborted.eq(1)]
                m.next = "IDLE"
