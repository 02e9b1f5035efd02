"""What a run sends back, packet after packet, put together into a `RunResult`.

Draws come in order of chain, then draw, all of one length, and DONE (or ABORTED) ends them;
anything else is an error of the device and said so.
"""

from __future__ import annotations

from array import array
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from gibbsite.run_end import WORDS, ending, require_whole, unexpected
from gibbsite_hw.spec.packets import Response, header
from gibbsite_hw.spec.program import Counters, RunRequest, RunResult

__all__ = ["RunReader"]

SIGN = 1 << 63
WORD = 0xFFFF_FFFF


class RunReader:
    """Collects the draws of one run. ``reads`` is how many the request asks for."""

    def __init__(self, request: RunRequest, rows: int) -> None:
        self.reads = request.chains * request.draws
        self.ended = False
        self.result = RunResult()
        self._first_chain = request.first_chain
        self._draws = request.draws
        self._rows = rows
        self._samples = request.samples
        self._best = request.best
        self._state_end = 5 + (rows if request.samples else 0)
        self._length = self._state_end + (2 + rows if request.best else 0)

    @property
    def done(self) -> int:
        """Draws that came so far."""
        return self.result.reads

    def take(self, packet: list[int], tag: int) -> None:
        """One packet of the run."""
        kind = packet[0] >> 24
        if kind != Response.DRAW:
            self._finish(packet, tag)
            return
        result = self.result
        chain, draw = divmod(result.reads, self._draws)
        if (
            packet[0] != header(Response.DRAW, tag, self._length - 1)
            or len(packet) != self._length
            or packet[1] != (self._first_chain + chain) & WORD
            or packet[2] != draw
        ):
            self._refuse(packet, self._length)
        result.energies.append(_signed(packet[3], packet[4]))
        if self._samples:
            result.states.extend(packet[5 : self._state_end])
        if self._best:
            at = self._state_end
            result.best_energies.append(_signed(packet[at], packet[at + 1]))
            result.best_states.extend(packet[at + 2 :])
        result.reads += 1

    def take_packed(self, words: array[int], tag: int) -> None:
        """Whole packets back to back; draws of one length are taken together."""
        flat = np.frombuffer(words, dtype=np.uint32)
        at, size = 0, self._length
        first = header(Response.DRAW, tag, size - 1)
        while at < len(flat):
            count = (len(flat) - at) // size
            block = flat[at : at + count * size].reshape(count, size)
            other = np.flatnonzero(block[:, 0] != first)
            if len(other):
                block = block[: int(other[0])]
            if len(block):
                self._take_block(block)
                at += block.size
            else:
                end = at + 1 + int(flat[at] & np.uint32(0xFFFF))
                self.take(flat[at:end].tolist(), tag)
                at = end

    def _take_block(self, block: NDArray[np.uint32]) -> None:
        result = self.result
        number = result.reads + np.arange(len(block))
        chain = (self._first_chain + number // self._draws) & WORD
        wrong = (block[:, 1] != chain) | (block[:, 2] != number % self._draws)
        if wrong.any():
            self._refuse(block[int(wrong.argmax())].tolist(), self._length)
        result.energies.frombytes(_int64(block[:, 3:5]))
        if self._samples:
            result.states.frombytes(block[:, 5 : self._state_end].tobytes())
        if self._best:
            at = self._state_end
            result.best_energies.frombytes(_int64(block[:, at : at + 2]))
            result.best_states.frombytes(block[:, at + 2 :].tobytes())
        result.reads += len(block)

    def _finish(self, packet: list[int], tag: int) -> None:
        counters = ending(packet, tag, (Response.DONE, Response.ABORTED))
        if counters is None:
            self._refuse(packet, WORDS)
        self.ended = True
        self.result.counters = Counters(*counters)
        self.result.aborted = packet[0] >> 24 == Response.ABORTED
        if not self.result.aborted:
            require_whole(self.result.reads, self.reads)

    def _refuse(self, packet: list[int], belongs: int) -> NoReturn:
        raise unexpected(packet, self.result.reads, self.reads, belongs)


def _signed(low: int, high: int) -> int:
    value = high << 32 | low
    return value - 2 * SIGN if value & SIGN else value


def _int64(words: NDArray[np.uint32]) -> bytes:
    """The bytes of 64-bit integers given as low and high words."""
    wide = words.astype(np.uint64)
    return (wide[:, 0] | wide[:, 1] << np.uint64(32)).astype(np.int64).tobytes()
