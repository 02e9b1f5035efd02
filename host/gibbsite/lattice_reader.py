"""What a lattice run sends back, put together into a `LatticeResult` in order of chain, then draw.

The device sends the draws of a group of banks together: draw by draw, and in each chain by chain.
"""

from __future__ import annotations

from array import array
from typing import Any, NoReturn, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from gibbsite.run_end import WORDS, ending, require_whole, unexpected
from gibbsite_hw.spec.lattice_packets import LatticeResponse
from gibbsite_hw.spec.lattice_program import LatticeCounters, LatticeRequest, LatticeResult
from gibbsite_hw.spec.packets import header

__all__ = ["LatticeReader"]

WORD = 0xFFFF_FFFF

Places: TypeAlias = NDArray[np.int64]


class LatticeReader:
    """Collects the draws of one run. ``words`` is what one state has, ``banks`` the device's."""

    def __init__(self, request: LatticeRequest, words: int, banks: int) -> None:
        self.reads = request.chains * request.draws
        self.ended = False
        self.result = LatticeResult()
        self._request = request
        self._words = words
        self._state_end = 4 + (words if request.samples else 0)
        self._size = self._state_end + (2 + words if request.best else 0)
        self._banks = banks
        self._draws = array("I")  # grows with what comes: a run may be asked for more than fits

    @property
    def done(self) -> int:
        """Draws that came so far."""
        return self.result.reads

    def take(self, packet: list[int], tag: int) -> None:
        """One packet of the run."""
        if packet[0] >> 24 != LatticeResponse.DRAW:
            self._finish(packet, tag)
            return
        done = self.result.reads
        if (
            done >= self.reads
            or packet[0] != header(LatticeResponse.DRAW, tag, self._size)
            or len(packet) != 1 + self._size
            or not self._expected(packet[1], packet[2], done)
        ):
            self._refuse(packet, 1 + self._size)
        self._draws.extend(packet[1:])
        self.result.reads += 1

    def take_packed(self, words: array[int], tag: int) -> None:
        """Whole packets back to back."""
        at = 0
        while at < len(words):
            end = at + 1 + (words[at] & 0xFFFF)
            self.take(words[at:end].tolist(), tag)
            at = end

    def _expected(self, number: int, draw: int, done: int) -> bool:
        chain, wanted = _sent(done, self._request, self._banks)
        return number == (self._request.first_chain + chain) & WORD and draw == wanted

    def _finish(self, packet: list[int], tag: int) -> None:
        kinds = (LatticeResponse.DONE, LatticeResponse.ABORTED)
        counters = ending(packet, tag, kinds)
        if counters is None:
            self._refuse(packet, WORDS)
        self.ended = True
        result = self.result
        result.counters = LatticeCounters(*counters)
        result.aborted = packet[0] >> 24 == LatticeResponse.ABORTED
        if not result.aborted:
            require_whole(result.reads, self.reads)
        draws = np.asarray(self._draws, dtype=np.uint32).reshape(result.reads, self._size)
        if self._banks > 1 and self._request.draws > 1:
            chain, draw = _sent(np.arange(result.reads), self._request, self._banks)
            draws = draws[np.lexsort((draw, chain))]
        result.energies.frombytes(_int64(draws[:, 2:4]))
        if self._request.samples:
            result.states.frombytes(draws[:, 4 : self._state_end].tobytes())
        if self._request.best:
            at = self._state_end
            result.best_energies.frombytes(_int64(draws[:, at : at + 2]))
            result.best_states.frombytes(draws[:, at + 2 :].tobytes())

    def _refuse(self, packet: list[int], belongs: int) -> NoReturn:
        raise unexpected(packet, self.result.reads, self.reads, belongs)


@overload
def _sent(number: int, request: LatticeRequest, banks: int) -> tuple[int, int]: ...


@overload
def _sent(number: Places, request: LatticeRequest, banks: int) -> tuple[Places, Places]: ...


def _sent(number: Any, request: LatticeRequest, banks: int) -> tuple[Any, Any]:
    """Chain and draw of the packet of this number in the order of sending.

    The last group of banks may have fewer chains than the others.
    """
    group, within = divmod(number, banks * request.draws)
    chains = np.minimum(banks, request.chains - group * banks)
    draw, chain = divmod(within, chains)
    return group * banks + chain, draw


def _int64(words: NDArray[np.uint32]) -> bytes:
    """The bytes of 64-bit integers given as low and high words."""
    wide = words.astype(np.uint64)
    return (wide[:, 0] | wide[:, 1] << np.uint64(32)).astype(np.int64).tobytes()
