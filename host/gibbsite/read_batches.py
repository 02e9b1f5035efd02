"""Reads as chains of the device: how many there are, how long each is and where it starts."""

from gibbsite.arguments import Arguments
from gibbsite.compiler import CompiledModel
from gibbsite.drawing import Batch
from gibbsite.starts import Starts

__all__ = ["read_batches"]

DEFAULT_CHAINS = 4
"""Chains among which draws at equilibrium are shared."""

CERTIFIED_CHAINS = 16
"""The same where a certificate is asked for: fewer might share a mode by chance."""


def read_batches(starts: Starts, arguments: Arguments, compiled: CompiledModel) -> list[Batch]:
    """Reads as chains: one draw a chain when annealing, else shared among the chains."""
    reads = starts.reads
    if arguments.beta is None:
        chains = reads
    else:
        usual = CERTIFIED_CHAINS if arguments.certify else DEFAULT_CHAINS
        chains = min(arguments.num_chains or usual, reads)
    draws, more = divmod(reads, chains)
    lengths = [draws + 1] * more + [draws] * (chains - more)
    states = [compiled.state(state) for state in starts.states[:chains]]
    batches: list[Batch] = []
    for chain, length in enumerate(lengths):
        state = states[chain] if chain < len(states) else None
        last = batches[-1] if batches else None
        if last is not None and (last.draws, last.state) == (length, state):
            batches[-1] = Batch(last.first_chain, last.chains + 1, length, state)
        else:
            batches.append(Batch(chain, 1, length, state))
    return batches
