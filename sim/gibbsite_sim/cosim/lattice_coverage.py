"""Functional coverage of the lattice engine: commands, refusals by cause, programs that ran."""

from enum import IntEnum

from gibbsite_hw.spec.lattice_packets import LatticeErrorCode, LatticeOpcode
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.lattice_registers import LatticeRegister
from gibbsite_hw.spec.lattice_timing import streams_through
from gibbsite_hw.spec.packets import Response
from gibbsite_sim.cosim.command_coverage import Bin, CommandCoverage
from gibbsite_sim.cosim.dialects import LATTICE
from gibbsite_sim.cosim.packet_predictor import Answered

__all__ = ["LatticeCoverage"]

_O, _E, _R = LatticeOpcode, LatticeErrorCode, LatticeRegister
_LOADING = (_O.COUPLINGS, _O.BIASES, _O.CLAMPS, _O.SCHEDULE, _O.STATE)


class LatticeCoverage(CommandCoverage):
    """Every loading command refused for place and word, and the kinds of runs."""

    def __init__(self, parameters: LatticeParameters) -> None:
        self._parameters = parameters
        super().__init__(LATTICE, _BINS)

    def forget(self) -> None:
        """The device was reset."""
        super().forget()
        self._columns = 0
        self._clamped = False

    def run_ended(self, kind: Response) -> None:
        """DONE or ABORTED came, and all before it was right."""
        super().run_ended(kind)
        registers, most = self.registers, self._parameters
        wide = streams_through(most, self._columns)
        self.hit("columns", "streaming" if wide else "narrow")
        self.hit("columns", "most" if self._columns == most.columns else "fewer")
        self.hit("clamps", str(self._clamped))
        steps = registers[_R.STEPS]
        self.hit("steps", "none" if not steps else "one" if steps == 1 else "more")
        whole, rest = divmod(registers[_R.CHAINS], most.banks)
        self.hit("banks", "some idle" if rest else "all")
        self.hit("groups", "one" if whole + (rest > 0) == 1 else "more")
        self.hit("draws", "one" if registers[_R.DRAWS] == 1 else "more")

    def follow(self, opcode: IntEnum, payload: tuple[int, ...]) -> None:
        """Size and clamps of the program at hand."""
        if opcode is _O.BEGIN:
            self._columns, self._clamped = payload[0], False
        if opcode is _O.CLAMPS:
            self._clamped |= any(payload[1:])

    def refused(self, opcode: IntEnum, event: Answered) -> None:
        """Which rule it was that refused a command."""
        code = LatticeOpcode(opcode)
        if event.error == _E.BAD_VALUE and code in _LOADING:
            self.hit("bad word", code.name)
        elif event.error == _E.BAD_ADDRESS:
            self.hit("bad address", code.name)
        elif event.error == _E.INCOMPLETE:
            self.hit("incomplete", str(event.detail))


_BINS: list[Bin] = [
    *(("bad word", code.name) for code in _LOADING),
    *(("bad address", code.name) for code in _LOADING),
    *(("incomplete", part) for part in ("0", "1")),
    *(("columns", kind) for kind in ("streaming", "narrow", "most", "fewer")),
    *(("clamps", str(flag)) for flag in (False, True)),
    *(("steps", much) for much in ("none", "one", "more")),
    *(("banks", much) for much in ("all", "some idle")),
    *(("groups", much) for much in ("one", "more")),
    *(("draws", much) for much in ("one", "more")),
]
