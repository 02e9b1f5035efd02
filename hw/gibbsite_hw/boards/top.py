"""The top of a board: a serial device, its clock, its reset and a heartbeat.

The clock is the board's oscillator, or on ECP5 a PLL's where the board's row in the table asks for
another frequency. Reset ends 20 microseconds after configuration, when block memories of all
families are ready. The first LED blinks about once a second while the clock runs.
"""

from math import ceil

from amaranth.hdl import ClockDomain, ClockSignal, Elaboratable, Module, ResetSignal, Signal
from amaranth.lib import io

from gibbsite_hw.boards.pll import Ecp5Pll
from gibbsite_hw.boards.table import Board
from gibbsite_hw.serial_device import SerialDevice
from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.errors import DeviceError

__all__ = ["BoardTop"]

_RESET_SECONDS = 20e-6


class BoardTop(Elaboratable):
    """What a bitstream of ``board`` holds: the device of ``parameters`` at its serial port."""

    def __init__(self, board: Board, parameters: DeviceParameters) -> None:
        self._board = board
        self._parameters = parameters

    def elaborate(self, platform):
        m = Module()
        board = self._board
        m.submodules.device = device = SerialDevice(self._parameters, board.clock_hz, board.baud)
        m.submodules.clock = clock = io.Buffer("i", platform.request(platform.default_clk, dir="-"))
        uart = platform.request("uart", 0, dir="-")
        m.submodules.rx = rx = io.Buffer("i", uart.rx)
        m.submodules.tx = tx = io.Buffer("o", uart.tx)
        m.submodules.led = led = io.Buffer("o", platform.request("led", 0, dir="-"))
        m.domains.sync = ClockDomain()
        m.domains.start = ClockDomain(reset_less=True)
        m.d.comb += ClockSignal("start").eq(ClockSignal())
        if board.clock_hz == board.input_hz:
            m.d.comb += ClockSignal().eq(clock.i)
        elif board.family == "ecp5":
            m.submodules.pll = pll = Ecp5Pll(board.input_hz, board.clock_hz)
            m.d.comb += [pll.clock_in.eq(clock.i), ClockSignal().eq(pll.clock_out)]
        else:
            raise DeviceError(
                f"{board.title} has no PLL here: choose its own {board.input_hz} Hz as clock_hz"
            )
        # counts through once, to its top bit, which then stands
        waits = Signal(ceil(_RESET_SECONDS * board.clock_hz).bit_length() + 1)
        running = waits[-1]
        with m.If(~running):
            m.d.start += waits.eq(waits + 1)
        beats = Signal(board.clock_hz.bit_length() - 1)
        m.d.sync += beats.eq(beats + 1)
        m.d.comb += [
            ResetSignal().eq(~running),
            device.rx.eq(rx.i),
            tx.o.eq(device.tx),
            led.o.eq(beats[-1]),
        ]
        return m
