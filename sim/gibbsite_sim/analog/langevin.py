"""The Langevin engine as a circuit: `Circuit` moves the states, an ADC reads them once a step.

The host sees nothing but what the ADC reads. So energies, work, heat, moments and best states are
those of the readings, by the program's own V, in the arithmetic of the golden engine: exact for
what was read, and blind to what happens between two readings. For quadratic V the heat is still
exact; otherwise the trapezoid of a step errs as it does on a digital device, plus what the ADC's
rounding of a step's move adds.

Randomness belongs to (seed, chain); the drift of a run starts from a value of (chip, seed).
Saturations count states that stand at a rail at the end of a step.

Twin: ``gibbsite_models.golden.langevin``, whose walk through passes this is.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.langevin_formats import STATE_FRAC, STATE_MAX, STRENGTH_FRAC
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.langevin_program import LangevinConditions, LangevinRequest
from gibbsite_models.golden.langevin import LangevinEngine, Walkers
from gibbsite_models.golden.langevin_field import Weights
from gibbsite_models.golden.langevin_schedule import Setting
from gibbsite_sim.analog.chip import Chip
from gibbsite_sim.analog.circuit import RESOLUTION, Circuit, Drive
from gibbsite_sim.analog.converters import dac, read_adc

__all__ = ["AnalogLangevinEngine"]

BUFFER: Final = 1 << 20
"""Gaussians that wait, over all chains of a block."""

_EPOCH: Final = 10
"""The stream of a run's drift, beside those of a chip's parts."""

_NOISE: Final = 0
"""Where the counters of chains begin."""


class AnalogLangevinEngine(LangevinEngine):
    """One loaded program on a chip; subclasses made by `on` know which."""

    chip: Chip
    resolution = RESOLUTION
    exact = True

    @classmethod
    def on(
        cls, chip: Chip, resolution: int = RESOLUTION, exact: bool = True
    ) -> type["AnalogLangevinEngine"]:
        """The engine of a chip, as a shell takes it."""
        return type(cls.__name__, (cls,), {"chip": chip, "resolution": resolution, "exact": exact})

    def __init__(self, parameters: LangevinParameters, weights: Weights) -> None:
        super().__init__(parameters, weights)
        self._weights = weights
        self._conditions: LangevinConditions | None = None

    def condition(self, conditions: LangevinConditions) -> None:
        """Take over biases, constraints and clamps."""
        super().condition(conditions)
        self._conditions = conditions

    # --- one chain, step by step ------------------------------------------------------------------

    def seed(self, request: LangevinRequest, chain_numbers: NDArray[np.uint64]) -> Walkers:
        """Chains whose noise is seeded; the circuit takes over the trims in force."""
        assert self._conditions is not None, "the shell sends conditions before it runs"
        self._circuit = Circuit(
            self.chip, self._weights, self._conditions, self.resolution, self.exact
        )
        self._noise = _Noise(request.seed, chain_numbers, self.field.units)
        self._dials = _Dials(request, self.chip.parameters.dac_bits)
        return super().seed(request, chain_numbers)

    def start(self, walkers: Walkers, request: LangevinRequest) -> None:
        """``z_0 = state + start xi`` through the DACs of states; the drift of this run."""
        p, count = self.chip.parameters, walkers.z.shape[1]
        state = np.zeros(self.field.units)
        if request.state is not None:
            state += np.array(request.state) / 2.0**STATE_FRAC
        spread = _fraction(request.start, 0) * self._noise.draw(1)[0]
        epoch = np.random.default_rng([self.chip.mismatch, _EPOCH, request.seed])
        drift = p.drift * self._circuit.full_scale * epoch.standard_normal(self.field.units)
        self._motion = self._circuit.rest(
            dac(state, p.dac_bits, p.rails)[:, None] + spread,
            np.repeat(drift[:, None], count, axis=1),
        )
        walkers.z = self._read(walkers)

    def step(self, walkers: Walkers, gradient: NDArray[np.int64], setting: Setting) -> None:
        """One step of the circuit, then a reading."""
        walkers.before, walkers.kept = walkers.z, gradient
        drive = self._dials.drive(setting)
        noise = self._noise.draw(self._circuit.rows(drive))
        self._circuit.step(self._motion, drive, noise)
        walkers.z = self._read(walkers)

    def _read(self, walkers: Walkers) -> NDArray[np.int64]:
        """What the ADC gives; a held unit reads as what holds it."""
        p, z = self.chip.parameters, self._motion.z
        held = self.field.clamps
        walkers.saturations.count += (np.abs(z[~held]) >= p.rails).sum(axis=0)
        codes = np.clip(read_adc(z, p.adc_bits, p.rails, STATE_FRAC), -STATE_MAX, STATE_MAX)
        codes[held] = self.field.clamp_states[held][:, None]
        return codes


class _Dials:
    """The settings of a schedule behind their DACs, whose reference is the schedule's largest."""

    def __init__(self, request: LangevinRequest, bits: int) -> None:
        self._bits = bits
        self._rate = max(_fraction(entry.rate, 16) for entry in request.schedule)
        self._noise = max(_fraction(entry.noise, 0) for entry in request.schedule)
        self._drives: dict[int, Drive] = {}

    def drive(self, setting: Setting) -> Drive:
        """The drive of a setting; settings live as long as their run."""
        known = self._drives.get(id(setting))
        if known is None:
            known = self._drives[id(setting)] = self._converted(setting)
        return known

    def _converted(self, setting: Setting) -> Drive:
        def through(value: float, reference: float) -> float:
            return float(dac(np.array([value]), self._bits, reference)[0])

        step = 2.0 ** (2 - self._bits)  # strengths lie within +-2, and 1 is a step
        strengths = np.rint(setting.strengths / 2.0**STRENGTH_FRAC / step) * step
        return Drive(
            rate=through(_fraction(setting.rate, 16), self._rate),
            noise=through(_fraction(setting.noise, 0), self._noise),
            strengths=tuple(strengths.tolist()),
        )


class _Noise:
    """Gaussians of every chain from its own counter, in the order in which it asks for them."""

    def __init__(self, seed: int, chain_numbers: NDArray[np.uint64], units: int) -> None:
        self._units = units
        self._sources = [
            np.random.Generator(np.random.Philox(key=[seed, number], counter=_NOISE))
            for number in chain_numbers.tolist()
        ]
        self._buffer = np.zeros((len(self._sources), 0, units), dtype=np.float32)
        self._used = 0

    def draw(self, rows: int) -> NDArray[np.float32]:
        """The next ``float32[rows, units, chains]``."""
        if self._used + rows > self._buffer.shape[1]:
            self._fill(rows)
        taken = self._buffer[:, self._used : self._used + rows]
        self._used += rows
        return np.ascontiguousarray(taken.transpose(1, 2, 0))

    def _fill(self, rows: int) -> None:
        left = self._buffer[:, self._used :]
        fresh = max(rows, BUFFER // (len(self._sources) * self._units))
        buffer = np.empty((len(self._sources), left.shape[1] + fresh, self._units), np.float32)
        buffer[:, : left.shape[1]] = left
        for source, place in zip(self._sources, buffer, strict=True):
            source.standard_normal(out=place[left.shape[1] :], dtype=np.float32)
        self._buffer, self._used = buffer, 0


def _fraction(pair: tuple[int, int], lift: int) -> float:
    """``mantissa / 2^(shift + lift)``."""
    return pair[0] / 2.0 ** (pair[1] + lift)
