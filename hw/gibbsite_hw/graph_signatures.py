"""Bundles that run between the parts of the graph engine."""

from amaranth.hdl import Cat, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import Out

from gibbsite_hw.spec.parameters import GraphParameters

__all__ = [
    "BARRIER_CYCLES",
    "Memories",
    "descriptor_layout",
    "packed_row",
    "row_end_layout",
    "word_write_signature",
    "write_signature",
]

BARRIER_CYCLES = 8
"""Extra cycles between the last word of a class and the first of the next."""


class Memories:
    """Numbers of the engine's memories on its write port."""

    ROWS, ENTRIES, BIASES, CLAMPS, SCHEDULE, STATE, SPINS = range(7)


def descriptor_layout(parameters: GraphParameters) -> data.StructLayout:
    """A row as the row memory holds it: `program.Row` in no more bits than this build needs."""
    return data.StructLayout(
        {
            "length": parameters.max_degree.bit_length(),
            "fold": range(parameters.lane_bits + 1),
            "group": 1,
            "first": 1,
            "last": 1,
            "barrier": 1,
            "mask": parameters.lanes,
        }
    )


def packed_row(parameters: GraphParameters, word: Value) -> Value:
    """The row of a descriptor of 18 bits with the mask behind it, as the row memory holds it."""
    layout = descriptor_layout(parameters)
    places = {"length": 0, "fold": 11, "group": 14, "first": 15, "last": 16, "barrier": 17}
    return Cat(
        *(word[at : at + layout[name].width] for name, at in places.items()),
        word[18 : 18 + parameters.lanes],
    )


def row_end_layout(parameters: GraphParameters) -> data.StructLayout:
    """What travels down the pipeline behind the last word of a row."""
    return data.StructLayout(
        {
            "row": parameters.row_bits,
            "fold": range(parameters.lane_bits + 1),
            "group": 1,
            "first": 1,
            "last": 1,
            "pass_end": 1,
            "mask": parameters.lanes,
        }
    )


def write_signature(parameters: GraphParameters) -> wiring.Signature:
    """The engine's write port: one memory word (one lane's word for ENTRIES, BIASES) a cycle."""
    address = max(
        parameters.row_bits,
        (parameters.words - 1).bit_length(),
        (parameters.schedule_steps - 1).bit_length(),
    )
    width = max(18 + parameters.lanes, 2 * parameters.lanes, 32)
    return wiring.Signature(
        {
            "enable": Out(1),
            "memory": Out(unsigned(3)),
            "address": Out(unsigned(address)),
            "lane": Out(unsigned(parameters.lane_bits)),
            "data": Out(unsigned(width)),
        }
    )


def word_write_signature(address_bits: int, width: int) -> wiring.Signature:
    """A write port as every copy of a memory gets it."""
    return wiring.Signature({"en": Out(1), "addr": Out(address_bits), "data": Out(width)})
