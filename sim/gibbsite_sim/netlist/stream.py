"""The word stream of a board in simulation, in simulated time.

    stream = NetlistStream(routed, board, parameters)    # a netlist after place and route
    stream = PinsStream(pins, board, parameters)         # whatever has two pins
    Driver(stream)                                       # the device, as any other

The golden host end of the link talks to the pins; its time is the netlist's own clock, so that no
time-out depends on how fast the simulation is.

Twin: `gibbsite.uart.UartStream`, in real time on a port.
"""

from pathlib import Path

from gibbsite_hw.boards.table import Board
from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.errors import DeviceError
from gibbsite_models.golden.link_host import HostEnd, Timing
from gibbsite_sim.netlist.library import START_CYCLES, NetlistPins, netlist_library
from gibbsite_sim.pins import Pins

__all__ = ["NetlistStream", "PinsStream"]

_BYTE_BITS = 10
_MOST_SECONDS = 60.0
"""Of simulated time without a packet: far more than any command of a test takes."""


class PinsStream:
    """One board on its pins, reset and asked for a session; owns ``pins``."""

    def __init__(self, pins: Pins, board: Board, parameters: DeviceParameters) -> None:
        self._parameters = parameters
        self._clock_hz = board.clock_hz
        self._slice = _BYTE_BITS * board.clock_hz // board.baud
        self._pins = pins
        self._pins.advance(START_CYCLES)
        self._host = HostEnd(1, Timing.of(board.baud))

    @property
    def uri(self) -> str:
        """No address leads here."""
        return "netlist:"

    @property
    def parameters(self) -> DeviceParameters:
        """Engines of the device and their parameters."""
        return self._parameters

    @property
    def cycles(self) -> int:
        """Clock cycles so far."""
        return self._pins.cycles

    def send(self, words: list[int]) -> None:
        """Queue a packet."""
        self._host.send(words)

    def receive(self) -> list[int]:
        """The next packet of the device.

        Raises:
            DeviceError: the link failed, or nothing came in a minute of simulated time.
        """
        end = self._pins.cycles + _MOST_SECONDS * self._clock_hz
        while not self._host.packets:
            now = self._pins.cycles / self._clock_hz
            self._pins.send(self._host.output(now))
            self._pins.advance(self._slice)
            self._host.feed(self._pins.take(), self._pins.cycles / self._clock_hz)
            if self._host.failure is not None or self._pins.cycles > end:
                raise DeviceError(
                    f"the netlist does not answer ({self._host.failure}): look at its waves"
                )
        return self._host.packets.popleft()

    def close(self) -> None:
        """Free the model."""
        self._pins.destroy()


class NetlistStream(PinsStream):
    """One routed netlist, whose nets are watched."""

    def __init__(self, routed: Path, board: Board, parameters: DeviceParameters) -> None:
        self._netlist = NetlistPins(netlist_library(routed, board, parameters), routed)
        super().__init__(self._netlist, board, parameters)

    def toggles(self) -> dict[str, int]:
        """Changes of nets so far, by the type of the cell that drives them."""
        return self._netlist.toggles()
