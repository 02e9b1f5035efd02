"""The pyuvm environment of the whole device: agents on both streams, scoreboard, coverage.

The scoreboard and the coverage are fed by the monitors alone. Sequences see the predictor only to
know when their commands were answered.
"""

from collections.abc import Callable
from typing import Any

import cocotb
from pyuvm import (
    uvm_agent,
    uvm_analysis_port,
    uvm_component,
    uvm_driver,
    uvm_env,
    uvm_monitor,
    uvm_scoreboard,
    uvm_sequence_item,
    uvm_sequencer,
    uvm_subscriber,
)

from gibbsite_hw.spec.packets import Response
from gibbsite_hw.spec.registers import State
from gibbsite_sim.cosim.clocked import Clocked
from gibbsite_sim.cosim.command_coverage import CommandCoverage
from gibbsite_sim.cosim.packet_predictor import Answered, PacketPredictor
from gibbsite_sim.cosim.predictor import Predictor
from gibbsite_sim.cosim.run import parameters_here
from gibbsite_sim.cosim.streams import (
    STALLS,
    PacketSeen,
    Stalls,
    StreamMonitor,
    StreamSink,
    StreamSource,
)

__all__ = ["CommandItem", "DeviceEnvironment"]

PATIENCE = 200_000
"""Cycles within which every answer must come."""


class CommandItem(uvm_sequence_item):
    """One packet. ``wait``: whether the driver waits for its answer before it takes another."""

    def __init__(self, words: list[int], wait: bool = True) -> None:
        super().__init__("command")
        self.words = words
        self.wait = wait


class CommandDriver(uvm_driver):
    """Hands packets to the stream's source, one after the other."""

    environment: "DeviceEnvironment"

    async def run_phase(self) -> None:
        environment = self.environment
        while True:
            item = await self.seq_item_port.get_next_item()
            environment.source.send(item.words)
            await environment.clocked.until(lambda: environment.source.idle, PATIENCE, "ready")
            if item.wait:
                await environment.answered()
            self.seq_item_port.item_done()


class PacketMonitor(uvm_monitor):
    """Publishes every packet of a stream in the cycle of its last word."""

    def build_phase(self) -> None:
        self.port = uvm_analysis_port("port", self)
        self.packets = 0

    def publish(self, seen: PacketSeen) -> None:
        """Called by the stream's monitor."""
        self.packets += 1
        self.port.write(seen)


class StreamAgent(uvm_agent):
    """A monitor, and on the command side a sequencer and a driver."""

    def build_phase(self) -> None:
        super().build_phase()
        self.monitor = PacketMonitor("monitor", self)
        self.sequencer: Any = None
        if self.get_name() == "command":
            self.sequencer = uvm_sequencer("sequencer", self)
            self.driver = CommandDriver("driver", self)

    def connect_phase(self) -> None:
        if self.sequencer is not None:
            self.driver.seq_item_port.connect(self.sequencer.seq_item_export)


class Tap(uvm_subscriber):
    """Passes what a monitor publishes on to the scoreboard."""

    def __init__(
        self, name: str, parent: uvm_component, take: Callable[[PacketSeen], None]
    ) -> None:
        super().__init__(name, parent)
        self._take = take

    def write(self, seen: PacketSeen) -> None:
        self._take(seen)


class DeviceScoreboard(uvm_scoreboard):
    """The golden device as predictor, fed by both monitors; a difference fails the test."""

    predictor: PacketPredictor

    def build_phase(self) -> None:
        self.commands = Tap("commands", self, self.predictor.command)
        self.responses = Tap("responses", self, self.predictor.response)

    def check_phase(self) -> None:
        self.predictor.finish()


class DeviceEnvironment(uvm_env):
    """Both agents and the scoreboard around ``cocotb.top``.

    ``coverage`` outlives one test; ``golden`` replaces the golden device in tests of tests.
    """

    coverage: CommandCoverage
    golden: Any = None

    def build_phase(self) -> None:
        self.clocked = Clocked(cocotb.top)
        self.idle, self.pressure = Stalls(), Stalls()
        self.predictor = self.predicts()
        DeviceScoreboard.predictor = self.predictor
        CommandDriver.environment = self
        self.command = StreamAgent("command", self)
        self.response = StreamAgent("response", self)
        self.scoreboard = DeviceScoreboard("scoreboard", self)

    def predicts(self) -> PacketPredictor:
        """The predictor of the engine on this bench."""
        return Predictor(parameters_here(), self.heard, self.run_ended, self.golden)

    def connect_phase(self) -> None:
        self.command.monitor.port.connect(self.scoreboard.commands.analysis_export)
        self.response.monitor.port.connect(self.scoreboard.responses.analysis_export)

    async def begin(self, pattern: str = "none", seed: int = 1) -> None:
        """Start clock, drivers and monitors with a pattern of stalls."""
        # Responses are looked at first: a run that ends in a command's last cycle ended before it.
        self.seen_out = StreamMonitor(
            self.clocked, "response", self.response.monitor.publish, gaps=False
        )
        self.seen_in = StreamMonitor(self.clocked, "command", self.command.monitor.publish)
        self.source = StreamSource(self.clocked, "command", self.idle)
        self.sink = StreamSink(self.clocked, "response", self.pressure)
        self.stall(pattern, seed)
        self.coverage.forget()
        await self.clocked.start()

    def stall(self, pattern: str, seed: int = 1) -> None:
        """Idle cycles and back-pressure from now on."""
        part, burst = STALLS[pattern]
        self.idle = self.source.stalls = Stalls(part, burst, seed)
        self.pressure = self.sink.stalls = Stalls(part, burst, seed + 1)

    async def answered(self, limit: int = PATIENCE) -> None:
        """Wait until every command was answered."""
        await self.clocked.until(
            lambda: self.source.idle and not self.predictor.open and not self.seen_in.inside,
            limit,
            "answer",
        )

    async def settled(self, limit: int = PATIENCE) -> None:
        """Wait until every command was answered and no run goes on."""
        await self.answered(limit)
        await self.clocked.until(lambda: not self.predictor.running, limit, "end of the run")

    async def reset(self) -> None:
        """Pulse the reset now, whatever goes on; the scoreboard starts anew with the hardware."""
        state = self.predictor.state()
        self.seen_in.muted = self.seen_out.muted = True
        self.source.clear()
        await self.clocked.reset()
        self.source.clear()
        self.predictor.reset()
        self.coverage.reset_in(state)
        await self.clocked.wait(1)
        self.seen_in.muted = self.seen_out.muted = False

    def heard(self, event: Answered) -> None:
        """A command was answered as predicted."""
        self.coverage.answered(event)

    def run_ended(self, kind: Response) -> None:
        """DONE or ABORTED came as predicted."""
        self.coverage.run_ended(kind)

    def state(self) -> State:
        """The state in which the next command finds the device."""
        return self.predictor.state()
