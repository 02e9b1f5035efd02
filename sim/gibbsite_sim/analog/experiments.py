r"""What calibration measures on a device, by programs, runs and readings alone.

Wells of curvature q, one a unit, and biases +-b, at low noise:

    m+- = -(+-b + S o) / (q g)   ->   g = 2 b / (q (m- - m+)),    o = -(m+ + m-) q g / (2 S)

Pairs of wells, coupled by J, the first of each pushed by +-b: its row of zero bias gives

    J G (x_i- - x_i+) + q g_j (x_j- - x_j+) = 0

for every pair of a matching at once; n - 1 matchings have all pairs. Wells at noise of spread 1:

    <(z - m)^2> - LSB^2/12 = T kT / (q g),  as the ADC's rounding adds LSB^2/12 (Sheppard)
"""

from array import array
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.errors import DeviceError, ProgramError
from gibbsite_hw.spec.langevin_formats import OPERAND_FRAC
from gibbsite_hw.spec.langevin_program import (
    LangevinConditions,
    LangevinProgram,
    LangevinRequest,
    ScheduleEntry,
    Shifts,
)

__all__ = ["LOUDER", "Bench", "matchings"]

Floats = NDArray[np.float64]

WELL: Final = 1.0
"""q, in device units; what matters is only its product with the rate."""
PUSH: Final = 3.0
"""b / q: how far biases push, in units of length; with offsets and couplings it stays within 8."""
RATE: Final = 0.3
"""Of a well's relaxation in a step."""
QUIET: Final = 0.15
"""Spread of a well where its mean is measured: some LSB of the ADC, which it dithers."""
LOUD: Final = 1.0
"""Spread of a well where its width is measured."""
LOUDER: Final = 64
"""How many more readings a width takes than a mean."""
ONE: Final = (1 << 16,) * 6

_WELL_SHIFT, _PUSH_SHIFT = 16, 14
_GRADIENT = 6


@dataclass(frozen=True, slots=True)
class Bench:
    """A device and how long to look at it: chains, readings of each, LSB of the ADC."""

    device: Device
    units: int
    chains: int
    readings: int
    lsb: float
    rails: float

    def __post_init__(self) -> None:
        build = self.device.info.langevin
        if not 1 <= self.units <= build.units:
            raise ProgramError(
                f"units must lie in 1..{build.units}, what the device has, and is {self.units}: "
                "choose one of these"
            )
        if build.pairs < 2 * self.units:
            raise ProgramError(
                f"calibrating {self.units} units needs {2 * self.units} moments at once and the "
                f"device keeps {build.pairs}: calibrate fewer units or build it with more pairs"
            )
        if self.chains < 1 or self.readings < 1:
            raise ProgramError(
                f"chains and readings must be at least 1 and are {self.chains} and "
                f"{self.readings}: choose more"
            )

    def wells(self, seed: int) -> tuple[Floats, Floats]:
        """Relative conductances g and offsets o (parts of full scale) of the units' wells."""
        self._load(None)
        push = np.full(self.units, PUSH)
        (up, _), (down, _) = self._look(push, QUIET, seed, 4), self._look(-push, QUIET, seed, 4)
        well = 2 * PUSH / _apart(down - up)
        return well, -(up + down) / 2 * well / self.rails

    def temperatures(self, well: Floats, seed: int) -> Floats:
        """Relative temperatures of units whose conductances are known."""
        self._load(None)
        mean, square = self._look(np.zeros(self.units), LOUD, seed, 4, LOUDER)
        variance = square - mean**2 - self.lsb**2 / 12
        return np.asarray(variance * well / LOUD**2)

    def couplings(self, well: Floats, seed: int) -> Floats:
        """Relative conductances of all couplings, 1 on the diagonal."""
        found = np.eye(self.units)
        for matching in matchings(self.units):
            strength = self._load(matching)
            first, second = np.array(matching).T
            push = np.zeros(self.units)
            push[first] = PUSH
            up, _ = self._look(push, QUIET, seed, 8)
            down, _ = self._look(-push, QUIET, seed, 8)
            swing = down - up
            gain = -well[second] * swing[second] / (strength * _apart(swing[first]))
            found[first, second] = found[second, first] = gain
        return found

    def _load(self, matching: list[tuple[int, int]] | None) -> float:
        """Load wells, coupled in pairs; gives the coupling's J / q."""
        n, build = self.units, self.device.info.langevin
        shift = max(build.weight_bits - 6, 0)
        couplings = np.zeros((n, n), dtype=np.int64)
        for i, j in matching or []:
            couplings[i, j] = couplings[j, i] = build.weight_max
        nothing = array("i", [0] * n)
        program = LangevinProgram(
            quadratic=array("i", [round(WELL * 2 ** (_WELL_SHIFT + _GRADIENT))] * n),
            quartic=nothing,
            force=nothing,
            couplings=array("i", couplings.ravel().tolist() if matching else []),
            rows=array("i"),
            shifts=Shifts(quadratic=_WELL_SHIFT, bias=_PUSH_SHIFT, coupling=shift),
            conditions=LangevinConditions(biases=nothing),
        )
        self.device.load(program)
        return build.weight_max * 2.0 ** -(shift + _GRADIENT) / WELL

    def _look(
        self, push: Floats, spread: float, seed: int, every: int, longer: int = 1
    ) -> tuple[Floats, Floats]:
        """Mean and mean square of the units under biases, after they came to rest."""
        codes = np.rint(push * WELL * 2.0 ** (_PUSH_SHIFT + _GRADIENT)).astype(np.int64)
        self.device.condition(LangevinConditions(biases=array("i", codes.tolist())))
        rate = (round(RATE / WELL * 2**18), 2)
        noise = (round(spread * (2 * RATE) ** 0.5 * 2**18), 18)
        steps = every * self.readings * longer
        units = range(self.units)
        request = LangevinRequest(
            schedule=[
                ScheduleEntry(8 * every, rate, noise, ONE, measure=False),
                ScheduleEntry(steps, rate, noise, ONE),
            ],
            seed=seed,
            chains=self.chains,
            samples=False,
            pairs=[(i, None) for i in units] + [(i, i) for i in units],
            moment_every=every,
        )
        result = self.device.run(request)
        sums = np.array(result.moments, dtype=np.float64).reshape(self.chains, 2, self.units)
        counts = np.array(result.moment_counts, dtype=np.float64)
        found = sums.sum(axis=0) / (counts.sum() * 4.0**OPERAND_FRAC)
        return found[0], found[1]


def matchings(units: int) -> list[list[tuple[int, int]]]:
    """All pairs of units, in as few sets of disjoint pairs as there can be (a round robin)."""
    players: list[int | None] = [*range(units), *([None] if units % 2 else [])]
    rounds: list[list[tuple[int, int]]] = []
    for _ in range(len(players) - 1):
        half = len(players) // 2
        sides = zip(players[:half], reversed(players[half:]), strict=True)
        rounds.append([(i, j) for i, j in sides if i is not None and j is not None])
        players = [players[0], players[-1], *players[1:-1]]
    return [pairs for pairs in rounds if pairs]


def _apart(swing: Floats) -> Floats:
    """A swing that is clearly one. Raises `DeviceError` for a unit that does not move."""
    if (np.abs(swing) < PUSH / 2).any():
        unit = int(np.abs(swing).argmin())
        raise DeviceError(
            f"a measured unit (number {unit} of those pushed) moved by {swing[unit]:.3g} under "
            f"biases that should move it by {2 * PUSH:g}: it is stuck, leave it out"
        )
    return swing
