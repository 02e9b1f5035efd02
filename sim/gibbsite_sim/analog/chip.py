"""One chip: what its mismatch seed made of it, and the trims that correct it.

    well_i -> (1 + e_i) (1 + gain_i),   couplings_ij -> (1 + e_ij) (1 + trim_ij),   e_ij = e_ji
    offset_i -> offset_i + trim_i (parts of full scale),   noise_i -> sqrt(1 + t_i) (1 + trim_i)

Trims are signed codes; what a code is worth stands in `AnalogParameters`.
"""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.errors import ProgramError
from gibbsite_sim.analog.parameters import AnalogParameters

__all__ = ["Chip", "TrimRange", "Trims"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

_SMALLEST: Final = 0.2
"""A part is never less than this share of its nominal value, however far out it was drawn."""


@dataclass(frozen=True, slots=True, eq=False)
class Trims:
    """Codes of all trims; ``offset``, ``gain``, ``noise`` ``[units]``, ``coupling`` ``[n, n]``.

    ``offset``    a force in parts of full scale
    ``gain``      the unit's own conductances
    ``noise``     amplitude of the unit's noise source
    ``coupling``  symmetric, zero diagonal
    """

    offset: Codes
    gain: Codes
    noise: Codes
    coupling: Codes

    @classmethod
    def zero(cls, units: int) -> "Trims":
        """Trims of a chip fresh from the factory."""
        one = np.zeros(units, dtype=np.int64)
        return cls(one, one.copy(), one.copy(), np.zeros((units, units), dtype=np.int64))


@dataclass(frozen=True, slots=True)
class TrimRange:
    """What trims can do: a code c of a trim with reach r is worth ``r c / most``."""

    parameters: AnalogParameters

    def most(self, name: str) -> int:
        """The largest code of a trim."""
        p = self.parameters
        bits = p.coupling_trim_bits if name == "coupling" else p.trim_bits
        return (1 << (bits - 1)) - 1

    def step(self, name: str) -> float:
        """What one code is worth."""
        reach = self.parameters.offset_trim if name == "offset" else self.parameters.gain_trim
        return reach / self.most(name)

    def codes(self, name: str, values: Floats) -> Codes:
        """The nearest codes, cut at the trim's reach."""
        most = self.most(name)
        codes: Codes = np.clip(np.rint(values / self.step(name)), -most, most).astype(np.int64)
        return codes


class Chip:
    """The parts of one chip, drawn from its mismatch seed; trims are zero at first."""

    def __init__(
        self, parameters: AnalogParameters, build: DeviceParameters, mismatch: int = 0
    ) -> None:
        if not 0 <= mismatch < 1 << 64:
            raise ProgramError(
                f"the mismatch seed is {mismatch} and has 64 bits: take one of 0..2^64-1"
            )
        self.parameters, self.build, self.mismatch = parameters, build, mismatch
        self.range = TrimRange(parameters)
        langevin, graph = build.langevin, build.graph
        units = langevin.units if langevin else 0
        constraints = langevin.constraints if langevin else 0
        p = parameters
        # each kind of part has a stream of its own, so that one kind more leaves the others alone
        self.mobility = self._parts(1, p.mobility, units)
        self.temperature = self._parts(2, p.temperature, units)
        self.well = self._parts(3, p.well, units)
        self.offset = p.offset * self._draw(4, units)
        half = np.tril(self._draw(5, units, units), -1)
        self.coupling = np.maximum(1 + p.coupling * (half + half.T), _SMALLEST)
        self.rows = self._parts(6, p.coupling, constraints, units)
        slots = graph.slots if graph else 0
        lanes, words = (graph.lanes, graph.words) if graph else (1, 0)
        self.slope = self._parts(7, p.slope, slots)
        self.comparator = p.comparator * self._draw(8, slots)
        self.synapse = self._parts(9, p.synapse, words, lanes)
        self._trims = Trims.zero(units)

    @property
    def trims(self) -> Trims:
        """The trims in force."""
        return self._trims

    def trim(self, trims: Trims) -> None:
        """Set all trims.

        Raises: ProgramError for what is no `Trims`, wrong shapes, codes beyond their bits,
        asymmetric couplings.
        """
        if not isinstance(trims, Trims):
            raise ProgramError(
                f"trims must be a Trims and are of type {type(trims).__name__}: change the "
                "device's own, dataclasses.replace(device.trims, offset=codes)"
            )
        for field in fields(trims):
            codes = np.asarray(getattr(trims, field.name))
            wanted = getattr(self._trims, field.name).shape
            if codes.shape != wanted or not np.issubdtype(codes.dtype, np.integer):
                raise ProgramError(
                    f"the {field.name} trims must be whole numbers of shape {wanted} and are "
                    f"{codes.dtype} of shape {codes.shape}: give one code for each part"
                )
            most = self.range.most(field.name)
            if codes.size and int(np.abs(codes).max()) > most:
                raise ProgramError(
                    f"a {field.name} trim is {int(codes.flat[np.abs(codes).argmax()])} and codes "
                    f"lie in +-{most}: cut it there"
                )
        coupling = np.asarray(trims.coupling)
        if (coupling != coupling.T).any() or np.diag(coupling).any():
            raise ProgramError(
                "coupling trims must be symmetric with zeros on the diagonal and are not: one part "
                "serves both ways, give both halves the same code"
            )
        self._trims = Trims(*(np.array(getattr(trims, f.name), np.int64) for f in fields(trims)))

    def gains(self, units: int) -> tuple[Floats, Floats, Floats, Floats]:
        """Trimmed well gains, offsets (parts of full scale), noise amplitudes, coupling gains."""
        trims, step = self._trims, self.range.step
        well = self.well[:units] * (1 + trims.gain[:units] * step("gain"))
        offset = self.offset[:units] + trims.offset[:units] * step("offset")
        noise = np.sqrt(self.temperature[:units]) * (1 + trims.noise[:units] * step("noise"))
        trimmed = 1 + trims.coupling[:units, :units] * step("coupling")
        return well, offset, noise, self.coupling[:units, :units] * trimmed

    def _parts(self, kind: int, sigma: float, *shape: int) -> Floats:
        """Relative values of parts around 1."""
        values: Floats = np.maximum(1 + sigma * self._draw(kind, *shape), _SMALLEST)
        return values

    def _draw(self, kind: int, *shape: int) -> Floats:
        generator = np.random.default_rng([self.mismatch, kind])
        return generator.standard_normal(shape)
