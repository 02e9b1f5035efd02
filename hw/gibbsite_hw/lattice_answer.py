"""What the lattice engine's shell answers to the command at hand.

Twin: `gibbsite_models.golden.packet_shell`.
"""

from gibbsite_hw.device_books import IDENTITY
from gibbsite_hw.spec.lattice_packets import LatticeResponse

__all__ = ["LatticeAnswer"]


class LatticeAnswer:
    """Sets what ``responder`` is to send, in registers that are its inputs."""

    def __init__(self, responder) -> None:
        self._responder = responder

    @property
    def no_error(self):
        """Whether the command was not refused."""
        return self._responder.error == 0

    def clear(self, m):
        """Not refused, until something else is said."""
        m.d.sync += self._responder.error.eq(0)

    def reason(self, m, code, value):
        """Why the command is refused, which `refuse` tells."""
        m.d.sync += [self._responder.error.eq(code), self._responder.detail.eq(value)]

    def refuse(self, m):
        """An error, with its code and its detail."""
        m.d.sync += [
            self._responder.kind.eq(LatticeResponse.ERROR),
            self._responder.length.eq(2),
            self._responder.given.eq(1),
        ]

    def accept(self, m):
        """OK."""
        m.d.sync += [self._responder.kind.eq(LatticeResponse.OK), self._responder.length.eq(0)]

    def identity(self, m):
        """What IDENTIFY asks for."""
        m.d.sync += [
            self._responder.kind.eq(LatticeResponse.INFO),
            self._responder.length.eq(8),
            self._responder.given.eq(0),
            self._responder.first.eq(IDENTITY),
        ]

    def register(self, m, offset, shown, value):
        """The register at ``offset``: ``value`` if ``shown`` by the shell, else from the books."""
        m.d.sync += [
            self._responder.kind.eq(LatticeResponse.INFO),
            self._responder.length.eq(1),
            self._responder.given.eq(shown),
            self._responder.first.eq(offset),
            self._responder.detail.eq(value),
        ]
