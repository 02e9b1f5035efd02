"""What the driver checks before anything is sent: a lattice program that is accepted samples right.

What the device cannot see is checked here alone: the coupling of a pair is the same at both ends,
and no pair is joined twice across the edges of a small torus.

Source: docs/lattice-engine.md, "What it holds".
"""

from __future__ import annotations

from array import array

import numpy as np

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.lattice_program import LatticeConditions, LatticeProgram, LatticeRequest
from gibbsite_hw.spec.lattice_registers import LATTICE_REGISTERS, LatticeRegister
from gibbsite_hw.spec.lattice_tables import BETA_MAX
from gibbsite_hw.spec.registers import RunFlags

__all__ = ["check_conditions", "check_program", "check_request", "controls"]


def check_program(program: LatticeProgram, parameters: LatticeParameters) -> None:
    """Raises `ProgramError` for what would be refused, or accepted and sampled wrongly."""
    p, columns = parameters, program.columns
    if columns % 2 or not 2 <= columns <= p.columns:
        raise ProgramError(
            f"the program has {columns} columns and must have an even number in 2..{p.columns}: "
            "leave a column unused, or open a device with more columns"
        )
    wanted = columns * p.rows * p.neighbours
    if len(program.couplings) != wanted:
        raise ProgramError(
            f"the program has {len(program.couplings)} coupling codes and {columns} x {p.rows} "
            f"sites need {wanted}: give {p.neighbours} a site"
        )
    codes = np.array(program.couplings, dtype=np.int64).reshape(columns, p.rows, p.neighbours)
    if np.abs(codes).max() > p.coupling_max:
        raise ProgramError(
            f"a coupling code is {int(codes.flat[np.abs(codes).argmax()])} and must lie within "
            f"+-{p.coupling_max}: scale the couplings down"
        )
    _check_pairs(codes, p, columns)
    check_conditions(program.conditions, columns, p)


def _check_pairs(codes: np.ndarray, p: LatticeParameters, columns: int) -> None:
    met: dict[tuple[int, int], list[int]] = {}
    for k, (row, column) in enumerate(p.offsets):
        before = met.setdefault((row % p.rows, column % columns), [])
        for other_k in before:
            # two open columns use both offsets, but no site uses more than one of them
            twice = np.argwhere((codes[:, :, k] != 0) & (codes[:, :, other_k] != 0))
            if len(twice):
                c, r = (int(value) for value in twice[0])
                raise ProgramError(
                    f"site (row {r}, column {c}) has couplings at offsets {p.offsets[other_k]} and "
                    f"{(row, column)}, which meet the same site of a torus of {p.rows} rows and "
                    f"{columns} columns: use a larger lattice or open edges"
                )
        before.append(k)
        back = k + 2 if k % 4 < 2 else k - 2
        other = np.roll(codes[:, :, back], (-column, -row), axis=(0, 1))
        wrong = np.argwhere(codes[:, :, k] != other)
        if len(wrong):
            c, r = (int(value) for value in wrong[0])
            raise ProgramError(
                f"the coupling of site (row {r}, column {c}) at offset {(row, column)} is "
                f"{int(codes[c, r, k])} and {int(other[c, r])} at its other end: give both ends "
                "the same"
            )


def check_conditions(
    conditions: LatticeConditions, columns: int, parameters: LatticeParameters
) -> None:
    """Raises `ProgramError` for biases or clamps that do not fit the program."""
    p = parameters
    sites, words = columns * p.rows, columns * p.words
    if len(conditions.biases) != sites:
        raise ProgramError(
            f"there are {len(conditions.biases)} biases and {sites} sites: give one a site"
        )
    largest = max(conditions.biases, key=abs)
    if abs(largest) > p.bias_max:
        raise ProgramError(
            f"a bias code is {largest} and must lie within +-{p.bias_max}: scale the biases down"
        )
    for name in ("clamps_on", "clamps_off"):
        _check_bits(name, getattr(conditions, name), words, p)
    for at, (on, off) in enumerate(zip(conditions.clamps_on, conditions.clamps_off, strict=True)):
        if on & off:
            raise ProgramError(
                f"column {at // p.words} has a site that is clamped on and off: drop one of both"
            )


def check_request(request: LatticeRequest, columns: int, parameters: LatticeParameters) -> None:
    """Raises `ProgramError` for a run that the registers or the schedule cannot hold."""
    steps = parameters.schedule_steps
    if len(request.betas) > steps:
        raise ProgramError(
            f"the schedule has {len(request.betas)} steps and the device holds {steps}: use "
            "fewer steps and more sweeps at each"
        )
    for register, value in controls(request):
        info = LATTICE_REGISTERS[register]
        if not info.minimum <= value <= info.maximum:
            raise ProgramError(
                f"{register.name} is {value} and must lie in {info.minimum}..{info.maximum}: "
                f"choose the {info.doc} anew or split the run"
            )
    if not 0 <= request.seed < 1 << 64:
        raise ProgramError(f"the seed is {request.seed} and has 64 bits: take one of 0..2^64-1")
    if len(request.betas) and not 0 <= min(request.betas) <= max(request.betas) <= BETA_MAX:
        raise ProgramError(
            f"a beta code of the schedule is outside 0..{BETA_MAX}: let CompiledLattice.betas make "
            "them"
        )
    if request.state is not None:
        _check_bits("state", request.state, columns * parameters.words, parameters)


def controls(request: LatticeRequest) -> list[tuple[LatticeRegister, int]]:
    """The registers of a run and their values, the seed's excepted."""
    flags = RunFlags(0)
    if request.samples:
        flags |= RunFlags.SAMPLES
    if request.best:
        flags |= RunFlags.BEST
    if request.state is not None:
        flags |= RunFlags.GIVEN_STATE
    return [
        (LatticeRegister.FIRST_CHAIN, request.first_chain),
        (LatticeRegister.CHAINS, request.chains),
        (LatticeRegister.DRAWS, request.draws),
        (LatticeRegister.STEPS, len(request.betas)),
        (LatticeRegister.SWEEPS_PER_STEP, request.sweeps_per_step),
        (LatticeRegister.THIN, request.thin),
        (LatticeRegister.FLAGS, int(flags)),
    ]


def _check_bits(name: str, bits: array[int], words: int, p: LatticeParameters) -> None:
    if len(bits) != words:
        raise ProgramError(
            f"{name} has {len(bits)} words and the program needs {words}: give {p.words} a column"
        )
    last = 0xFFFF_FFFF >> (32 * p.words - p.rows)
    for at in range(p.words - 1, len(bits), p.words):
        if bits[at] > last:
            raise ProgramError(
                f"{name} has a bit above row {p.rows - 1} in column {at // p.words}: leave it 0"
            )
