"""Bundles that run between the parts of the Langevin engine, and between it and its shell."""

from amaranth.hdl import signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from gibbsite_hw.spec.langevin_formats import (
    MANTISSA_BITS,
    REPEAT_MAX,
    SHIFT_MAX,
    STRENGTH_MAX,
    TERMS,
)
from gibbsite_hw.spec.langevin_packets import LANGEVIN_RECORDS, LangevinOpcode
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.langevin_program import Shifts
from gibbsite_hw.words import word_layout

__all__ = [
    "LangevinMemories",
    "counters",
    "engine_members",
    "entry_layout",
    "langevin_write_signature",
    "operand_bits",
    "scale_layout",
    "shifts_layout",
    "slot_layout",
    "strengths_layout",
]

_SATURATING = 34
"""No more values than this can saturate in one cycle, in all parts together."""


class LangevinMemories:
    """Numbers of the engine's memories on its write port."""

    UNITS, WEIGHTS, BIASES, CLAMPS, SCHEDULE, STATE, CONSTRAINTS, PAIRS = range(8)


def counters(parameters: LangevinParameters) -> dict[str, int]:
    """The counters in the order of DONE, each with the most that a cycle adds to it."""
    most = {"cycles": 1, "products": parameters.multipliers, "updates": 1}
    return {**most, "steps": 1, "reads": 1, "saturations": _SATURATING}


_SHIFT_BITS = SHIFT_MAX.bit_length()

shifts_layout = data.StructLayout({name: unsigned(_SHIFT_BITS) for name in Shifts.__slots__})
"""The nine shifts of a program, named and ordered as in `langevin_program.Shifts`."""

scale_layout = data.StructLayout({"mantissa": MANTISSA_BITS, "shift": _SHIFT_BITS})
"""A rate, a noise or the spread of the start: ``mantissa / 2^shift``."""


def langevin_write_signature(parameters: LangevinParameters) -> wiring.Signature:
    """The engine's write port: one record a cycle, for WEIGHTS one packet word of a record.

    ``data`` holds the payload words of the record as they were sent, the first one lowest; bits
    beyond the record are ignored. ``address`` is the record's number. Of WEIGHTS ``lane`` is the
    number of the packet word in its record: it holds lanes ``2 lane`` (low half) and
    ``2 lane + 1``.
    """
    deepest = max(
        parameters.units,
        parameters.constraints,
        parameters.weight_words,
        parameters.schedule_entries,
        parameters.pairs,
    )
    return wiring.Signature(
        {
            "enable": Out(1),
            "memory": Out(unsigned(3)),
            "address": Out(unsigned(max(1, (deepest - 1).bit_length()))),
            "lane": Out(unsigned(max(1, parameters.lane_bits - 1))),
            "data": Out(unsigned(32 * LANGEVIN_RECORDS[LangevinOpcode.SCHEDULE])),
        }
    )


def engine_members(parameters: LangevinParameters) -> dict[str, wiring.Member]:
    """Ports of `gibbsite_hw.langevin.LangevinEngine`, as the engine sees them."""
    return {
        "write": In(langevin_write_signature(parameters)),
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
        "entries": In(range(parameters.schedule_entries + 1)),
        "thin": In(32),
        "moment_every": In(32),
        "pairs": In(max(1, parameters.pairs.bit_length())),
        "start_noise": In(24),
        "flags": In(3),
        "units": In(range(parameters.units + 1)),
        "constraints": In(range(parameters.constraints + 1)),
        "coupled": In(1),
        "shifts": In(shifts_layout),
        "draws": Out(stream.Signature(word_layout)),
        **{name: Out(range(most + 1)) for name, most in counters(parameters).items()},
    }


def operand_bits(parameters: LangevinParameters) -> int:
    """Bits of an address in a lane's operands: two banks of x, then the multipliers m."""
    words = 2 * parameters.words(parameters.units) + parameters.words(parameters.constraints)
    return (words - 1).bit_length()


def strengths_layout() -> data.ArrayLayout:
    """The six strengths of the terms."""
    return data.ArrayLayout(signed(STRENGTH_MAX.bit_length() + 1), len(TERMS))


def entry_layout() -> data.StructLayout:
    """A schedule entry as its memory holds it."""
    return data.StructLayout(
        {
            "repeat": REPEAT_MAX.bit_length(),
            "measure": 1,
            "rate": scale_layout,
            "noise": scale_layout,
            "strengths": strengths_layout(),
        }
    )


def slot_layout(parameters: LangevinParameters) -> data.StructLayout:
    """What the sequencer issues in a cycle, and what travels down the pipelines.

    ``product``: a coupling word is read; ``first``, ``last``: of its row. ``residual``: the row
    belongs to a constraint; ``coupling``: it is a row of J, otherwise a column of k. ``unit``:
    the last slot of a unit; ``final``: of the last unit.
    ``index``: the constraint or unit.
    """
    index = max(parameters.units, parameters.constraints) - 1
    return data.StructLayout(
        {
            "product": 1,
            "first": 1,
            "last": 1,
            "residual": 1,
            "coupling": 1,
            "unit": 1,
            "final": 1,
            "index": max(1, index.bit_length()),
        }
    )
