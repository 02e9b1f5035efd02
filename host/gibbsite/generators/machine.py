"""A trained generative computer on a device: noise in, images out.

    dz = -mu grad V dt + sqrt(2 mu kT) dW        from noise, V trained so that noising is undone

The device draws the first state, takes all steps and keeps the heat of each sample; the host loads
the couplings once and turns states into grey levels. Clamping pixels makes it complete images.

Source: S. Whitelam, Generative thermodynamic computing, arXiv:2506.15121.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gibbsite.default_device import DEFAULT_LANGEVIN_DEVICE
from gibbsite.devices import open as open_device
from gibbsite.langevin_compiler import LangevinSamples, compile_potential
from gibbsite.langevin_draws import run_info, timed_run
from gibbsite.langevin_slot import LangevinSlot
from gibbsite.ledger.engines import langevin_ledger
from gibbsite.run_account import RunAccount
from gibbsite_hw.spec.device import Device, Progress
from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.energies.arguments import count, flags, numbers
from gibbsite_models.energies.potential import Condition
from gibbsite_models.generative import Generator, Trained, generator
from gibbsite_models.langevin_float import Protocol

__all__ = ["Generated", "GenerativeMachine"]

Floats = NDArray[np.float64]

REACH = 7.5
"""Hidden units swing to 6.6 and are seen up to 6.7."""


@dataclass(frozen=True, slots=True, eq=False)
class Generated:
    """Images ``[n, pixels]`` in grey levels, and what making them gave.

    ``states[n, units]`` as the device sent them; ``codes[n]`` nearest hidden codes; ``heat[n]``
    given to the bath by each sample, in units of the energy; ``info``: seed, device, counters.
    """

    images: Floats
    states: Floats
    codes: NDArray[np.int64]
    heat: Floats
    info: dict[str, Any]


class GenerativeMachine:
    """A trained machine on a device with a Langevin engine, couplings loaded once.

    ``device`` is an open device or an address, opened here and closed with the machine. Raises
    `ProgramError` if the machine does not fit the device.
    """

    def __init__(self, trained: Trained, device: Device | str = DEFAULT_LANGEVIN_DEVICE) -> None:
        if not isinstance(trained, Trained):
            raise ProgramError(
                f"a generative machine is made of a trained one, not of {type(trained).__name__}: "
                "give what load_trained(path) returns"
            )
        self.trained = trained
        self.generator: Generator = generator(trained)
        self._own = isinstance(device, str)
        self.device: Device = open_device(device) if isinstance(device, str) else device
        self._slot = LangevinSlot(self.device)
        try:
            self._compiled = compile_potential(
                self.generator.potential, self.device.info.langevin, reach=REACH
            )
            self._slot.put(self._compiled)
        except BaseException:
            self.close()
            raise

    def sample(self, n_samples: int, seed: int = 0, progress: Progress | None = None) -> Generated:
        """Images of ``n_samples`` independent chains; equal arguments give equal images."""
        n_samples = count("n_samples", n_samples)
        return self._generated(Condition(), self.generator.protocol, seed, n_samples, progress)

    def frames(
        self, steps: Sequence[int], n_samples: int, seed: int = 0, progress: Progress | None = None
    ) -> Floats:
        """Images on their way, ``[n_samples, steps, pixels]``; step 0 is the noise they start as.

        Those of the last step are those of `sample` with the same seed.
        """
        n_samples = count("n_samples", n_samples)
        last = self.generator.protocol.steps
        if not steps or min(steps) < 0 or max(steps) > last:
            raise ProgramError(
                f"frames lie at steps 0 to {last} and {list(steps)} were asked: choose among these"
            )
        drawn, _ = self._run(
            Condition(), self.generator.protocol, seed, n_samples, progress,
            trajectory=True, thin=1, draws=last + 1,
        )  # fmt: skip
        assert drawn.states is not None, "states were asked for"
        return self.generator.decode(drawn.states[:, list(steps)])

    def complete(
        self,
        image: ArrayLike,
        known: ArrayLike,
        n_samples: int,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Generated:
        """Completions of ``image[pixels]`` whose ``known[pixels]`` pixels are clamped.

        The rest is drawn conditional on them, by steps that begin cold so that known pixels have
        their say in the hidden units; couplings are not loaded again.
        """
        n_samples = count("n_samples", n_samples)
        levels, mask = numbers("the image", image), flags("known", known)
        pixels = (self.generator.visible,)
        if levels.shape != pixels or mask.shape != pixels or not np.isfinite(levels[mask]).all():
            raise ProgramError(
                f"an image and its mask have shape {pixels} and finite known pixels, not "
                f"{levels.shape} and {mask.shape}: give one level and one flag a pixel"
            )
        if (levels[mask] < 0).any() or (levels[mask] > self.generator.levels).any():
            raise ProgramError(
                f"grey levels lie in 0..{self.generator.levels:g} and the known pixels hold "
                f"{levels[mask].min():g} to {levels[mask].max():g}: scale the image"
            )
        values = self.generator.encode(levels)
        clamps = {int(i): float(values[i]) for i in np.flatnonzero(mask)}
        condition = Condition(clamps=clamps)
        return self._generated(condition, self.generator.completion, seed, n_samples, progress)

    @property
    def rounding(self) -> dict[str, float]:
        """Largest rounding error of each array on the device, relative to its largest number."""
        return self._compiled.error

    def close(self) -> None:
        """Give back a device that was opened here; closing twice is allowed."""
        if self._own:
            self.device.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _run(
        self,
        condition: Condition,
        protocol: Protocol,
        seed: int,
        chains: int,
        progress: Progress | None,
        **fields: Any,
    ) -> tuple[LangevinSamples, dict[str, Any]]:
        made = self.generator
        spread = made.completion_sigma0 if condition.clamps else made.sigma0
        compiled = self._compiled.under(condition)
        request = compiled.request(
            protocol, start=made.start, spread=spread, seed=seed, chains=chains, **fields
        )
        account = RunAccount(self.device)
        self._slot.put(compiled)
        result, took = timed_run(self.device, request, progress)
        account.count(
            partial(langevin_ledger, result.counters, compiled.program.units),
            kinds=int(request.samples) + int(request.best),
        )
        info = run_info(compiled, self.device, request, result, took, account)
        return compiled.decode(result, request), info

    def _generated(
        self,
        condition: Condition,
        protocol: Protocol,
        seed: int,
        chains: int,
        progress: Progress | None,
    ) -> Generated:
        drawn, info = self._run(condition, protocol, seed, chains, progress)
        assert drawn.states is not None, "states were asked for"
        states = drawn.states[:, 0]
        made = self.generator
        return Generated(made.decode(states), states, made.code(states), drawn.heat[:, 0], info)
