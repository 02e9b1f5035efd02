"""The graph engine's conditions, written in parts, and its spins, copied for each reader."""

from amaranth.hdl import Cat, signed, unsigned
from amaranth.lib import data
from amaranth.lib.memory import Memory

from gibbsite_hw.graph_signatures import Memories

__all__ = ["conditions_memory", "spin_copy"]


def conditions_memory(m, parameters, write, row):
    """Biases, clamps and given state of ``row``: one memory, whose parts are written apart."""
    lanes, bits = parameters.lanes, parameters.bias_bits
    layout = data.StructLayout(
        {
            "on": lanes,
            "off": lanes,
            "state": lanes,
            "bias": data.ArrayLayout(signed(bits), lanes),
        }
    )
    m.submodules.conditions = memory = Memory(
        shape=unsigned(layout.size), depth=parameters.rows, init=[]
    )
    port, read = memory.write_port(granularity=1), memory.read_port()
    parts = [(2 * lanes, write.memory == Memories.CLAMPS)]
    parts.append((lanes, write.memory == Memories.STATE))
    for lane in range(lanes):
        parts.append((bits, (write.memory == Memories.BIASES) & (write.lane == lane)))
    m.d.comb += [
        port.addr.eq(write.address),
        port.data.eq(Cat(write.data[:width] for width, _ in parts)),
        port.en.eq(Cat((write.enable & mine).replicate(width) for width, mine in parts)),
        read.addr.eq(row),
    ]
    return data.View(layout, read.data)


def spin_copy(m, parameters, name, write):
    """The read port of one more copy of the spin memory: a block memory reads one word a cycle,
    and synthesis does not always see by itself how many copies that takes."""
    memory = Memory(shape=unsigned(parameters.lanes), depth=parameters.rows, init=[])
    m.submodules[name] = memory
    port = memory.write_port()
    m.d.comb += [
        port.en.eq(write.en),
        port.addr.eq(write.addr),
        port.data.eq(write.data),
    ]
    return memory.read_port()
