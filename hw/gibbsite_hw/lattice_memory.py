"""Memory ports as block memories have them."""

from amaranth.hdl import Signal
from amaranth.lib.memory import Memory

__all__ = ["block_memory", "read_word"]


def block_memory(shape, depth, init=()):
    """A memory nobody reads where it is being written.

    Synthesis is told so; else it would build a path around every read port. Whoever uses it sees to
    it, or does not look at what such a read gives.
    """
    return Memory(shape=shape, depth=depth, init=init, attrs={"no_rw_check": 1})


def read_word(m, memory, address, name):
    """The word at ``address``, one cycle later.

    A read port of its own, written as a register behind an unclocked port: that is how synthesis
    sees that it may choose what a read gives of a word that is being written.
    """
    port = memory.read_port(domain="comb")
    word = Signal(len(port.data), name=name, reset_less=True)
    m.d.comb += port.addr.eq(address)
    m.d.sync += word.eq(port.data)
    return word
