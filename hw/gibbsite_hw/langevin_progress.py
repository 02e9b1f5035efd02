"""How much of a Langevin program is loaded, and where the next packet of each kind may begin.

Twin: ``_load`` and ``_commit`` in `gibbsite_models.golden.langevin_shell`.
"""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gibbsite_hw.langevin_size import first_of
from gibbsite_hw.spec.langevin_packets import LangevinOpcode
from gibbsite_hw.spec.langevin_parameters import LangevinParameters

__all__ = ["MUST_LOAD", "LangevinProgress"]

MUST_LOAD = (
    LangevinOpcode.UNITS,
    LangevinOpcode.WEIGHTS,
    LangevinOpcode.BIASES,
    LangevinOpcode.CONSTRAINTS,
)
"""What COMMIT wants complete, numbered as in the detail of INCOMPLETE."""


class LangevinProgress(wiring.Component):
    """Of a program of ``units``, ``constraints`` and ``words`` coupling words.

    Records of ``opcode`` must begin at ``expected`` (or at most there, with ``at_most``; anywhere
    with ``any_place``) and end within ``limit``. With ``grow`` those before ``end`` are loaded,
    with ``forget`` none are. ``incomplete``: COMMIT must be refused, because the part ``missing``
    is not whole. ``entries`` and ``pairs`` are loaded. ``ready``: COMMIT was accepted.
    """

    def __init__(self, parameters: LangevinParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "opcode": In(8),
                "ready": In(1),
                "units": In(range(parameters.units + 1)),
                "constraints": In(range(parameters.constraints + 1)),
                "words": In(range(parameters.weight_words + 1)),
                "expected": Out(32),
                "any_place": Out(1),
                "at_most": Out(1),
                "limit": Out(32),
                "grow": In(1),
                "end": In(32),
                "forget": In(1),
                "incomplete": Out(1),
                "missing": Out(range(len(MUST_LOAD))),
                "entries": Out(range(parameters.schedule_entries + 1)),
                "pairs": Out(range(parameters.pairs + 1)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        parameters = self._parameters
        self.limits = limits = {
            LangevinOpcode.UNITS: self.units,
            LangevinOpcode.WEIGHTS: self.words,
            LangevinOpcode.BIASES: self.units,
            LangevinOpcode.CLAMPS: self.units,
            LangevinOpcode.SCHEDULE: Const(parameters.schedule_entries),
            LangevinOpcode.STATE: self.units,
            LangevinOpcode.CONSTRAINTS: self.constraints,
            LangevinOpcode.PAIRS: Const(parameters.pairs),
        }
        self.loaded = loaded = {
            opcode: Signal.like(limits[opcode], name=f"{opcode.name.lower()}_loaded")
            for opcode in (*MUST_LOAD, LangevinOpcode.SCHEDULE, LangevinOpcode.PAIRS)
        }
        with m.Switch(self.opcode):
            with m.Case(LangevinOpcode.CLAMPS, LangevinOpcode.STATE):
                m.d.comb += self.any_place.eq(1)
            with m.Case(LangevinOpcode.BIASES, LangevinOpcode.CONSTRAINTS):
                m.d.comb += self.any_place.eq(self.ready)
            with m.Case(LangevinOpcode.SCHEDULE, LangevinOpcode.PAIRS):
                m.d.comb += self.at_most.eq(1)
        with m.Switch(self.opcode):
            for opcode, limit in limits.items():
                with m.Case(opcode):
                    m.d.comb += self.limit.eq(limit)
                    if opcode in loaded:
                        m.d.comb += self.expected.eq(loaded[opcode])
        # Conditions that change in part do not count as not loaded.
        with m.If(self.grow & (self.expected < self.end)), m.Switch(self.opcode):
            for opcode, count in loaded.items():
                with m.Case(opcode):
                    m.d.sync += count.eq(self.end)
        with m.If(self.forget):
            m.d.sync += [count.eq(0) for count in loaded.values()]
        missing = [loaded[part] != limits[part] for part in MUST_LOAD]
        m.d.comb += [
            self.incomplete.eq(Cat(missing).any()),
            self.missing.eq(first_of(missing)),
            self.entries.eq(loaded[LangevinOpcode.SCHEDULE]),
            self.pairs.eq(loaded[LangevinOpcode.PAIRS]),
        ]
        return m
