"""Functional coverage of the graph engine: commands, and what the programs were that ran right."""

from enum import IntEnum

from gibbsite_hw.spec.packets import Opcode, Response
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.program import Row
from gibbsite_sim.cosim.command_coverage import Bin, CommandCoverage

__all__ = ["Coverage"]


class Coverage(CommandCoverage):
    """Groups of all kinds of sizes, clamps, folds."""

    def __init__(self, parameters: GraphParameters) -> None:
        super().__init__(more=bins(parameters))

    def forget(self) -> None:
        """The device was reset."""
        super().forget()
        self._rows: list[Row] = []
        self._on: dict[int, int] = {}
        self._off: dict[int, int] = {}

    def run_ended(self, kind: Response) -> None:
        """DONE or ABORTED came, and all before it was right."""
        super().run_ended(kind)
        size, clamped = 0, False
        for number, row in enumerate(self._rows):
            on, off = (masks.get(number, 0) & row.mask for masks in (self._on, self._off))
            names = ("state" if row.group else "p-bit",)
            for kind_of, used in (("on", on), ("off", off), ("free", row.mask & ~(on | off))):
                if used:
                    self.hit("clamp", *names, kind_of)
            if row.group:
                size = (0 if row.first else size) + row.mask.bit_count()
                clamped = (clamped and not row.first) or bool(on | off)
                name = ("group", str(size), "clamped" if clamped else "free")
                if row.last and name in self.hits:
                    self.hit(*name)
            self.hit("fold", str(row.fold))

    def follow(self, opcode: IntEnum, payload: tuple[int, ...]) -> None:
        """Rows and clamps of the program at hand."""
        if opcode is Opcode.BEGIN:
            self._rows, self._on, self._off = [], {}, {}
        elif opcode is Opcode.ROWS:
            pairs = zip(payload[1::2], payload[2::2], strict=True)
            self._rows += [Row.decode(descriptor, mask) for descriptor, mask in pairs]
        elif opcode is Opcode.CLAMPS:
            for n in range((len(payload) - 1) // 2):
                self._on[payload[0] + n] = payload[1 + 2 * n]
                self._off[payload[0] + n] = payload[2 + 2 * n]


def bins(parameters: GraphParameters) -> list[Bin]:
    """Every bin of programs, in words."""
    lanes = parameters.lanes
    sizes = (1, lanes - 1, lanes, lanes + 1, parameters.max_group)
    found: list[Bin] = [("group", str(n), how) for n in sizes for how in ("clamped", "free")]
    found += [("clamp", kind, how) for kind in ("p-bit", "state") for how in ("on", "off", "free")]
    found += [("fold", str(fold)) for fold in range(parameters.lane_bits + 1)]
    return found
