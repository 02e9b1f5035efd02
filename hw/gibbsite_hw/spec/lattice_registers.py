"""The register map of the lattice engine; rules and controls as in `registers`."""

from enum import IntEnum

from gibbsite_hw.spec.registers import REGISTERS, Register, RegisterInfo

__all__ = ["LATTICE_REGISTERS", "LatticeRegister"]


class LatticeRegister(IntEnum):
    """Offsets of the registers; the flags are `registers.RunFlags`."""

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
    COLUMNS = 0x11
    CYCLES_LOW = 0x20
    CYCLES_HIGH = 0x21
    SWEEP_CYCLES_LOW = 0x22
    SWEEP_CYCLES_HIGH = 0x23
    UPDATES_LOW = 0x24
    UPDATES_HIGH = 0x25
    SWEEPS_LOW = 0x26
    SWEEPS_HIGH = 0x27
    READS_LOW = 0x28
    READS_HIGH = 0x29
    WAITS_LOW = 0x2A
    WAITS_HIGH = 0x2B


def _status(doc: str, unit: str) -> RegisterInfo:
    return RegisterInfo(False, 0, 0xFFFF_FFFF, 0, unit, doc)


_R = LatticeRegister
_CONTROLS = [register for register in Register if REGISTERS[register].writable]

LATTICE_REGISTERS: dict[LatticeRegister, RegisterInfo] = {
    **{LatticeRegister[known.name]: REGISTERS[known] for known in (*_CONTROLS, Register.STATE)},
    _R.COLUMNS: _status("columns of the loaded program", "columns"),
    _R.CYCLES_LOW: _status("cycles spent seeding, starting, waiting, sweeping, low", "cycles"),
    _R.CYCLES_HIGH: _status("cycles spent seeding, starting, waiting, sweeping, high", "cycles"),
    _R.SWEEP_CYCLES_LOW: _status("cycles spent in sweeps, low", "cycles"),
    _R.SWEEP_CYCLES_HIGH: _status("cycles spent in sweeps, high", "cycles"),
    _R.UPDATES_LOW: _status("sites decided in sweeps, low", "sites"),
    _R.UPDATES_HIGH: _status("sites decided in sweeps, high", "sites"),
    _R.SWEEPS_LOW: _status("sweeps of all chains, low", "sweeps"),
    _R.SWEEPS_HIGH: _status("sweeps of all chains, high", "sweeps"),
    _R.READS_LOW: _status("draws sent, low", "draws"),
    _R.READS_HIGH: _status("draws sent, high", "draws"),
    _R.WAITS_LOW: _status("cycles that steps waited for their thresholds, low", "cycles"),
    _R.WAITS_HIGH: _status("cycles that steps waited for their thresholds, high", "cycles"),
}
