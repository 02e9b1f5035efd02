"""The compiled emulator as a device: golden's bits, at the speed of the machine.

    stream = FastStream(build, threads=2)
    with FastDevice(Driver(stream), stream) as device:     # what gibbsite.open("fast:") does
        result = device.run(request)

Twin: a `gibbsite.driver.Driver` over `gibbsite_models.golden.device.GoldenStream`.
"""

from array import array
from dataclasses import dataclass, fields
from types import TracebackType
from typing import Any, Self, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.device import (
    AnyConditions,
    AnyProgram,
    AnyRequest,
    AnyResult,
    Device,
    DeviceInfo,
    Progress,
)
from gibbsite_hw.spec.errors import ProgramError
from gibbsite_hw.spec.langevin_program import LangevinRequest, LangevinResult
from gibbsite_hw.spec.lattice_program import LatticeCounters, LatticeRequest, LatticeResult
from gibbsite_hw.spec.program import Counters, RunRequest, RunResult
from gibbsite_hw.spec.registers import REGISTERS, Register
from gibbsite_sim.fast.stream import FastStream

__all__ = ["FastDevice", "ReplicaRun"]

WORD = 0xFFFF_FFFF

Integers: TypeAlias = NDArray[np.integer[Any]]


@dataclass(slots=True)
class ReplicaRun:
    """Replicas after their sweeps: ``states uint32[K, rows]``, ``energies int64[K]`` in codes.

    Counters are those of K runs, one after the other; no words moved.
    """

    states: NDArray[np.uint32]
    energies: NDArray[np.int64]
    counters: Counters


@dataclass(slots=True)
class LatticeReplicaRun:
    """The same of a lattice program: ``states uint32[K, columns * words]``."""

    states: NDArray[np.uint32]
    energies: NDArray[np.int64]
    counters: LatticeCounters


class FastDevice:
    """A `Device`, and replicas side by side: what a driver sees through a `FastStream`."""

    def __init__(self, device: Device, stream: FastStream) -> None:
        self._device, self._stream = device, stream

    @property
    def info(self) -> DeviceInfo:
        """Engines, sizes, formats and fingerprint."""
        return self._device.info

    @property
    def loads(self) -> int:
        """How often couplings were loaded since the device was opened."""
        return self._device.loads

    @property
    def words_sent(self) -> int:
        """Words that went into the device, as far as its driver counts them."""
        return int(getattr(self._device, "words_sent", 0))

    @property
    def words_received(self) -> int:
        """Words that came out of the device, as far as its driver counts them."""
        return int(getattr(self._device, "words_received", 0))

    def load(self, program: AnyProgram) -> None:
        """Load couplings and first conditions; a refused program changes nothing."""
        self._device.load(program)

    def condition(self, conditions: AnyConditions) -> None:
        """Replace the conditions of the loaded program; couplings stay on the device."""
        self._device.condition(conditions)

    @overload
    def run(self, request: RunRequest, progress: Progress | None = None) -> RunResult: ...

    @overload
    def run(self, request: LangevinRequest, progress: Progress | None = None) -> LangevinResult: ...

    @overload
    def run(self, request: LatticeRequest, progress: Progress | None = None) -> LatticeResult: ...

    def run(self, request: AnyRequest, progress: Progress | None = None) -> AnyResult:
        """Draw; the result is golden's, to the bit."""
        return self._device.run(request, progress)

    def run_replicas(
        self,
        seed: int,
        chains: Integers,
        betas: Integers,
        states: NDArray[np.uint32] | None,
        sweeps: int,
    ) -> ReplicaRun:
        """Advance replicas of the graph program: chain ``chains[k]`` at beta code ``betas[k]``.

        Replica k ends as a run of that one chain would, from ``states[k]`` (drawn where none are
        given), after ``sweeps`` sweeps at its beta: the same state and energy, to the bit.
        Raises what that run would.
        """
        numbers, codes = np.asarray(chains), np.asarray(betas)
        given = None if states is None else np.ascontiguousarray(states, dtype=np.uint32)
        shapes = [numbers.shape, codes.shape, codes.shape if given is None else given.shape[:1]]
        if len(set(shapes)) != 1 or len(shapes[0]) != 1:
            raise ProgramError(
                f"chains, betas and states of replicas have the shapes {shapes}: give one of each"
            )
        if not numbers.size:
            raise ProgramError("there are no replicas: give one chain at least")
        engine = self._stream.graph_engine()
        allowed = REGISTERS[Register.SWEEPS_PER_STEP]
        if (
            engine is None
            or not 0 <= seed < 1 << 64
            or not allowed.minimum <= sweeps <= allowed.maximum
            or not _within(codes, self.info.graph.beta_max)
            or not _within(numbers, WORD)
            or (given is not None and not engine.accepts(given))
        ):
            # an ordinary run of each says what is wrong
            return self._one_by_one(seed, numbers, codes, given, sweeps)
        found, energies = engine.replicas(
            seed, numbers.astype(np.uint64), codes.astype(np.int64), given, sweeps
        )
        count, cost = len(codes), engine.cost
        return ReplicaRun(
            found,
            energies,
            Counters(
                cycles=count * (cost.seeding + (sweeps + 1) * cost.cycles),
                sweep_cycles=count * sweeps * cost.cycles,
                terms=count * sweeps * cost.terms,
                updates=count * sweeps * cost.updates,
                sweeps=count * sweeps,
                reads=count,
            ),
        )

    def run_lattice_replicas(
        self,
        seed: int,
        chains: Integers,
        betas: Integers,
        states: NDArray[np.uint32] | None,
        sweeps: int,
    ) -> LatticeReplicaRun | None:
        """The same for the lattice program; None where ordinary runs have to say what is wrong."""
        from gibbsite_sim.fast import lattice_replicas

        engine = self._stream.lattice_engine()
        numbers, codes = np.asarray(chains, np.int64), np.asarray(betas, np.int64)
        fits = numbers.shape == codes.shape and numbers.ndim == 1 and 0 <= seed < 1 << 64
        if engine is None or not fits:
            return None
        if not lattice_replicas.accepts(engine, numbers, codes, states, sweeps):
            return None
        found = lattice_replicas.advance(engine, seed, numbers, codes, states, sweeps)
        return LatticeReplicaRun(*found, lattice_replicas.cost(engine, len(codes), sweeps))

    def _one_by_one(
        self,
        seed: int,
        chains: Integers,
        betas: Integers,
        states: NDArray[np.uint32] | None,
        sweeps: int,
    ) -> ReplicaRun:
        """`run_replicas` as ordinary runs."""
        results = [
            self._device.run(
                RunRequest(
                    array("I", [int(beta)]),
                    seed=seed,
                    first_chain=int(chain),
                    sweeps_per_step=sweeps,
                    state=None if states is None else array("I", states[k].tolist()),
                )
            )
            for k, (chain, beta) in enumerate(zip(chains, betas, strict=True))
        ]
        total = Counters()
        for result in results:
            for field in fields(total):
                name = field.name
                setattr(total, name, getattr(total, name) + getattr(result.counters, name))
        return ReplicaRun(
            np.array([result.states for result in results], dtype=np.uint32),
            np.array([result.energies[0] for result in results], dtype=np.int64),
            total,
        )

    def close(self) -> None:
        """Give the device back; closing twice is allowed."""
        self._device.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _within(codes: Integers, most: int) -> bool:
    """Whether all lie in 0..most."""
    return bool(np.all((codes >= 0) & (codes <= most)))
