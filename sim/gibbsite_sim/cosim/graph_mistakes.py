"""Every way in which the graph engine's shell refuses a well-framed command."""

from gibbsite_hw.spec.packets import Opcode
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.program import Row
from gibbsite_hw.spec.registers import Register, RunFlags
from gibbsite_sim.cosim.sequences import WORD, Commands

__all__ = ["Mistakes"]


class Mistakes(Commands):
    """Every way in which a well-framed command can be refused, `ErrorCode` by `ErrorCode`.

    Starts and ends with no program that matters.
    """

    def __init__(self, parameters: GraphParameters) -> None:
        super().__init__()
        self._parameters = parameters

    async def body(self) -> None:
        await self._sizes()
        await self._records()
        await self._structures()
        await self._conditions()

    async def _sizes(self) -> None:
        p = self._parameters
        for rows, words in ((0, 1), (p.rows + 1, 1), (1, 0), (1, p.words + 1), (WORD, WORD)):
            await self.put(Opcode.BEGIN, rows, words)

    async def _records(self) -> None:
        """Addresses and values just inside and just outside of what each memory takes."""
        p, lanes = self._parameters, self._parameters.lanes
        full = (1 << lanes) - 1
        plain = Row(1, 0, False, False, False, True, full).encode()
        await self.put(Opcode.BEGIN, 2, 3)
        for first in (1, 2, WORD):
            await self.put(Opcode.ROWS, first, *plain)
            await self.put(Opcode.ENTRIES, first, *(0,) * lanes)
            await self.put(Opcode.BIASES, first, *(0,) * lanes)
        await self.put(Opcode.ROWS, 0, *plain * 3)
        await self.put(Opcode.ENTRIES, 0, *(0,) * 4 * lanes)
        await self.put(Opcode.BIASES, 0, *(0,) * 3 * lanes)
        for opcode, record in ((Opcode.CLAMPS, (0, 0)), (Opcode.STATE, (0,))):
            for first in (2, WORD):
                await self.put(opcode, first, *record)
            await self.put(opcode, 1, *record * 2)
        for first in (1, p.schedule_steps, WORD):
            await self.put(Opcode.SCHEDULE, first, 0)
        await self.put(Opcode.SCHEDULE, 0, *(0,) * (p.schedule_steps + 1))
        for descriptor, mask in self.bad_rows(plain[0], full):
            await self.put(Opcode.ROWS, 0, descriptor, mask)
            await self.put(Opcode.ROWS, 0, *plain, descriptor, mask)
        least = 1 << p.address_bits + p.weight_bits - 1
        width = p.address_bits + p.weight_bits + 1
        for entry in (2 * lanes, least, 1 << width, WORD):
            for at in (0, lanes - 1, lanes):
                words = [0] * 2 * lanes
                words[at] = entry
                await self.put(Opcode.ENTRIES, 0, *words)
        for bias in (p.bias_max + 1, -p.bias_max - 1, 1 << 31):
            await self.put(Opcode.BIASES, 0, *(0,) * (lanes - 1), bias)
        await self.put(Opcode.CLAMPS, 0, full + 1, 0)
        await self.put(Opcode.CLAMPS, 0, 0, full + 1)
        await self.put(Opcode.STATE, 0, full, full + 1)
        await self.put(Opcode.SCHEDULE, 0, p.beta_max, p.beta_max + 1)
        await self.put(Opcode.SCHEDULE, 0, p.beta_max)
        await self.put(Opcode.BIASES, 0, *(p.bias_max, -p.bias_max) * (lanes // 2))

    def bad_rows(self, plain: int, full: int) -> list[tuple[int, int]]:
        """Descriptors and masks, each wrong in one way; from a right descriptor and all lanes."""
        p = self._parameters
        longest = p.max_degree + p.lanes >> p.lane_bits
        top = 1 << p.lanes - 1  # a list shared from there on ends beyond the last lane
        bad = [(plain & ~0x7FF, full), (plain & ~0x7FF | p.max_degree + 1, full), (plain, 0)]
        bad += [(plain | 1 << bit, full) for bit in (15, 16, 18, 31)]
        bad += [(plain, full + 1), (plain | 1 << 11, 2), (plain | p.lane_bits + 1 << 11, 1)]
        bad += [(plain & ~0x7FF | longest + 1 | p.lane_bits << 11, 1), (plain | 1 << 11, top)]
        return bad

    async def _structures(self) -> None:
        """Rows that are right one by one and do not fit each other."""
        p = self._parameters
        bit, wall = (
            Row(1, 0, False, False, False, False, 1),
            Row(1, 0, False, False, False, True, 1),
        )
        first, last = Row(1, 0, True, True, False, False, 1), Row(1, 0, True, False, True, True, 1)
        middle, whole = (
            Row(1, 0, True, False, False, False, 1),
            Row(1, 0, True, True, True, True, 1),
        )
        full = (1 << p.lanes) - 1
        large = p.max_group // p.lanes
        group = [Row(1, 0, True, n == 0, n == large, n == large, full) for n in range(large + 1)]
        for rows in (
            [bit, bit],
            [last, wall],
            [first, wall],
            [first, first, last],
            [wall, middle],
            [Row(1, 0, True, True, False, True, 1), last],
            [wall, first],
            [whole, Row(1, 0, True, True, True, False, 1)],
            group,
        ):
            await self._load(rows)
            await self.put(Opcode.COMMIT)
        await self._load([wall, whole], words=3)
        await self.put(Opcode.COMMIT)
        await self.put(Opcode.BEGIN, 1, 1)
        await self.put(Opcode.COMMIT)  # nothing loaded at all

    async def _conditions(self) -> None:
        """Clamps and given states that a run must refuse, then one that it takes."""
        rows = [
            Row(1, 0, False, False, False, True, 0b0111),
            Row(1, 0, True, True, False, False, 0b1111),
            Row(1, 0, True, False, True, True, 0b0011),
        ]
        await self._load(rows)
        await self.put(Opcode.COMMIT)
        await self.put(Opcode.WRITE, Register.STEPS, 1)
        await self.put(Opcode.RUN)
        await self.put(Opcode.WRITE, Register.STEPS, 0)
        for given in (0, RunFlags.GIVEN_STATE):
            await self.put(Opcode.WRITE, Register.FLAGS, given)
            for on, off in (
                ((1, 0, 0), (1, 0, 0)),
                ((0, 1, 1), (0, 0, 0)),
                ((0, 6, 0), (0, 0, 0)),
                ((0, 0, 0), (0, 15, 3)),
                ((0, 0, 2), (0, 0, 2)),
            ):
                await self._clamp(on, off)
                await self.put(Opcode.RUN)
        await self._clamp((0, 0, 0), (0, 0, 0))
        for state in ((8, 1, 0), (0, 0, 0), (0, 3, 0), (0, 1, 1), (0, 0, 3), (0, 0, 4)):
            await self.put(Opcode.STATE, 0, *state)
            await self.put(Opcode.RUN)
        await self.put(Opcode.STATE, 0, 5, 0, 2)
        for on, off in (
            ((2, 0, 0), (0, 0, 0)),
            ((0, 0, 0), (4, 0, 0)),
            ((0, 0, 0), (0, 0, 2)),
            ((0, 1, 0), (0, 0, 0)),
        ):
            await self._clamp(on, off)
            await self.put(Opcode.RUN)
        await self._clamp((1, 0, 2), (2, 15, 1))
        await self.put(Opcode.RUN)

    async def _load(self, rows: list[Row], words: int | None = None) -> None:
        """Rows with zero entries and biases; ``words`` announced if not the sum of the lengths."""
        p = self._parameters
        number = words if words is not None else sum(row.length for row in rows)
        await self.put(Opcode.BEGIN, len(rows), number)
        for at, row in enumerate(rows):
            await self.put(Opcode.ROWS, at, *row.encode())
            await self.put(Opcode.BIASES, at, *(0,) * p.lanes)
        for at in range(number):
            await self.put(Opcode.ENTRIES, at, *(0,) * p.lanes)

    async def _clamp(self, on: tuple[int, ...], off: tuple[int, ...]) -> None:
        pairs = [mask for pair in zip(on, off, strict=True) for mask in pair]
        await self.put(Opcode.CLAMPS, 0, *pairs)
