"""`Sampler`: any device as a dimod sampler, for annealed reads and for draws at equilibrium.

    annealed      each read is a chain of its own through a schedule of betas; its last state is the
                  sample, and no claim is made that it follows any law
    equilibrium   with ``beta=``: chains burn in at that beta, then give draws, ``thin`` sweeps
                  apart, from P(s) ~ exp(-beta E(s)) as far as they have mixed

Arguments that dwave-samplers' `SimulatedAnnealingSampler` has too mean the same here; one sweep is
a Gibbs update of every variable. Energies in sample sets are recomputed from the model's own
floats.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial
from time import perf_counter_ns
from typing import Any, ClassVar, Literal

import dimod
import numpy as np
from dimod.core.initialized import Initialized
from dimod.core.sampler import Sampler as DimodSampler
from numpy.typing import NDArray

from gibbsite.argument_kinds import refuse_no_model
from gibbsite.arguments import NAMES, Arguments
from gibbsite.certifying import certificate_of, told_starts
from gibbsite.compiler import CompiledModel, compile_model
from gibbsite.cqm import ConstrainedModel, constrained_model
from gibbsite.default_device import DEFAULT_DEVICE
from gibbsite.devices import given_or_opened
from gibbsite.drawing import Drawn, draw
from gibbsite.ledger.engines import graph_ledger
from gibbsite.read_batches import read_batches
from gibbsite.run_account import RunAccount
from gibbsite.schedules import SCHEDULE_TYPES, ArgumentError, Schedule
from gibbsite.slot_model import AnyModel, Kind, slot_model
from gibbsite.starts import Starts, bqm_starts, dqm_starts
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.program import RunRequest

__all__ = ["Sampler"]


class Sampler(DimodSampler, Initialized):
    """A dimod sampler on an open device, which stays the caller's to close, or on an address.

    What it opens from an address, without one the compiled emulator `fast:`, `close` gives back.

    Keyword arguments of `sample`, `sample_dqm` and `sample_cqm`, besides dwave-samplers':

    ``beta``        draw at equilibrium at this inverse temperature instead of annealing
    ``burn_in``     sweeps before the first draw of a chain (1000)
    ``thin``        sweeps between two draws of a chain (1)
    ``num_chains``  chains among which ``num_reads`` draws are shared (4, with ``certify`` 16, or
                    fewer for fewer reads)
    ``clamps``      {variable: value} held fixed
    ``best``        give each read's best state at a sweep's end instead of its last state
    ``certify``     put the certificate of the reads into ``info["certificate"]``
    ``max_error``, ``on_error``  the bound on quantization and what happens beyond it
    ``progress``    called with reads done and reads in all
    """

    parameters: ClassVar[dict[str, Any]] = {
        name: ["beta_schedule_options"] if name == "beta_schedule_type" else [] for name in NAMES
    }

    def __init__(self, device: Device | str | None = None) -> None:
        address = DEFAULT_DEVICE if device is None else device
        self._ours = isinstance(address, str)
        self.device = given_or_opened(address)

    def close(self) -> None:
        """Give back a device that the sampler opened; closing twice is allowed."""
        if self._ours:
            self.device.close()

    @property
    def properties(self) -> dict[str, Any]:
        """What the device behind the sampler is and holds."""
        info = self.device.info
        return {
            "beta_schedule_options": SCHEDULE_TYPES,
            "device": info.uri,
            "engines": info.engines,
            "fingerprint": f"{info.fingerprint:016x}",
            "max_spins": info.graph.slots,
            "max_degree": info.graph.max_degree,
            "max_cases": info.graph.max_group,
            "max_schedule_steps": info.graph.schedule_steps,
        }

    def sample(self, bqm: dimod.BinaryQuadraticModel, **parameters: Any) -> dimod.SampleSet:
        """Sample a binary quadratic model; see the class for the arguments.

        Raises `ArgumentError` for arguments without meaning, `ProgramError` for a model that the
        device does not hold.
        """
        arguments = Arguments(**self.remove_unknown_kwargs(**parameters))
        refuse_no_model(bqm, dimod.BinaryQuadraticModel, all_kinds=True)
        starts = bqm_starts(
            self, bqm, arguments.initial_states, arguments.generator, arguments.num_reads
        )
        drawn, info, compiled = self._drawn(bqm, arguments, starts)
        return _sample_set(drawn, compiled, bqm.vartype, info)

    def sample_dqm(self, dqm: dimod.DiscreteQuadraticModel, **parameters: Any) -> dimod.SampleSet:
        """Sample a discrete quadratic model, each variable a one-hot group of its cases."""
        arguments = Arguments(**self.remove_unknown_kwargs(**parameters))
        refuse_no_model(dqm, dimod.DiscreteQuadraticModel, all_kinds=True)
        starts = dqm_starts(dqm, arguments.initial_states, arguments.generator, arguments.num_reads)
        drawn, info, compiled = self._drawn(dqm, arguments, starts)
        return _sample_set(drawn, compiled, "DISCRETE", info)

    def sample_cqm(
        self,
        cqm: dimod.ConstrainedQuadraticModel,
        *,
        penalty: float | None = None,
        **parameters: Any,
    ) -> dimod.SampleSet:
        """Sample a constrained model: one-hot constraints are native, others become penalties.

        ``penalty`` is the energy of the smallest violation; by default it is derived so that no
        violation pays (see `gibbsite.cqm`). The sample set reports the objective as energy, and
        which constraints each sample satisfies.
        """
        arguments = Arguments(**self.remove_unknown_kwargs(**parameters))
        refuse_no_model(cqm, dimod.ConstrainedQuadraticModel, all_kinds=True)
        if arguments.initial_states is not None:
            raise ArgumentError("sample_cqm takes no initial_states: let the device draw them")
        if arguments.certify and arguments.beta is not None:
            raise ArgumentError("sample_cqm certifies no law: its penalties make another")
        constrained = constrained_model(cqm, penalty)
        starts = Starts.drawn(arguments.num_reads)
        drawn, info, compiled = self._drawn(constrained.model, arguments, starts, constrained)
        info["penalty"] = constrained.penalty
        info["penalty_derivation"] = constrained.derivation
        values = constrained.values(compiled.variables, drawn.decoded.values)
        result = dimod.SampleSet.from_samples_cqm(
            (values, list(constrained.variables)), cqm, info=info
        )
        joined: dimod.SampleSet = dimod.append_data_vectors(
            result,
            chain=drawn.chain,
            draw=drawn.draw,
            penalized_energy=drawn.decoded.energies,
        )
        return joined

    # --- one way for all three --------------------------------------------------------------------

    def _drawn(
        self,
        model: AnyModel,
        arguments: Arguments,
        starts: Starts,
        constrained: ConstrainedModel | None = None,
    ) -> tuple[Drawn, dict[str, Any], CompiledModel]:
        began = perf_counter_ns()
        slots = slot_model(model)
        schedule = arguments.schedule(slots)
        compiled = compile_model(
            slots,
            self.device.info.graph,
            beta_max=max(schedule.beta_range, default=None),
            beta_min=schedule.least if schedule.fixed else None,
            max_error=arguments.max_error,
            on_error=arguments.on_error,
        )
        schedule = schedule.within(*compiled.beta_limits)
        seed = arguments.drawn_seed()
        pinned = dict(arguments.clamps or {})
        removed: dict[Hashable, set[int]] = {}
        if constrained is not None:
            pinned, removed = constrained.clamps(pinned)
        under = compiled.base
        if pinned or removed:
            under = compiled.conditions(clamps_on=pinned, clamps_off=removed)
        request = RunRequest(
            betas=compiled.betas(schedule.betas),
            seed=seed,
            sweeps_per_step=schedule.sweeps_per_beta,
            thin=arguments.thin,
            best=arguments.best,
        )
        account = RunAccount(self.device)
        self.device.load(compiled.program)
        if under is not compiled.base:
            self.device.condition(under.conditions)
        batches = read_batches(starts, arguments, compiled)
        prepared = perf_counter_ns()
        drawn = draw(
            self.device,
            compiled,
            under,
            batches,
            request,
            interrupt=arguments.interrupt,
            progress=arguments.progress,
        )
        engine = partial(graph_ledger, drawn.counters, compiled.program)
        conditioned = under is not compiled.base
        account.count(engine, kinds=1, runs=drawn.runs, conditioned=conditioned)
        info = self._info(drawn, compiled, schedule, seed, account)
        info["mode"] = "annealed" if arguments.beta is None else "equilibrium"
        if arguments.certify:
            told = None
            if arguments.beta is not None:
                told = told_starts(self.device, compiled, under, batches, request)
            certificate = certificate_of(drawn, compiled, under, arguments.beta, pinned, told)
            info["certificate"] = certificate.as_dict()
        ended = perf_counter_ns()
        info["timing"] = {
            "preprocessing_ns": prepared - began,
            "sampling_ns": drawn.sampling_ns,
            "postprocessing_ns": ended - prepared - drawn.sampling_ns,
        }
        return drawn, info, compiled

    def _info(
        self,
        drawn: Drawn,
        compiled: CompiledModel,
        schedule: Schedule,
        seed: int,
        account: RunAccount,
    ) -> dict[str, Any]:
        counters = drawn.counters
        ledger, reading = account.close()
        return {
            "seed": seed,
            "device": self.device.info.uri,
            "fingerprint": f"{self.device.info.fingerprint:016x}",
            "beta_range": schedule.beta_range,
            "beta_schedule_type": schedule.kind,
            "cycles": counters.cycles,
            "sweep_cycles": counters.sweep_cycles,
            "sweeps": counters.sweeps,
            "updates": counters.updates,
            "terms": counters.terms,
            "reads": counters.reads,
            "interrupted": drawn.interrupted,
            "quantization": compiled.quantization.as_dict(),
            "bits_moved": ledger.bits_moved,
            "ledger": ledger.model_dump(mode="json"),
            "joules": ledger.joules,
            "joules_provenance": reading.provenance,
        }


def _sample_set(
    drawn: Drawn,
    compiled: CompiledModel,
    vartype: dimod.Vartype | Literal["DISCRETE"],
    info: dict[str, Any],
) -> dimod.SampleSet:
    choices = any(kind is Kind.CHOICE for kind in compiled.model.kinds)
    values: NDArray[np.int16] = drawn.decoded.values
    result: dimod.SampleSet = dimod.SampleSet.from_samples(
        (values if choices else values.astype(np.int8), list(compiled.variables)),
        vartype=vartype,
        energy=drawn.decoded.energies,
        info=info,
        sort_labels=False,
        chain=drawn.chain,
        draw=drawn.draw,
        device_energy=drawn.decoded.device_energies,
    )
    return result
