"""`SerialDevice` at its pins: cocotbext-uart on one side, a terminal on the other.

The test writes the path of its pseudo-terminal into ``port`` and goes on until ``stop`` is there;
who opens the terminal, an unmodified driver, talks to the RTL bit by bit.
"""

import logging
import os
import time
import tty
from contextlib import suppress
from pathlib import Path
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import Timer
from cocotbext.uart import UartSink, UartSource

from gibbsite_sim.cosim.build import SERIAL_DIVISOR

PERIOD = 10
"""Nanoseconds of a clock period."""

BIT = PERIOD * SERIAL_DIVISOR
BAUD = 1_000_000_000 // BIT
"""Exact, so that the UART model's whole nanoseconds are those of the device's bits."""

PATIENCE = 240
"""Seconds of wall clock for the whole test."""


@cocotb.test()
async def serves_a_terminal(dut: Any) -> None:
    """Bytes go to and fro between the pins and the terminal; at the end both saw some."""
    for name in ("rx", "tx"):
        # one line of log a byte otherwise
        logging.getLogger(f"cocotb.{dut._path}.{name}").setLevel(logging.WARNING)
    Clock(dut.clk, PERIOD, unit="ns").start()
    dut.rst.value = 1
    source = UartSource(dut.rx, baud=BAUD, bits=8)
    sink = UartSink(dut.tx, baud=BAUD, bits=8)
    await Timer(4 * PERIOD, "ns")
    dut.rst.value = 0
    await Timer(4 * PERIOD, "ns")
    master, slave = os.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    sent = received = 0
    unsent = b""
    temporary = Path("port.part")
    temporary.write_text(os.ttyname(slave), encoding="utf-8")
    temporary.rename("port")
    end = time.monotonic() + PATIENCE
    while not Path("stop").exists():
        assert time.monotonic() < end, f"the driver did not end within {PATIENCE} s"
        await Timer(40 * BIT, "ns")
        with suppress(BlockingIOError):
            data = os.read(master, 1024)
            source.write_nowait(data)
            sent += len(data)
        came = bytes(sink.read_nowait())
        received += len(came)
        unsent += came
        if unsent:
            with suppress(BlockingIOError):
                unsent = unsent[os.write(master, unsent) :]
    os.close(master)
    os.close(slave)
    assert sent > 1000
    assert received > 1000
