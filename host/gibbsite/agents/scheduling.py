"""The scheduling agent: a schedule becomes conditions on a device, and its reads become an answer.

    document -> exact instance -> grid and states -> program (couplings once)
             -> rounds of tightening conditions -> exact verdicts, left shift -> vote -> Result

The list schedule that bounds the states is no answer of the device; should no read be as good, it
is answered all the same, and `route` says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from time import perf_counter
from typing import Any

import numpy as np

from gibbsite.agents.base import Options
from gibbsite.agents.scheduling_bounds import lower_bound, total_lower_bound
from gibbsite.agents.scheduling_grid import grid_of
from gibbsite.agents.scheduling_infeasibility import Proof, proof
from gibbsite.agents.scheduling_instance import (
    Assignment,
    Instance,
    instance_of,
    number,
    objective_of,
    shown,
)
from gibbsite.agents.scheduling_left_shift import left_shifted
from gibbsite.agents.scheduling_program import ScheduleProgram, finest_factor, fitted
from gibbsite.agents.scheduling_rounds import Judged, Round, Rounds
from gibbsite.agents.scheduling_tightening import Outcome, tightened
from gibbsite.agents.scheduling_verification import violations
from gibbsite.drawing import moved, moved_words
from gibbsite.ledger.counts import Ledger
from gibbsite.ledger.engines import Traffic, graph_ledger
from gibbsite.ledger.host_meter import HostMeter
from gibbsite.ledger.pricing import priced
from gibbsite.ledger.savings import savings_of
from gibbsite.problem import ScheduleProblem
from gibbsite.progress import Report
from gibbsite.result import (
    Certificate,
    EnergyTrace,
    Optimality,
    RawReads,
    Result,
    RoundReport,
    ScheduledTask,
    ScheduleSolution,
    VoteReport,
)
from gibbsite.vote import Candidate, vote
from gibbsite_hw.spec.device import Device
from gibbsite_models.certificate import certify

__all__ = ["SchedulingAgent"]

GRAPH_ENGINE = "graph engine"
LIST_SCHEDULE = "list schedule on the host (no read of the graph engine was as good)"
PROOF = "proof on the host"


class SchedulingAgent:
    """Solves problems of kind `schedule` on a device's graph engine."""

    def solve(
        self, problem: ScheduleProblem, device: Device, options: Options, report: Report
    ) -> Result:
        """The schedule that the vote chose, or the proof or the best attempt where none was found.

        Raises: `ScheduleError` for a model too large or unknown `durations`.
        """
        began = perf_counter()
        instance = instance_of(problem, options.durations)
        exact_grid = grid_of(instance)
        refuted = proof(exact_grid) if finest_factor(instance) == 1 else None
        if refuted is not None:
            if not refuted.placeable:
                seconds = perf_counter() - began
                return _refuted(problem, instance, device, options, refuted, seconds)
            # one round shows what comes nearest
            options = replace(options, rounds=1)
        program = fitted(instance, device.info.graph)
        fitted_at = perf_counter()
        loads, words = device.loads, moved_words(device)
        with HostMeter() as meter:
            rounds = Rounds.begin(device, program, options, report)
            outcome = tightened(rounds)
        counted = _ledger(rounds, device.loads - loads, words, moved_words(device))
        ledger = priced(counted, meter.reading)
        drawn_at = perf_counter()
        answer = _chosen(rounds, outcome, options)
        plan, route = answer.plan, GRAPH_ENGINE
        listed = _listed(program)
        if listed is not None and (answer.broken or _value(instance, listed) < answer.objective):
            plan, route = tuple(listed), LIST_SCHEDULE
        broken = tuple(violations(instance, plan))
        if refuted is None:
            optimality = _optimality(instance, program, None if broken else _value(instance, plan))
        else:
            optimality, route = _nothing(refuted), f"{PROOF}, best attempt by the {GRAPH_ENGINE}"
        timings = {
            "prepare": fitted_at - began,
            "sample": drawn_at - fitted_at,
            "vote": perf_counter() - drawn_at,
            "total": perf_counter() - began,
        }
        return Result(
            problem=problem,
            solution=_solution(instance, plan),
            energy=None if route == LIST_SCHEDULE else answer.energy,
            feasible=not broken,
            violations=_told(broken, rounds, refuted),
            assumptions=_assumptions(instance, program),
            route=route,
            certificate=Certificate(
                sampling=_sampling(rounds),
                optimality=optimality,
                raw=_raw(instance, rounds),
                vote=answer.report,
                rounds=tuple(_round_report(done) for done in rounds.history),
                trace=_trace(rounds, answer.read) if options.trace else None,
                quantization=program.compiled.quantization.as_dict(),
            ),
            ledger=ledger,
            entropy_production=None,
            llm_tokens=None,
            langevin_steps=None,
            device_updates=ledger.updates,
            energy_savings=savings_of(ledger),
            device=device.info.uri,
            seed=options.seed,
            timings=timings,
        )


@dataclass(frozen=True, slots=True)
class _Answer:
    plan: tuple[Assignment, ...]
    broken: bool
    objective: Fraction
    energy: float
    read: int
    report: VoteReport


def _chosen(rounds: Rounds, outcome: Outcome, options: Options) -> _Answer:
    """Vote over all reads that lie within the decisive conditions."""
    reads: list[Judged] = []
    numbers: list[int] = []
    energies: list[float] = []
    first = 0
    for done in rounds.history:
        under = rounds.energies_under(outcome.decisive, done.states)
        inside = np.flatnonzero(np.isfinite(under)).tolist()
        reads += [done.judged[index] for index in inside]
        energies += [float(under[index]) for index in inside]
        numbers += [first + index for index in inside]
        first += len(done.judged)
    any_feasible = any(read.feasible for read in reads)
    candidates = [
        Candidate(
            answer=read.shifted,
            # where nothing is feasible, what breaks least ranks first
            energy=energy if any_feasible else float(len(read.broken)),
            feasible=read.feasible,
            objective=read.shifted_objective,
        )
        for read, energy in zip(reads, energies, strict=True)
    ]
    verdict = vote(candidates, options.vote)
    winner = reads[verdict.winner]
    return _Answer(
        plan=winner.shifted,
        broken=not winner.feasible,
        objective=winner.shifted_objective,
        energy=energies[verdict.winner],
        read=numbers[verdict.winner],
        report=VoteReport(
            rule=options.vote,
            candidates=verdict.candidates,
            distinct=verdict.distinct,
            support=verdict.support,
            ties=verdict.ties,
        ),
    )


def _listed(program: ScheduleProgram) -> list[Assignment] | None:
    """The list schedule as a plan in exact time."""
    if program.listed is None:
        return None
    grid = program.grid
    plan = []
    for task, (machine, step) in program.listed.starts.items():
        start = step * grid.step
        plan.append(Assignment(task, machine, start, start + grid.instance.tasks[task].duration))
    return left_shifted(grid.instance, plan)


def _optimality(instance: Instance, program: ScheduleProgram, value: Fraction | None) -> Optimality:
    """The lower bound on the exact grid, and what it proves."""
    if finest_factor(instance) > 1:
        return Optimality(lower_bound=None, proven=None)
    grid = grid_of(instance)
    if instance.objective == "makespan":
        top = program.horizon * program.grid.factor
        bound = lower_bound(grid, top) * grid.step
    else:
        bound = total_lower_bound(grid)
    proven = None
    if value == bound:
        proven = f"The objective {shown(bound)} equals a lower bound, so the answer is optimal."
    return Optimality(lower_bound=number(bound), proven=proven)


def _nothing(refuted: Proof) -> Optimality:
    return Optimality(lower_bound=None, proven=f"No feasible schedule exists. {refuted.sentence}")


def _value(instance: Instance, plan: Sequence[Assignment]) -> Fraction:
    return objective_of(instance, [(item.task, item.end) for item in plan])


def _solution(instance: Instance, plan: Sequence[Assignment]) -> ScheduleSolution:
    return ScheduleSolution(
        assignments=tuple(
            ScheduledTask(
                task=instance.tasks[item.task].id,
                machine=instance.machine_ids[item.machine],
                start=number(item.start),
                end=number(item.end),
            )
            for item in plan
        ),
        objective=number(_value(instance, plan)),
    )


def _told(broken: tuple[str, ...], rounds: Rounds, refuted: Proof | None) -> tuple[str, ...]:
    """The violations of the best attempt, after the sentence that nothing feasible was found."""
    if not broken:
        return ()
    if refuted is not None:
        return (refuted.sentence, *broken)
    return (
        f"No feasible answer was found in {rounds.reads} reads, and none is proven not to exist; "
        "the best attempt is shown. Ask for more reads or sweeps, or relax what it breaks.",
        *broken,
    )


def _assumptions(instance: Instance, program: ScheduleProgram) -> tuple[str, ...]:
    coarser = program.grid.assumption
    return instance.assumptions if coarser is None else (*instance.assumptions, coarser)


def _raw(instance: Instance, rounds: Rounds) -> RawReads:
    reads = [read for done in rounds.history for read in done.judged]
    feasible = [read for read in reads if read.feasible]
    if feasible:
        best = min(feasible, key=lambda read: read.objective)
    else:
        best = min(reads, key=lambda read: len(read.broken))
    return RawReads(
        reads=len(reads),
        feasible=len(feasible),
        best_objective=number(best.objective) if feasible else None,
        best_count=sum(read.objective == best.objective for read in feasible),
        best=_solution(instance, best.plan),
        violations=best.broken,
    )


def _round_report(done: Round) -> RoundReport:
    value, best = done.target.value, done.best_raw
    return RoundReport(
        target=None if value is None else number(value),
        objective_weight=done.target.weight or None,
        clamped_off=int(done.target.removed.sum()),
        reads=len(done.judged),
        sweeps=done.sweeps,
        beta_range=done.betas,
        feasible=done.feasible,
        best_objective=None if best is None else number(best),
        energies=tuple(done.energies.tolist()),
    )


def _trace(rounds: Rounds, read: int) -> EnergyTrace:
    sweeps, energies = rounds.replay(read)
    return EnergyTrace(read=read, sweeps=tuple(sweeps), energies=tuple(energies))


def _sampling(rounds: Rounds) -> dict[str, Any]:
    """What the reads can be certified for: they were annealed, so they claim no equilibrium."""
    energies = np.concatenate([done.energies for done in rounds.history])
    certificate = certify(energies[:, None], claim="annealed")
    return {
        "claim": certificate.claim,
        "verdict": certificate.verdict,
        "reason": certificate.reason,
        "chains": certificate.chains,
        "not_checked": ", ".join(certificate.not_checked),
    }


def _ledger(
    rounds: Rounds, loads: int, before: tuple[int, int] | None, after: tuple[int, int] | None
) -> Ledger:
    """What the device counted; words are all that crossed the link, couplings among them."""
    traffic = Traffic(
        loads=loads,
        # each round sends its conditions once, and asks for last states alone
        conditionings=len(rounds.history),
        runs=len(rounds.history),
        kinds=1,
        words=moved(before, after),
        clock_hz=rounds.device.info.clock_hz,
    )
    return graph_ledger(rounds.counters, rounds.program.compiled.program, traffic)


def _refuted(
    problem: ScheduleProblem,
    instance: Instance,
    device: Device,
    options: Options,
    refuted: Proof,
    seconds: float,
) -> Result:
    """The result of a problem that is proven to have no solution; the device did nothing."""
    return Result(
        problem=problem,
        solution=None,
        energy=None,
        feasible=False,
        violations=(refuted.sentence,),
        assumptions=instance.assumptions,
        route=PROOF,
        certificate=Certificate(
            sampling={"reads": "none were drawn"},
            optimality=_nothing(refuted),
            raw=None,
            vote=None,
            rounds=(),
            quantization=None,
        ),
        ledger=None,
        entropy_production=None,
        llm_tokens=None,
        langevin_steps=None,
        device_updates=None,
        energy_savings=None,
        device=device.info.uri,
        seed=options.seed,
        timings={"total": seconds},
    )
