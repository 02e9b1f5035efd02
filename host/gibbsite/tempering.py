"""Parallel tempering: replicas on a ladder of temperatures that exchange their states.

A round sweeps every replica at its beta on the device, then lets neighbours of the ladder exchange
their states with probability

    min(1, exp((beta_i - beta_j) (E_i - E_j))),

even pairs in even rounds, odd pairs in odd ones (`gibbsite.tempering_swaps`: exact integers and a
noise stream of its own). The joint law over the ladder, ``prod_i exp(-beta_i E(s_i)) / Z_i``, is
stationary. Replica k of round t, k = group * betas + place and place 0 the hottest, runs as chain
``t * K + k`` of the seed, K replicas in all, so the whole run follows from (model, ladder, seed)
to the bit on every digital device.

Groups are ladders side by side that share nothing but, if asked for, cluster moves between
neighbouring groups at equal beta (`gibbsite.tempering_clusters`), which the host does.

Source: K. Hukushima and K. Nemoto, Exchange Monte Carlo method, 1996; flow: H. Katzgraber,
S. Trebst, D. Huse, M. Troyer, Feedback-optimized parallel tempering Monte Carlo, 2006.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Sequence
from itertools import pairwise
from types import TracebackType
from typing import Any, Final, Literal, Self, TypeAlias, get_args

import dimod
import numpy as np

from gibbsite.argument_kinds import refuse_no_functions, refuse_no_model
from gibbsite.compiler import compile_model
from gibbsite.default_device import DEFAULT_DEVICE
from gibbsite.devices import given_or_opened
from gibbsite.lattice_model import compile_lattice
from gibbsite.lattice_opening import SizedLattices
from gibbsite.run_account import RunAccount
from gibbsite.schedules import ArgumentError, default_beta_range, positive
from gibbsite.slot_model import slot_model
from gibbsite.tempering_engines import GraphLadder, LatticeLadder
from gibbsite.tempering_ladder import spaced_ladder
from gibbsite.tempering_rounds import Observer, Stop, TemperingResult, temper
from gibbsite_hw.spec.device import Device, Progress

__all__ = ["ParallelTempering", "TemperingResult"]

MOST_GROUPS: Final = 256

EngineName: TypeAlias = Literal["graph", "lattice"]


class ParallelTempering:
    """Parallel tempering of dimod models on a device.

    ``device``            an open device, which stays the caller's to close, or an address, which is
                          opened and which `close` or the end of a ``with`` gives back
    ``betas``             the ladder; without it `spaced_ladder` finds one for ``beta_range``
    ``beta_range``        its ends (default: those of an annealing schedule of the model)
    ``swap_rate``         share of swaps that the ladder found is to accept
    ``groups``            independent ladders
    ``sweeps_per_round``  sweeps between two swaps
    ``clusters``          cluster moves of the host between neighbouring groups
    ``cluster_beta``      least beta at which they move: in hot replicas clusters span the model and
                          move nothing but labels
    ``engine``            "lattice" for models whose variables are sites (row, column) of a lattice
    ``neighbours``        4, 8 or 12, for an address of a lattice, which is opened for every model
                          with the rows and columns that it needs

    Raises `ArgumentError` for arguments without meaning.
    """

    def __init__(
        self,
        device: Device | str = DEFAULT_DEVICE,
        *,
        betas: Sequence[float] | None = None,
        beta_range: Sequence[float] | None = None,
        swap_rate: float = 0.3,
        groups: int = 1,
        sweeps_per_round: int = 10,
        clusters: bool = False,
        cluster_beta: float = 0.0,
        engine: EngineName = "graph",
        neighbours: int = 4,
    ) -> None:
        if betas is not None and beta_range is not None:
            raise ArgumentError("betas and beta_range were both given: give one of them")
        if not isinstance(swap_rate, (int, float)) or not 0.0 < swap_rate < 1.0:
            raise ArgumentError(
                f"swap_rate is {swap_rate!r} and must lie between 0 and 1: change it"
            )
        self.betas = None if betas is None else _ladder(betas)
        self.beta_range = None if beta_range is None else _ladder(beta_range)
        self.swap_rate = swap_rate
        self.groups = positive("groups", groups)
        self.sweeps_per_round = positive("sweeps_per_round", sweeps_per_round)
        self.clusters = clusters
        if not isinstance(cluster_beta, (int, float)) or math.isnan(cluster_beta):
            raise ArgumentError(f"cluster_beta is {cluster_beta!r}: give the least beta, a number")
        self.cluster_beta = cluster_beta
        self.engine = engine
        if engine not in get_args(EngineName):
            raise ArgumentError(
                f"engine is {engine!r}: use one of {', '.join(get_args(EngineName))}"
            )
        if groups > MOST_GROUPS:
            raise ArgumentError(f"groups is {groups} and at most {MOST_GROUPS}: give fewer")
        if clusters and groups < 2:
            raise ArgumentError(
                f"clusters need two groups at least and groups is {groups}: raise it"
            )
        # last: what is refused leaves no device open
        self._ours = isinstance(device, str)
        self._lattices: SizedLattices | None = None
        self.device: Device | None = None
        if isinstance(device, str) and engine == "lattice":
            self._lattices = SizedLattices(device, neighbours)
        else:
            self.device = given_or_opened(device)

    def close(self) -> None:
        """Give back what was opened from an address; closing twice is allowed."""
        if self._lattices is not None:
            self._lattices.close()
        elif self._ours and self.device is not None:
            self.device.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def sample(
        self,
        model: dimod.BinaryQuadraticModel,
        *,
        rounds: int = 1000,
        seed: int | None = None,
        observer: Observer | None = None,
        stop: Stop | None = None,
        progress: Progress | None = None,
    ) -> TemperingResult:
        """Temper a model; see the class and `TemperingResult`.

        Raises `ArgumentError` for arguments without meaning, `ProgramError` for a model that the
        device does not hold.
        """
        refuse_no_functions(observer=observer, stop=stop, progress=progress)
        refuse_no_model(model, dimod.BinaryQuadraticModel)
        chosen = secrets.randbits(63) if seed is None else positive("seed", seed, 0)
        slots = slot_model(model)
        ends = self.betas or self.beta_range or list(default_beta_range(slots))
        if self._lattices is not None:
            self.device = self._lattices.device_for(model)
        assert self.device is not None, "only lattices are opened for a model"
        device = self.device
        account = RunAccount(device)
        engine: GraphLadder | LatticeLadder
        if self.engine == "lattice":
            lattice = compile_lattice(model, device.info.lattice, beta_max=ends[-1])
            binary = model.vartype is dimod.BINARY
            engine = LatticeLadder(device, lattice, slot_model(model.spin), binary=binary)
        else:
            compiled = compile_model(slots, device.info.graph, beta_max=ends[-1])
            engine = GraphLadder(device, compiled)
        betas = self.betas
        if betas is None:
            betas = spaced_ladder(engine, ends[0], ends[-1], rate=self.swap_rate, seed=chosen)
        result = temper(
            engine,
            engine.codes(betas),
            rounds=rounds,
            seed=chosen,
            groups=self.groups,
            sweeps=self.sweeps_per_round,
            clusters=engine.clusters() if self.clusters else None,
            clusters_from=sum(beta < self.cluster_beta for beta in betas),
            observer=observer,
            stop=stop,
            progress=progress,
        )
        result.best = engine.values(result.best_words)
        result.info = _info(device, engine, account, result)
        return result


def _info(
    device: Device,
    engine: GraphLadder | LatticeLadder,
    account: RunAccount,
    result: TemperingResult,
) -> dict[str, Any]:
    """What `Sampler` puts into a sample set's info, of a tempering run; the device's counts only.

    Swaps and cluster moves are the host's work: `TemperingResult.counters` has them.
    """
    account.count(engine.ledger, kinds=1, runs=engine.runs, conditioned=False, linked=engine.linked)
    ledger, reading = account.close()
    return {
        "seed": result.seed,
        "device": device.info.uri,
        "fingerprint": f"{device.info.fingerprint:016x}",
        "mode": "tempered",
        "beta_range": [result.betas[0], result.betas[-1]],
        "quantization": engine.compiled.quantization.as_dict(),
        "bits_moved": ledger.bits_moved,
        "ledger": ledger.model_dump(mode="json"),
        "joules": ledger.joules,
        "joules_provenance": reading.provenance,
    }


def _ladder(betas: Sequence[float]) -> list[float]:
    """Inverse temperatures in order. Raises `ArgumentError`."""
    try:
        values = [float(beta) for beta in betas]
    except (TypeError, ValueError):
        raise ArgumentError(f"the ladder is {betas!r}: give inverse temperatures") from None
    if not np.isfinite(values).all():
        raise ArgumentError(f"the ladder is {values} and not finite: give finite betas")
    rising = all(low < high for low, high in pairwise(values))
    if len(values) < 2 or values[0] < 0 or not rising:
        raise ArgumentError(
            f"the ladder is {values} and must rise from 0 or above, two betas at least: "
            "put the hottest first"
        )
    return values
