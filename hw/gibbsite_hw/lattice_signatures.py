"""Bundles that run between the parts of the lattice engine, and between it and its shell."""

from amaranth.hdl import unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.words import word_layout

__all__ = [
    "LatticeMemories",
    "counters",
    "engine_members",
    "lattice_write_signature",
    "slot_layout",
]


def counters(parameters: LatticeParameters) -> dict[str, int]:
    """The counters in the order of DONE, each with the most that a cycle adds to it."""
    sites = parameters.rows * parameters.columns * parameters.banks
    most = {"cycles": 1, "sweep_cycles": 1, "updates": sites, "sweeps": parameters.banks}
    return {**most, "reads": 1, "waits": 1}


class LatticeMemories:
    """Numbers of the engine's memories on its write port; CLEAR is CLAMPS and STATE at once."""

    COUPLINGS, BIASES, CLAMPS, SCHEDULE, STATE, CLEAR = range(6)


def lattice_write_signature(parameters: LatticeParameters) -> wiring.Signature:
    """The engine's write port: one record a cycle.

    ``data`` holds the payload words of the record as they were sent, the first one lowest; bits
    beyond the record are ignored. A record belongs to the sites of ``column`` whose row is ``x``
    modulo 2, and there to lane ``place`` (COUPLINGS, BIASES), to the lanes of packet word ``place``
    of the column (CLAMPS, STATE), or to all of them, which become zero (CLEAR); of CLAMPS and STATE
    both x are written, one after the other. SCHEDULE has ``step`` instead.
    """
    return wiring.Signature(
        {
            "enable": Out(1),
            "memory": Out(unsigned(3)),
            "column": Out(range(parameters.columns)),
            "x": Out(1),
            "place": Out(range(max(2, parameters.lanes, parameters.words))),
            "step": Out(range(max(2, parameters.schedule_steps))),
            "data": Out(unsigned(32 * max(2, parameters.neighbours // 4))),
        }
    )


def slot_layout(parameters: LatticeParameters) -> data.StructLayout:
    """What goes down the pipeline for the column that enters it.

    ``valid``: there is one. ``colour`` of the pass; ``x``: the lanes' row is ``2 lane + x``;
    ``first``, ``last`` column of a sweep; ``start``: of a start sweep; ``half`` of the threshold
    tables; ``near``, ``far``: the words one column and four columns behind are younger than the
    memory, since they were decided at the end of the pass before.
    """
    return data.StructLayout(
        {
            "valid": 1,
            "colour": 1,
            "x": 1,
            "first": 1,
            "last": 1,
            "start": 1,
            "half": 1,
            "near": 1,
            "far": 1,
            "column": (parameters.columns - 1).bit_length(),
        }
    )


def engine_members(parameters: LatticeParameters) -> dict[str, wiring.Member]:
    """Ports of `gibbsite_hw.lattice.LatticeEngine`, as the engine sees them."""
    return {
        "write": In(lattice_write_signature(parameters)),
        "columns": In(range(parameters.columns + 1)),
        "sized": In(1),
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
        "draws": Out(stream.Signature(word_layout)),
        **{name: Out(range(most + 1)) for name, most in counters(parameters).items()},
    }
