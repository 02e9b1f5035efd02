"""The register map: explicit offsets that do not move, access, unit and meaning.

All registers are 32 bits wide. 64-bit values take two, low word first. Counters count from the
start of the last accepted RUN and keep their values after it.
"""

from dataclasses import dataclass
from enum import IntEnum, IntFlag

__all__ = ["REGISTERS", "Register", "RegisterInfo", "RunFlags", "State"]


class State(IntEnum):
    """What the shell is doing; the value of `Register.STATE`."""

    EMPTY = 0
    LOADING = 1
    READY = 2
    RUNNING = 3


class RunFlags(IntFlag):
    """Bits of `Register.FLAGS`."""

    SAMPLES = 1
    """Send the state of every draw."""
    BEST = 2
    """Send the best state since the chain's start with every draw."""
    GIVEN_STATE = 4
    """Chains start from the STATE memory instead of a state drawn on the device."""


class Register(IntEnum):
    """Offsets of the registers."""

    SEED_LOW = 0x00
    SEED_HIGH = 0x01
    FIRST_CHAIN = 0x02
    CHAINS = 0x03
    DRAWS = 0x04
    STEPS = 0x05
    SWEEPS_PER_STEP = 0x06
    THIN = 0x07
    FLAGS = 0x08
    STATE = 0x10
    ROWS = 0x11
    WORDS = 0x12
    CYCLES_LOW = 0x20
    CYCLES_HIGH = 0x21
    SWEEP_CYCLES_LOW = 0x22
    SWEEP_CYCLES_HIGH = 0x23
    TERMS_LOW = 0x24
    TERMS_HIGH = 0x25
    UPDATES_LOW = 0x26
    UPDATES_HIGH = 0x27
    SWEEPS_LOW = 0x28
    SWEEPS_HIGH = 0x29
    READS_LOW = 0x2A
    READS_HIGH = 0x2B


@dataclass(frozen=True, slots=True)
class RegisterInfo:
    """One register: who may write it, its bounds, its value after reset, its unit and meaning."""

    writable: bool
    minimum: int
    maximum: int
    reset: int
    unit: str
    doc: str


_WORD = 0xFFFF_FFFF


def _control(
    doc: str, unit: str, reset: int, minimum: int = 0, maximum: int = _WORD
) -> RegisterInfo:
    return RegisterInfo(True, minimum, maximum, reset, unit, doc)


def _status(doc: str, unit: str) -> RegisterInfo:
    return RegisterInfo(False, 0, _WORD, 0, unit, doc)


REGISTERS: dict[Register, RegisterInfo] = {
    Register.SEED_LOW: _control("seed, low word", "bits", 0),
    Register.SEED_HIGH: _control("seed, high word", "bits", 0),
    Register.FIRST_CHAIN: _control("number of the first chain, hashed with the seed", "chains", 0),
    Register.CHAINS: _control("independent chains of a run", "chains", 1, 1),
    Register.DRAWS: _control("draws of each chain", "draws", 1, 1),
    Register.STEPS: _control("steps of the beta schedule before the first draw", "steps", 0),
    Register.SWEEPS_PER_STEP: _control("sweeps at each step", "sweeps", 1, 1),
    Register.THIN: _control("sweeps at the last beta between two draws", "sweeps", 1, 1),
    Register.FLAGS: _control("RunFlags", "bits", 1, 0, 7),
    Register.STATE: _status("State of the shell", "state"),
    Register.ROWS: _status("rows of the loaded program", "rows"),
    Register.WORDS: _status("coupling words of the loaded program", "words"),
    Register.CYCLES_LOW: _status("cycles spent seeding, starting and sweeping, low", "cycles"),
    Register.CYCLES_HIGH: _status("cycles spent seeding, starting and sweeping, high", "cycles"),
    Register.SWEEP_CYCLES_LOW: _status("cycles spent in sweeps, low", "cycles"),
    Register.SWEEP_CYCLES_HIGH: _status("cycles spent in sweeps, high", "cycles"),
    Register.TERMS_LOW: _status("non-zero neighbour terms accumulated in sweeps, low", "terms"),
    Register.TERMS_HIGH: _status("non-zero neighbour terms accumulated in sweeps, high", "terms"),
    Register.UPDATES_LOW: _status("slots decided in sweeps, low", "slots"),
    Register.UPDATES_HIGH: _status("slots decided in sweeps, high", "slots"),
    Register.SWEEPS_LOW: _status("sweeps, low", "sweeps"),
    Register.SWEEPS_HIGH: _status("sweeps, high", "sweeps"),
    Register.READS_LOW: _status("draws sent, low", "draws"),
    Register.READS_HIGH: _status("draws sent, high", "draws"),
}
