"""A dimod model becomes a device program, and what comes back becomes values and energies again.

    E(v) ~ offset + scale E_code(v),      beta_code = round(beta scale 2^beta_frac)

One scale for the whole program; what it loses is measured and bounded (`quantization`). Slots are
coloured and put into rows (`colouring`, `rows`). Energies are in the model's own unit throughout.
"""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gibbsite.colouring import colourings
from gibbsite.conditioning import Clamps, Conditioned, bias_codes, condition_masks, shifted
from gibbsite.quantization import (
    DEFAULT_MAX_ERROR,
    LEAST_CODE,
    OnError,
    Quantization,
    beta_codes,
    choose_scale,
    coarse_for_beta,
    measure,
)
from gibbsite.rows import Layout, lay_out
from gibbsite.slot_model import AnyModel, Kind, SlotModel, slot_model
from gibbsite_hw.spec.errors import DeviceError, ProgramError
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.program import GraphProgram, RunResult

__all__ = ["CompiledModel", "Decoded", "compile_model"]

Integers: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]

AT_ONCE = 1 << 23
"""Slots decoded at a time, which bounds the memory that decoding takes."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a run means in the model's terms, one row a read, in order of chain, then draw.

    ``values``           reads x variables: -1/+1, 0/1 or the number of the case
    ``energies``         exact recomputation from the model's own floats
    ``device_energies``  what the device counted, in the model's unit; they differ by quantization
    """

    values: NDArray[np.int16]
    energies: Floats
    device_energies: Floats


@dataclass(frozen=True, slots=True)
class CompiledModel:
    """A model ready for a device: ``device.load(compiled.program)``.

    ``scale`` is the energy of one code, ``quantization`` what the codes lose, ``layout`` where each
    slot lies. Slots are numbered as in ``model``: `slot` gives a variable's.
    """

    model: SlotModel
    parameters: GraphParameters
    program: GraphProgram
    layout: Layout
    scale: float
    quantization: Quantization
    base: Conditioned
    max_error: float
    on_error: OnError

    @property
    def variables(self) -> tuple[Hashable, ...]:
        """The variables in the order of decoded columns."""
        return self.model.labels

    @property
    def sweep_cycles(self) -> int:
        """Cycles of one sweep on the device."""
        return self.layout.sweep_cycles

    def address(self, variable: Hashable, case: int = 0) -> int:
        """The slot address, ``row * lanes + lane``, of a spin or of one case of a choice."""
        slot = int(self.model.first[self._number(variable)]) + case
        return int(self.layout.row[slot] * self.parameters.lanes + self.layout.lane[slot])

    def betas(self, betas: float | Sequence[float] | Floats) -> array[int]:
        """Codes of inverse temperatures, each per unit of the model's energy, for `RunRequest`.

        Raises `ProgramError` for a beta outside the format, with the limit that would fit.
        """
        values = np.atleast_1d(np.asarray(betas, dtype=np.float64))
        return array("I", beta_codes(values, self.scale, self.parameters).tolist())

    @property
    def beta_limits(self) -> tuple[float, float]:
        """The smallest beta above 0 that is held within 1 %, and the largest."""
        unit = self.scale * 2.0**self.parameters.beta_frac
        return LEAST_CODE / unit, self.parameters.beta_max / unit

    def conditions(
        self,
        *,
        biases: Mapping[Hashable, ArrayLike] | None = None,
        clamps_on: Mapping[Hashable, int] | None = None,
        clamps_off: Mapping[Hashable, Iterable[int]] | None = None,
    ) -> Conditioned:
        """What changes without touching couplings: ``device.condition(result.conditions)``.

        ``biases``      {variable: number, or one number a case}, added to the model's own; a number
                        for a BINARY variable multiplies its 0/1 value
        ``clamps_on``   {variable: the value (-1/+1, 0/1, or case) at which it is pinned}
        ``clamps_off``  {variable: the values that it may not take}

        Raises `ProgramError` when a bias does not fit or nothing is left for a variable.
        """
        linear, offset = self.model.linear.copy(), self.model.offset
        for variable, value in (biases or {}).items():
            number = self._number(variable)
            span = slice(int(self.model.first[number]), int(self.model.first[number + 1]))
            added = np.asarray(value, dtype=np.float64)
            if not np.isfinite(added).all():
                raise ProgramError(f"the bias added to {variable!r} is not finite: give numbers")
            if added.ndim > 1 or (added.ndim and len(added) != span.stop - span.start):
                raise ProgramError(
                    f"{variable!r} has {span.stop - span.start} slots and {added.size} biases were "
                    f"given: give one number, or one a case"
                )
            if self.model.kinds[number] is Kind.BINARY:
                added = added / 2
                offset += float(added.sum())
            linear[span] += added
        clamps = Clamps.of(self.model, self._number, clamps_on or {}, clamps_off or {})
        if not biases:
            codes, _, shift = bias_codes(self.model, linear, self.scale)
            conditions = condition_masks(self.layout, self.parameters, codes, clamps)
            return Conditioned(conditions, linear, offset, offset + shift, self.quantization)
        return self._conditioned(linear, offset, clamps)

    def state(self, sample: Mapping[Hashable, int]) -> array[int]:
        """The words of a state, for `RunRequest.state`; every variable must have a value."""
        slots = np.zeros(self.model.slots, dtype=np.int64)
        for number, variable in enumerate(self.model.labels):
            if variable not in sample:
                raise ProgramError(
                    f"the state gives {variable!r} no value: give every variable one"
                )
            slots[
                int(self.model.first[number]) + _on_slot(self.model, number, sample[variable])
            ] |= self.model.kinds[number] is Kind.CHOICE or sample[variable] == 1
        words = np.zeros(len(self.layout.rows), dtype=np.int64)
        np.add.at(words, self.layout.row, slots << self.layout.lane)
        return array("I", words.tolist())

    def decode(
        self, result: RunResult, under: Conditioned | None = None, *, best: bool = False
    ) -> Decoded:
        """Values and energies of every read; ``best`` decodes the best states instead.

        ``under`` are the conditions of the run, if not the model's own.

        Raises `DeviceError` for a state in which a choice has not exactly one case.
        """
        under = under or self.base
        rows = len(self.layout.rows)
        codes = np.frombuffer(result.best_energies if best else result.energies, dtype=np.int64)
        words = np.frombuffer(result.best_states if best else result.states, dtype=np.uint32)
        if len(words) != len(codes) * rows:
            raise DeviceError(
                f"{len(codes)} reads of {rows} rows make {len(codes) * rows} words and the result "
                f"has {len(words)}: ask for {'best=True' if best else 'samples=True'} in the "
                "request"
            )
        words = words.reshape(len(codes), rows)
        values = np.empty((len(codes), len(self.model.labels)), dtype=np.int16)
        energies = np.empty(len(codes), dtype=np.float64)
        step = max(1, AT_ONCE // max(1, self.model.slots))
        for begin in range(0, len(codes), step):
            part = slice(begin, begin + step)
            values[part], energies[part] = self._decoded(words[part], under)
        device_energies = under.code_offset + self.scale * codes.astype(np.float64)
        return Decoded(values, energies, device_energies)

    def _decoded(
        self, words: NDArray[np.uint32], under: Conditioned
    ) -> tuple[NDArray[np.int16], Floats]:
        model = self.model
        if not model.slots:
            return np.zeros((len(words), 0), np.int16), np.full(len(words), under.offset)
        bits = (words[:, self.layout.row] >> self.layout.lane.astype(np.uint32)) & np.uint32(1)
        bits = bits.astype(np.int16)
        kinds = np.array([kind.value for kind in model.kinds])
        choice = kinds == Kind.CHOICE.value
        if choice.any():
            cases = np.arange(model.slots, dtype=np.int64) - np.repeat(
                model.first[:-1], model.sizes
            )
            values = np.add.reduceat(bits * cases.astype(np.int16), model.first[:-1], axis=1)
            counts = np.add.reduceat(bits, model.first[:-1], axis=1)
            values = np.where(choice, values, counts).astype(np.int16)
            if (counts[:, choice] != 1).any():
                read, column = np.argwhere((counts != 1) & choice)[0]
                raise DeviceError(
                    f"read {read} has {counts[read, column]} cases set of "
                    f"{model.labels[column]!r}, and a choice has one: the device is not following "
                    "its program; load it again"
                )
        else:
            values = bits
        spins = kinds == Kind.SPIN.value
        values = np.where(spins, 2 * values - 1, values).astype(np.int16)
        floats = np.where(model.is_spin, 2.0 * bits - 1.0, bits.astype(np.float64))
        return values, under.energies(model, floats)

    def _conditioned(self, linear: Floats, offset: float, clamps: Clamps) -> Conditioned:
        codes, wanted, shift = bias_codes(self.model, linear, self.scale)
        _refuse_biases(self.model, codes, linear, self.scale, self.parameters)
        report = measure(
            self.model,
            wanted,
            codes,
            np.rint(self.model.weight / self.scale).astype(np.int64),
            self.scale,
            max_error=self.max_error,
            on_error=self.on_error,
            vanished_known=True,
        )
        conditions = condition_masks(self.layout, self.parameters, codes, clamps)
        return Conditioned(conditions, linear, offset, offset + shift, report)

    def _number(self, variable: Hashable) -> int:
        try:
            return self.model.number(variable)
        except KeyError:
            raise ProgramError(
                f"the model has no variable {variable!r}: use one of its {len(self.variables)} "
                f"labels"
            ) from None


def compile_model(
    model: AnyModel | SlotModel,
    parameters: GraphParameters,
    *,
    beta_max: float | None = None,
    beta_min: float | None = None,
    future_biases: Iterable[float] = (),
    max_error: float = DEFAULT_MAX_ERROR,
    on_error: OnError = "raise",
) -> CompiledModel:
    """The program of a model for a device with these parameters.

    ``beta_max``       the largest beta that runs will ask for; the scale leaves room for it
    ``beta_min``       the smallest above 0; the scale is coarsened where it would have no code
    ``future_biases``  values that later `conditions` will add; the scale holds them exactly if it
    can
    ``max_error``      largest error of a coefficient, relative to the largest coefficient
    ``on_error``       "raise", or "warn" to go on beyond ``max_error`` or when couplings vanish

    Raises `ProgramError`: coefficients not finite, quantization beyond the bound, or too large.
    """
    slots = model if isinstance(model, SlotModel) else slot_model(model)
    future = np.array(list(future_biases), dtype=np.float64)
    from_lowest, largest_bias = shifted(slots, slots.linear)
    fitting = partial(
        choose_scale,
        slots.weight,
        np.concatenate([from_lowest, future, future / 2]),
        largest_bias + float(np.abs(future).max(initial=0.0)),
        parameters,
        beta_max,
    )
    scale = fitting(beta_min)
    for_beta = coarse_for_beta(scale, fitting(), parameters, beta_min)
    weights = np.rint(slots.weight / scale).astype(np.int64)
    codes, wanted, shift = bias_codes(slots, slots.linear, scale)
    report = measure(
        slots,
        wanted,
        codes,
        weights,
        scale,
        max_error=max_error,
        on_error=on_error,
        for_beta=for_beta,
    )
    kept = weights != 0
    low, high, weights = slots.low[kept], slots.high[kept], weights[kept]
    degrees = np.bincount(low, minlength=slots.slots) + np.bincount(high, minlength=slots.slots)
    layout = lay_out(slots, degrees, list(colourings(slots)), parameters)
    conditions = condition_masks(layout, parameters, codes, Clamps.none(slots))
    entries = _entries(slots, layout, (low, high, weights), degrees, parameters)
    program = GraphProgram(layout.rows, entries, conditions)
    base = Conditioned(conditions, slots.linear, slots.offset, slots.offset + shift, report)
    return CompiledModel(
        slots, parameters, program, layout, scale, report, base, max_error, on_error
    )


def _entries(
    model: SlotModel,
    layout: Layout,
    pairs: tuple[Integers, Integers, Integers],
    degrees: Integers,
    parameters: GraphParameters,
) -> array[int]:
    """The coupling memory: each slot's list dealt out over the lanes that share it."""
    low, high, weights = pairs
    source = np.concatenate([low, high])
    order = np.argsort(source, kind="stable")
    source, other = source[order], np.concatenate([high, low])[order]
    weight = np.concatenate([weights, weights])[order]
    place = np.arange(len(source), dtype=np.int64) - (np.cumsum(degrees) - degrees)[source]
    fold = np.array([row.fold for row in layout.rows], dtype=np.int64)[layout.row[source]]
    word = layout.start[layout.row[source]] + (place >> fold)
    lane = layout.lane[source] + (place & ((1 << fold) - 1))
    lanes = parameters.lanes
    address = layout.row[other] * lanes + layout.lane[other]
    code = weight & ((1 << parameters.weight_bits) - 1)
    state = (~model.is_spin[other]).astype(np.int64)
    bits = parameters.address_bits
    words = np.zeros(layout.words * lanes, dtype=np.uint32)
    words[word * lanes + lane] = (
        address | code << bits | state << (bits + parameters.weight_bits)
    ).astype(np.uint32)
    entries = array("I")
    entries.frombytes(words.tobytes())
    return entries


def _refuse_biases(
    model: SlotModel,
    codes: Integers,
    linear: Floats,
    scale: float,
    parameters: GraphParameters,
) -> None:
    worst = int(np.abs(codes).argmax()) if len(codes) else 0
    if len(codes) and abs(int(codes[worst])) > parameters.bias_max:
        raise ProgramError(
            f"the bias {linear[worst]:.6g} of {model.name(worst)} needs code {int(codes[worst])} "
            f"and the device takes {parameters.bias_max}: stay within "
            f"{parameters.bias_max * scale:.6g}, or compile with it among future_biases"
        )


def _on_slot(model: SlotModel, number: int, value: int) -> int:
    """The slot, counted from the variable's first, that a value belongs to; checks the value."""
    kind = model.kinds[number]
    allowed: Sequence[int] = {
        Kind.SPIN: (-1, 1),
        Kind.BINARY: (0, 1),
        Kind.CHOICE: range(int(model.sizes[number])),
    }[kind]
    if value not in allowed:
        raise ProgramError(
            f"{model.labels[number]!r} cannot be {value}: its values are {allowed[0]} to "
            f"{allowed[-1]}"
        )
    return int(value) if kind is Kind.CHOICE else 0
