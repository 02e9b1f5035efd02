"""`LatticeSampler`: a lattice engine as a dimod sampler, for models on the sites of a lattice.

The arguments are `Sampler`'s: annealed reads by default, with ``beta=`` draws at equilibrium.
"""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Mapping
from functools import partial
from time import perf_counter_ns
from types import TracebackType
from typing import Any, ClassVar, Self

import dimod
import numpy as np
from dimod.core.sampler import Sampler as DimodSampler

from gibbsite.argument_kinds import refuse_no_model
from gibbsite.arguments import NAMES, Arguments
from gibbsite.certifying import Told, certificate_of_values, pair_model
from gibbsite.devices import given_or_opened
from gibbsite.lattice_model import CompiledLattice, compile_lattice
from gibbsite.lattice_opening import SizedLattices, site_of
from gibbsite.ledger.engines import lattice_ledger
from gibbsite.run_account import RunAccount
from gibbsite.schedules import ArgumentError, Schedule
from gibbsite.slot_model import slot_model
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.lattice_program import LatticeRequest, LatticeResult
from gibbsite_models.certificate import Certificate, certify

__all__ = ["LatticeSampler"]

UNUSED = ("initial_states", "initial_states_generator", "interrupt_function")
"""Arguments of `Sampler` that a lattice does not take."""

DEFAULT_CHAINS = 16
"""Chains among which draws at equilibrium are shared."""


class LatticeSampler(DimodSampler):
    """A dimod sampler on a lattice engine.

    ``device`` is an open device, which stays the caller's to close, or an address, which is opened
    for every model with the rows and columns that it needs: wrapped edges fit exactly then.
    ``neighbours``: 4, 8 or 12, for an address.
    """

    parameters: ClassVar[dict[str, Any]] = {name: [] for name in NAMES if name not in UNUSED}

    def __init__(self, device: Device | str = "fast:", *, neighbours: int = 4) -> None:
        self._device = device
        self._source: SizedLattices | Device = (
            SizedLattices(device, neighbours)
            if isinstance(device, str)
            else given_or_opened(device)
        )

    @property
    def properties(self) -> dict[str, Any]:
        """What the sampler draws from."""
        return {"device": self._device if isinstance(self._device, str) else self._device.info.uri}

    def sample(self, bqm: dimod.BinaryQuadraticModel, **parameters: Any) -> dimod.SampleSet:
        """Sample a model whose variables are (row, column); see `Sampler` for the arguments.

        Raises `ArgumentError` for arguments without meaning, `ProgramError` for a model that the
        lattice does not hold.
        """
        for name in UNUSED:
            if parameters.get(name):
                raise ArgumentError(
                    f"{name} is none of a lattice's arguments: leave it out, or use Sampler"
                )
        arguments = Arguments(**self.remove_unknown_kwargs(**parameters))
        refuse_no_model(bqm, dimod.BinaryQuadraticModel)
        device = self._device_for(bqm)
        began = perf_counter_ns()
        schedule = arguments.schedule(slot_model(bqm.spin))
        compiled = compile_lattice(
            bqm,
            device.info.lattice,
            beta_max=max(schedule.beta_range, default=None),
            beta_min=schedule.least if schedule.fixed else None,
            max_error=arguments.max_error,
            on_error=arguments.on_error,
        )
        schedule = schedule.within(*compiled.beta_limits)
        account = RunAccount(device)
        device.load(compiled.program)
        if arguments.clamps:
            device.condition(compiled.conditions(_clamps(bqm, arguments.clamps)))
        prepared = perf_counter_ns()
        request = _request(arguments, schedule, compiled)
        result = device.run(request, arguments.progress)
        drawn = perf_counter_ns()
        counted = partial(
            lattice_ledger,
            result.counters,
            device.info.lattice,
            compiled.program.columns,
            request.chains,
        )
        account.count(counted, kinds=1, conditioned=bool(arguments.clamps))
        ledger, reading = account.close()
        certificate = None
        if arguments.certify:
            certificate = _certificate(bqm, device, compiled, request, result, arguments)
        return _sample_set(
            bqm,
            compiled,
            request,
            result,
            reads=arguments.num_reads or 1,
            best=arguments.best,
            info={
                "seed": request.seed,
                "device": device.info.uri,
                "fingerprint": f"{device.info.fingerprint:016x}",
                "mode": "annealed" if arguments.beta is None else "equilibrium",
                "beta_range": schedule.beta_range,
                "beta_schedule_type": schedule.kind,
                **({} if certificate is None else {"certificate": certificate.as_dict()}),
                "bits_moved": ledger.bits_moved,
                "timing": {"preprocessing_ns": prepared - began, "sampling_ns": drawn - prepared},
                "ledger": ledger.model_dump(mode="json"),
                "joules": ledger.joules,
                "joules_provenance": reading.provenance,
            },
        )

    def close(self) -> None:
        """Close what this sampler opened; closing twice is allowed."""
        if isinstance(self._source, SizedLattices):
            self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _device_for(self, bqm: dimod.BinaryQuadraticModel) -> Device:
        """The caller's device, or one of the model's size."""
        source = self._source
        return source.device_for(bqm) if isinstance(source, SizedLattices) else source


def _clamps(
    bqm: dimod.BinaryQuadraticModel, clamps: Mapping[Hashable, int]
) -> dict[tuple[int, int], int]:
    """Clamps as spins; those of a model of 0/1 variables are 0 or 1."""
    if bqm.vartype is dimod.SPIN:
        return {site_of(label): value for label, value in clamps.items()}
    for label, value in clamps.items():
        if value not in (0, 1):
            raise ArgumentError(f"{label!r} cannot be {value}: clamp it to 0 or 1")
    return {site_of(label): 2 * value - 1 for label, value in clamps.items()}


def _request(arguments: Arguments, schedule: Schedule, compiled: CompiledLattice) -> LatticeRequest:
    reads = arguments.num_reads or 1
    chains = reads if arguments.beta is None else min(arguments.num_chains or DEFAULT_CHAINS, reads)
    return LatticeRequest(
        betas=compiled.betas(schedule.betas) if len(schedule.betas) else array("I"),
        seed=arguments.drawn_seed(),
        chains=chains,
        draws=-(-reads // chains),
        sweeps_per_step=schedule.sweeps_per_beta,
        thin=arguments.thin,
        samples=not arguments.best,
        best=arguments.best,
    )


def _certificate(
    bqm: dimod.BinaryQuadraticModel,
    device: Device,
    compiled: CompiledLattice,
    request: LatticeRequest,
    result: LatticeResult,
    arguments: Arguments,
) -> Certificate:
    """What all draws of a run can be certified for; the start pass is run again for the starts."""
    model = slot_model(bqm.spin)
    order = [model.number(site) for site in compiled.sites]
    shape = (request.chains, request.draws, len(order))
    states = np.empty(shape, dtype=np.int64)
    states[..., order] = compiled.spins(result.states).reshape(shape)
    if arguments.beta is None:
        energies = pair_model(model).energies(states)
        return certify(energies, claim="annealed")
    again = device.run(LatticeRequest(array("I"), seed=request.seed, chains=request.chains))
    starts = np.empty((request.chains, len(order)), dtype=np.int64)
    starts[:, order] = compiled.spins(again.states)
    told = Told(starts, f"{request.chains} drawn by the device at beta = 0")
    return certificate_of_values(
        model, states, arguments.beta, pinned=arguments.clamps or {}, told=told
    )


def _sample_set(
    bqm: dimod.BinaryQuadraticModel,
    compiled: CompiledLattice,
    request: LatticeRequest,
    result: LatticeResult,
    *,
    reads: int,
    best: bool,
    info: dict[str, Any],
) -> dimod.SampleSet:
    counters = result.counters
    info |= {
        "cycles": counters.cycles,
        "sweep_cycles": counters.sweep_cycles,
        "waits": counters.waits,
        "sweeps": counters.sweeps,
        "updates": counters.updates,
        "reads": counters.reads,
        "quantization": compiled.quantization.as_dict(),
    }
    spins = compiled.spins(result.best_states if best else result.states)
    number = np.arange(result.reads)
    chain, draw = number // request.draws, number % request.draws
    # of chains that share the reads unevenly the last draws of the last chains are left out
    kept = np.sort(np.lexsort((chain, draw))[:reads])
    model = bqm.spin
    found: dimod.SampleSet = dimod.SampleSet.from_samples_bqm(
        (spins[kept], list(compiled.sites)), model, info=info, sort_labels=False
    )
    found = dimod.append_data_vectors(found, chain=chain[kept], draw=draw[kept])
    if bqm.vartype is not dimod.SPIN:
        found.change_vartype(bqm.vartype, inplace=True)
    return found
