"""The Langevin engine's driver: its programs, conditions and runs as commands over a `Link`."""

from __future__ import annotations

from array import array
from dataclasses import replace
from functools import partial

from gibbsite.langevin_check import COUNTS, check_conditions, check_program, check_request
from gibbsite.langevin_reader import LangevinReader
from gibbsite.langevin_refusals import langevin_refusal
from gibbsite.link import Line, Link
from gibbsite_hw.spec.device import Progress
from gibbsite_hw.spec.errors import DeviceError
from gibbsite_hw.spec.langevin_formats import MANTISSA_BITS
from gibbsite_hw.spec.langevin_packets import LANGEVIN_RECORDS, LangevinOpcode
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.langevin_program import (
    LangevinConditions,
    LangevinProgram,
    LangevinRequest,
    LangevinResult,
)
from gibbsite_hw.spec.langevin_registers import LangevinFlags, LangevinRegister
from gibbsite_hw.spec.packets import Engine

__all__ = ["LangevinDriver"]

WORD = 0xFFFF_FFFF
_O = LangevinOpcode
_R = LangevinRegister


class LangevinDriver:
    """One Langevin engine; see `gibbsite_hw.spec.device.Device`.

    Raises `FingerprintMismatch` if the device was built from another specification.
    """

    def __init__(self, line: Line, parameters: LangevinParameters) -> None:
        self._parameters = parameters
        self._size: tuple[int, int] | None = None
        self.loads = 0
        """How often couplings were loaded."""
        refused = partial(langevin_refusal, parameters=parameters)
        self._link = Link(line, Engine.LANGEVIN, "langevin", parameters.payload_words, refused)
        self._link.identify(
            {
                "units": parameters.units,
                "constraints": parameters.constraints,
                "multipliers": parameters.multipliers,
                "schedule entries": parameters.schedule_entries,
            }
        )

    def load(self, program: LangevinProgram) -> None:
        """Load coefficients, couplings and first conditions; a refused program changes nothing.

        Raises `ProgramError` if it does not fit or its couplings are not symmetric.
        """
        check_program(program, self._parameters)
        link, units, constraints = self._link, program.units, program.constraints
        link.settle()
        self._size = None
        sizes = [units, constraints, int(len(program.couplings) > 0)]
        link.command(_O.BEGIN, [*sizes, *program.shifts.encode()])
        coefficients = zip(program.quadratic, program.quartic, program.force, strict=True)
        self._send(_O.UNITS, [code for record in coefficients for code in record])
        multipliers = self._parameters.multipliers
        halves = [code & 0xFFFF for word in program.weight_words(multipliers) for code in word]
        pairs = [low | high << 16 for low, high in zip(halves[::2], halves[1::2], strict=True)]
        link.send_records(_O.WEIGHTS, pairs, multipliers // 2)
        self._send_conditions(program.conditions, units)
        link.command(_O.COMMIT)
        self._size = units, constraints
        self.loads += 1

    def condition(self, conditions: LangevinConditions) -> None:
        """Replace biases, constraints and clamps of the loaded program; couplings stay."""
        units, constraints = self._loaded()
        check_conditions(conditions, units, constraints)
        self._link.settle()
        self._send_conditions(conditions, units)

    def run(self, request: LangevinRequest, progress: Progress | None = None) -> LangevinResult:
        """Draw; the same program, conditions, request and parameters give the same result.

        ``progress(reads done, reads in all)`` may raise to stop the run. ``words_in`` of the result
        counts words into the device, ``words_out`` words out of it.
        """
        units, _ = self._loaded()
        check_request(request, units, self._parameters)
        # numpy's narrow integers overflow where words are put together
        request = replace(request)
        for name in COUNTS:
            setattr(request, name, int(getattr(request, name)))
        link = self._link
        link.settle()
        sent, received = link.words_sent, link.words_received
        self._set_up(request, units)
        reader = LangevinReader(request, units)
        link.run(reader, progress)
        reader.result.words_in = link.words_sent - sent
        reader.result.words_out = link.words_received - received
        return reader.result

    def _loaded(self) -> tuple[int, int]:
        if self._size is None:
            raise DeviceError("no program is loaded: call load() first")
        return self._size

    def _set_up(self, request: LangevinRequest, units: int) -> None:
        """Registers, schedule, pairs and state."""
        for register, value in _controls(request):
            self._link.write(register, value)
        self._send(_O.SCHEDULE, [word for entry in request.schedule for word in entry.encode()])
        pairs = [int(i) | (1 << 24 if j is None else int(j) << 12) for i, j in request.pairs]
        self._send(_O.PAIRS, pairs)
        state = request.state if request.state is not None else array("i", bytes(4 * units))
        self._send(_O.STATE, state.tolist())

    def _send_conditions(self, conditions: LangevinConditions, units: int) -> None:
        self._send(_O.BIASES, conditions.biases.tolist())
        rows = [(int(row.hinge), row.weight, row.offset) for row in conditions.constraints]
        self._send(_O.CONSTRAINTS, [code for record in rows for code in record])
        clamps = conditions.clamps
        held = [(int(unit in clamps), clamps.get(unit, 0)) for unit in range(units)]
        self._send(_O.CLAMPS, [code for record in held for code in record])

    def _send(self, opcode: LangevinOpcode, codes: list[int]) -> None:
        words = [int(code) & WORD for code in codes]
        self._link.send_records(opcode, words, LANGEVIN_RECORDS[opcode])


def _controls(request: LangevinRequest) -> list[tuple[LangevinRegister, int]]:
    flags = LangevinFlags(0)
    if request.samples:
        flags |= LangevinFlags.SAMPLES
    if request.best:
        flags |= LangevinFlags.BEST
    if request.trajectory:
        flags |= LangevinFlags.TRAJECTORY
    mantissa, shift = map(int, request.start)
    return [
        (_R.SEED_LOW, request.seed & WORD),
        (_R.SEED_HIGH, request.seed >> 32),
        (_R.FIRST_CHAIN, request.first_chain),
        (_R.CHAINS, request.chains),
        (_R.DRAWS, request.draws),
        (_R.ENTRIES, len(request.schedule)),
        (_R.START, mantissa | shift << MANTISSA_BITS),
        (_R.THIN, request.thin),
        (_R.FLAGS, int(flags)),
        (_R.MOMENT_EVERY, request.moment_every),
        (_R.PAIRS, len(request.pairs)),
    ]
