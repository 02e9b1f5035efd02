"""Orders of tasks drawn by the graph engine, given the times that they have now.

    x ~ exp(-E(x; z) / kT),    E from `SchedulingEnergy.order_model`, cyclic orders forbidden

The model is given to the device in units of ``S = CAP kT (1 + bits)``, which is what a cycle costs:
then couplings are 1 for every z and kT, prices ``|b| <= CAP kT`` come as biases, and the law is
drawn at ``beta = S / kT``, reached by an annealing on the device. So couplings are loaded once, as
long as the same orders are open (new arcs of overloads load anew), and biases are streamed.

A price beyond ``CAP kT`` is held as ``CAP kT``: the dearer order has weight e^-CAP = 2e-9 or less.
Biases are rounded to a code, whose size in kT is ``resolution``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, cast

import dimod
import numpy as np

from gibbsite.compiler import CompiledModel, compile_model
from gibbsite.ledger.engines import graph_ledger
from gibbsite.run_account import RunAccount
from gibbsite_hw.spec.device import Device, Progress
from gibbsite_hw.spec.program import RunRequest
from gibbsite_models.energies.potential import Array
from gibbsite_models.energies.scheduling import Order, SchedulingEnergy

__all__ = ["OrderDraws"]

CAP = 20.0
"""In kT: from where on a dearer order is as good as excluded."""

SWEEPS = 32
"""Of one draw, each at its own beta, from where no penalty holds to 1/kT."""

HOT = 0.5
"""First beta, in units of 1/S: a cycle costs half a kT there."""


class OrderDraws:
    """Draws orders on one device; ``loads``, ``draws`` and ``updates`` count what that took."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.account = RunAccount(device, metered=False)
        self.loads = 0
        self.draws = 0
        self.updates = 0
        self.resolution = 0.0
        """The largest size of a bias's code so far, in kT."""
        self._compiled: CompiledModel | None = None
        self._couplings: dict[tuple[object, object], float] = {}

    def draw(
        self,
        energy: SchedulingEnergy,
        z: Array,
        kT: float,
        *,
        seed: int,
        chain: int = 0,
        progress: Progress | None = None,
    ) -> Order:
        """One order given times ``z[n]``; equal arguments draw equal orders.

        Raises: ProgramError for more orders than the device holds.
        """
        bits = len(energy.choices) + 2 * len(energy.arcs)
        unit = CAP * kT * (1 + bits)
        model = energy.order_model(z, CAP * kT, unit)
        if not model.num_variables:
            return energy.read_order({})
        model.scale(1 / unit)
        self.account.resume()
        compiled = self._loaded(model, bits)
        biases = {v: float(model.linear[v]) for v in model.variables}
        under = compiled.conditions(biases=biases)
        self.device.condition(under.conditions)
        low, high = compiled.beta_limits
        first, last = max(HOT, low), min(CAP * (1 + bits), high)
        self.resolution = max(self.resolution, compiled.scale * CAP * (1 + bits))
        request = RunRequest(
            betas=compiled.betas(np.geomspace(first, last, SWEEPS)), seed=seed, first_chain=chain
        )
        result = self.device.run(request, progress)
        engine = partial(graph_ledger, result.counters, compiled.program)
        self.account.count(engine, kinds=1, conditioned=True)
        self.draws += 1
        self.updates += result.counters.updates
        values = compiled.decode(result, under).values[0].tolist()
        sample = dict(zip(compiled.variables, values, strict=True))
        return energy.read_order(cast(Mapping[tuple[str, str, str], int], sample))

    def ledger(self) -> dict[str, Any] | None:
        """The ledger of the draws as a document; None where none was needed."""
        return self.account.close()[0].model_dump(mode="json") if self.account.used else None

    def _loaded(self, model: dimod.BinaryQuadraticModel, bits: int) -> CompiledModel:
        """The program of a model without its biases, loaded if couplings are others than before."""
        # rounded, since 1/unit times unit need not be 1
        couplings = {pair: round(float(w), 9) for pair, w in model.quadratic.items()}
        compiled = self._compiled
        same = compiled is not None and set(compiled.variables) == set(model.variables)
        if compiled is None or not same or couplings != self._couplings:
            bare = dimod.BinaryQuadraticModel(
                dict.fromkeys(model.variables, 0.0), couplings, 0.0, dimod.BINARY
            )
            # later biases differ from these by prices, which are below 1 together
            largest = 1.0 + max(map(abs, map(float, model.linear.values())))
            compiled = compile_model(
                bare,
                self.device.info.graph,
                beta_max=CAP * (1 + bits),
                # the second has no step in common with anything, so that the scale is a fine one
                future_biases=[largest, largest / np.pi],
                # what is lost is said as `resolution`; against a large coefficient it means nothing
                max_error=float("inf"),
            )
            before = self.device.loads
            self.device.load(compiled.program)
            self.loads += self.device.loads - before
            self._compiled, self._couplings = compiled, couplings
        return compiled
