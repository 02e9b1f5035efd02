"""How much of a lattice program is loaded, and where the next packet of each kind may begin.

Twin: ``_load_couplings`` and the other ``_load_...``, and ``_commit``, in
`gibbsite_models.golden.lattice_shell`.
"""

from amaranth.hdl import Cat, Const, Mux, Signal

from gibbsite_hw.lattice_delays import held
from gibbsite_hw.spec.lattice_packets import LatticeOpcode
from gibbsite_hw.spec.lattice_parameters import LatticeParameters

__all__ = ["LatticeProgress"]

_MUST_LOAD = (LatticeOpcode.COUPLINGS, LatticeOpcode.BIASES)
"""What COMMIT wants complete, numbered as in the detail of INCOMPLETE."""


class LatticeProgress:
    """Counts of what is loaded of a program of ``columns``, in the shell's module ``m``."""

    def __init__(self, m, parameters: LatticeParameters, columns) -> None:
        self.most_columns = parameters.columns
        # Where each memory ends, and how much of it is loaded.
        sites = Signal(range(parameters.rows * parameters.columns + 1))
        words = Signal(range(parameters.words * parameters.columns + 1))
        m.d.sync += [
            sites.eq(columns * parameters.rows),
            words.eq(columns * parameters.words),
        ]
        self._limits = {
            LatticeOpcode.COUPLINGS: sites,
            LatticeOpcode.BIASES: sites,
            LatticeOpcode.CLAMPS: words,
            LatticeOpcode.SCHEDULE: Const(parameters.schedule_steps),
            LatticeOpcode.STATE: words,
        }
        self._loaded = {
            opcode: Signal.like(self._limits[opcode], name=f"{opcode.name.lower()}_loaded")
            for opcode in (*_MUST_LOAD, LatticeOpcode.SCHEDULE)
        }
        self._missing = [self._loaded[part] != self._limits[part] for part in _MUST_LOAD]

    @property
    def incomplete(self):
        """Whether COMMIT must be refused."""
        return Cat(self._missing).any()

    @property
    def missing(self):
        """The number of the part that is not whole."""
        return Mux(self._missing[0], 0, 1)

    @property
    def steps(self):
        """Steps of the schedule that are loaded."""
        return self._loaded[LatticeOpcode.SCHEDULE]

    def bound(self, m, loader, opcode):
        """Where records of ``opcode`` are expected, and where they end at the latest."""
        with m.Switch(opcode):
            for code, limit in self._limits.items():
                with m.Case(code):
                    m.d.comb += loader.limit.eq(limit)
                    if code in self._loaded:
                        m.d.comb += loader.expected.eq(self._loaded[code])

    def look(self, m, loader):
        """Find, a cycle before `grow`, which counts what ``loader`` wrote would raise."""
        self._grows = {
            code: held(m, f"{code.name.lower()}_grows", loaded < loader.loaded)
            for code, loaded in self._loaded.items()
        }

    def grow(self, m, loader, opcode):
        """What ``loader`` wrote is loaded; conditions that change in part stay so."""
        with m.Switch(opcode):
            for code, loaded in self._loaded.items():
                with m.Case(code), m.If(self._grows[code]):
                    m.d.sync += loaded.eq(loader.loaded)

    def forget(self):
        """The statements after which nothing is loaded: BEGIN."""
        return [count.eq(0) for count in self._loaded.values()]
