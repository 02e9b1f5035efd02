"""A word stream under a driver that is written down, and can be made to fail."""

from collections.abc import Callable

from gibbsite_hw.spec.device import WordStream
from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.packets import Packet


class Tap:
    """A golden stream that writes down what passes, and can be made to fail at a packet."""

    def __init__(self, inner: WordStream) -> None:
        self.inner = inner
        self.sent: list[Packet] = []
        self.answers: list[list[int]] = []
        self.on_send: Callable[[Packet], None] | None = None
        self.on_answer: Callable[[list[int]], list[int]] | None = None

    @property
    def uri(self) -> str:
        return self.inner.uri

    @property
    def parameters(self) -> DeviceParameters:
        return self.inner.parameters

    def send(self, words: list[int]) -> None:
        packet = Packet.parse(words)
        self.sent.append(packet)
        self.inner.send(words)
        if self.on_send is not None:
            self.on_send(packet)

    def receive(self) -> list[int]:
        packet = self.inner.receive()
        if self.on_answer is not None:
            packet = self.on_answer(packet)
        self.answers.append(packet)
        return packet

    def close(self) -> None:
        self.inner.close()
