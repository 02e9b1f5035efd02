"""How much of a graph program is loaded, and where the next packet of each kind may begin.

Twin: ``_load_rows`` and the other ``_load_...``, and ``_commit``, in
`gibbsite_models.golden.graph_shell`.
"""

from amaranth.hdl import Signal

from gibbsite_hw.spec.packets import Opcode
from gibbsite_hw.spec.parameters import GraphParameters

__all__ = ["LOADING", "GraphProgress", "whole_records"]

LOADING = (
    Opcode.ROWS,
    Opcode.ENTRIES,
    Opcode.BIASES,
    Opcode.CLAMPS,
    Opcode.SCHEDULE,
    Opcode.STATE,
)
"""The commands that fill memories."""


def whole_records(parameters: GraphParameters, length):
    """By opcode: whether there is one word and then whole records, one at least."""
    rest = (length - 1)[:16]
    lane = rest[: parameters.lane_bits]
    return {
        (Opcode.ROWS, Opcode.CLAMPS): (length > 1) & ~rest[0],
        (Opcode.ENTRIES, Opcode.BIASES): (length > 1) & (lane == 0),
        (Opcode.SCHEDULE, Opcode.STATE): length > 1,
    }


class GraphProgress:
    """Counts of what is loaded of a program of ``rows`` and ``words``, in the shell's module."""

    def __init__(self, parameters: GraphParameters, rows, words) -> None:
        self._parameters = parameters
        self._rows, self._words = rows, words
        self.steps = Signal(range(parameters.schedule_steps + 1), name="steps_loaded")
        self._loaded = {
            Opcode.ROWS: Signal(range(parameters.rows + 1), name="rows_loaded"),
            Opcode.ENTRIES: Signal(range(parameters.words + 1), name="words_loaded"),
            Opcode.BIASES: Signal(range(parameters.rows + 1), name="biases_loaded"),
            Opcode.SCHEDULE: self.steps,
        }

    @property
    def incomplete(self):
        """Whether COMMIT must be refused: rows, words or biases are missing."""
        loaded = self._loaded
        return (
            (loaded[Opcode.ROWS] != self._rows)
            | (loaded[Opcode.ENTRIES] != self._words)
            | (loaded[Opcode.BIASES] != self._rows)
        )

    def allow(self, m, loader, opcode, ready):
        """Where records of ``opcode`` may begin; ``ready``: COMMIT was accepted."""
        m.d.comb += [
            loader.limit.eq(self._rows),
            loader.any_place.eq(
                (opcode == Opcode.CLAMPS)
                | (opcode == Opcode.STATE)
                | ((opcode == Opcode.BIASES) & ready)
            ),
            loader.at_most.eq(opcode == Opcode.SCHEDULE),
        ]

    def bound(self, m, loader, opcode):
        """Where records of ``opcode`` are expected, and where they end at the latest."""
        with m.Switch(opcode):
            for load_opcode, loaded in self._loaded.items():
                with m.Case(load_opcode):
                    m.d.comb += loader.expected.eq(loaded)
        with m.If(opcode == Opcode.ENTRIES):
            m.d.comb += loader.limit.eq(self._words)
        with m.Elif(opcode == Opcode.SCHEDULE):
            m.d.comb += loader.limit.eq(self._parameters.schedule_steps)

    def forget(self, m):
        """Nothing is loaded: BEGIN."""
        m.d.sync += [count.eq(0) for count in self._loaded.values()]

    def grow(self, m, loader, opcode):
        """What ``loader`` wrote is loaded; conditions that change in part stay so."""
        with m.If(loader.expected < loader.loaded), m.Switch(opcode):
            for load_opcode, loaded in self._loaded.items():
                with m.Case(load_opcode):
                    m.d.sync += loaded.eq(loader.loaded)
