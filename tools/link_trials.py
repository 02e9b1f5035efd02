"""Trials on a serial line that breaks: a board with its faults, and how what came of it is judged.

A run through the unmodified driver of ``uart:`` is right where it is what the golden device gives,
to the bit; it may be given up with a `DeviceError`; all else is a fault of ours.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from types import FrameType

import dimod
import numpy as np

from gibbsite.compiler import compile_model
from gibbsite.devices import open as open_device
from gibbsite.driver import Driver
from gibbsite.uart import UartStream
from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.errors import DeviceError
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.program import RunRequest, RunResult
from gibbsite_sim.line_faults import FaultRates, FaultyLine
from gibbsite_sim.serial_board import BoardCore, PtyBoard

__all__ = ["BUILD", "Row", "Trial", "judged"]

GRAPH = GraphParameters(lanes=4, rows=64, words=512)
BUILD = DeviceParameters(GRAPH, None)
QUERY = "engines=graph&lanes=4&rows=64&words=512"
BAUD = 115_200
"""What the driver is told: its time-outs then fit a simulation that is slower than a board."""

LIMIT = 60
"""Seconds after which a run hangs: the driver gives up after three without an answer."""


class Hung(BaseException):
    """A run that neither ended nor was given up."""


@dataclass(slots=True)
class Row:
    """One line of the table."""

    scenario: str
    core: str
    trials: int = 0
    faults: int = 0
    frames: int = 0
    damaged: int = 0
    """Frames that did not arrive whole."""
    forged: int = 0
    """Damaged frames that a receiver would take for good ones."""
    repeated: int = 0
    """DATA frames and requests with which lost ones were got back, both directions."""
    right: int = 0
    given_up: int = 0
    wrong: int = 0
    hung: int = 0
    next_right: int = 0
    """Trials after which a run on the same board, opened anew, was right."""

    @property
    def good(self) -> bool:
        """Nothing wrong, nothing hanging, and every next run works."""
        return not (self.wrong or self.hung or self.forged) and self.next_right == self.trials


class Trial:
    """One board with its faults, the program that runs on it and what golden says of it."""

    def __init__(self, core: BoardCore, seed: int) -> None:
        self.random = Random(seed)
        self.board = PtyBoard(core, FaultyLine(2 * seed), FaultyLine(2 * seed + 1))
        spins = dimod.BinaryQuadraticModel("SPIN")
        for at in range(12):
            spins.add_linear(at, self.random.randint(-5, 5))
            spins.add_quadratic(at, (at + 1) % 12, self.random.randint(-6, 6))
        compiled = compile_model(spins, GRAPH)
        self.program = compiled.program
        # away from beta = 1, and hot enough for noise to decide
        betas = compiled.betas(np.array([0.05, 0.2, 0.4]))
        self.request = RunRequest(
            seed=self.random.getrandbits(64), chains=3, draws=5, betas=betas, thin=2
        )
        self.uri = f"uart:{self.board.path}?baud={BAUD}&{QUERY}"

    def breaks(self, rates: FaultRates) -> None:
        """Break the line from here on."""
        self.board.to_device.rates = self.board.to_host.rates = rates

    def run(self, request: RunRequest | None = None, row: Row | None = None) -> RunResult:
        """Open, load, run and close."""
        with open_device(self.uri) as device:
            try:
                device.load(self.program)
                return device.run(request or self.request)
            finally:
                stream = device._line.stream if isinstance(device, Driver) else None
                if row is not None and isinstance(stream, UartStream):
                    counts = stream.counts
                    row.repeated += counts.repeated + counts.gaps

    def expected(self, request: RunRequest | None = None) -> RunResult:
        """The same on the golden device."""
        with open_device(f"golden:?{QUERY}") as device:
            device.load(self.program)
            return device.run(request or self.request)

    def close(self) -> None:
        """Give the board back."""
        self.board.close()


def same(one: RunResult, other: RunResult) -> bool:
    """Whether two results agree in every draw and every count of the device."""
    return (
        list(one.states) == list(other.states)
        and list(one.energies) == list(other.energies)
        and one.counters == other.counters
        and not one.aborted
    )


def judged(row: Row, run: Callable[[], RunResult], expected: RunResult) -> None:
    """Count a run as right, wrong, given up or hanging."""
    try:
        with limit():
            result = run()
    except DeviceError:
        row.given_up += 1
    except Hung:
        row.hung += 1
    else:
        row.right += same(result, expected)
        row.wrong += not same(result, expected)


@contextmanager
def limit() -> Iterator[None]:
    """Raise `Hung` after a minute."""

    def late(_number: int, _frame: FrameType | None) -> None:
        raise Hung

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(LIMIT)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
