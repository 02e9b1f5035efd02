"""Gibbsite: from a sentence to samples drawn by hardware, and back to an answer in its words.

    gibbsite.solve(text)               the whole way, one `Result`
    gibbsite.formalize(text)           the first step alone, one `Problem`
    gibbsite.open("sim:")              a `Device`, as a context manager
    gibbsite.Sampler(device)           a dimod sampler on that device

Energies are dimod's: `E(s) = offset + sum h_i s_i + sum_(i<j) J_ij s_i s_j`, spins -1/+1,
minimised; the device draws from `P(s) ~ exp(-beta E(s))`.

Names are imported when first used, so that `import gibbsite` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gibbsite.devices import open
    from gibbsite.formalizer import FormalizationError, formalize
    from gibbsite.orchestrator import solve
    from gibbsite.problem import Problem
    from gibbsite.result import Result
    from gibbsite.sampler import Sampler
    from gibbsite_hw.spec.device import Device
    from gibbsite_hw.spec.errors import GibbsiteError

__all__ = [
    "Device",
    "FormalizationError",
    "GibbsiteError",
    "Problem",
    "Result",
    "Sampler",
    "formalize",
    "open",
    "solve",
]

__version__ = "0.1.0"

_HOMES = {
    "Device": "gibbsite_hw.spec.device",
    "FormalizationError": "gibbsite.formalizer",
    "GibbsiteError": "gibbsite_hw.spec.errors",
    "Problem": "gibbsite.problem",
    "Result": "gibbsite.result",
    "Sampler": "gibbsite.sampler",
    "formalize": "gibbsite.formalizer",
    "open": "gibbsite.devices",
    "solve": "gibbsite.orchestrator",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'gibbsite' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
