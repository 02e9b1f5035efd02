"""One coroutine that clocks all agents of a bench: first all sample, then all drive.

What is sampled are the values just before the rising edge, what is driven comes just after it.
"""

from collections.abc import Callable
from typing import Any, Protocol

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import Event, RisingEdge

__all__ = ["Agent", "Clocked", "read"]

PERIOD = 10
"""Simulator steps of a clock period."""


def read(handle: Any) -> int:
    """The unsigned value of a signal. Raises AssertionError if any bit is not 0 or 1."""
    # the simulator's own string: LogicArray would triple the time of a simulation
    text: str = handle._handle.get_signal_val_binstr()
    if text.strip("01"):
        raise AssertionError(f"{handle._path} is {text}: neither 0 nor 1")
    return int(text, 2)


class Agent(Protocol):
    """Something that takes part in every cycle."""

    def sample(self) -> None:
        """Look at the signals of the cycle that ends."""

    def drive(self) -> None:
        """Set the inputs of the cycle that begins."""


class Clocked:
    """A running clock with its agents; ``cycle`` numbers the cycle that is sampled."""

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        self.cycle = 0
        self.agents: list[Agent] = []
        self._waiting: list[tuple[Callable[[], bool], Event]] = []

    async def start(self) -> None:
        """Start the clock, hold the reset for two cycles, then let the agents take part."""
        self.dut.rst.value = 1
        Clock(self.dut.clk, PERIOD, unit="step").start()
        await self._edges(3)
        self.dut.rst.value = 0
        cocotb.start_soon(self._run())

    async def reset(self, cycles: int = 2) -> None:
        """Pulse the reset while everything else goes on."""
        self.dut.rst.value = 1
        await self._edges(cycles)
        self.dut.rst.value = 0

    async def wait(self, cycles: int) -> None:
        """Let cycles pass."""
        end = self.cycle + cycles
        await self._woken(lambda: self.cycle >= end)

    async def until(self, done: Callable[[], bool], limit: int, what: str) -> None:
        """Wait for a condition. Raises AssertionError after ``limit`` cycles."""
        end = self.cycle + limit
        await self._woken(lambda: done() or self.cycle >= end)
        if not done():
            raise AssertionError(f"no {what} within {limit} cycles")

    async def _woken(self, done: Callable[[], bool]) -> None:
        if not done():
            event = Event()
            self._waiting.append((done, event))
            await event.wait()

    async def _edges(self, number: int) -> None:
        edge = RisingEdge(self.dut.clk)
        for _ in range(number):
            await edge

    async def _run(self) -> None:
        edge = RisingEdge(self.dut.clk)
        while True:
            await edge
            self.cycle += 1
            for agent in self.agents:
                agent.sample()
            for agent in self.agents:
                agent.drive()
            for waiting in [one for one in self._waiting if one[0]()]:
                self._waiting.remove(waiting)
                waiting[1].set()
