"""Build parameters of the Langevin engine; its number formats stand in `langevin_formats`."""

from dataclasses import dataclass

from gibbsite_hw.spec.errors import ProgramError

__all__ = ["LangevinParameters"]

_LIMITS = {
    "units": (1, 4096, "the address of a unit"),
    "constraints": (0, 4096, "the address of a constraint"),
    "multipliers": (2, 256, "the width of a coupling word"),
    "weight_bits": (4, 16, "the halves of a packet word"),
    "schedule_entries": (1, 1 << 16, "the schedule memory"),
    "pairs": (0, 1 << 16, "the moment memory"),
    "payload_words": (16, 4096, "the payload memory"),
    "hash_rounds": (1, 4, "the rounds between two keys"),
}


@dataclass(frozen=True, slots=True)
class LangevinParameters:
    """Sizes of the Langevin engine, fixed when it is built.

    ``units``             continuous states z_i
    ``constraints``       penalty rows lambda phi(k.z - d)
    ``multipliers``       products a cycle in dense rows; a power of two, 2 to 256
    ``weight_bits``       signed couplings J and rows k, ``-(2^(w-1)-1) .. 2^(w-1)-1``
    ``schedule_entries``  entries of the schedule
    ``pairs``             products z_i z_j whose running sums the device keeps
    ``payload_words``     most payload words in a command
    ``hash_rounds``       rounds of the seed hash done in a cycle: 1, 2, 4 (a divisor of 4)
    """

    units: int = 256
    constraints: int = 256
    multipliers: int = 64
    weight_bits: int = 12
    schedule_entries: int = 4096
    pairs: int = 1024
    payload_words: int = 1024
    hash_rounds: int = 4

    def __post_init__(self) -> None:
        for name, (least, most, why) in _LIMITS.items():
            value = getattr(self, name)
            if type(value) is not int or not least <= value <= most:
                raise ProgramError(
                    f"{name} must be a whole number in {least}..{most}, {why}, not {value}: choose "
                    "one of these"
                )
        if self.multipliers & (self.multipliers - 1):
            raise ProgramError(
                f"multipliers must be a power of two from 2 to 256, not {self.multipliers}: choose "
                "one of these"
            )
        if self.hash_rounds == 3:
            raise ProgramError("hash_rounds must be 1, 2 or 4, not 3: choose one of these")
        if self.payload_words < self.multipliers // 2 + 1:
            raise ProgramError(
                f"payload_words must be at least {self.multipliers // 2 + 1}, a coupling word and "
                f"its address, not {self.payload_words}: choose more"
            )

    @property
    def lane_bits(self) -> int:
        """Bits of a multiplier's number."""
        return self.multipliers.bit_length() - 1

    @property
    def weight_max(self) -> int:
        """Largest magnitude of a coupling code."""
        return (1 << (self.weight_bits - 1)) - 1

    def words(self, length: int) -> int:
        """Coupling words of a row of so many products: ``ceil(length / multipliers)``."""
        return -(-length // self.multipliers)

    @property
    def weight_words(self) -> int:
        """Depth of the coupling memory: rows J and k^T of every unit, row k of every constraint."""
        n, m = self.units, self.constraints
        return n * self.words(n) + m * self.words(n) + n * self.words(m)
