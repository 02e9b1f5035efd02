"""The graph engine's driver: its programs, conditions and runs as commands over a `Link`."""

from __future__ import annotations

from functools import partial

import numpy as np

from gibbsite.link import Line, Link
from gibbsite.program_check import check_conditions, check_program
from gibbsite.refusals import refusal
from gibbsite.run_reader import RunReader
from gibbsite_hw.spec.device import Progress
from gibbsite_hw.spec.errors import DeviceError, ProgramError
from gibbsite_hw.spec.packets import Engine, Opcode
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.program import Conditions, GraphProgram, Row, RunRequest, RunResult
from gibbsite_hw.spec.registers import REGISTERS, Register, RunFlags

__all__ = ["GraphDriver"]

WORD = 0xFFFF_FFFF


class GraphDriver:
    """One graph engine; see `gibbsite_hw.spec.device.Device`.

    Raises `FingerprintMismatch` if the device was built from another specification.
    """

    def __init__(self, line: Line, parameters: GraphParameters) -> None:
        self._parameters = parameters
        self._rows: list[Row] | None = None
        self.loads = 0
        """How often couplings were loaded."""
        refused = partial(refusal, parameters=parameters)
        self._link = Link(line, Engine.GRAPH, "graph", parameters.payload_words, refused)
        self._link.identify(
            {
                "lanes": parameters.lanes,
                "rows": parameters.rows,
                "words": parameters.words,
                "steps": parameters.schedule_steps,
            }
        )

    def load(self, program: GraphProgram) -> None:
        """Load rows, couplings and first conditions; a refused program changes nothing.

        Raises `ProgramError` if it does not fit or its rows are not independent.
        """
        check_program(program, self._parameters)
        link = self._link
        link.settle()
        rows, lanes = program.rows, self._parameters.lanes
        self._rows = None
        link.command(Opcode.BEGIN, [len(rows), len(program.entries) // lanes])
        descriptors = [word for row in rows for word in row.encode()]
        link.send_records(Opcode.ROWS, descriptors, 2)
        link.send_records(Opcode.ENTRIES, program.entries.tolist(), lanes)
        self._send_conditions(program.conditions)
        link.command(Opcode.COMMIT)
        self._rows = list(rows)
        self.loads += 1

    def condition(self, conditions: Conditions) -> None:
        """Replace biases and clamps of the loaded program; couplings stay on the device."""
        check_conditions(conditions, self._loaded(), self._parameters)
        self._link.settle()
        self._send_conditions(conditions)

    def run(self, request: RunRequest, progress: Progress | None = None) -> RunResult:
        """Draw; the same program, conditions, request and parameters give the same result.

        ``progress(reads done, reads in all)`` may raise to stop the run. ``words_in`` of the result
        counts words into the device, ``words_out`` words out of it.
        """
        rows, link = len(self._loaded()), self._link
        self._check_request(request, rows)
        link.settle()
        sent, received = link.words_sent, link.words_received
        self._set_up(request)
        reader = RunReader(request, rows)
        link.run(reader, progress)
        result = reader.result
        result.words_in = link.words_sent - sent
        result.words_out = link.words_received - received
        return result

    # --- parts of the above -----------------------------------------------------------------------

    def _loaded(self) -> list[Row]:
        if self._rows is None:
            raise DeviceError("no program is loaded: call load() first")
        return self._rows

    def _check_request(self, request: RunRequest, rows: int) -> None:
        steps = self._parameters.schedule_steps
        if len(request.betas) > steps:
            raise ProgramError(
                f"the schedule has {len(request.betas)} steps and the device holds {steps}: use "
                "fewer steps and more sweeps at each"
            )
        for register, value in _controls(request):
            info = REGISTERS[register]
            if not info.minimum <= value <= info.maximum:
                raise ProgramError(
                    f"{register.name} is {value} and must lie in {info.minimum}..{info.maximum}: "
                    f"choose the {info.doc} anew or split the run"
                )
        if not 0 <= request.seed < 1 << 64:
            raise ProgramError(f"the seed is {request.seed} and has 64 bits: take one of 0..2^64-1")
        top = self._parameters.beta_max
        if len(request.betas) and not 0 <= min(request.betas) <= max(request.betas) <= top:
            raise ProgramError(
                f"a beta code of the schedule is outside 0..{top}: let CompiledModel.betas make "
                f"them"
            )
        if request.state is not None and len(request.state) != rows:
            raise ProgramError(
                f"the state has {len(request.state)} words and the program {rows} rows: give one "
                f"each"
            )

    def _set_up(self, request: RunRequest) -> None:
        """Registers, schedule and state."""
        link = self._link
        link.write(Register.SEED_LOW, request.seed & WORD)
        link.write(Register.SEED_HIGH, request.seed >> 32)
        for register, value in _controls(request):
            link.write(register, value)
        link.send_records(Opcode.SCHEDULE, request.betas.tolist(), 1)
        if request.state is not None:
            link.send_records(Opcode.STATE, request.state.tolist(), 1)

    def _send_conditions(self, conditions: Conditions) -> None:
        lanes = self._parameters.lanes
        biases = np.array(conditions.biases, dtype=np.int32).view(np.uint32).tolist()
        self._link.send_records(Opcode.BIASES, biases, lanes)
        masks = [
            mask
            for pair in zip(conditions.clamps_on, conditions.clamps_off, strict=True)
            for mask in pair
        ]
        self._link.send_records(Opcode.CLAMPS, masks, 2)


def _controls(request: RunRequest) -> list[tuple[Register, int]]:
    flags = RunFlags(0)
    if request.samples:
        flags |= RunFlags.SAMPLES
    if request.best:
        flags |= RunFlags.BEST
    if request.state is not None:
        flags |= RunFlags.GIVEN_STATE
    return [
        (Register.FIRST_CHAIN, request.first_chain),
        (Register.CHAINS, request.chains),
        (Register.DRAWS, request.draws),
        (Register.STEPS, len(request.betas)),
        (Register.SWEEPS_PER_STEP, request.sweeps_per_step),
        (Register.THIN, request.thin),
        (Register.FLAGS, int(flags)),
    ]
