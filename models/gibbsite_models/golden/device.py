"""The whole device at packet level: its engines' shells behind one `WordStream` without a clock.

A packet goes to the engine that its header names, and to the first one where the device lacks that.
Answers come in the order in which commands were sent; the draws of a run are computed when they are
received, in turn where several engines run.

Twin: ``gibbsite_hw.device``.
"""

from collections import deque
from dataclasses import dataclass
from typing import Protocol

from gibbsite_hw.spec.device_parameters import Build, DeviceParameters
from gibbsite_hw.spec.errors import DeviceError
from gibbsite_hw.spec.packets import ENGINE_FIELD, Engine
from gibbsite_models.golden.graph import GraphEngine
from gibbsite_models.golden.graph_shell import GraphShell
from gibbsite_models.golden.langevin import LangevinEngine
from gibbsite_models.golden.langevin_shell import LangevinShell
from gibbsite_models.golden.lattice import LatticeEngine
from gibbsite_models.golden.lattice_shell import LatticeShell

__all__ = ["EngineShell", "Engines", "GoldenStream"]

_WORD = 0xFFFF_FFFF


class EngineShell(Protocol):
    """What the shell of every engine has."""

    @property
    def waiting(self) -> int:
        """Answers that wait; the draws of a run are none."""
        ...

    @property
    def pending(self) -> bool:
        """Whether `receive` has something to give: an answer, a draw or the end of a run."""
        ...

    def send(self, words: list[int]) -> None:
        """Take one packet of words of 32 bits, well formed or not."""
        ...

    def receive(self) -> list[int]:
        """The next answer, else the next draw. Raises `DeviceError` when nothing was asked."""
        ...


@dataclass(frozen=True, slots=True)
class Engines:
    """What computes behind the shells: the golden engines or, in their places, others like them."""

    graph: type[GraphEngine] = GraphEngine
    langevin: type[LangevinEngine] = LangevinEngine
    lattice: type[LatticeEngine] = LatticeEngine


GOLDEN = Engines()


class GoldenStream:
    """The golden device of a build, by default with a graph and a Langevin engine.

    ``engines`` are compiled ones, circuits or, in tests of tests, broken ones in golden's place.
    """

    def __init__(
        self,
        build: Build | None = None,
        uri: str = "golden:",
        engines: Engines = GOLDEN,
    ) -> None:
        self._parameters = DeviceParameters.of(build)
        self._uri = uri
        self._closed = False
        self._named = self._made(engines)
        self._shells = list(self._named.values())
        self._answers: deque[EngineShell] = deque()  # whose answer is next, one entry for each
        self._turns = deque(self._shells)  # whose draw is next

    @property
    def uri(self) -> str:
        """The address under which it was opened."""
        return self._uri

    @property
    def parameters(self) -> DeviceParameters:
        """Engines of the device and their parameters."""
        return self._parameters

    @property
    def pending(self) -> bool:
        """Whether an answer, a draw or the end of a run can come."""
        return any(shell.pending for shell in self._shells)

    def send(self, words: list[int]) -> None:
        """Take one packet, well formed or not. Raises `DeviceError` on what no stream can carry."""
        self._open()
        if not words or not all(0 <= word <= _WORD for word in words):
            raise DeviceError(
                "a packet is one or more words of 32 bits: send a header word and its payload"
            )
        named = (words[0] >> 24 & ENGINE_FIELD) >> 5
        shell = self._named.get(named, self._shells[0])
        before = shell.waiting
        shell.send(words)
        self._answers.extend([shell] * (shell.waiting - before))

    def receive(self) -> list[int]:
        """The next answer or draw. Raises `DeviceError` when nothing was asked."""
        self._open()
        if self._answers:
            return self._answers.popleft().receive()
        for shell in list(self._turns):
            self._turns.rotate(-1)
            if shell.pending:
                packet = shell.receive()
                self._answers.extend([shell] * shell.waiting)  # the end behind a last draw
                return packet
        raise DeviceError(
            "no answer can come, since every command was answered: send a command first"
        )

    def close(self) -> None:
        """Give the stream back; closing twice is allowed."""
        self._closed = True
        self._shells = []
        self._answers.clear()
        self._turns.clear()

    def _open(self) -> None:
        if self._closed:
            raise DeviceError(f"{self._uri} was closed: open it again")

    def _made(self, engines: Engines) -> dict[int, EngineShell]:
        """The shell of every engine, in the order of the engines' numbers."""
        parameters, shells = self._parameters, dict[int, EngineShell]()
        fingerprint = parameters.fingerprint()
        if parameters.graph is not None:
            shells[Engine.GRAPH] = GraphShell(parameters.graph, fingerprint, engines.graph)
        if parameters.lattice is not None:
            shells[Engine.LATTICE] = LatticeShell(parameters.lattice, fingerprint, engines.lattice)
        if parameters.langevin is not None:
            shells[Engine.LANGEVIN] = LangevinShell(
                parameters.langevin, fingerprint, engines.langevin
            )
        return shells
