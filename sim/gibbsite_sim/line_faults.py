"""Faults of a serial line at the level of its bytes: flipped bits, lost, doubled and foreign bytes.

Source: docs/framed-link.md, "Faults".
"""

from collections import Counter
from dataclasses import astuple, dataclass, fields
from random import Random

from gibbsite_hw.spec.frames import Frame
from gibbsite_models.golden.link import Splitter

__all__ = ["FaultRates", "Faults", "FaultyLine"]

BURST = 40
"""Bytes of the longest burst of garbage."""


@dataclass(frozen=True, slots=True)
class FaultRates:
    """Chances a byte: that a bit of it is flipped, that it is lost, that it comes twice, and that a
    burst of 1 to `BURST` random bytes comes behind it."""

    flipped: float = 0.0
    lost: float = 0.0
    doubled: float = 0.0
    bursts: float = 0.0

    def __post_init__(self) -> None:
        if not all(0 <= rate <= 1 for rate in astuple(self)):
            raise ValueError(f"a rate lies in 0..1, not {self}: choose others")


@dataclass(slots=True)
class Faults:
    """How often each fault was injected."""

    flipped: int = 0
    lost: int = 0
    doubled: int = 0
    bursts: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return sum(getattr(self, field.name) for field in fields(self))


class FaultyLine:
    """One direction of a line. ``rates`` may be changed at any time; ``injected`` counts.

    ``sent`` are the frames that went in, ``passed`` those of them that came out whole and
    ``forged`` good frames that came out and never went in: what the line's ends cannot detect.
    """

    def __init__(self, seed: int, rates: FaultRates | None = None) -> None:
        self.rates = rates or FaultRates()
        self.injected = Faults()
        self.sent = self.passed = self.forged = 0
        self._random = Random(seed)
        self._before, self._behind = Splitter(), Splitter()
        self._on_the_way: Counter[Frame] = Counter()

    def carry(self, data: bytes) -> bytes:
        """What arrives of these bytes."""
        arrived = self._broken(data)
        for frame in self._before.frames(data):
            self.sent += 1
            self._on_the_way[frame] += 1
        for frame in self._behind.frames(arrived):
            if self._on_the_way[frame]:
                self._on_the_way[frame] -= 1
                self.passed += 1
            else:
                self.forged += 1
        return arrived

    def _broken(self, data: bytes) -> bytes:
        rates, injected, rng = self.rates, self.injected, self._random
        if rates == FaultRates():
            return data
        out = bytearray()
        for byte in data:
            if rng.random() < rates.lost:
                injected.lost += 1
            else:
                if rng.random() < rates.flipped:
                    byte ^= 1 << rng.randrange(8)
                    injected.flipped += 1
                out.append(byte)
                if rng.random() < rates.doubled:
                    out.append(byte)
                    injected.doubled += 1
            if rng.random() < rates.bursts:
                out += rng.randbytes(rng.randint(1, BURST))
                injected.bursts += 1
        return bytes(out)
