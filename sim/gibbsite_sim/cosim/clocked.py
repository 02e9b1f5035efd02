"""One coroutine that clocks all agents of a bench: first all sample, then all drive.

What is sampled are the values just before the rising edge, what is driven comes just after it.
"""

from collections.abc import Callable
from typing import Any, Protocol

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge

__all__ = ["Agent", "Clocked", "read"]

PERIOD = 10
"""Simulator steps of a clock period."""


def read(handle: Any) -> int:
    """The unsigned value of a signal. Raises AssertionError if any bit is not 0 or 1."""
    value = handle.value
    text = str(value)
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
        await self._edges(cycles)

    async def until(self, done: Callable[[], bool], limit: int, what: str) -> None:
        """Wait for a condition. Raises AssertionError after ``limit`` cycles."""
        for _ in range(limit):
            if done():
                return
            await self._edges(1)
        raise AssertionError(f"no {what} within {limit} cycles")

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
