"""`DeviceLoader` against the golden checks: error, detail, and every word that it writes."""

from random import Random
from typing import Any

import cocotb

from gibbsite_hw.graph_signatures import Memories
from gibbsite_hw.spec.packets import ErrorCode, Opcode
from gibbsite_hw.spec.program import Row, encode_entry
from gibbsite_models.golden.checks import (
    Refused,
    check_entries,
    check_signed,
    check_words,
    decode_rows,
)
from gibbsite_sim.cosim.clocked import Clocked, read
from gibbsite_sim.cosim.run import parameters_here
from gibbsite_sim.cosim.scoreboard import Scoreboard

PARAMETERS = parameters_here()
LANES = PARAMETERS.lanes
FULL = (1 << LANES) - 1
WORD = 0xFFFF_FFFF
LOADS = 900
RECORD = {
    **{Opcode.ROWS: 2, Opcode.ENTRIES: LANES, Opcode.BIASES: LANES},
    **{Opcode.CLAMPS: 2, Opcode.SCHEDULE: 1, Opcode.STATE: 1},
}
MEMORY = {
    **{Opcode.ROWS: Memories.ROWS, Opcode.ENTRIES: Memories.ENTRIES},
    **{Opcode.BIASES: Memories.BIASES, Opcode.CLAMPS: Memories.CLAMPS},
    **{Opcode.SCHEDULE: Memories.SCHEDULE, Opcode.STATE: Memories.STATE},
}
PORTS = ("opcode", "words", "expected", "any_place", "at_most", "limit", "rows")

Verdict = tuple[int, int]
Write = tuple[int, int, int, int]


class Loader:
    """Plays the payload memory; the model judges what it holds when ``start`` is seen."""

    def __init__(self, clocked: Clocked) -> None:
        self.dut: Any = clocked.dut
        self.verdicts: Scoreboard[Verdict] = Scoreboard("verdicts")
        self.writes: Scoreboard[Write] = Scoreboard("writes")
        self.payload: list[int] = [0]
        self.codes: dict[int, int] = {}
        self.start = self.busy = False
        self.address = 0
        for name in ("start", "word", *PORTS):
            getattr(self.dut, name).value = 0
        clocked.agents.append(self)

    def sample(self) -> None:
        dut = self.dut
        self.address = read(dut.address)
        if read(dut.start):
            self.model(*(read(getattr(dut, name)) for name in PORTS))
        if read(dut.write__enable):
            opcode = read(dut.opcode)
            lane = read(dut.write__lane) if opcode in (Opcode.ENTRIES, Opcode.BIASES) else 0
            place = read(dut.write__memory), read(dut.write__address)
            self.writes.saw((*place, lane, read(dut.write__data)))
        if self.busy and read(dut.done):
            error = read(dut.error)
            detail = read(dut.detail)
            if error == ErrorCode.BAD_ADDRESS:  # the shell gives back the address itself
                detail = self.payload[0]
            self.verdicts.saw((error, detail if error else read(dut.loaded)))
            self.codes[error] = self.codes.get(error, 0) + 1
            self.busy = False

    def model(
        self, code: int, words: int, expected: int, any_place: int, at_most: int, limit: int,
        rows: int,
    ) -> None:  # fmt: skip
        """The golden checks, then the writes of a payload that passes them."""
        opcode, payload = Opcode(code), self.payload[:words]
        first, records = payload[0], (words - 1) // RECORD[Opcode(code)]
        wrong = not any_place and (first > expected if at_most else first != expected)
        try:
            if wrong or first + records > limit:
                raise Refused(ErrorCode.BAD_ADDRESS, first)
            if opcode is Opcode.ROWS:
                decode_rows(PARAMETERS, payload)
            elif opcode is Opcode.ENTRIES:
                check_entries(PARAMETERS, rows, payload)
            elif opcode is Opcode.BIASES:
                check_signed(PARAMETERS.bias_max, payload)
            else:
                check_words(PARAMETERS.beta_max if opcode is Opcode.SCHEDULE else FULL, payload)
        except Refused as refused:
            self.verdicts.expect((int(refused.code), refused.detail))
            return
        self.verdicts.expect((0, first + records))
        memory, size = MEMORY[opcode], RECORD[opcode]
        for n in range(records):
            part = payload[1 + n * size : 1 + (n + 1) * size]
            if size == LANES and opcode in (Opcode.ENTRIES, Opcode.BIASES):
                for lane, word in enumerate(part):
                    self.writes.expect((memory, first + n, lane, word))
            elif size == 2:
                shift = 18 if opcode is Opcode.ROWS else LANES
                self.writes.expect((memory, first + n, 0, part[0] | part[1] << shift))
            else:
                self.writes.expect((memory, first + n, 0, part[0]))

    def drive(self) -> None:
        self.dut.start.value = int(self.start)
        self.start = False
        if self.address < len(self.payload):
            self.dut.word.value = self.payload[self.address]


def record(opcode: Opcode, rows: int, rng: Random) -> list[int]:
    """One good record, often at a bound."""
    p = PARAMETERS
    if opcode is Opcode.ROWS:
        while True:
            fold = rng.randint(0, p.lane_bits)
            most = min(p.max_degree, p.max_degree + p.lanes >> fold)
            group = rng.random() < 0.5
            flags = [group and rng.random() < 0.5 for _ in range(2)]
            length = rng.choice([1, most, rng.randint(1, most)])
            lanes = range(0, LANES, 1 << fold)
            mask = sum(1 << lane for lane in lanes if rng.random() < 0.7)
            row = Row(length, fold, group, *flags, rng.random() < 0.5, mask)
            if row.fits(p):
                return list(row.encode())
    if opcode is Opcode.ENTRIES:
        most = p.weight_max
        return [
            encode_entry(
                p,
                rng.choice([0, rows * LANES - 1, rng.randrange(rows * LANES)]),
                rng.choice([most, -most, 0, rng.randint(-most, most)]),
                rng.random() < 0.5,
            )
            for _ in range(LANES)
        ]
    if opcode is Opcode.BIASES:
        most = p.bias_max
        return [rng.choice([most, -most, rng.randint(-most, most)]) & WORD for _ in range(LANES)]
    top = p.beta_max if opcode is Opcode.SCHEDULE else FULL
    return [rng.choice([0, top, rng.randint(0, top)]) for _ in range(RECORD[opcode])]


@cocotb.test()
async def loads(dut: object) -> None:
    """Good payloads, and payloads with one word or one address wrong."""
    rng = Random(61)
    clocked = Clocked(dut)
    loader = Loader(clocked)
    await clocked.start()
    for number in range(LOADS):
        opcode = list(RECORD)[number % len(RECORD)]
        size = RECORD[opcode]
        rows = rng.choice([1, PARAMETERS.rows, rng.randint(1, PARAMETERS.rows)])
        limit = {
            Opcode.ENTRIES: PARAMETERS.words,
            Opcode.SCHEDULE: PARAMETERS.schedule_steps,
        }.get(opcode, rows)
        most = min((PARAMETERS.payload_words - 1) // size, limit)
        count = rng.choice([1, most, rng.randint(1, most)])
        first = rng.choice([0, limit - count, rng.randint(0, limit - count)])
        payload = [first, *(w for _ in range(count) for w in record(opcode, rows, rng))]
        expected = first
        if rng.random() < 0.4:
            at = rng.randrange(1, len(payload))
            payload[at] = rng.choice(
                [payload[at] ^ 1 << rng.randrange(32), rng.getrandbits(32), WORD, 0]
            )
        if rng.random() < 0.25:
            payload[0] = rng.choice(
                [first + 1, max(first - 1, 0), limit, WORD, rng.getrandbits(32)]
            )
        loader.payload = payload
        dut.opcode.value, dut.words.value = opcode, len(payload)
        dut.expected.value, dut.limit.value, dut.rows.value = expected, limit, rows
        kind = rng.randrange(3)
        dut.any_place.value, dut.at_most.value = int(kind == 1), int(kind == 2)
        loader.start = loader.busy = True
        await clocked.until(lambda: not loader.busy, 400, "verdict")
    loader.verdicts.finish(LOADS)
    loader.writes.finish(LOADS)
    assert set(loader.codes) == {0, ErrorCode.BAD_ADDRESS, ErrorCode.BAD_VALUE}, loader.codes
    assert min(loader.codes.values()) > LOADS / 10
