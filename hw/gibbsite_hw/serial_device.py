"""A whole device on two pins: UART, framed link and shell.

This is what every board's top instantiates, and what is simulated at bit level.
"""

from amaranth.hdl import Module, ResetInserter, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect

from gibbsite_hw.device import DeviceShell
from gibbsite_hw.link import FramedLink
from gibbsite_hw.spec.device_parameters import Build
from gibbsite_hw.uart import UartReceiver, UartTransmitter, uart_divisor

__all__ = ["SerialDevice"]


class SerialDevice(wiring.Component):
    """``rx`` and ``tx`` are the pins of the line, high when idle; ``rx`` needs no synchroniser.

    All of it runs on one clock of ``clock_hz``. Raises `ProgramError` if the clock cannot make the
    rate of ``baud``.
    """

    def __init__(
        self, build: Build | None = None, clock_hz: float = 12e6, baud: int = 1_000_000
    ) -> None:
        self._build = build
        self._divisor = uart_divisor(clock_hz, baud)
        super().__init__({"rx": In(1, init=1), "tx": Out(1, init=1)})

    def elaborate(self, platform):
        m = Module()
        receiver, transmitter = UartReceiver(self._divisor), UartTransmitter(self._divisor)
        link, shell = FramedLink(), DeviceShell(self._build)
        m.submodules.receiver = receiver
        m.submodules.transmitter = transmitter
        m.submodules.link = link
        # a cycle late, from a register: it goes to all of the chip
        reset = Signal()
        m.d.sync += reset.eq(link.reset)
        m.submodules.shell = ResetInserter(reset)(shell)
        connect(m, receiver.bytes, link.rx)
        connect(m, link.tx, transmitter.bytes)
        connect(m, link.command, shell.command)
        connect(m, shell.response, link.response)
        m.d.comb += [receiver.rx.eq(self.rx), self.tx.eq(transmitter.tx)]
        return m
