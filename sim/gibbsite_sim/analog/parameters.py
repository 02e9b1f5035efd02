"""Named, versioned sets of circuit parameters, each figure with its source.

A set says how far a real circuit is from the program it runs: one sigma of every mismatch, the bits
of its converters, its bandwidth, drift and supply. `SETS` has them by name; a set never changes
under its name, a better one gets a new name. `FIGURES` says for each figure where it comes from and
whether it was measured (by whom), quoted (from a specification) or estimated (by us). None of them
was measured on hardware of ours, since there is none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import isfinite
from typing import Final

from gibbsite_hw.spec.errors import ProgramError

__all__ = ["DEFAULT_SET", "FIGURES", "SETS", "AnalogParameters", "Figure", "named_set"]


@dataclass(frozen=True, slots=True)
class Figure:
    """Where a figure comes from; ``kind`` is measured, quoted or estimated."""

    kind: str
    source: str


@dataclass(frozen=True, slots=True)
class AnalogParameters:
    """What a circuit is made of. Mismatches are one sigma, relative where nothing else is said.

    ``mobility``         1/C of a unit: drift and noise together, so stationary laws do not see it
    ``temperature``      power of a unit's noise source
    ``well``             conductances of a unit's own quadratic and quartic term
    ``offset``           constant force on a unit, in parts of full scale (`Circuit.full_scale`)
    ``coupling``         conductance of a coupling, the same both ways; of k, of constraints
    ``drift``            stationary spread of the offsets' drift, in parts of full scale
    ``drift_steps``      its correlation time, in steps of the program
    ``lag_steps``        time constant of the buffers that couplings and constraints read, in steps
    ``rails``            supply: states are cut at +-rails (device units, as the format's +-8)
    ``dac_bits``         signed converters of all coefficients, each array on its own reference
    ``adc_bits``         of the states, over +-rails
    ``slope``            gain of a p-bit's comparator
    ``comparator``       its input offset, in parts of the largest coupling or bias
    ``synapse``          one coupling into a p-bit
    ``trim_bits``        signed trims of offset, well and noise; ``coupling_trim_bits`` of couplings
    ``offset_trim``      largest offset trim in parts of full scale; ``gain_trim`` of all others
    ``step_seconds``     how long the circuit takes for one step of a program
    """

    mobility: float = 0.05
    temperature: float = 0.05
    well: float = 0.05
    offset: float = 0.05
    coupling: float = 0.05
    drift: float = 0.0005
    drift_steps: float = 1e6
    lag_steps: float = 0.1
    rails: float = 8.0
    dac_bits: int = 8
    adc_bits: int = 8
    slope: float = 0.05
    comparator: float = 0.05
    synapse: float = 0.05
    trim_bits: int = 8
    coupling_trim_bits: int = 6
    offset_trim: float = 0.25
    gain_trim: float = 0.25
    step_seconds: float = 1e-6

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name.endswith("bits"):
                good, range_ = type(value) is int and 2 <= value <= 32, "a whole number in 2..32"
            elif field.name in ("drift_steps", "lag_steps", "rails", "step_seconds"):
                good, range_ = isfinite(value) and value > 0, "finite and above 0"
            else:
                good, range_ = 0 <= value < 1, "in 0..1 (1 excluded)"
            if not good:
                raise ProgramError(f"{field.name} must be {range_} and is {value}: choose anew")
        if self.rails > 8:
            raise ProgramError(
                f"rails must be at most 8, the reach of a state's format, and are {self.rails}: "
                "choose less"
            )


_PELGROM = (
    "M. Pelgrom et al., Matching properties of MOS transistors, IEEE JSSC 24, 1989: "
    "sigma = A / sqrt(W L)"
)

FIGURES: Final[Mapping[str, Figure]] = {
    "mobility": Figure("quoted", "IEC 60063: parts of series E24 lie within 5 %; here one sigma"),
    "temperature": Figure("estimated", "gain of a noise source of 5 % parts, two of them in a row"),
    "well": Figure("quoted", "IEC 60063, series E24, as for the mobility"),
    "offset": Figure(
        "estimated",
        f"40 mV at 0.8 V full scale: a minimum-size pair with A = 4 mV um ({_PELGROM})",
    ),
    "coupling": Figure("estimated", f"a current mirror of near-minimum size ({_PELGROM})"),
    "drift": Figure("estimated", "5 uV/K of an untrimmed CMOS pair, over 80 K, at 0.8 V"),
    "drift_steps": Figure("estimated", "a second, thermal time constant of a package"),
    "lag_steps": Figure("estimated", "a buffer of 1.6 MHz bandwidth beside steps of 1 us"),
    "rails": Figure("estimated", "0.1 V a device unit under a supply of 1.8 V, 0.1 V to spare"),
    "dac_bits": Figure(
        "estimated", "beyond 8 bits area grows fourfold a bit where matching rules (Pelgrom)"
    ),
    "adc_bits": Figure("estimated", "as the DACs; a shared SAR converter"),
    "slope": Figure("estimated", "tail current of a comparator's pair, as the couplings"),
    "comparator": Figure("estimated", "as the offset"),
    "synapse": Figure("estimated", "as the couplings"),
    "trim_bits": Figure("estimated", "as the DACs"),
    "coupling_trim_bits": Figure("estimated", "fewer, because there are n^2 of them"),
    "offset_trim": Figure("estimated", "five sigma of what it corrects"),
    "gain_trim": Figure("estimated", "five sigma of what it corrects"),
    "step_seconds": Figure("estimated", "relaxation in tens of us: R C of 1 Mohm and 20 pF"),
}
"""The source of every figure of "rc-2026.1"."""

DEFAULT_SET: Final = "rc-2026.1"

SETS: Final[Mapping[str, AnalogParameters]] = {
    DEFAULT_SET: AnalogParameters(),
    "matched-2026.1": AnalogParameters(
        mobility=0.0, temperature=0.0, well=0.0, offset=0.0, coupling=0.0, drift=0.0,
        slope=0.0, comparator=0.0, synapse=0.0, dac_bits=16, adc_bits=16,
    ),
}  # fmt: skip
"""``matched``: nothing but bandwidth and noise, to tell the circuit's own errors from mismatch."""


def named_set(name: str) -> AnalogParameters:
    """The set of that name. Raises `ProgramError` for a name that nobody here knows."""
    if name not in SETS:
        raise ProgramError(f"{name!r} is no set of circuit parameters: use {', '.join(SETS)}")
    return SETS[name]
