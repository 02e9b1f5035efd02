"""The lattice engine's driver: its programs, conditions and runs as commands over a `Link`."""

from __future__ import annotations

from functools import partial

import numpy as np

from gibbsite.lattice_check import check_conditions, check_program, check_request, controls
from gibbsite.lattice_reader import LatticeReader
from gibbsite.lattice_refusals import lattice_refusal
from gibbsite.link import Line, Link
from gibbsite_hw.spec.device import Progress
from gibbsite_hw.spec.errors import DeviceError
from gibbsite_hw.spec.lattice_packets import LatticeOpcode
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.lattice_program import (
    LatticeConditions,
    LatticeProgram,
    LatticeRequest,
    LatticeResult,
)
from gibbsite_hw.spec.lattice_registers import LatticeRegister
from gibbsite_hw.spec.packets import Engine

__all__ = ["LatticeDriver"]

WORD = 0xFFFF_FFFF


class LatticeDriver:
    """One lattice engine; see `gibbsite_hw.spec.device.Device`.

    Raises `FingerprintMismatch` if the device was built from another specification.
    """

    def __init__(self, line: Line, parameters: LatticeParameters) -> None:
        self._parameters = parameters
        self._columns: int | None = None
        self.loads = 0
        """How often couplings were loaded."""
        refused = partial(lattice_refusal, parameters=parameters)
        self._link = Link(line, Engine.LATTICE, "lattice", parameters.payload_words, refused)
        self._link.identify(
            {
                "rows": parameters.rows,
                "columns": parameters.columns,
                "neighbours": parameters.neighbours,
                "steps": parameters.schedule_steps,
            }
        )

    def load(self, program: LatticeProgram) -> None:
        """Load couplings and first conditions; a refused program changes nothing.

        Raises `ProgramError` if it does not fit or its couplings are not symmetric.
        """
        check_program(program, self._parameters)
        link = self._link
        link.settle()
        self._columns = None
        link.command(LatticeOpcode.BEGIN, [program.columns])
        words = np.array(program.couplings, dtype=np.int8).view("<u4").tolist()
        link.send_records(LatticeOpcode.COUPLINGS, words, self._parameters.neighbours // 4)
        self._send_conditions(program.conditions)
        link.command(LatticeOpcode.COMMIT)
        self._columns = program.columns
        self.loads += 1

    def condition(self, conditions: LatticeConditions) -> None:
        """Replace biases and clamps of the loaded program; couplings stay on the device."""
        check_conditions(conditions, self._loaded(), self._parameters)
        self._link.settle()
        self._send_conditions(conditions)

    def run(self, request: LatticeRequest, progress: Progress | None = None) -> LatticeResult:
        """Draw; the same program, conditions, request and parameters give the same result.

        ``progress(reads done, reads in all)`` may raise to stop the run. ``words_in`` of the result
        counts words into the device, ``words_out`` words out of it.
        """
        columns, link = self._loaded(), self._link
        check_request(request, columns, self._parameters)
        link.settle()
        sent, received = link.words_sent, link.words_received
        link.write(LatticeRegister.SEED_LOW, request.seed & WORD)
        link.write(LatticeRegister.SEED_HIGH, request.seed >> 32)
        for register, value in controls(request):
            link.write(register, value)
        link.send_records(LatticeOpcode.SCHEDULE, request.betas.tolist(), 1)
        if request.state is not None:
            link.send_records(LatticeOpcode.STATE, request.state.tolist(), 1)
        reader = LatticeReader(request, columns * self._parameters.words, self._parameters.banks)
        link.run(reader, progress)
        result = reader.result
        result.words_in = link.words_sent - sent
        result.words_out = link.words_received - received
        return result

    def _loaded(self) -> int:
        if self._columns is None:
            raise DeviceError("no lattice program is loaded: call load() first")
        return self._columns

    def _send_conditions(self, conditions: LatticeConditions) -> None:
        biases = np.array(conditions.biases, dtype=np.int32).view(np.uint32).tolist()
        self._link.send_records(LatticeOpcode.BIASES, biases, 1)
        masks = np.column_stack(
            [
                np.array(conditions.clamps_on, dtype=np.uint32),
                np.array(conditions.clamps_off, dtype=np.uint32),
            ]
        )
        self._link.send_records(LatticeOpcode.CLAMPS, masks.ravel().tolist(), 2)
