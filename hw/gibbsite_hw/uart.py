"""Bytes on one wire: 8 data bits, least significant first, no parity, one stop bit.

The divisor, clock cycles a bit, is fixed at build.
"""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from gibbsite_hw.spec.errors import ProgramError

__all__ = ["UartReceiver", "UartTransmitter", "uart_divisor"]

_LEAST = 4
_TOLERANCE = 0.02


def uart_divisor(clock_hz: float, baud: int) -> int:
    """Clock cycles a bit, the nearest whole number to ``clock_hz / baud``.

    Raises `ProgramError` if a bit has fewer than 4 cycles or the rate is missed by more than 2 %:
    over the 9.5 bits to the middle of the stop bit both ends may drift half a bit apart, of which
    finding the start bit takes a quarter at 4 cycles.
    """
    divisor = round(clock_hz / baud) if baud > 0 else 0
    if divisor < _LEAST:
        raise ProgramError(
            f"at {clock_hz:g} Hz a bit of {baud} baud has {divisor} clock cycles and needs at "
            f"least {_LEAST}: choose at most {int(clock_hz) // _LEAST} baud"
        )
    off = abs(clock_hz / (divisor * baud) - 1)
    if off > _TOLERANCE:
        raise ProgramError(
            f"at {clock_hz:g} Hz the nearest rate to {baud} baud is off by {off:.1%} and may be "
            f"by {_TOLERANCE:.0%}: choose {clock_hz / divisor:.0f} baud"
        )
    return divisor


class UartReceiver(wiring.Component):
    """Bytes from ``rx``, which may change at any time; two flip-flops synchronise it.

    A byte is offered until it is taken or the next one is complete. One whose stop bit is missing
    is dropped, and nothing is taken for a start bit until the line is high again.
    """

    def __init__(self, divisor: int) -> None:
        self._divisor = divisor
        super().__init__({"rx": In(1, init=1), "bytes": Out(stream.Signature(8))})

    def elaborate(self, platform):
        m = Module()
        divisor, line = self._divisor, Signal(init=1)
        m.submodules.synchroniser = FFSynchronizer(self.rx, line, init=1)
        wait = Signal(range(divisor))
        bits, left = Signal(8), Signal(range(8))
        with m.If(self.bytes.ready):
            m.d.sync += self.bytes.valid.eq(0)
        with m.If(wait != 0):
            m.d.sync += wait.eq(wait - 1)
        with m.FSM():
            with m.State("IDLE"):
                # the edge was seen in this cycle: from here to the middle of the start bit
                m.d.sync += [wait.eq(divisor // 2 - 1), left.eq(7)]
                with m.If(~line):
                    m.next = "START"
            with m.State("START"):
                with m.If(wait == 0):
                    m.d.sync += wait.eq(divisor - 1)
                    with m.If(line):
                        m.next = "IDLE"
                    with m.Else():
                        m.next = "DATA"
            with m.State("DATA"):
                with m.If(wait == 0):
                    m.d.sync += [
                        wait.eq(divisor - 1),
                        bits.eq(Cat(bits[1:], line)),
                        left.eq(left - 1),
                    ]
                    with m.If(left == 0):
                        m.next = "STOP"
            with m.State("STOP"):
                with m.If(wait == 0):
                    with m.If(line):
                        m.d.sync += [self.bytes.valid.eq(1), self.bytes.payload.eq(bits)]
                    m.next = "RELEASE"
            with m.State("RELEASE"):
                with m.If(line):
                    m.next = "IDLE"
        return m


class UartTransmitter(wiring.Component):
    """Sends bytes on ``tx``, which is high while there is none; a byte takes ten bits."""

    def __init__(self, divisor: int) -> None:
        self._divisor = divisor
        super().__init__({"bytes": In(stream.Signature(8)), "tx": Out(1, init=1)})

    def elaborate(self, platform):
        m = Module()
        divisor = self._divisor
        wait = Signal(range(divisor))
        bits, left = Signal(9), Signal(range(11))
        m.d.comb += self.bytes.ready.eq(left == 0)
        with m.If(left == 0):
            m.d.sync += wait.eq(divisor - 1)
            with m.If(self.bytes.valid):
                m.d.sync += [bits.eq(Cat(self.bytes.payload, 1)), left.eq(10), self.tx.eq(0)]
        with m.Elif(wait != 0):
            m.d.sync += wait.eq(wait - 1)
        with m.Else():
            m.d.sync += [
                wait.eq(divisor - 1),
                left.eq(left - 1),
                self.tx.eq(bits[0]),
                bits.eq(Cat(bits[1:], 1)),
            ]
        return m
