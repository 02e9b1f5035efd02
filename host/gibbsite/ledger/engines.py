"""From the counters of an engine to the counts of a ledger: one function an engine.

    count            graph                        langevin                lattice
    neighbour_terms  terms                        products                not counted: null
    memory_reads     terms                        products                groups of banks x updates
                                                                          of a chain x neighbours
    memory_writes    sweeps x (rows of p-bits     updates                 updates
                     + 2 x one-hot groups)
    values_read      reads x slots, for each      reads x units, for      reads x sites, for each
                     kind of state sent           each kind sent          kind sent
    values_written   (loads + conditionings)      the same with units     the same with sites
                     x slots

Graph: a row of p-bits is committed in one write; a group writes the old row cleared and the new
row (docs/graph-engine.md, "Cycles"). Langevin: a step writes each unit's state once. Lattice: the
banks of a group share the reads of the couplings.

A count whose formula does not hold (a run that was cut off) is null.
"""

from __future__ import annotations

from dataclasses import dataclass

from gibbsite.ledger.counts import Ledger
from gibbsite_hw.spec.langevin_program import LangevinCounters
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.lattice_program import LatticeCounters
from gibbsite_hw.spec.program import Counters, GraphProgram

__all__ = ["Traffic", "graph_ledger", "langevin_ledger", "lattice_ledger"]


@dataclass(frozen=True, slots=True)
class Traffic:
    """What went to the device and came back, besides its counters; None where nobody counted.

    ``kinds``  states in each draw: 1, or 2 where last and best state are both sent, or 0
    ``words``  words into and out of the device
    """

    loads: int | None
    conditionings: int | None
    runs: int | None
    kinds: int | None
    words: tuple[int, int] | None
    clock_hz: float | None = None

    def programmed(self, places: int) -> int | None:
        """Places written by all loads and conditionings."""
        if self.loads is None or self.conditionings is None:
            return None
        return (self.loads + self.conditionings) * places

    def read(self, draws: int, places: int) -> int | None:
        """Places whose values left the device."""
        return None if self.kinds is None else self.kinds * draws * places


def graph_ledger(counters: Counters, program: GraphProgram, traffic: Traffic) -> Ledger:
    """Counts of runs of one program on the graph engine."""
    slots = sum(row.mask.bit_count() for row in program.rows)
    commits = sum(2 * row.first if row.group else 1 for row in program.rows)
    return _ledger(
        "graph",
        traffic,
        slots,
        reads=counters.reads,
        sweeps=counters.sweeps,
        cycles=counters.cycles,
        updates=counters.updates,
        neighbour_terms=counters.terms,
        memory_reads=counters.terms,
        memory_writes=counters.sweeps * commits,
    )


def langevin_ledger(counters: LangevinCounters, units: int, traffic: Traffic) -> Ledger:
    """Counts of runs of one program of so many units on the Langevin engine."""
    return _ledger(
        "langevin",
        traffic,
        units,
        reads=counters.reads,
        langevin_steps=counters.steps,
        cycles=counters.cycles,
        updates=counters.updates,
        neighbour_terms=counters.products,
        memory_reads=counters.products,
        memory_writes=counters.updates,
    )


def lattice_ledger(
    counters: LatticeCounters,
    parameters: LatticeParameters,
    columns: int,
    chains: int,
    traffic: Traffic,
) -> Ledger:
    """Counts of one run of ``chains`` chains on the lattice engine."""
    sites = parameters.rows * columns
    # all chains sweep equally often unless the run was cut off
    even = chains > 0 and counters.updates % chains == 0 and counters.sweeps % chains == 0
    groups = -(-chains // parameters.banks)
    read = groups * (counters.updates // chains) * parameters.neighbours if even else None
    return _ledger(
        "lattice",
        traffic,
        sites,
        reads=counters.reads,
        sweeps=counters.sweeps,
        cycles=counters.cycles,
        updates=counters.updates,
        memory_reads=read,
        memory_writes=counters.updates,
    )


def _ledger(engine: str, traffic: Traffic, places: int, **counts: int | None) -> Ledger:
    """What all engines have alike."""
    words = (None, None) if traffic.words is None else traffic.words
    cycles, clock = counts["cycles"], traffic.clock_hz
    return Ledger(
        engines=(engine,),
        coupling_loads=traffic.loads,
        conditionings=traffic.conditionings,
        runs=traffic.runs,
        values_read=traffic.read(counts["reads"] or 0, places),
        values_written=traffic.programmed(places),
        words_in=words[0],
        words_out=words[1],
        bits_in=None if words[0] is None else 32 * words[0],
        bits_out=None if words[1] is None else 32 * words[1],
        device_seconds=None if clock is None or cycles is None else cycles / clock,
        **counts,
    )
