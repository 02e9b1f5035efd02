"""Build parameters of a device and the fingerprint that host and device compare.

Two devices with equal parameters give equal samples, energies and counters for the same program
and seed, to the bit.
"""

import hashlib
import json
from dataclasses import asdict, dataclass

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_hw.spec.tables import BASE_FRAC, INDEX_BITS

__all__ = ["SPEC_VERSION", "GraphParameters"]

SPEC_VERSION = 3
"""Raised whenever a packet, register, table or the meaning of a program changes."""

_WIDTH = "the bits of a packet word"
_LIMITS = {
    "lanes": (2, 32, "the lanes of a mask word"),
    "rows": (1, 32764, "so that a draw's length fits its header"),
    "words": (1, 1 << 24, "what a simulation can hold"),
    "weight_bits": (2, 32, _WIDTH),
    "bias_bits": (2, 32, _WIDTH),
    "beta_bits": (2, 32, _WIDTH),
    "beta_frac": (0, 32, _WIDTH),
    "score_frac": (0, BASE_FRAC, "the noise tables' precision"),
    "schedule_steps": (1, 1 << 24, "what a simulation can hold"),
    "max_degree": (1, 2047, "the length of a row's descriptor"),
    "max_group": (1, 1 << 16, "more states than any program needs"),
    "payload_words": (1, 4096, "the payload memory"),
    "hash_rounds": (0, 4, "the rounds between two keys"),
    "noise_index_bits": (1, INDEX_BITS, "the segments of the finest noise table"),
    "noise_tail_bits": (1, INDEX_BITS, "the segments of the finest noise table"),
}


@dataclass(frozen=True, slots=True)
class GraphParameters:
    """Sizes and formats of the graph engine, fixed when it is built.

    ``lanes``            slots decided together; a power of two, 2 to 32
    ``rows``             rows of the spin memory; a slot's address is ``row * lanes + lane``
    ``words``            depth of the coupling memory, one entry per lane in each word
    ``weight_bits``      signed couplings, ``-(2^(w-1)-1) .. 2^(w-1)-1``
    ``bias_bits``        signed biases, symmetric like the couplings
    ``beta_bits``        unsigned inverse temperature, of which ``beta_frac`` bits are a fraction
    ``score_frac``       fraction bits of noise and score, 16 to 20 for laws within 1e-4; fewer
                         are for proofs of small builds
    ``schedule_steps``   entries of the beta schedule
    ``max_degree``       longest neighbour list
    ``max_group``        most states of a one-hot group
    ``payload_words``    most payload words in a command
    ``hash_rounds``      rounds of the seed hash done in a cycle: 1, 2, 4 (a divisor of 4), or 0 for
                         a hash a byte at a time, in few cells
    ``noise_index_bits`` segments of the noise tables in an octave, as a power of two, and
    ``noise_tail_bits``  the same in far octaves: 7 and 7 for laws within 5e-5 whatever the group;
                         6 and 5 within 1e-4 up to 64 states, in a third of the memory; 4 and 1
                         within 5e-5 for p-bits alone, in a 25th
    """

    lanes: int = 16
    rows: int = 2048
    words: int = 10240
    weight_bits: int = 10
    bias_bits: int = 16
    beta_bits: int = 24
    beta_frac: int = 20
    score_frac: int = 16
    schedule_steps: int = 8192
    max_degree: int = 2047
    max_group: int = 256
    payload_words: int = 1024
    hash_rounds: int = 4
    noise_index_bits: int = INDEX_BITS
    noise_tail_bits: int = INDEX_BITS

    def __post_init__(self) -> None:
        for name, (least, most, why) in _LIMITS.items():
            value = getattr(self, name)
            if type(value) is not int or not least <= value <= most:
                raise ProgramError(
                    f"{name} must be a whole number in {least}..{most}, {why}, not {value}: choose "
                    "one of these"
                )
        if self.lanes not in (2, 4, 8, 16, 32):
            raise ProgramError(
                f"lanes must be a power of two from 2 to 32, not {self.lanes}: choose one of these"
            )
        if self.hash_rounds == 3:
            raise ProgramError("hash_rounds must be 0, 1, 2 or 4, not 3: choose one of these")
        if self.row_bits + self.lane_bits + self.weight_bits + 1 > 32:
            raise ProgramError(
                f"an entry needs {self.row_bits + self.lane_bits + self.weight_bits + 1} bits and "
                "a packet word holds 32: choose fewer rows, lanes or weight bits"
            )
        if self.beta_frac < self.score_frac:
            raise ProgramError(
                f"beta_frac {self.beta_frac} must be at least score_frac {self.score_frac}: choose "
                "more fraction bits for beta or fewer for the score"
            )
        smallest = max(2 * self.lanes + 1, 16)
        if not smallest <= self.payload_words <= 4096:
            raise ProgramError(
                f"payload_words must lie in {smallest}..4096, a record and its address, not "
                f"{self.payload_words}: choose one of these"
            )

    @property
    def lane_bits(self) -> int:
        """Bits of a lane number."""
        return self.lanes.bit_length() - 1

    @property
    def row_bits(self) -> int:
        """Bits of a row number."""
        return max(1, (self.rows - 1).bit_length())

    @property
    def address_bits(self) -> int:
        """Bits of a slot address, ``row * lanes + lane``."""
        return self.row_bits + self.lane_bits

    @property
    def slots(self) -> int:
        """Slots of the spin memory."""
        return self.rows * self.lanes

    @property
    def weight_max(self) -> int:
        """Largest magnitude of a coupling code."""
        return (1 << (self.weight_bits - 1)) - 1

    @property
    def bias_max(self) -> int:
        """Largest magnitude of a bias code."""
        return (1 << (self.bias_bits - 1)) - 1

    @property
    def beta_max(self) -> int:
        """Largest beta code."""
        return (1 << self.beta_bits) - 1

    @property
    def beta_shift(self) -> int:
        """Bits dropped (floor) from ``beta_code * energy_code`` to reach the score's format."""
        return self.beta_frac - self.score_frac

    @property
    def field_bits(self) -> int:
        """Signed bits of a field: ``|f| <= (max_degree + lanes) * weight_max + bias_max``.

        A list split over lanes is padded to a multiple of the lanes that share it.
        """
        return ((self.max_degree + self.lanes) * self.weight_max + self.bias_max).bit_length() + 1

    @property
    def score_bits(self) -> int:
        """Signed bits of a score, ``noise - (beta * 2 f >> beta_shift)``, without overflow."""
        product = self.field_bits + 1 + self.beta_bits - self.beta_shift
        return max(product, 5 + 1 + self.score_frac) + 1

    @property
    def energy_bits(self) -> int:
        """Signed bits of an energy: every slot's bias and every entry's weight may add up."""
        largest = self.slots * self.bias_max + self.words * self.lanes * self.weight_max
        return largest.bit_length() + 2

    def fingerprint(self) -> int:
        """64 bits that name the specification's version and these parameters."""
        text = json.dumps({"spec": SPEC_VERSION, "graph": asdict(self)}, sort_keys=True)
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")
