"""The bench of the Langevin engine's physics: the golden device, sound or with a planted fault.

Modules beside these tests, such as certificate_parts, are found here too.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gibbsite.driver import Driver
from gibbsite.langevin_compiler import CompiledPotential, LangevinSamples, compile_potential
from gibbsite_hw.spec.langevin_formats import MANTISSA_MAX
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_models.energies.potential import Potential
from gibbsite_models.golden.device import Engines, GoldenStream
from gibbsite_models.golden.langevin import LangevinEngine
from gibbsite_models.langevin_float import Protocol

sys.path.insert(0, str(Path(__file__).resolve().parent))


@dataclass(frozen=True, slots=True)
class Bench:
    """One device; what is run on it is loaded first and given back in physical units."""

    device: Driver

    def compile(self, potential: Potential, **options: object) -> CompiledPotential:
        """The potential as a program of this device."""
        return compile_potential(potential, self.device.info.langevin, **options)

    def run(
        self, compiled: CompiledPotential, protocol: Protocol, **fields: object
    ) -> LangevinSamples:
        """A run that must not saturate: what saturates has another law."""
        self.device.load(compiled.program)
        request = compiled.request(protocol, **fields)
        samples = compiled.decode(self.device.run(request), request)
        assert samples.saturations == 0
        return samples


def scaled(value: tuple[int, int], factor: float) -> tuple[int, int]:
    """A mantissa and shift, times a factor."""
    mantissa, shift = round(value[0] * factor), value[1]
    return (mantissa, shift) if mantissa <= MANTISSA_MAX else (mantissa >> 1, shift - 1)


@pytest.fixture
def bench() -> Callable[..., Bench]:
    """Makes benches: ``bench()`` is sound.

    ``bench(drift=, noise=)`` multiplies the drift or the noise of every step, and ``bench(engine)``
    plants any other fault.
    """

    def made(
        engine: type[LangevinEngine] = LangevinEngine, drift: float = 1.0, noise: float = 1.0
    ) -> Bench:
        class Tilted(engine):
            def step(self, walkers, gradient, setting):
                rate, spread = scaled(setting.rate, drift), scaled(setting.noise, noise)
                super().step(walkers, gradient, replace(setting, rate=rate, noise=spread))

        sound = drift == noise == 1
        return Bench(
            Driver(
                GoldenStream(
                    LangevinParameters(), engines=Engines(langevin=engine if sound else Tilted)
                )
            )
        )

    return made
