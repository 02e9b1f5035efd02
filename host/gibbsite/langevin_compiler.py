"""From a potential to a Langevin program, and from codes back to physical units.

    compiled = compile_potential(potential, device.info.langevin)
    device.load(compiled.program)
    result = device.run(compiled.request(protocol, seed=7, chains=100))
    draws = compiled.decode(result, request)

`gibbsite.langevin_scales` has the scales. What the device really holds, after rounding, is
`Compiled.held`, a `Potential` again: exact references of a device's samples are taken from it.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gibbsite.langevin_resolution import require_resolution
from gibbsite.langevin_scales import Scales, choose_scales
from gibbsite_hw.spec.errors import ProgramError
from gibbsite_hw.spec.langevin_formats import (
    COEFFICIENT_MAX,
    ENERGY_FRAC,
    HEAT_FRAC,
    MANTISSA_BITS,
    MANTISSA_MAX,
    NOISE_LIFT,
    OPERAND_FRAC,
    REPEAT_MAX,
    RESIDUAL_FRAC,
    RESIDUAL_MAX,
    SHIFT_MAX,
    STATE_FRAC,
    STATE_MAX,
    STRENGTH_FRAC,
    STRENGTH_MAX,
)
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.langevin_program import (
    Constraint,
    LangevinConditions,
    LangevinProgram,
    LangevinRequest,
    LangevinResult,
    ScheduleEntry,
)
from gibbsite_models.energies.potential import Condition, Potential
from gibbsite_models.langevin_float import Protocol, Segment

__all__ = ["CompiledPotential", "LangevinSamples", "compile_potential"]

Floats = NDArray[np.float64]
DEFAULT_REACH = 7.5

LEAST_MANTISSA = 1 << 10
"""Of mu dt: below it the time step would be off by more than 1/2,048 of itself."""


@dataclass(frozen=True, slots=True)
class LangevinSamples:
    """A run in physical units; chain first, then draw.

    ``states``, ``best_states`` ``[chains, draws, units]``, or None if not asked for; ``energies``,
    ``work``, ``heat``, ``best_energies`` ``[chains, draws]``; ``steps[draws]``;
    ``moments[chains, pairs]`` mean products of the request's pairs, None without pairs.
    """

    states: Floats | None
    steps: NDArray[np.int64]
    energies: Floats
    work: Floats
    heat: Floats
    best_states: Floats | None
    best_energies: Floats | None
    moments: Floats | None
    saturations: int


@dataclass(frozen=True, slots=True)
class CompiledPotential:
    """A potential as a program of one build, and the way back.

    ``held`` is the potential that the program's codes stand for.
    """

    potential: Potential
    program: LangevinProgram
    scales: Scales
    held: Potential
    clamps: Mapping[int, float]

    @property
    def error(self) -> dict[str, float]:
        """Largest rounding error of each array, relative to its own largest number."""
        found: dict[str, float] = {}
        for name in ("J2", "J4", "b", "J", "K", "d", "lam", "force"):
            wanted, held = getattr(self.potential, name), getattr(self.held, name)
            top = float(np.abs(wanted).max(initial=0.0))
            found[name] = float(np.abs(held - wanted).max(initial=0.0)) / top if top else 0.0
        return found

    def conditions(self, condition: Condition) -> LangevinConditions:
        """Conditions to stream; units that the condition does not clamp are free.

        Raises `ProgramError` where b, d or lambda do not fit the scales that were chosen (compile
        with more ``headroom``) or a clamp lies beyond the reach.
        """
        return _conditions(
            self.potential.conditioned(condition), self.scales, dict(condition.clamps)
        )

    def under(self, condition: Condition) -> CompiledPotential:
        """This program under other conditions: what streams without loading weights again.

        Raises `ProgramError` as `conditions` does.
        """
        conditions = self.conditions(condition)
        potential = self.potential.conditioned(condition)
        held = replace(self.held, hinge=potential.hinge)
        return replace(
            self,
            potential=potential,
            program=replace(self.program, conditions=conditions),
            held=_held(held, conditions, self.scales),
            clamps=dict(condition.clamps),
        )

    def shares_weights(self, other: CompiledPotential) -> bool:
        """Whether the two programs differ in conditions alone."""
        mine, theirs = self.program, other.program
        return mine is theirs or all(
            getattr(mine, name) == getattr(theirs, name)
            for name in ("quadratic", "quartic", "force", "couplings", "rows", "shifts")
        )

    def request(
        self,
        protocol: Protocol,
        *,
        start: ArrayLike | None = None,
        spread: float = 0.0,
        pairs: Sequence[tuple[int, int | None]] = (),
        coarse: bool = False,
        **fields: Any,
    ) -> LangevinRequest:
        """The run of a protocol; ``start[units]`` and ``spread`` draw the first state.

        A program that does not resolve what kT moves is refused unless ``coarse`` is enough, as it
        is for pilot runs and for descents whose end alone counts.
        ``fields``: those of `LangevinRequest` (seed, chains, draws, thin, trajectory, best ...).
        Raises `ProgramError` for a start, spread, dt, kT or strength that the program cannot hold.
        """
        if not (math.isfinite(spread) and spread >= 0):
            raise ProgramError(
                f"the spread of the start is {spread}: give a finite one of at least 0"
            )
        if not coarse:
            require_resolution(self.potential, self.scales, self.clamps, protocol)
        state = None
        if start is not None:
            given, size = np.asarray(start, dtype=np.float64), self.potential.size
            if given.shape not in ((), (1,), (size,)):
                raise ProgramError(
                    f"the start has shape {given.shape} and the program {size} units: give one "
                    "number or one a unit"
                )
            state = array("i", self.state_codes(np.broadcast_to(given, size)).tolist())
        return replace(
            LangevinRequest(
                self.schedule(protocol),
                state=state,
                start=_scaled(spread, self.scales.length, 0, 0, "the spread of the start"),
                pairs=list(pairs),
            ),
            **fields,
        )

    def schedule(self, protocol: Protocol) -> list[ScheduleEntry]:
        """Entries of a protocol. Strengths before its first step must be those of that step."""
        first = protocol.segments[0].strengths
        if protocol.initial is not None and tuple(protocol.initial) != tuple(first):
            raise ProgramError(
                "the device starts under the strengths of the first segment: begin with a segment "
                f"of one step at {tuple(protocol.initial)}"
            )
        entries: list[ScheduleEntry] = []
        for segment in protocol.segments:
            entry = self._entry(protocol.mu, segment)
            left = segment.steps
            while left:
                entries.append(replace(entry, repeat=min(left, REPEAT_MAX)))
                left -= entries[-1].repeat
        return entries

    def _entry(self, mu: float, segment: Segment) -> ScheduleEntry:
        s, c = self.scales.length, self.scales.energy
        strengths = [round(value * 2**STRENGTH_FRAC) for value in segment.strengths]
        if max(map(abs, strengths)) > STRENGTH_MAX:
            raise ProgramError(
                f"strengths lie within +-2 on the device and are {segment.strengths}: put the "
                "largest one into the potential"
            )
        one, two, three, four, five, six = strengths
        noise = math.sqrt(2 * mu * segment.kT * segment.dt)
        return ScheduleEntry(
            repeat=1,
            rate=_scaled(mu * segment.dt, c * s * s, NOISE_LIFT, LEAST_MANTISSA, "mu dt"),
            noise=_scaled(noise, s, 0, 0, "sqrt(2 mu kT dt)"),
            strengths=(one, two, three, four, five, six),
            measure=segment.measure,
        )

    def state_codes(self, states: Floats) -> NDArray[np.int64]:
        """Codes of states. Raises `ProgramError` beyond the reach."""
        return _state_codes(states, self.scales.length)

    def decode(self, result: LangevinResult, request: LangevinRequest) -> LangevinSamples:
        """A result in physical units."""
        s, c, n = self.scales.length, self.scales.energy, self.potential.size
        shape = (-1, request.draws)

        def states(codes: array[int]) -> Floats:
            found: Floats = np.array(codes, dtype=np.float64).reshape(*shape, n)
            return np.asarray(found * (s / 2**STATE_FRAC))

        def energies(codes: array[int], frac: int) -> Floats:
            return np.asarray(np.array(codes, dtype=np.float64).reshape(shape) / (c * 2**frac))

        moments = None
        if request.pairs:
            counts = np.array(result.moment_counts, dtype=np.float64)
            sums = np.array(result.moments, dtype=np.float64).reshape(len(counts), -1)
            units = np.array([s if j is None else s * s for _, j in request.pairs])
            moments = sums / np.maximum(counts, 1)[:, None] * units / 2 ** (2 * OPERAND_FRAC)
        return LangevinSamples(
            states=states(result.states) if request.samples else None,
            steps=np.array(result.steps[: request.draws], dtype=np.int64),
            energies=energies(result.energies, ENERGY_FRAC),
            work=energies(result.work, HEAT_FRAC),
            heat=energies(result.heat, HEAT_FRAC),
            best_states=states(result.best_states) if request.best else None,
            best_energies=energies(result.best_energies, ENERGY_FRAC) if request.best else None,
            moments=moments,
            saturations=result.counters.saturations,
        )


def compile_potential(
    potential: Potential,
    parameters: LangevinParameters,
    *,
    reach: float = DEFAULT_REACH,
    headroom: float = 1.0,
    clamps: Mapping[int, float] | None = None,
) -> CompiledPotential:
    """The program of a potential.

    ``reach`` is the largest |z| that must fit (states saturate beyond it, which is counted);
    ``headroom`` how many times b, d and lambda may grow in later conditions.

    Raises `ProgramError` if V is not normalizable, too large for the build, or its numbers lie too
    far apart.
    """
    held_units = dict(clamps or {})
    potential.check(clamps=held_units)
    for what, size, most in (
        ("units", potential.size, parameters.units),
        ("constraints", potential.rows, parameters.constraints),
    ):
        if size > most:
            raise ProgramError(
                f"the potential has {size} {what} and the device holds {most}: use fewer or a "
                f"larger build ({what}={size})"
            )
    scales = choose_scales(potential, parameters, reach, headroom)
    s, c, e = scales.length, scales.energy, scales
    k = scales.row[:, None] * s * potential.K
    quadratic = _codes(c * s**2 * potential.J2, e.quadratic)
    quartic = _codes(c * s**4 * potential.J4, e.quartic)
    force = _codes(-c * s * potential.force, e.force)
    couplings = _codes(c * s**2 * potential.J, e.coupling)
    rows = _codes(k, e.weight)
    program = LangevinProgram(
        quadratic=_array(quadratic),
        quartic=_array(quartic),
        force=_array(force),
        couplings=_array(couplings) if couplings.any() else array("i"),
        rows=_array(rows),
        shifts=scales.shifts(),
        conditions=_conditions(potential, scales, held_units),
    )
    held = replace(
        potential,
        J2=quadratic / (2.0**e.quadratic * c * s**2),
        J4=quartic / (2.0**e.quartic * c * s**4),
        force=-force / (2.0**e.force * c * s),
        J=couplings / (2.0**e.coupling * c * s**2),
        K=rows / (2.0**e.weight * s * scales.row[:, None]),
    )
    held = _held(held, program.conditions, scales)
    try:
        held.check(clamps=held_units)
    except ProgramError as error:
        raise ProgramError(
            f"what {parameters.weight_bits}-bit couplings and 24-bit coefficients keep of this "
            f"potential is not bounded: {error}"
        ) from error
    return CompiledPotential(potential, program, scales, held, held_units)


def _conditions(
    potential: Potential, scales: Scales, clamps: Mapping[int, float]
) -> LangevinConditions:
    s, c, q = scales.length, scales.energy, scales.row
    biases = _fitted("b", potential.b, c * s, scales.bias, COEFFICIENT_MAX)
    weights = _fitted("lambda", potential.lam, c / q**2, scales.penalty, COEFFICIENT_MAX)
    offsets = _fitted("d", potential.d, q, RESIDUAL_FRAC, RESIDUAL_MAX)
    states = _state_codes(np.array(list(clamps.values()), dtype=np.float64), s)
    return LangevinConditions(
        biases=_array(biases),
        constraints=[
            Constraint(bool(hinge), int(weight), int(offset))
            for hinge, weight, offset in zip(potential.hinge, weights, offsets, strict=True)
        ],
        clamps=dict(zip(clamps, states.tolist(), strict=True)),
    )


def _held(potential: Potential, conditions: LangevinConditions, scales: Scales) -> Potential:
    """The potential with b, d and lambda as their codes say."""
    s, c, q = scales.length, scales.energy, scales.row
    rows = conditions.constraints
    return replace(
        potential,
        b=np.array(conditions.biases, dtype=np.float64) / (2.0**scales.bias * c * s),
        d=np.array([row.offset for row in rows]) / (2.0**RESIDUAL_FRAC * q),
        lam=np.array([row.weight for row in rows]) * q**2 / (2.0**scales.penalty * c),
    )


def _state_codes(states: Floats, length: float) -> NDArray[np.int64]:
    if not np.isfinite(states).all():
        raise ProgramError("states must be finite and some are not: give a number for each")
    codes = np.rint(states / length * 2**STATE_FRAC)
    if np.abs(codes).max(initial=0) > STATE_MAX:
        raise ProgramError(
            f"a state is {states[np.abs(codes).argmax()]:g} and the compiled program holds "
            f"+-{STATE_MAX / 2**STATE_FRAC * length:g}: compile with a larger reach"
        )
    result: NDArray[np.int64] = codes.astype(np.int64)
    return result


def _fitted(
    what: str, values: Floats, unit: Floats | float, bits: int, largest: int
) -> NDArray[np.int64]:
    """Codes of conditions, ``values`` times ``unit``, which may have outgrown their scales."""
    codes = np.rint(values * unit * 2.0**bits)
    if np.abs(codes).max(initial=0.0) > largest:
        at = int(np.abs(codes).argmax())
        most = largest / 2.0**bits / np.broadcast_to(unit, values.shape)[at]
        raise ProgramError(
            f"{what} is {values[at]:g} at {at} and the compiled program holds {most:g}: compile "
            "with more headroom"
        )
    result: NDArray[np.int64] = codes.astype(np.int64)
    return result


def _codes(values: Floats, bits: int) -> NDArray[np.int64]:
    return np.rint(values * 2.0**bits).astype(np.int64)


def _array(codes: NDArray[np.int64]) -> array[int]:
    return array("i", codes.ravel().tolist())


def _scaled(value: float, unit: float, lift: int, least: int, what: str) -> tuple[int, int]:
    """(mantissa, shift), as precise as can be: ``value = unit mantissa / 2^(shift + lift)``.

    Raises `ProgramError` above the largest, and for a mantissa below ``least``.
    """
    if value == 0:
        return 0, 0
    scaled = value / unit
    shift = min(MANTISSA_BITS - 1 - math.floor(math.log2(scaled)) - lift, SHIFT_MAX)
    mantissa = round(scaled * 2.0 ** (shift + lift))
    if mantissa > MANTISSA_MAX:
        mantissa, shift = mantissa >> 1, shift - 1
    if shift < 0 or mantissa < least:
        raise ProgramError(
            f"{what} is {value:g} and this program holds "
            f"{max(least, 1) * unit * 2.0 ** -(SHIFT_MAX + lift):.3g} to "
            f"{unit * 2.0 ** (MANTISSA_BITS - lift):.3g}: choose another dt, or other scales by "
            "another reach, less headroom or weaker terms"
        )
    return mantissa, shift
