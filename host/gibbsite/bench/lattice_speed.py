"""Flips a second of the lattice engine: the emulator and the RTL beside peers, and how time grows.

All of a measure run the same instance for the same number of spin updates, one thread each unless
it says otherwise. A flip is one decision of one spin.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

import dimod
import numpy as np

from gibbsite.bench.pairs import Ratio, Work, ratio, timed
from gibbsite.bench.peers import Annealer, thrml_lattice
from gibbsite.devices import open as open_device
from gibbsite.lattice_model import compile_lattice
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.lattice_program import LatticeRequest

__all__ = ["Growth", "five_bit", "growth", "plus_minus", "rtl", "torus", "with_thrml"]

SIDE: Final = 64
CHAINS: Final = 1024
BETA: Final = 0.5

RTL_BANKS: Final = 8
"""Banks of the RTL, one chain each: the cost of a cycle is shared, as on a board."""


def torus(side: int, seed: int, *, five_bit: bool = False) -> dimod.BinaryQuadraticModel:
    """Couplings -1 or +1; with ``five_bit`` any code of 5 bits, and biases of 7."""
    rng = np.random.default_rng(seed)
    model = dimod.BinaryQuadraticModel("SPIN")
    for row in range(side):
        for column in range(side):
            bias = float(rng.integers(-63, 64)) if five_bit else 0.0
            model.add_linear((row, column), bias)
    for row in range(side):
        for column in range(side):
            for other in ((row, (column + 1) % side), ((row + 1) % side, column)):
                code = rng.integers(-15, 16) if five_bit else rng.choice([-1, 1])
                model.add_quadratic((row, column), other, float(code))
    return model


def _runs(device: Device, model: dimod.BinaryQuadraticModel, chains: int, sweeps: int) -> Work:
    """Runs of so many chains and sweeps at one beta; only energies come back."""
    compiled = compile_lattice(model, device.info.lattice)
    device.load(compiled.program)
    top = max(map(abs, model.quadratic.values()))
    request = LatticeRequest(
        compiled.betas([BETA / top]),
        chains=chains,
        sweeps_per_step=sweeps,
        samples=False,
    )

    def work() -> float:
        return float(device.run(request).counters.updates)

    return work


def _annealer(model: dimod.BinaryQuadraticModel, reads: int, sweeps: int) -> Work:
    # at a constant temperature, as ours: dwave-samplers' range may be one value
    top = max(map(abs, model.quadratic.values()))
    peer = Annealer(model, (BETA / top, BETA / top), sweeps)

    def work() -> float:
        peer.reads(reads, 1)
        return float(reads * sweeps * model.num_variables)

    return work


def _address(scheme: str, side: int) -> str:
    joint = "&" if "?" in scheme else "?"
    return f"{scheme}{joint}engines=lattice&lattice_rows={side}&lattice_columns={side}"


def plus_minus(pairs: int = 7, chains: int = CHAINS, sweeps: int = 400) -> Ratio:
    """`fast:` over dwave-samplers' simulated annealing, 64x64 +-J torus."""
    model = torus(SIDE, 1)
    with open_device(_address("fast:", SIDE)) as device:
        ours = _runs(device, model, chains, sweeps)
        return ratio(ours, _annealer(model, 4, chains * sweeps // 1024), pairs)


def five_bit(pairs: int = 7, chains: int = CHAINS, sweeps: int = 200) -> Ratio:
    """The same with random 5-bit couplings and 7-bit biases."""
    model = torus(SIDE, 2, five_bit=True)
    with open_device(_address("fast:", SIDE)) as device:
        ours = _runs(device, model, chains, sweeps)
        return ratio(ours, _annealer(model, 4, chains * sweeps // 1024), pairs)


def rtl(pairs: int = 5, sweeps: int = 1000) -> Ratio:
    """`sim:`, the RTL itself, over dwave-samplers, 64x64 +-J torus."""
    model = torus(SIDE, 1)
    with open_device(_address(f"sim:?banks={RTL_BANKS}", SIDE)) as device:
        ours = _runs(device, model, RTL_BANKS, sweeps)
        return ratio(ours, _annealer(model, 1, sweeps), pairs)


def with_thrml(
    pairs: int = 5, batches: tuple[int, ...] = (8, 32, 128, 512), sweeps: int = 200
) -> tuple[Ratio, int]:
    """`fast:` over thrml on the processor at its best batch, all cores each; and that batch."""
    model = torus(SIDE, 1)
    couplings = [
        float(model.quadratic[(row, column), other])
        for row in range(SIDE)
        for column in range(SIDE)
        for other in ((row, (column + 1) % SIDE), ((row + 1) % SIDE, column))
    ]
    peer = thrml_lattice(SIDE, couplings, BETA)
    speeds = {}
    for batch in batches:
        peer(batch, sweeps)
        rate = timed(partial(peer, batch, sweeps))
        speeds[batch] = rate.work / rate.wall
    best = max(speeds, key=lambda batch: speeds[batch])
    with open_device(_address("fast:?threads=2", SIDE)) as device:
        ours = _runs(device, model, 4 * CHAINS, 200)
        return ratio(ours, partial(peer, best, sweeps), pairs, threads=2), best


@dataclass(frozen=True, slots=True)
class Growth:
    """Seconds of processor time for a sweep of so many chains of a side x side torus.

    Half the difference of runs of three times and of once so many sweeps: what a run costs beside
    its sweeps is not in it.
    """

    side: int
    chains: int
    seconds: float

    @property
    def per_flip(self) -> float:
        """Nanoseconds a flip."""
        return self.seconds * 1e9 / (self.chains * self.side**2)


def growth(
    sides: tuple[int, ...] = (32, 64, 128, 256, 512),
    chains: tuple[int, ...] = (1024,),
    flips: float = 4e9,
) -> list[Growth]:
    """How the emulator's time grows with the lattice's area and with its replicas."""
    found = []
    for side in sides:
        model = torus(side, 3)
        with open_device(_address("fast:", side)) as device:
            for count in chains:
                sweeps = max(2, round(flips / (3 * count * side**2)))
                runs = [_runs(device, model, count, times * sweeps) for times in (1, 3)]
                once, thrice = (_typical(run) for run in runs)
                found.append(Growth(side, count, (thrice - once) / (2 * sweeps)))
    return found


def _typical(work: Work) -> float:
    """Processor time of a run, the median of three after one that is not counted."""
    work()
    return sorted(timed(work).cpu for _ in range(3))[1]
