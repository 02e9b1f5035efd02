"""The graph engine: Gibbs sampling on any graph, p-bits and one-hot groups alike.

Draws from ``P(v) ~ exp(-beta E(v))``, ``E(v) = sum b v + sum w v v``; `docs/graph-engine.md` has
the exact meaning, the cycles and the pipeline.

Twin: `gibbsite_models.golden.graph`.
"""

from collections.abc import Mapping

from amaranth.hdl import Cat, Module, Mux, Signal, signed, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out, connect, flipped

from gibbsite_hw.device_books import DeviceBooks, request_signature
from gibbsite_hw.graph_control import GraphControl, share_books
from gibbsite_hw.graph_decide import GraphDecide
from gibbsite_hw.graph_field import GraphField
from gibbsite_hw.graph_memories import conditions_memory, spin_copy
from gibbsite_hw.graph_readout import GraphReadout
from gibbsite_hw.graph_sequencer import GraphSequencer
from gibbsite_hw.graph_signatures import (
    Memories,
    descriptor_layout,
    packed_row,
    row_end_layout,
    word_write_signature,
    write_signature,
)
from gibbsite_hw.graph_streams import noise_streams
from gibbsite_hw.noise import NoiseShaper
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.registers import REGISTERS, RunFlags
from gibbsite_hw.words import word_layout

__all__ = ["GraphEngine", "counters"]


def counters(parameters: GraphParameters) -> dict[str, int]:
    """The counters in the order of DONE, each with the most that a cycle adds to it."""
    lanes = parameters.lanes
    most = {"cycles": 1, "sweep_cycles": 1, "terms": lanes, "updates": lanes}
    return {**most, "sweeps": 1, "reads": 1}


class GraphEngine(wiring.Component):
    """Runs the loaded program.

    ``write`` fills the memories while idle. ``start`` (one cycle, while not ``busy``) begins a
    run with the settings in the books and ``flags``, which stay as they are until ``finished`` (one
    cycle, with ``aborted``). ``books``, ``held``, ``value`` and ``word`` are the shell's side of
    `DeviceBooks`, in which the words ``identity`` stand, too. ``abort`` ends the run after the pass
    at hand. Draws leave on ``draws``. While idle the memories that a check needs are read at
    ``check_row`` (synchronous).
    """

    def __init__(
        self, parameters: GraphParameters, identity: Mapping[int, int] | None = None
    ) -> None:
        self._parameters = parameters
        self._words = {int(register): info.reset for register, info in REGISTERS.items()}
        self._words |= identity or {}
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
                "flags": In(3),
                "rows": In(range(parameters.rows + 1)),
                "check_row": In(parameters.row_bits),
                "check_descriptor": Out(descriptor_layout(parameters)),
                "check_on": Out(lanes),
                "check_off": Out(lanes),
                "check_state": Out(lanes),
                "draws": Out(stream.Signature(word_layout)),
                "books": In(request_signature),
                "held": In(1),
                "value": In(32),
                "word": Out(32),
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
        m.submodules.control = control = GraphControl(parameters)
        m.submodules.books = books = DeviceBooks(self._words, list(counters(parameters).values()))
        connect(m, flipped(self.books), books.shell)
        m.d.comb += [
            books.held.eq(self.held),
            books.value.eq(self.value),
            self.word.eq(books.word),
        ]
        m.submodules.readout = readout = GraphReadout(parameters)

        starting, sweeping = control.starting, control.sweeping
        beta = control.beta

        # Memories, each with the one port that the pipeline reads.
        write = self.write
        rows_memory = Memory(shape=descriptor_layout(parameters), depth=parameters.rows, init=[])
        schedule_memory = Memory(
            shape=unsigned(parameters.beta_bits), depth=parameters.schedule_steps, init=[]
        )
        best_memory = Memory(shape=unsigned(lanes), depth=parameters.rows, init=[])
        m.submodules.rows = rows_memory
        m.submodules.schedule = schedule_memory
        m.submodules.best = best_memory
        rows_write, schedule_write = rows_memory.write_port(), schedule_memory.write_port()
        m.d.comb += [
            rows_write.addr.eq(write.address),
            rows_write.data.eq(packed_row(parameters, write.data)),
            rows_write.en.eq(write.enable & (write.memory == Memories.ROWS)),
            schedule_write.addr.eq(write.address),
            schedule_write.data.eq(write.data),
            schedule_write.en.eq(write.enable & (write.memory == Memories.SCHEDULE)),
        ]
        row_port = rows_memory.read_port()
        schedule_port = schedule_memory.read_port()
        conditions_row = Signal(parameters.row_bits)
        conditions = conditions_memory(m, parameters, write, conditions_row)
        spin_write = word_write_signature(parameters.row_bits, lanes).create()
        spin_row_port = spin_copy(m, parameters, "spins", spin_write)
        best_write = best_memory.write_port()
        best_port = best_memory.read_port()
        m.d.comb += schedule_port.addr.eq(control.schedule_address)

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
        streams = noise_streams(m, parameters, control, books, ends1)
        entry_address = Signal((parameters.words - 1).bit_length())
        m.d.comb += entry_address.eq(Mux(self.busy, sequencer.word, write.address))
        entry_bits = parameters.address_bits + parameters.weight_bits + 1
        for lane in range(lanes):
            entries = Memory(shape=unsigned(entry_bits), depth=parameters.words, init=[])
            m.submodules[f"entries{lane}"] = entries
            entry_write, entry_port = entries.write_port(), entries.read_port()
            spin_port = spin_copy(m, parameters, f"spins{lane}", spin_write)
            here = write.enable & (write.lane == lane)
            m.d.comb += [
                # one address for both ports: a memory with a single port will do
                entry_write.addr.eq(entry_address),
                entry_write.data.eq(write.data),
                entry_write.en.eq(here & (write.memory == Memories.ENTRIES)),
                entry_port.addr.eq(entry_address),
                field.entry[lane].eq(entry_port.data),
                spin_port.addr.eq(field.address[lane]),
                field.spins[lane].eq(spin_port.data),
                field.bias[lane].eq(conditions.bias[lane]),
            ]
            m.d.sync += decide.field[lane].eq(field.field[lane])
            m.d.comb += shaper.uniform[lane].eq(streams[lane])
            m.d.comb += decide.against[lane].eq(shaper.against[lane])

        # Cycles 2 to 9: conditions are read, rows are decided and committed.
        m.d.comb += [
            conditions_row.eq(Mux(self.busy, end2.row, self.check_row)),
            self.check_on.eq(conditions.on),
            self.check_off.eq(conditions.off),
            self.check_state.eq(conditions.state),
            decide.starting.eq(starting),
            decide.more.eq(shaper.more),
            decide.use_given.eq((self.flags & RunFlags.GIVEN_STATE) != 0),
            decide.beta.eq(beta),
            decide.valid.eq(ends4),
            decide.row_end.eq(end4),
            decide.old.eq(spin_row_port.data),
        ]
        m.d.sync += [
            decide.on.eq(conditions.on),
            decide.off.eq(conditions.off),
            decide.given.eq(conditions.state),
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

        m.d.comb += [
            control.start.eq(self.start),
            control.abort.eq(self.abort),
            self.busy.eq(control.busy),
            self.finished.eq(control.finished),
            self.aborted.eq(control.aborted),
            books.restart.eq(control.restart),
            control.word.eq(books.word),
            control.zero.eq(books.zero),
            control.turned.eq(books.turned),
            sequencer.rewind.eq(control.rewind),
            sequencer.go.eq(control.passing),
            decide.clear.eq(control.seeding),
            control.pass_done.eq(sequencer.pass_done),
            control.schedule_beta.eq(schedule_port.data),
            control.drawn.eq(readout.done),
            readout.start.eq(control.draw),
            readout.word.eq(books.word),
            readout.fetched.eq(books.engine.done),
            control.books.done.eq(books.engine.done),
        ]
        with m.If(control.seeding):
            m.d.sync += fresh.eq(1)
        share_books(m, books, control, readout)
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
        events = {
            "cycles": control.seeding | control.passing,
            "sweep_cycles": control.passing & sweeping,
            "terms": Mux(sweeping & valid1, field.terms, 0),
            "updates": Mux(sweeping & ends1, sum(end1.mask), 0),
            "sweeps": control.swept,
            "reads": readout.done,
        }
        m.d.comb += [
            getattr(books, f"event{n}").eq(events[name])
            for n, name in enumerate(counters(parameters))
        ]
        return m
