"""The driver: a `Device` over any word stream, be it golden, simulated or a board's.

Every command carries a tag, and its answer is checked before the next command is sent. Whatever
goes wrong (a refusal, Ctrl-C, an exception out of `progress`), the run is aborted and its answers
are read to the end, so the device works on.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from time import monotonic
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

import numpy as np

from gibbsite.program_check import check_conditions, check_program
from gibbsite.refusals import refusal
from gibbsite.run_reader import RunReader
from gibbsite_hw.spec.device import DeviceInfo, Progress, WordStream
from gibbsite_hw.spec.errors import DeviceError, FingerprintMismatch, ProgramError
from gibbsite_hw.spec.packets import MAGIC, Opcode, Response, header
from gibbsite_hw.spec.parameters import SPEC_VERSION
from gibbsite_hw.spec.program import Conditions, GraphProgram, Row, RunRequest, RunResult
from gibbsite_hw.spec.registers import REGISTERS, Register, RunFlags

__all__ = ["Driver", "PackedStream"]

WORD = 0xFFFF_FFFF

AT_ONCE = 1 << 16
"""Packets that are taken from a stream at a time."""

PROGRESS_SECONDS = 0.1
"""Least time between two calls of `progress`."""


class Packed(Protocol):
    """Whole packets back to back, type code ``I``; a header word says how long its packet is."""

    @property
    def words(self) -> array[int]:
        """All of them."""
        ...


@runtime_checkable
class PackedStream(Protocol):
    """What a stream may offer besides `receive`, for runs of very many draws."""

    def receive_many(self, limit: int) -> Packed:
        """Wait for a packet; gives those that are at hand, at most ``limit`` of them."""
        ...


class Driver:
    """One device over a word stream; see `gibbsite_hw.spec.device.Device`.

    Raises `FingerprintMismatch` if the device was built from another specification.
    """

    def __init__(self, stream: WordStream, clock_hz: float | None = None) -> None:
        self._stream = stream
        self._tag = 0
        self._stale: set[int] = set()
        self._unfinished: int | None = None
        self._rows: list[Row] | None = None
        self._loads = 0
        self.words_sent = 0
        """Words that went into the device since it was opened."""
        self.words_received = 0
        """Words that came out of the device since it was opened."""
        try:
            self._identify()
        except BaseException:
            stream.close()
            raise
        parameters = stream.parameters
        self._info = DeviceInfo(
            stream.uri, ("graph",), parameters, parameters.fingerprint(), clock_hz
        )

    @property
    def info(self) -> DeviceInfo:
        """Engines, sizes, formats and fingerprint."""
        return self._info

    @property
    def loads(self) -> int:
        """How often couplings were loaded since the device was opened."""
        return self._loads

    def load(self, program: GraphProgram) -> None:
        """Load rows, couplings and first conditions; a refused program changes nothing.

        Raises `ProgramError` if it does not fit or its rows are not independent.
        """
        parameters = self._stream.parameters
        check_program(program, parameters)
        self._settle()
        rows, lanes = program.rows, parameters.lanes
        self._rows = None
        self._command(Opcode.BEGIN, [len(rows), len(program.entries) // lanes])
        descriptors = [word for row in rows for word in row.encode()]
        self._send_records(Opcode.ROWS, descriptors, 2)
        self._send_records(Opcode.ENTRIES, program.entries.tolist(), lanes)
        self._send_conditions(program.conditions)
        self._command(Opcode.COMMIT)
        self._rows = list(rows)
        self._loads += 1

    def condition(self, conditions: Conditions) -> None:
        """Replace biases and clamps of the loaded program; couplings stay on the device."""
        check_conditions(conditions, self._loaded(), self._stream.parameters)
        self._settle()
        self._send_conditions(conditions)

    def run(self, request: RunRequest, progress: Progress | None = None) -> RunResult:
        """Draw; the same program, conditions, request and parameters give the same result.

        ``progress(reads done, reads in all)`` may raise to stop the run. ``words_in`` of the result
        counts words into the device, ``words_out`` words out of it.
        """
        rows = len(self._loaded())
        self._check_request(request, rows)
        self._settle()
        sent, received = self.words_sent, self.words_received
        self._set_up(request)
        reader = RunReader(request, rows)
        tag = self._next_tag()
        self._unfinished = tag
        try:
            self._exchange(Opcode.RUN, tag, [])
            self._collect(reader, tag, progress)
            self._unfinished = None
        finally:
            self._settle()
        result = reader.result
        result.words_in = self.words_sent - sent
        result.words_out = self.words_received - received
        return result

    def close(self) -> None:
        """Give the device back; closing twice is allowed."""
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # --- parts of the above -----------------------------------------------------------------------

    def _identify(self) -> None:
        expected = self._stream.parameters
        answer = self._command(Opcode.IDENTIFY)
        if len(answer) != 8 or answer[0] != MAGIC:
            raise DeviceError(
                f"{self._stream.uri} does not answer as a Gibbsite device (magic {MAGIC:#x} "
                f"expected, {[hex(word) for word in answer[:1]]} found): check what is connected"
            )
        version, found = answer[1], answer[2] | answer[3] << 32
        if version != SPEC_VERSION or found != expected.fingerprint():
            raise FingerprintMismatch(
                f"{self._stream.uri} has fingerprint {found:016x} (specification {version}, lanes "
                f"{answer[4]}, rows {answer[5]}, words {answer[6]}, steps {answer[7]}) and this "
                f"host expects {expected.fingerprint():016x} (specification {SPEC_VERSION}, lanes "
                f"{expected.lanes}, rows {expected.rows}, words {expected.words}, steps "
                f"{expected.schedule_steps}): open it with the parameters that it was built with"
            )

    def _loaded(self) -> list[Row]:
        if self._rows is None:
            raise DeviceError("no program is loaded: call load() first")
        return self._rows

    def _check_request(self, request: RunRequest, rows: int) -> None:
        steps = self._stream.parameters.schedule_steps
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
        top = self._stream.parameters.beta_max
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
        self._write(Register.SEED_LOW, request.seed & WORD)
        self._write(Register.SEED_HIGH, request.seed >> 32)
        for register, value in _controls(request):
            self._write(register, value)
        self._send_records(Opcode.SCHEDULE, request.betas.tolist(), 1)
        if request.state is not None:
            self._send_records(Opcode.STATE, request.state.tolist(), 1)

    def _collect(self, reader: RunReader, tag: int, progress: Progress | None) -> None:
        due = monotonic() + PROGRESS_SECONDS
        packed = self._stream.receive_many if isinstance(self._stream, PackedStream) else None
        while not reader.ended:
            if packed is None:
                packet = self._receive()
                reader.take(packet, tag)
            else:
                words = packed(AT_ONCE).words
                self.words_received += len(words)
                reader.take_packed(words, tag)
            if progress is not None and (reader.ended or monotonic() >= due):
                progress(reader.result.reads, reader.reads)
                due = monotonic() + PROGRESS_SECONDS

    def _settle(self) -> None:
        """End a run that is not at its end, and read its answers to the end.

        An interruption of this very loop leaves it to the next command to do it again.
        """
        if self._unfinished is None:
            return
        run_tag, tag = self._unfinished, self._next_tag()
        self._send(header(Opcode.ABORT, tag, 0), [])
        answered = False
        ended = False
        # A run that never started, or ended before ABORT came, answers ABORT with WRONG_STATE.
        while not answered or not ended:
            packet = self._receive()
            kind, of = packet[0] >> 24, packet[0] >> 16 & 0xFF
            if of == tag:
                answered = True
                ended = ended or kind == Response.ERROR
            elif of == run_tag:
                ended = ended or kind in (Response.DONE, Response.ABORTED)
                if kind == Response.ERROR:
                    ended = True
        self._stale.discard(run_tag)
        self._unfinished = None

    def _send_conditions(self, conditions: Conditions) -> None:
        lanes = self._stream.parameters.lanes
        biases = np.array(conditions.biases, dtype=np.int32).view(np.uint32).tolist()
        self._send_records(Opcode.BIASES, biases, lanes)
        masks = [
            mask
            for pair in zip(conditions.clamps_on, conditions.clamps_off, strict=True)
            for mask in pair
        ]
        self._send_records(Opcode.CLAMPS, masks, 2)

    def _send_records(self, opcode: Opcode, words: list[int], record: int) -> None:
        """Records in packets as long as the device takes them, each with its first address."""
        at_once = (self._stream.parameters.payload_words - 1) // record
        for first in range(0, len(words) // record, at_once):
            part = words[first * record : (first + at_once) * record]
            self._command(opcode, [first, *part])

    def _write(self, register: Register, value: int) -> None:
        self._command(Opcode.WRITE, [register, value])

    def _command(self, opcode: Opcode, payload: Sequence[int] = ()) -> list[int]:
        return self._exchange(opcode, self._next_tag(), payload)

    def _exchange(self, opcode: Opcode, tag: int, payload: Sequence[int]) -> list[int]:
        """Send one command and wait for its answer; gives back the answer's payload."""
        self._stale.add(tag)
        self._send(header(opcode, tag, len(payload)), payload)
        while True:
            packet = self._receive()
            kind, of = packet[0] >> 24, packet[0] >> 16 & 0xFF
            if of == tag:
                break
            # An answer to a command that was interrupted before it was answered.
            if of not in self._stale:
                raise DeviceError(
                    f"{self._stream.uri} answered tag {of} to {opcode.name} with tag {tag}: close "
                    "it and open it again"
                )
            self._stale.discard(of)
        self._stale.discard(tag)
        if kind == Response.ERROR:
            code, detail = [*packet[1:], 0, 0][:2]
            raise refusal(opcode, code, detail, self._stream.parameters)
        expected = Response.INFO if opcode in (Opcode.IDENTIFY, Opcode.READ) else Response.OK
        if kind != expected:
            raise DeviceError(
                f"{self._stream.uri} answered {kind:#x} to {opcode.name} where {expected:#x} "
                "belongs: close it and open it again"
            )
        return packet[1:]

    def _next_tag(self) -> int:
        self._tag = (self._tag + 1) & 0xFF
        return self._tag

    def _send(self, first: int, payload: Sequence[int]) -> None:
        self._stream.send([first, *payload])
        self.words_sent += 1 + len(payload)

    def _receive(self) -> list[int]:
        packet = self._stream.receive()
        self.words_received += len(packet)
        if not packet or len(packet) - 1 != packet[0] & 0xFFFF:
            raise DeviceError(
                f"{self._stream.uri} sent a packet of {len(packet)} words whose header "
                f"{[hex(word) for word in packet[:1]]} says another length: close it and open it "
                f"again"
            )
        return packet


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
