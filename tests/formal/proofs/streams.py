"""The stream rules, written once for every port, and a monitor of packets."""

from amaranth.hdl import Module, Signal

__all__ = ["PacketMonitor", "kept"]


def kept(m: Module, started: Signal, port: object, name: str):
    """The rule of one port: what was offered and not taken is offered again, unchanged."""
    valid, ready = Signal(name=f"{name}_was_valid"), Signal(name=f"{name}_was_ready")
    payload = Signal(33, name=f"{name}_was")
    now = port.payload.as_value()
    m.d.sync += [valid.eq(port.valid), ready.eq(port.ready), payload.eq(now)]
    stalled = started & valid & ~ready
    return ~stalled | (port.valid & (now == payload))


class PacketMonitor:
    """Follows the packets on a port: word 0 announces n, and exactly n words follow, the last
    marked.

    ``inside``: word 0 has gone by and ``left`` words follow; ``shaped``: the word on offer is as it
    must be; ``opens``/``closes``: a packet's first/last word is taken in this cycle.
    """

    def __init__(self, m: Module, port: object, name: str) -> None:
        self.inside = Signal(name=f"{name}_inside")
        self.left = Signal(16, name=f"{name}_left")
        self.kind = Signal(8, name=f"{name}_kind")
        self.index = Signal(16, name=f"{name}_index")
        word, last = port.payload.word, port.payload.last
        fire = port.valid & port.ready
        self.fire = fire
        self.opens = fire & ~self.inside
        self.closes = fire & last
        follows = self.inside & (self.left != 0) & (last == (self.left == 1))
        begins = ~self.inside & (last == (word[:16] == 0))
        self.shaped = ~port.valid | follows | begins
        with m.If(fire):
            m.d.sync += [self.inside.eq(~last), self.index.eq(self.index + 1)]
            with m.If(~self.inside):
                m.d.sync += [self.left.eq(word[:16]), self.kind.eq(word[24:]), self.index.eq(1)]
            with m.Else():
                m.d.sync += self.left.eq(self.left - 1)
