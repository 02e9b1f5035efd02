"""What a Langevin run sends back, packet after packet, put together into a `LangevinResult`.

Draws come in order of chain, then draw; behind a chain's last draw its moments, if pairs were
asked; DONE (or ABORTED) ends the run. Anything else is an error of the device and said so.
"""

from __future__ import annotations

from array import array
from typing import NoReturn

import numpy as np

from gibbsite.run_end import WORDS, ending, require_whole, unexpected
from gibbsite_hw.spec.langevin_packets import LangevinResponse
from gibbsite_hw.spec.langevin_program import LangevinCounters, LangevinRequest, LangevinResult
from gibbsite_hw.spec.packets import header

__all__ = ["LangevinReader"]

WORD = 0xFFFF_FFFF
FIXED = 10
"""Words of a draw before its states: header, chain, draw, step, and three pairs."""


class LangevinReader:
    """Collects the draws of one run; see `gibbsite.link.Reader`."""

    def __init__(self, request: LangevinRequest, units: int) -> None:
        self.reads = request.chains * request.draws
        self.ended = False
        self.result = LangevinResult()
        self._request = request
        self._units = units
        self._state_end = FIXED + (units if request.samples else 0)
        self._length = self._state_end + (2 + units if request.best else 0)
        self._chains = 0

    @property
    def done(self) -> int:
        """Draws that came so far."""
        return self.result.reads

    def take(self, packet: list[int], tag: int) -> None:
        """One packet of the run."""
        kind = packet[0] >> 24
        if kind == LangevinResponse.DRAW:
            self._take_draw(packet, tag)
        elif kind == LangevinResponse.MOMENTS:
            self._take_moments(packet, tag)
        else:
            self._finish(packet, tag)

    def take_packed(self, words: array[int], tag: int) -> None:
        """Whole packets back to back."""
        flat, at = words.tolist(), 0
        while at < len(flat):
            end = at + 1 + (flat[at] & 0xFFFF)
            self.take(flat[at:end], tag)
            at = end

    def _take_draw(self, packet: list[int], tag: int) -> None:
        result, request = self.result, self._request
        chain, draw = divmod(result.reads, request.draws)
        if (
            packet[0] != header(LangevinResponse.DRAW, tag, self._length - 1)
            or len(packet) != self._length
            or packet[1] != (request.first_chain + chain) & WORD
            or packet[2] != draw
        ):
            self._refuse(packet, self._length)
        result.steps.append(packet[3])
        result.energies.append(_signed(packet[4], packet[5]))
        result.work.append(_signed(packet[6], packet[7]))
        result.heat.append(_signed(packet[8], packet[9]))
        if request.samples:
            result.states.frombytes(_int32(packet[FIXED : self._state_end]))
        if request.best:
            at = self._state_end
            result.best_energies.append(_signed(packet[at], packet[at + 1]))
            result.best_states.frombytes(_int32(packet[at + 2 :]))
        result.reads += 1

    def _take_moments(self, packet: list[int], tag: int) -> None:
        result, request = self.result, self._request
        length = 2 + 2 * len(request.pairs)
        if (
            packet[0] != header(LangevinResponse.MOMENTS, tag, length)
            or len(packet) != length + 1
            or packet[1] != (request.first_chain + self._chains) & WORD
            or result.reads != (self._chains + 1) * request.draws
        ):
            self._refuse(packet, length + 1)
        result.moment_counts.append(packet[2])
        result.moments.extend(
            _signed(low, high) for low, high in zip(packet[3::2], packet[4::2], strict=True)
        )
        self._chains += 1

    def _finish(self, packet: list[int], tag: int) -> None:
        counters = ending(packet, tag, (LangevinResponse.DONE, LangevinResponse.ABORTED))
        if counters is None:
            self._refuse(packet, WORDS)
        self.ended = True
        self.result.counters = LangevinCounters(*counters)
        self.result.aborted = packet[0] >> 24 == LangevinResponse.ABORTED
        if not self.result.aborted:
            require_whole(self.result.reads, self.reads)

    def _refuse(self, packet: list[int], belongs: int) -> NoReturn:
        raise unexpected(packet, self.result.reads, self.reads, belongs)


def _signed(low: int, high: int) -> int:
    value = high << 32 | low
    return value - (value >> 63 << 64)


def _int32(words: list[int]) -> bytes:
    return np.array(words, dtype=np.uint32).tobytes()
