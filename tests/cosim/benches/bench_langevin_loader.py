"""`LangevinLoader` against the rules of docs/langevin-engine.md: verdicts, and all that it writes.

The rules stand here once more, word by word, as a second opinion beside the golden shell, which
the bench of the whole shell meets.
"""

from random import Random
from typing import Any

import cocotb

from gibbsite_hw.langevin_signatures import LangevinMemories
from gibbsite_hw.spec.langevin_formats import (
    COEFFICIENT_MAX,
    RESIDUAL_MAX,
    SHIFT_MAX,
    STATE_MAX,
    STRENGTH_MAX,
)
from gibbsite_hw.spec.langevin_packets import LANGEVIN_RECORDS, LangevinErrorCode, LangevinOpcode
from gibbsite_sim.cosim.clocked import Clocked, read
from gibbsite_sim.cosim.run import langevin_parameters_here
from gibbsite_sim.cosim.scoreboard import Scoreboard

PARAMETERS = langevin_parameters_here()
Op = LangevinOpcode
HALF = PARAMETERS.multipliers // 2
WORD = 0xFFFF_FFFF
LOADS = 1200
RECORD = {**LANGEVIN_RECORDS, Op.WEIGHTS: HALF}
LONGEST = max(RECORD.values())
PORTS = ("opcode", "words", "expected", "any_place", "at_most", "limit", "units")

Verdict = tuple[int, int]
Write = tuple[int, int, int, int]


def signed(word: int, bits: int = 32) -> int:
    """Two's complement."""
    return word - (word >> bits - 1 << bits)


def good(opcode: LangevinOpcode, place: int, word: int, units: int) -> bool:
    """Whether this may be word ``place`` of a record."""
    most = PARAMETERS.weight_max
    if opcode is Op.WEIGHTS:
        return all(abs(signed(half, 16)) <= most for half in (word & 0xFFFF, word >> 16))
    if opcode is Op.PAIRS:
        return word & 0xFFF < units and word >> 12 & 0xFFF < units and word >> 25 == 0
    if opcode is Op.SCHEDULE and place == 0:
        return word & 0xFF_FFFF > 0 and word >> 24 & 0x7F == 0
    if opcode is Op.SCHEDULE and place < 3:
        return word >> 24 == 0 and word >> 18 <= SHIFT_MAX
    if place == 0 and opcode in (Op.CLAMPS, Op.CONSTRAINTS):
        return word in (0, 1)
    if opcode is Op.CONSTRAINTS and place == 1:
        return word <= COEFFICIENT_MAX
    limit = {
        **{Op.UNITS: COEFFICIENT_MAX, Op.BIASES: COEFFICIENT_MAX, Op.CLAMPS: STATE_MAX},
        **{Op.STATE: STATE_MAX, Op.SCHEDULE: STRENGTH_MAX, Op.CONSTRAINTS: RESIDUAL_MAX},
    }[opcode]
    return abs(signed(word)) <= limit


def probes(opcode: LangevinOpcode, place: int, units: int, rng: Random) -> list[int]:
    """Words on both sides of the limits of every rule, and some that are far away."""
    bounds = (COEFFICIENT_MAX, STATE_MAX, STRENGTH_MAX, RESIDUAL_MAX)
    words = [0, 1, 2, 1 << 31, WORD, rng.getrandbits(32)]
    for bound in bounds:
        words += [bound, bound + 1, -bound, -bound - 1]
    if opcode is Op.WEIGHTS:
        halves = [PARAMETERS.weight_max + d for d in (0, 1)]
        halves += [-half for half in halves] + [0, 0x8000]
        words += [one & 0xFFFF | (two & 0xFFFF) << 16 for one in halves for two in halves]
    if opcode is Op.PAIRS:
        edge = [0, units - 1, units, 0xFFF]
        words += [
            i & 0xFFF | (j & 0xFFF) << 12 | a << 24 for i in edge for j in edge for a in (0, 1, 2)
        ]
    if opcode is Op.SCHEDULE and place == 0:
        words += [
            (1 << 24) - 1,
            1 << 24,
            1 << 30,
            1 << 31 | 1,
            1 << 31 | (1 << 24) - 1,
            3 << 30 | 1,
        ]
    if opcode is Op.SCHEDULE and 0 < place < 3:
        words += [SHIFT_MAX << 18, SHIFT_MAX + 1 << 18, 48 << 18 | 5, 1 << 24, (48 << 18) - 1]
    return [word & WORD for word in words]


class Loader:
    """Plays the payload memory; the model judges what it holds when ``start`` is seen."""

    def __init__(self, clocked: Clocked) -> None:
        self.dut: Any = clocked.dut
        self.verdicts: Scoreboard[Verdict] = Scoreboard("verdicts")
        self.writes: Scoreboard[Write] = Scoreboard("writes")
        self.payload: list[int] = [0]
        self.codes: dict[tuple[int, int], int] = {}
        self.edges: set[tuple[int, int, bool]] = set()
        self.start = self.busy = False
        self.address = 0
        for name in ("start", "word", *PORTS):
            getattr(self.dut, name).value = 0
        clocked.agents.append(self)

    def sample(self) -> None:
        dut = self.dut
        self.address = read(dut.address)
        if read(dut.start):
            assert read(dut.fits), "whole records do not fit"
            self.model(*(read(getattr(dut, name)) for name in PORTS))
        if read(dut.write__enable):
            opcode = read(dut.opcode)
            by_lane = opcode == Op.WEIGHTS
            words = 1 if by_lane else RECORD[LangevinOpcode(opcode)]
            data = read(dut.write__data) & (1 << 32 * words) - 1
            lane = read(dut.write__lane) if by_lane else 0
            self.writes.saw((read(dut.write__memory), read(dut.write__address), lane, data))
        if self.busy and read(dut.done):
            error = read(dut.error)
            self.verdicts.saw((error, read(dut.detail) if error else read(dut.loaded)))
            key = (read(dut.opcode), error)
            self.codes[key] = self.codes.get(key, 0) + 1
            self.busy = False

    def model(
        self, code: int, words: int, expected: int, any_place: int, at_most: int, limit: int,
        units: int,
    ) -> None:  # fmt: skip
        """The rules, then the writes of a payload that keeps them."""
        opcode, payload = LangevinOpcode(code), self.payload[:words]
        size, first = RECORD[opcode], payload[0]
        records = (words - 1) // size
        wrong = not any_place and (first > expected if at_most else first != expected)
        if wrong or first + records > limit:
            self.verdicts.expect((LangevinErrorCode.BAD_ADDRESS, first))
            return
        for at, word in enumerate(payload[1:], start=1):
            fits = good(opcode, (at - 1) % size, word, units)
            self.edges.add((opcode, (at - 1) % size, fits))
            if not fits:
                self.verdicts.expect((LangevinErrorCode.BAD_VALUE, at))
                return
        self.verdicts.expect((0, first + records))
        memory = getattr(LangevinMemories, opcode.name)
        for n in range(records):
            part = payload[1 + n * size :][:size]
            if opcode is Op.WEIGHTS:
                for lane, word in enumerate(part):
                    self.writes.expect((memory, first + n, lane, word))
            else:
                data = sum(word << 32 * k for k, word in enumerate(part))
                self.writes.expect((memory, first + n, 0, data))

    def drive(self) -> None:
        self.dut.start.value = int(self.start)
        self.start = False
        if self.address < len(self.payload):
            self.dut.word.value = self.payload[self.address]


def limits(opcode: LangevinOpcode, units: int, rng: Random) -> int:
    """The end of a memory as a program has it."""
    p = PARAMETERS
    return {
        Op.WEIGHTS: rng.randint(1, p.weight_words),
        Op.SCHEDULE: p.schedule_entries,
        Op.PAIRS: p.pairs,
        Op.CONSTRAINTS: rng.randint(1, p.constraints),
    }.get(opcode, units)


@cocotb.test()
async def loads(dut: object) -> None:
    """Good payloads, and payloads with one word or one address wrong."""
    rng = Random(67)
    clocked = Clocked(dut)
    loader = Loader(clocked)
    await clocked.start()
    for number in range(LOADS):
        opcode = list(RECORD)[number % len(RECORD)]
        size = RECORD[opcode]
        units = rng.choice([1, PARAMETERS.units, rng.randint(1, PARAMETERS.units)])
        limit = limits(opcode, units, rng)
        most = min((PARAMETERS.payload_words - 1) // size, limit)
        count = rng.choice([1, most, rng.randint(1, most)])
        first = rng.choice([0, limit - count, rng.randint(0, limit - count)])
        payload = [first]
        for at in range(count * size):
            place = at % size
            choices = probes(opcode, place, units, rng)
            payload.append(rng.choice([w for w in choices if good(opcode, place, w, units)]))
        if rng.random() < 0.5:
            place = number // len(RECORD) % size
            choices = probes(opcode, place, units, rng)
            at = 1 + place + size * rng.randrange(count)
            payload[at] = rng.choice([w for w in choices if not good(opcode, place, w, units)])
        if rng.random() < 0.25:
            payload[0] = rng.choice(
                [first + 1, max(first - 1, 0), limit, WORD, rng.getrandbits(32)]
            )
        loader.payload = payload
        dut.opcode.value, dut.words.value = opcode, len(payload)
        dut.expected.value, dut.limit.value, dut.units.value = first, limit, units
        kind = rng.randrange(3)
        dut.any_place.value, dut.at_most.value = int(kind == 1), int(kind == 2)
        loader.start = loader.busy = True
        await clocked.until(lambda: not loader.busy, 2 * len(payload) + 20, "verdict")
    loader.verdicts.finish(LOADS)
    loader.writes.finish(LOADS)
    wanted = {0, LangevinErrorCode.BAD_ADDRESS, LangevinErrorCode.BAD_VALUE}
    assert set(loader.codes) == {(opcode, code) for opcode in RECORD for code in wanted}
    places = {(opcode, place) for opcode, size in RECORD.items() for place in range(size)}
    missed = {(*place, fits) for place in places for fits in (True, False)} - loader.edges
    assert not missed, f"words that were never right or never wrong: {missed}"


@cocotb.test()
async def lengths(dut: object) -> None:
    """``fits`` for every opcode and every number of payload words."""
    clocked = Clocked(dut)
    Loader(clocked)
    await clocked.start()
    checked = 0
    for opcode, size in RECORD.items():
        for words in range(PARAMETERS.payload_words + 1):
            dut.opcode.value, dut.words.value = opcode, words
            await clocked.wait(1)
            wanted = words > 1 and (words - 1) % size == 0
            assert read(dut.fits) == wanted, f"{words} words of {opcode.name}"
            checked += 1
    assert checked == len(RECORD) * (PARAMETERS.payload_words + 1)
