"""Functional coverage of the Langevin engine: commands, refusals by cause, programs that ran."""

from enum import IntEnum

from gibbsite_hw.spec.langevin_packets import LANGEVIN_RECORDS, LangevinErrorCode, LangevinOpcode
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.langevin_registers import LangevinRegister
from gibbsite_hw.spec.packets import Response
from gibbsite_sim.cosim.command_coverage import Bin, CommandCoverage
from gibbsite_sim.cosim.dialects import LANGEVIN
from gibbsite_sim.cosim.packet_predictor import Answered

__all__ = ["LangevinCoverage"]

_O = LangevinOpcode
_E = LangevinErrorCode
_LOADING = (*LANGEVIN_RECORDS, _O.WEIGHTS)


class LangevinCoverage(CommandCoverage):
    """Every word of every record refused, sizes and shifts, kinds of programs."""

    def __init__(self, parameters: LangevinParameters) -> None:
        self._records = {**LANGEVIN_RECORDS, _O.WEIGHTS: parameters.multipliers // 2}
        self._parameters = parameters
        super().__init__(LANGEVIN, bins(self._records))

    def forget(self) -> None:
        """The device was reset."""
        super().forget()
        self._size = (0, 0, 0)
        self._clamped: dict[int, bool] = {}
        self._hinges: dict[int, bool] = {}
        self._schedule: dict[int, bool] = {}
        self._alone: dict[int, bool] = {}

    def run_ended(self, kind: Response) -> None:
        """DONE or ABORTED came, and all before it was right."""
        super().run_ended(kind)
        units, constraints, coupled = self._size
        most = self._parameters
        self.hit(
            "program", "coupled" if coupled else "uncoupled", _amount(constraints, most.constraints)
        )
        self.hit("units", _amount(units, most.units))
        self.hit(
            "entries", _amount(self.registers[LangevinRegister.ENTRIES], most.schedule_entries)
        )
        pairs = self.registers[LangevinRegister.PAIRS]
        self.hit("pairs", _amount(pairs, most.pairs))
        for name, flags, end in (
            ("clamped", self._clamped, units),
            ("hinge", self._hinges, constraints),
            ("measured", self._schedule, self.registers[LangevinRegister.ENTRIES]),
            ("alone", self._alone, pairs),
        ):
            for at in range(end):
                self.hit(name, str(flags.get(at, False)))

    def follow(self, opcode: IntEnum, payload: tuple[int, ...]) -> None:
        """Sizes and flags of the program at hand."""
        if opcode is _O.BEGIN:
            self._size = (payload[0], payload[1], payload[2])
            self._clamped, self._hinges, self._schedule, self._alone = {}, {}, {}, {}
        kept = {
            _O.CLAMPS: (self._clamped, 0),
            _O.CONSTRAINTS: (self._hinges, 0),
            _O.SCHEDULE: (self._schedule, 31),
            _O.PAIRS: (self._alone, 24),
        }
        if opcode in kept:
            flags, bit = kept[LangevinOpcode(opcode)]
            for at, word in enumerate(payload[1 :: self._records[LangevinOpcode(opcode)]]):
                flags[payload[0] + at] = bool(word >> bit & 1)

    def refused(self, opcode: IntEnum, event: Answered) -> None:
        """Which rule it was that refused a command."""
        code = LangevinOpcode(opcode)
        if event.error == _E.BAD_VALUE and code in _LOADING:
            self.hit("bad word", code.name, str((event.detail - 1) % self._records[code]))
        elif event.error == _E.BAD_ADDRESS:
            self.hit("bad address", code.name)
        elif event.error in (_E.BAD_SIZE, _E.INCOMPLETE):
            self.hit(_E(event.error).name, str(event.detail))
        elif event.error == _E.NO_SCHEDULE:
            self.hit(_E.NO_SCHEDULE.name, "more" if event.detail else "none")


def _amount(count: int, most: int) -> str:
    return "none" if not count else "all" if count == most else "some"


def bins(records: dict[LangevinOpcode, int]) -> list[Bin]:
    """Every bin of payloads and programs, in words."""
    found: list[Bin] = [
        ("bad word", code.name, str(n)) for code, size in records.items() for n in range(size)
    ]
    found += [("bad address", code.name) for code in records]
    found += [(_E.BAD_SIZE.name, str(n)) for n in range(6)]
    found += [(_E.INCOMPLETE.name, str(n)) for n in range(4)]
    found += [(_E.NO_SCHEDULE.name, how) for how in ("none", "more")]
    amounts = ("none", "some", "all")
    found += [("program", c, much) for c in ("coupled", "uncoupled") for much in amounts]
    found += [("pairs", much) for much in amounts]
    found += [(name, much) for name in ("units", "entries") for much in amounts[1:]]
    names = ("clamped", "hinge", "measured", "alone")
    found += [(name, str(flag)) for name in names for flag in (False, True)]
    return found
