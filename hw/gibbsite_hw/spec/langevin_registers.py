"""The register map of the Langevin engine; rules as in `registers`."""

from enum import IntEnum, IntFlag

from gibbsite_hw.spec.registers import RegisterInfo

__all__ = ["LANGEVIN_REGISTERS", "LangevinFlags", "LangevinRegister"]


class LangevinFlags(IntFlag):
    """Bits of `LangevinRegister.FLAGS`."""

    SAMPLES = 1
    """Send the state of every draw."""
    BEST = 2
    """Send the best state since the chain's start with every draw."""
    TRAJECTORY = 4
    """Draws from the start on, through the schedule, instead of after it."""


class LangevinRegister(IntEnum):
    """Offsets of the registers."""

    SEED_LOW = 0x00
    SEED_HIGH = 0x01
    FIRST_CHAIN = 0x02
    CHAINS = 0x03
    DRAWS = 0x04
    ENTRIES = 0x05
    START = 0x06
    THIN = 0x07
    FLAGS = 0x08
    MOMENT_EVERY = 0x09
    PAIRS = 0x0A
    STATE = 0x10
    UNITS = 0x11
    CONSTRAINTS = 0x12
    WORDS = 0x13
    CYCLES_LOW = 0x20
    CYCLES_HIGH = 0x21
    PRODUCTS_LOW = 0x22
    PRODUCTS_HIGH = 0x23
    UPDATES_LOW = 0x24
    UPDATES_HIGH = 0x25
    STEPS_LOW = 0x26
    STEPS_HIGH = 0x27
    READS_LOW = 0x28
    READS_HIGH = 0x29
    SATURATIONS_LOW = 0x2A
    SATURATIONS_HIGH = 0x2B


_WORD = 0xFFFF_FFFF


def _control(
    doc: str, unit: str, reset: int, minimum: int = 0, maximum: int = _WORD
) -> RegisterInfo:
    return RegisterInfo(True, minimum, maximum, reset, unit, doc)


def _status(doc: str, unit: str) -> RegisterInfo:
    return RegisterInfo(False, 0, _WORD, 0, unit, doc)


_R = LangevinRegister

LANGEVIN_REGISTERS: dict[LangevinRegister, RegisterInfo] = {
    _R.SEED_LOW: _control("seed, low word", "bits", 0),
    _R.SEED_HIGH: _control("seed, high word", "bits", 0),
    _R.FIRST_CHAIN: _control("number of the first chain, hashed with the seed", "chains", 0),
    _R.CHAINS: _control("independent chains of a run", "chains", 1, 1),
    _R.DRAWS: _control("draws of each chain", "draws", 1, 1),
    _R.ENTRIES: _control("schedule entries of a chain, 1 at least for RUN", "entries", 0),
    _R.START: _control(
        "spread of the start: mantissa, 18 bits, and shift, 6 bits", "bits", 0, 0, (48 << 18) - 1
    ),
    _R.THIN: _control("steps between two draws", "steps", 1, 1),
    _R.FLAGS: _control("LangevinFlags", "bits", 1, 0, 7),
    _R.MOMENT_EVERY: _control("measured steps between two additions to moments", "steps", 1, 1),
    _R.PAIRS: _control("pairs whose products are summed; 0: no moments", "pairs", 0),
    _R.STATE: _status("State of the shell", "state"),
    _R.UNITS: _status("units of the loaded program", "units"),
    _R.CONSTRAINTS: _status("constraints of the loaded program", "constraints"),
    _R.WORDS: _status("coupling words of the loaded program", "words"),
    _R.CYCLES_LOW: _status("cycles spent seeding, starting and stepping, low", "cycles"),
    _R.CYCLES_HIGH: _status("cycles spent seeding, starting and stepping, high", "cycles"),
    _R.PRODUCTS_LOW: _status("multiplier slots that held a coupling, low", "products"),
    _R.PRODUCTS_HIGH: _status("multiplier slots that held a coupling, high", "products"),
    _R.UPDATES_LOW: _status("units moved or held by steps, low", "units"),
    _R.UPDATES_HIGH: _status("units moved or held by steps, high", "units"),
    _R.STEPS_LOW: _status("steps, low", "steps"),
    _R.STEPS_HIGH: _status("steps, high", "steps"),
    _R.READS_LOW: _status("draws sent, low", "draws"),
    _R.READS_HIGH: _status("draws sent, high", "draws"),
    _R.SATURATIONS_LOW: _status("values that did not fit and were saturated, low", "values"),
    _R.SATURATIONS_HIGH: _status("values that did not fit and were saturated, high", "values"),
}
