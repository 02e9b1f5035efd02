"""Sequences of commands for the Langevin engine's shell, and the environment that they run in."""

from collections.abc import Sequence
from random import Random

from gibbsite_hw.spec.langevin_formats import (
    COEFFICIENT_MAX,
    REPEAT_MAX,
    RESIDUAL_MAX,
    SHIFT_MAX,
    STATE_MAX,
    STRENGTH_MAX,
)
from gibbsite_hw.spec.langevin_packets import (
    LANGEVIN_FIXED_LENGTHS,
    LANGEVIN_RECORDS,
    LangevinOpcode,
)
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.langevin_registers import LangevinRegister
from gibbsite_hw.spec.packets import Packet
from gibbsite_sim.cosim.dialects import LANGEVIN
from gibbsite_sim.cosim.environment import DeviceEnvironment
from gibbsite_sim.cosim.langevin_cases import LangevinCase, langevin_loading
from gibbsite_sim.cosim.langevin_predictor import LangevinPredictor
from gibbsite_sim.cosim.packet_predictor import PacketPredictor
from gibbsite_sim.cosim.run import langevin_parameters_here
from gibbsite_sim.cosim.sequences import Commands, EveryOpcode

__all__ = [
    "EveryLangevinOpcode",
    "LangevinEnvironment",
    "LangevinMistakes",
    "LoadLangevin",
    "RunLangevin",
]

WORD = 0xFFFF_FFFF
_O = LangevinOpcode
_PLAIN = {_O.SCHEDULE: (1, 0, 0, 0, 0, 0, 0, 0, 0)}
"""Records that are accepted; of other commands all zeros are."""


class LangevinEnvironment(DeviceEnvironment):
    """The environment of a device around the Langevin engine's shell alone."""

    def predicts(self) -> PacketPredictor:
        """The golden shell of that engine."""
        return LangevinPredictor(langevin_parameters_here(), self.heard, self.run_ended)


class LoadLangevin(Commands):
    """Load a program; with ``rng`` in any order and in packets of any size, without ``leave``."""

    def __init__(
        self,
        parameters: LangevinParameters,
        case: LangevinCase,
        rng: Random | None = None,
        leave: tuple[LangevinOpcode, ...] = (),
    ) -> None:
        super().__init__(langevin_loading(parameters, case, rng, leave))


class RunLangevin(Commands):
    """Write all settings of a run and start it."""

    def __init__(self, case: LangevinCase, **changes: int) -> None:
        changed = {LangevinRegister[name]: value for name, value in changes.items()}
        settings = {**case.settings, **changed}
        super().__init__(
            [
                *(Packet(_O.WRITE, 0, (at, value)) for at, value in settings.items()),
                Packet(_O.RUN, 0, ()),
            ]
        )


class EveryLangevinOpcode(EveryOpcode):
    """Every opcode of this engine."""

    dialect = LANGEVIN

    def payload(self, opcode: int) -> tuple[int, ...]:
        """A payload of a fitting length."""
        code = LangevinOpcode(opcode)
        if code is _O.BEGIN:
            return (1, 0, 0, 0, 0, 0)
        if code in LANGEVIN_FIXED_LENGTHS:
            return super().payload(opcode)
        return (0, *_plain(self.parameters, code))


def _plain(parameters: LangevinParameters, code: LangevinOpcode) -> tuple[int, ...]:
    size = LANGEVIN_RECORDS.get(code, parameters.multipliers // 2)
    return _PLAIN.get(code, (0,) * size)


class LangevinMistakes(Commands):
    """Every rule of the shell from both sides, the accepted side in a program of its own."""

    def __init__(self, parameters: LangevinParameters) -> None:
        super().__init__()
        self._parameters = parameters
        self._ends = {
            **{_O.UNITS: 3, _O.BIASES: 3, _O.CLAMPS: 3, _O.STATE: 3, _O.CONSTRAINTS: 2},
            _O.WEIGHTS: 2 * parameters.words(3) + 3 * (parameters.words(3) + parameters.words(2)),
            _O.SCHEDULE: parameters.schedule_entries,
            _O.PAIRS: parameters.pairs,
        }

    async def body(self) -> None:
        await self._sizes()
        for code in self._ends:
            await self._addresses(code)
            await self._words(code)
        await self._incomplete()
        await self._runs()

    async def _begin(self) -> None:
        """Three units, two constraints, coupled."""
        await self.put(_O.BEGIN, 3, 2, 1, 0, 0, 0)

    async def _records(self, code: LangevinOpcode, first: int, count: int) -> None:
        await self.put(code, first, *_plain(self._parameters, code) * count)

    async def _sizes(self) -> None:
        p = self._parameters
        top = SHIFT_MAX * 0x01010101
        good = [(p.units, p.constraints, 1, top, top, SHIFT_MAX), (1, 0, 0, 0, 0, 0)]
        bad = [(0, 0, 0), (p.units + 1, 0, 0), (WORD, 0, 0), (0, WORD, 2)]
        bad += [(1, p.constraints + 1, 0), (1, WORD, 2), (1, 0, 2), (1, 0, WORD)]
        for sizes in good:
            await self.put(_O.BEGIN, *sizes)
            for first in bad:
                await self.put(_O.BEGIN, *first, 0, 0, 0)
            for place in range(12):
                shifts = [0, 0, 0]
                for shift in (SHIFT_MAX + 1, 64, 128) if place < 9 else (1, 128):
                    shifts[place // 4] = shift << 8 * (place % 4)
                    await self.put(_O.BEGIN, 1, 0, 0, *shifts)
                await self.put(_O.READ, LangevinRegister.WORDS)

    async def _addresses(self, code: LangevinOpcode) -> None:
        """Where packets may begin and end, while loading."""
        end = self._ends[code]
        most = (self._parameters.payload_words - 1) // len(_plain(self._parameters, code))
        await self._begin()
        for first in (1, end - 1, end, WORD):
            await self._records(code, first, 1)
        await self._begin()
        await self._records(code, 0, min(end + 1, most))
        await self._records(code, 0, 1)
        await self._records(code, 2, 1)
        await self._records(code, 0, 1)
        await self._records(code, 1, 1)
        await self._records(code, WORD, 2)
        at = 2
        while at < end:  # fills the memory to its end
            count = min(end - at, most)
            await self._records(code, at, count)
            at += count
        await self._records(code, end, 1)
        await self._records(code, end - 1, 2)

    async def _words(self, code: LangevinOpcode) -> None:
        """Every word of a record at its limits, in the first and in the second record."""
        plain = _plain(self._parameters, code)
        for place in range(len(plain)):
            good, bad = self._edges(code, place)
            for word in good:
                await self._begin()
                await self.put(code, 0, *plain, *plain[:place], word, *plain[place + 1 :])
            for word in bad:
                record = (*plain[:place], word, *plain[place + 1 :])
                await self._begin()
                await self.put(code, 0, *record)
                await self.put(code, 0, *plain, *record)

    def _edges(self, code: LangevinOpcode, place: int) -> tuple[Sequence[int], Sequence[int]]:
        """Words that are just right and just wrong."""
        p = self._parameters
        if code is _O.WEIGHTS:
            most, beyond = p.weight_max, p.weight_max + 1
            codes = (most, -most, -1)
            halves = [half & 0xFFFF for half in (beyond, -beyond, 0x7FFF, 0x8000)]
            return (
                [a & 0xFFFF | (b & 0xFFFF) << 16 for a in codes for b in codes],
                [*halves, *(half << 16 for half in halves), 0x8000_8000],
            )
        if code is _O.PAIRS:
            ends = [1 << 24 | 2 << 12, 2, 2 | 2 << 12]
            return ends, [3, 3 << 12, 0xFFF, 0xFFF << 12, 1 << 25, 1 << 31, 3 | 1 << 24]
        if code is _O.SCHEDULE and place == 0:
            measured = 1 << 31
            repeats = (1, REPEAT_MAX, measured | 1, measured | REPEAT_MAX)
            return repeats, (0, measured, REPEAT_MAX + 1, 1 << 30 | 1, WORD)
        if code is _O.SCHEDULE and place < 3:
            top = SHIFT_MAX << 18
            return (top, top | (1 << 18) - 1, (1 << 18) - 1), (
                top + (1 << 18),
                1 << 24,
                1 << 31,
                WORD,
            )
        if place == 0 and code in (_O.CLAMPS, _O.CONSTRAINTS):
            return (0, 1), (2, 1 << 31, WORD)
        if code is _O.CONSTRAINTS and place == 1:
            return (0, COEFFICIENT_MAX), (COEFFICIENT_MAX + 1, WORD, 1 << 31)
        limit = {
            **{_O.UNITS: COEFFICIENT_MAX, _O.BIASES: COEFFICIENT_MAX, _O.CLAMPS: STATE_MAX},
            **{_O.STATE: STATE_MAX, _O.SCHEDULE: STRENGTH_MAX, _O.CONSTRAINTS: RESIDUAL_MAX},
        }[code]
        return (limit, -limit, 0, -1), (limit + 1, -limit - 1, 1 << 31)

    async def _incomplete(self) -> None:
        """COMMIT with each part missing, or all but its end."""
        parts = (_O.UNITS, _O.WEIGHTS, _O.BIASES, _O.CONSTRAINTS)
        for late in range(len(parts)):
            await self._begin()
            for part in parts[:late]:
                await self._records(part, 0, self._ends[part])
            await self.put(_O.COMMIT)
            for part in parts[late + 1 :]:
                await self._records(part, 0, self._ends[part])
            await self.put(_O.COMMIT)
            end = self._ends[parts[late]]
            await self._records(parts[late], 0, end - 1)
            await self.put(_O.COMMIT)
            await self._records(parts[late], end - 1, 1)
            await self.put(_O.COMMIT)
            await self.put(_O.READ, LangevinRegister.STATE)

    async def _runs(self) -> None:
        """Schedules and pairs that are there or not; refused and repeated loads change nothing."""
        for register in (LangevinRegister.ENTRIES, LangevinRegister.PAIRS):
            await self.put(_O.WRITE, register, 0)
        await self.put(_O.RUN)
        await self.put(_O.WRITE, LangevinRegister.ENTRIES, 1)
        await self.put(_O.RUN)
        await self._records(_O.SCHEDULE, 0, 3)
        await self._records(_O.SCHEDULE, 0, 1)  # never shortens
        await self._records(_O.SCHEDULE, 4, 1)
        for entries in (4, WORD, 3):
            await self.put(_O.WRITE, LangevinRegister.ENTRIES, entries)
            await self.put(_O.WRITE, LangevinRegister.PAIRS, 1)
            await self.put(_O.RUN)
        await self._records(_O.PAIRS, 0, 2)
        await self._records(_O.PAIRS, 1, 1)
        for pairs in (3, WORD, 2, 0):
            await self.put(_O.WRITE, LangevinRegister.PAIRS, pairs)
            await self.put(_O.RUN)
            await self.environment.settled()
            await self.put(_O.READ, LangevinRegister.STATE)
        # in READY conditions go anywhere, but not past their ends
        for code in (_O.BIASES, _O.CONSTRAINTS, _O.CLAMPS, _O.STATE):
            for first in (self._ends[code], self._ends[code] - 1, 0, 1, WORD):
                await self._records(code, first, 1)
        await self.put(_O.RUN)
