"""How long the seed hash takes: the one figure of a build's time that all engines share.

    rounds 1, 2, 4    20 / rounds cycles, and one to start the next
    rounds 0          the hash a byte at a time, in one memory with one adder of 8 bits

Twin: `gibbsite_hw.noise.SeedHash`, `gibbsite_hw.serial_hash.SerialSeedHash`.
"""

__all__ = ["SERIAL_HASH_CYCLES", "SERIAL_OPERATIONS", "seeding_cycles"]

_ROUNDS = 20
_OPERATION_CYCLES = 19

SERIAL_OPERATIONS = 64
"""Vector operations of the byte-wide hash: a key word, two to begin, two a round, three for each of
five injections, six to take the result out."""

SERIAL_HASH_CYCLES = _OPERATION_CYCLES * SERIAL_OPERATIONS + 2


def seeding_cycles(hash_rounds: int) -> int:
    """Clock cycles from one lane's hash to the next one's."""
    return _ROUNDS // hash_rounds + 1 if hash_rounds else SERIAL_HASH_CYCLES
