"""Gibbsite: from a sentence to samples drawn by hardware, and back to an answer in its words.

    gibbsite.solve(text)               the whole way, one `Result`
    gibbsite.formalize(text)           the first step alone, one `Problem`
    gibbsite.open("fast:")             a `Device`, as a context manager
    gibbsite.Sampler(device)           a dimod sampler on that device: spins and choices
    gibbsite.ParallelTempering(device) the same models on a ladder of temperatures
    gibbsite.LangevinSampler(potential, gibbsite.LangevinConfig(...))        continuous states

Energies of spins are dimod's: `E(s) = offset + sum h_i s_i + sum_(i<j) J_ij s_i s_j`, spins -1/+1,
minimised; the device draws from `P(s) ~ exp(-beta E(s))`. Energies of continuous states are a
`Potential` V(z); the device draws from `P(z) ~ exp(-V(z) / kT)`.

Names are imported when first used, so that `import gibbsite` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gibbsite.algorithms.alternating import solve_schedule
    from gibbsite.algorithms.bayesian import BayesianSampler, LinearRegression, LogisticRegression
    from gibbsite.algorithms.ising import sample_double_wells
    from gibbsite.algorithms.minimising import minimise
    from gibbsite.devices import open
    from gibbsite.formalizer import FormalizationError, formalize
    from gibbsite.langevin_sampler import LangevinConfig, LangevinSampler
    from gibbsite.lattice_sampler import LatticeSampler
    from gibbsite.ledger.savings import estimate_energy_savings
    from gibbsite.orchestrator import solve
    from gibbsite.problem import Problem
    from gibbsite.result import Result
    from gibbsite.sampler import Sampler
    from gibbsite.tempering import ParallelTempering
    from gibbsite_hw.spec.device import Device
    from gibbsite_hw.spec.errors import GibbsiteError
    from gibbsite_models.energies.allocation import AllocationEnergy
    from gibbsite_models.energies.constraints import ConstraintEnergy
    from gibbsite_models.energies.penalties import Penalty
    from gibbsite_models.energies.planning import PlanningEnergy, Product
    from gibbsite_models.energies.potential import Condition, Potential
    from gibbsite_models.energies.scheduling import SchedulingEnergy
    from gibbsite_models.energies.tasks import Task
    from gibbsite_models.langevin_float import Protocol, Segment, ramp
    from gibbsite_models.training import EntropyProductionRegularizer

__all__ = [
    "AllocationEnergy",
    "BayesianSampler",
    "Condition",
    "ConstraintEnergy",
    "Device",
    "EntropyProductionRegularizer",
    "FormalizationError",
    "GibbsiteError",
    "LangevinConfig",
    "LangevinSampler",
    "LatticeSampler",
    "LinearRegression",
    "LogisticRegression",
    "ParallelTempering",
    "Penalty",
    "PlanningEnergy",
    "Potential",
    "Problem",
    "Product",
    "Protocol",
    "Result",
    "Sampler",
    "SchedulingEnergy",
    "Segment",
    "Task",
    "estimate_energy_savings",
    "formalize",
    "minimise",
    "open",
    "ramp",
    "sample_double_wells",
    "solve",
    "solve_schedule",
]

__version__ = "0.1.0"

_HOMES = {
    "AllocationEnergy": "gibbsite_models.energies.allocation",
    "BayesianSampler": "gibbsite.algorithms.bayesian",
    "Condition": "gibbsite_models.energies.potential",
    "ConstraintEnergy": "gibbsite_models.energies.constraints",
    "Device": "gibbsite_hw.spec.device",
    "EntropyProductionRegularizer": "gibbsite_models.training",
    "FormalizationError": "gibbsite.formalizer",
    "GibbsiteError": "gibbsite_hw.spec.errors",
    "LangevinConfig": "gibbsite.langevin_sampler",
    "LangevinSampler": "gibbsite.langevin_sampler",
    "LatticeSampler": "gibbsite.lattice_sampler",
    "LinearRegression": "gibbsite.algorithms.bayesian",
    "LogisticRegression": "gibbsite.algorithms.bayesian",
    "ParallelTempering": "gibbsite.tempering",
    "Penalty": "gibbsite_models.energies.penalties",
    "PlanningEnergy": "gibbsite_models.energies.planning",
    "Potential": "gibbsite_models.energies.potential",
    "Problem": "gibbsite.problem",
    "Product": "gibbsite_models.energies.planning",
    "Protocol": "gibbsite_models.langevin_float",
    "Result": "gibbsite.result",
    "Sampler": "gibbsite.sampler",
    "SchedulingEnergy": "gibbsite_models.energies.scheduling",
    "Segment": "gibbsite_models.langevin_float",
    "Task": "gibbsite_models.energies.tasks",
    "estimate_energy_savings": "gibbsite.ledger.savings",
    "formalize": "gibbsite.formalizer",
    "minimise": "gibbsite.algorithms.minimising",
    "open": "gibbsite.devices",
    "ramp": "gibbsite_models.langevin_float",
    "sample_double_wells": "gibbsite.algorithms.ising",
    "solve": "gibbsite.orchestrator",
    "solve_schedule": "gibbsite.algorithms.alternating",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'gibbsite' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
